package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/godwit-gateway/godwit/gateway/api"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/store"
)

type deviceCmd struct {
	List    deviceListCmd    `cmd:"" help:"List devices."`
	Show    deviceShowCmd    `cmd:"" help:"Show one device and what it said of late."`
	Import  deviceImportCmd  `cmd:"" help:"Take devices in from a CSV file."`
	Export  deviceExportCmd  `cmd:"" help:"Write devices to a CSV file for another gateway, their keys wrapped."`
	Approve deviceApproveCmd `cmd:"" help:"Let a device in that waits for approval, with what it sent so far."`
	Reject  deviceRejectCmd  `cmd:"" help:"Refuse a device for good."`
	Retire  deviceRetireCmd  `cmd:"" help:"Take a device out of service."`
	Suspend deviceSuspendCmd `cmd:"" help:"Note that a device's line on a link is suspended: what its rental is."`
	Resume  deviceResumeCmd  `cmd:"" help:"Note that a line is not suspended any more."`
	Address deviceAddressCmd `cmd:"" help:"Let paid downlinks go to an address that a device was heard from."`
	Rekey   deviceRekeyCmd   `cmd:"" help:"Give a device new keys."`

	Request  deviceRequestCmd  `cmd:"" help:"Ask a device for a keyframe, a hello, or what waits."`
	Time     deviceTimeCmd     `cmd:"" help:"Tell a device the time."`
	Sleep    deviceSleepCmd    `cmd:"" help:"Tell a device that nothing more is coming."`
	Template deviceTemplateCmd `cmd:"" help:"Give a device a template for one of its slots."`
	Offer    deviceOfferCmd    `cmd:"" help:"Offer a device an update."`
	Policy   devicePolicyCmd   `cmd:"" help:"Tell a device when and over what to speak."`
}

type deviceListCmd struct {
	State    string `help:"Only devices in this state: active, pending, rejected, retired." enum:"active,pending,rejected,retired," default:""`
	Product  string `help:"Only devices of this product."`
	Customer string `help:"Only devices of this customer."`
	Prefix   string `help:"Only devices whose name begins so."`
	Behind   string `help:"Only devices that run an older version than this, or never told." placeholder:"VERSION"`
	Silent   bool   `help:"Only devices that are not heard as they should be."`
	Limit    int    `help:"At most so many; 0 for all." default:"0"`
}

// Help shows an example.
func (deviceListCmd) Help() string {
	return `Example:
  godwit device list --state pending
  godwit device list --behind 2.4.0 --silent --product buoy-demo
  godwit device list --customer acme -o json | jq -r '.[].name'`
}

// Run lists devices, page by page.
func (c *deviceListCmd) Run(e *env) error {
	if c.Limit < 0 {
		return fmt.Errorf("%w: --limit %d: want 0 or more", errUsage, c.Limit)
	}
	client, err := e.client()
	if err != nil {
		return err
	}
	q := url.Values{"limit": {"1000"}}
	for key, v := range map[string]string{"state": c.State, "product": c.Product, "customer": c.Customer, "prefix": c.Prefix, "behind": c.Behind} {
		if v != "" {
			q.Set(key, v)
		}
	}
	if c.Silent {
		q.Set("silent", "true")
	}
	all := []api.Device{}
	for {
		var p api.Page[api.Device]
		if err := client.Get(e.ctx, "/devices", q, &p); err != nil {
			return err
		}
		all = append(all, p.Items...)
		if c.Limit > 0 && len(all) >= c.Limit {
			all = all[:c.Limit]
			break
		}
		if p.Next == "" {
			break
		}
		q.Set("cursor", p.Next)
	}
	return e.print(all, "NUMBER NAME PRODUCT CUSTOMER STATE VERSION LAST_SEEN LINK FRAMES", func(row func(...any)) {
		for i := range all {
			d := &all[i]
			row(d.Number, d.Name, d.Product, d.Customer, d.State, d.Version, d.LastSeen, d.LastLink, d.Frames)
		}
	})
}

type deviceShowCmd struct {
	Device string `arg:"" help:"Name or number."`
	Last   int    `help:"Show so many of its last frames." default:"10"`
}

// Help shows an example.
func (deviceShowCmd) Help() string {
	return `Example:
  godwit device show buoy-2001 --last 3`
}

// shown is a device with its last frames, as JSON.
type shown struct {
	api.Device
	Updates []api.DeviceUpdate `json:"updates"`
	History []hub.StatusRecord `json:"history"`
}

// Run shows the device.
func (c *deviceShowCmd) Run(e *env) error {
	if c.Last < 0 {
		return fmt.Errorf("%w: --last %d: want 0 or more", errUsage, c.Last)
	}
	client, err := e.client()
	if err != nil {
		return err
	}
	var s shown
	path := "/devices/" + url.PathEscape(c.Device)
	if err := client.Get(e.ctx, path, nil, &s.Device); err != nil {
		return err
	}
	if s.Updates, err = list[api.DeviceUpdate](e, path+"/updates"); err != nil {
		return err
	}
	if c.Last > 0 {
		var p api.Page[hub.StatusRecord]
		if err := client.Get(e.ctx, path+"/history", url.Values{"limit": {strconv.Itoa(min(c.Last, 1000))}}, &p); err != nil {
			return err
		}
		s.History = p.Items
	}
	return e.print(s, "", s.rows)
}

func (s *shown) rows(row func(...any)) {
	row("number", s.Number)
	row("name", s.Name)
	row("product", s.Product)
	row("customer", s.Customer)
	row("state", s.State)
	row("key", s.Key)
	row("version", s.Version)
	row("build", s.Build)
	row("hardware", s.Hardware)
	row("boots", s.BootCount)
	row("free memory", s.FreeMemory)
	row("first seen", s.FirstSeen)
	row("last seen", s.LastSeen)
	if !s.Rejected.IsZero() {
		row("rejected", s.Rejected)
	}
	if !s.Retired.IsZero() {
		row("retired", s.Retired)
	}
	for _, x := range s.Suspensions {
		until := "until it is resumed"
		if x.Until != 0 {
			until = "until " + x.Until.String()
		}
		row("suspended", fmt.Sprintf("%s from %s %s", x.Link, x.From, until))
	}
	row("last link", s.LastLink)
	row("frames", fmt.Sprintf("%d, %d again; highest counter %d in epoch %d", s.Frames, s.Duplicates, s.Counter, s.Epoch))
	if s.SecondNo > 0 || s.Second == "previous" {
		row("second epoch", fmt.Sprintf("%d, %s", s.SecondNo, s.Second))
	}
	row("failures", s.Failures)
	for _, a := range s.Addresses {
		accepted := "not accepted for paid downlinks"
		if a.Accepted {
			accepted = "accepted"
		}
		row("address", a.Bearer+":"+a.ID+", "+accepted)
	}
	for i := range s.Updates {
		updateRows(&s.Updates[i], row)
	}
	for i := range s.History {
		r := &s.History[i]
		row(r.ReceivedAt, fmt.Sprintf("%d %s %s %s", r.Counter, r.Link, r.Kind, r.Data))
	}
}

type deviceImportCmd struct {
	File    string `arg:"" help:"CSV file, - for standard input."`
	DryRun  bool   `help:"Check only."`
	KeyFile string `name:"transfer-key-file" type:"path" help:"File of the key that wraps the keys of a file from godwit device export."`
}

// Help shows the format.
func (deviceImportCmd) Help() string {
	return `All rows or none. The first line names the columns, in any order; the last five may be left out:
  ` + fleet.ImportColumns + `
key is the device's own key in 64 hexadecimal digits, or fleet:ID for one derived from a fleet key. A file that
godwit device export wrote has more columns, and needs the transfer key.

Example:
  godwit device import fleet.csv --dry-run`
}

// readInput reads a file, or the standard input for "-".
func readInput(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(os.Stdin) //nolint:wrapcheck // the caller says what it is
	}
	return os.ReadFile(name) //nolint:wrapcheck // as above
}

var errImport = errors.New("nothing was imported")

// Run imports.
func (c *deviceImportCmd) Run(e *env) error {
	text, err := readInput(c.File)
	if err != nil {
		return fmt.Errorf("read the import: %w", err)
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return fmt.Errorf("%w: %s is empty: its first line must name the columns: %s", errImport, c.source(), fleet.ImportColumns)
	}
	if c.KeyFile != "" {
		kek, err := store.LoadKEK(c.KeyFile, false)
		if err != nil {
			return fmt.Errorf("transfer key: %w", err)
		}
		if text, err = unsealKeys(text, kek); err != nil {
			return err
		}
	}
	client, err := e.client()
	if err != nil {
		return err
	}
	var r api.ImportReport
	if err := client.Post(e.ctx, "/devices/import", url.Values{"dry_run": {strconv.FormatBool(c.DryRun)}}, text, &r); err != nil {
		return err
	}
	err = e.print(r, "", func(row func(...any)) {
		for _, x := range r.Errors {
			row(c.source()+":"+strconv.Itoa(x.Line)+":", strings.ReplaceAll(x.Error, "\n", "; "))
		}
		switch {
		case r.Done:
			row(fmt.Sprintf("%d %s imported", r.Rows, plural(r.Rows, "device")))
		case len(r.Errors) == 0:
			row(fmt.Sprintf("%d %s could be imported", r.Rows, plural(r.Rows, "device")))
		}
	})
	if err == nil && len(r.Errors) > 0 {
		return fmt.Errorf("%w: %d of %d rows cannot be", errImport, len(r.Errors), r.Rows)
	}
	return err
}

// source names the file for people.
func (c *deviceImportCmd) source() string {
	if c.File == "-" {
		return "standard input"
	}
	return c.File
}

type deviceApproveCmd struct {
	Device   string `arg:"" help:"Name or number."`
	Product  string `help:"Its product, if it is not the fleet key's."`
	Customer string `help:"Its customer, if it is not the fleet key's."`
}

// Help shows an example.
func (deviceApproveCmd) Help() string {
	return `Example:
  godwit device list --state pending
  godwit device approve buoy-2001 --customer port`
}

// Run approves.
func (c *deviceApproveCmd) Run(e *env) error {
	return e.change("/devices/"+url.PathEscape(c.Device)+"/approve", api.ApproveRequest{Product: c.Product, Customer: c.Customer})
}

type deviceRejectCmd struct {
	Device string `arg:"" help:"Name or number."`
	Reason string `help:"Why; it goes into the event."`
}

// Help shows an example.
func (deviceRejectCmd) Help() string {
	return `Its frames are counted and dropped from now on, its line is paid until then, and its number cannot register again.

Example:
  godwit device reject 2001 --reason "stolen"`
}

// Run rejects.
func (c *deviceRejectCmd) Run(e *env) error {
	return e.change("/devices/"+url.PathEscape(c.Device)+"/reject", api.RejectRequest{Reason: c.Reason})
}

type deviceRetireCmd struct {
	Device string `arg:"" help:"Name or number."`
	Reason string `help:"Why; it goes into the event."`
}

// Help shows an example.
func (deviceRetireCmd) Help() string {
	return `Nothing is expected of it any more: its silence is no news, no plan has it, no rollout reaches it, and its line is paid until
then. Its frames are counted and dropped; godwit device approve brings it back.

Example:
  godwit device retire buoy-2001 --reason "taken out of the water"`
}

// Run retires.
func (c *deviceRetireCmd) Run(e *env) error {
	return e.change("/devices/"+url.PathEscape(c.Device)+"/retire", api.RejectRequest{Reason: c.Reason})
}

type deviceAddressCmd struct {
	Device  string `arg:"" help:"Name or number."`
	Address string `arg:"" help:"Bearer and id, as in sms:+491700000001."`
	New     bool   `help:"The device need not have been heard from there: you know that it is its address."`
}

// Help shows an example.
func (deviceAddressCmd) Help() string {
	return `A device may be heard from an address that nobody gave it: a new SIM, or a sender's number that was
forged. Nothing that costs money goes there until somebody says that it is the device's.

A device that leaves out its connection id is known by its address alone. After the loss of a whole store, or
before a SIM is changed, --new tells the gateway of one that the device was not heard from.

Example:
  godwit device address buoy-2001 sms:+491700000001
  godwit device address buoy-2001 sms:+491700000002 --new`
}

// Run accepts.
func (c *deviceAddressCmd) Run(e *env) error {
	bearer, id, ok := strings.Cut(c.Address, ":")
	if !ok || bearer == "" || id == "" {
		return fmt.Errorf("%w: address %q: want bearer:id, as in sms:+491700000001", errUsage, c.Address)
	}
	return e.change("/devices/"+url.PathEscape(c.Device)+"/addresses", api.AcceptRequest{Bearer: bearer, ID: id, New: c.New})
}

// change posts a change of a device and shows what it is now.
func (e *env) change(path string, in any) error {
	client, err := e.client()
	if err != nil {
		return err
	}
	var d api.Device
	if err := client.Post(e.ctx, path, nil, in, &d); err != nil {
		return err
	}
	return e.print(d, "NUMBER NAME PRODUCT CUSTOMER STATE LAST_SEEN", func(row func(...any)) {
		row(d.Number, d.Name, d.Product, d.Customer, d.State, d.LastSeen)
	})
}

type deviceRekeyCmd struct {
	Device string `arg:"" help:"Name or number."`
	Link   string `help:"Name of the link to tell it by; empty: the one that it was last heard on."`
}

// Help explains.
func (deviceRekeyCmd) Help() string {
	return `Begins a new epoch: keys that nobody used, and counters from 0. The device is told in one message, sealed with its
old keys, and is heard under both until its first frame with the new ones. The gateway does this by itself after 2^20
frames or a year; do it by hand after an alarm "forgeries". Said again before the device answered, it tells of the same
epoch once more. Where the link is paid for and dead it follows the device to the one that it speaks over.

Example:
  godwit device rekey buoy-2001`
}

// Run queues it.
func (c *deviceRekeyCmd) Run(e *env) error {
	client, err := e.client()
	if err != nil {
		return err
	}
	var d hub.DownlinkRecord
	if err := client.Post(e.ctx, "/devices/"+url.PathEscape(c.Device)+"/rekey", nil, api.RekeyRequest{Link: c.Link}, &d); err != nil {
		return err
	}
	return e.print(d, "REF LINK STATE BYTES EXPIRES", func(row func(...any)) {
		row(d.Ref, d.Link, d.State, d.Bytes, d.Expires)
	})
}
