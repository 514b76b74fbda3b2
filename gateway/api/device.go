package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// Device is one device of the inventory.
type Device struct {
	Number     uint32    `json:"number"`
	Name       string    `json:"name"`
	Product    string    `json:"product"`
	Customer   string    `json:"customer"`
	State      string    `json:"state" enum:"active,pending,rejected,retired"`
	Key        string    `json:"key" doc:"own, or fleet: and the id of a fleet key"`
	CTRBits    uint8     `json:"ctr_bits"`
	Tag        uint8     `json:"tag"`
	Epoch      uint32    `json:"epoch"`
	Counter    uint64    `json:"counter" doc:"highest counter seen"`
	Second     string    `json:"second_epoch" enum:"none,pending,previous" doc:"pending: the device was told of another epoch and was not heard in it"`
	SecondNo   uint32    `json:"second_epoch_number,omitempty"`
	Failures   uint32    `json:"failures" doc:"frames in its name that did not verify in this epoch"`
	Version    string    `json:"version" doc:"software version that the device reported last"`
	Build      string    `json:"build,omitempty"`
	Hardware   string    `json:"hardware,omitempty"`
	BootCount  uint32    `json:"boot_count"`
	ResetCause uint8     `json:"reset_cause"`
	FreeMemory uint64    `json:"free_memory" doc:"bytes"`
	FirstSeen  time.Time `json:"first_seen,omitzero"`
	LastSeen   time.Time `json:"last_seen,omitzero"`
	Rejected   time.Time `json:"rejected,omitzero" doc:"since when an operator refuses it"`
	Retired    time.Time `json:"retired,omitzero" doc:"since when it is out of service"`
	LastLink   string    `json:"last_link,omitempty"`
	Frames     uint64    `json:"frames" doc:"distinct frames stored"`
	Duplicates uint64    `json:"duplicates"`
	Templates  []string  `json:"templates" doc:"hashes by slot"`
	Addresses  []Address `json:"addresses"`

	Suspensions []Suspension `json:"suspensions,omitempty" doc:"of its lines, but those that ended in months that are closed"`
}

// Suspension is for which days a line is suspended.
type Suspension struct {
	Link string `json:"link"`
	tariff.Days
}

// SuspendRequest says which line of a device is suspended, or is not any more.
type SuspendRequest struct {
	Link string      `json:"link" minLength:"1"`
	From tariff.Date `json:"from,omitempty" doc:"the first day, as 2026-12-01, in the zone of the link's tariff; by default today"`
}

// Address is a name that a device is known by on a bearer.
type Address struct {
	Bearer    string    `json:"bearer"`
	ID        string    `json:"id"`
	Accepted  bool      `json:"accepted" doc:"downlinks that cost money may go there"`
	FirstSeen time.Time `json:"first_seen,omitzero"`
}

func view(d *fleet.Device) Device {
	out := Device{
		Number: d.Number, Name: d.Name, Product: d.Product, Customer: d.Customer, State: d.State.String(), Key: d.KeySource, CTRBits: d.CTRBits,
		Tag: d.TagLen, Epoch: d.Session.Current.Number, Counter: d.Session.Current.Counters.Highest, Version: d.Version, Build: d.Build, Hardware: d.Hardware,
		Second: d.Session.Role.String(), SecondNo: d.Session.Second.Number, Failures: d.Session.Failures,
		BootCount: d.BootCount, ResetCause: d.ResetCause, FreeMemory: d.FreeMemory, FirstSeen: d.FirstSeen, LastSeen: d.LastSeen,
		LastLink: d.LastLink, Frames: d.Frames, Duplicates: d.Duplicates, Templates: []string{}, Addresses: []Address{},
	}
	for _, s := range d.Suspensions {
		out.Suspensions = append(out.Suspensions, Suspension{s.Link, s.Days})
	}
	if d.State == fleet.Rejected {
		out.Rejected = d.Dismissed
	} else {
		out.Retired = d.Dismissed
	}
	for _, t := range d.Slots {
		if t == (fleet.TemplateHash{}) {
			break
		}
		out.Templates = append(out.Templates, hex.EncodeToString(t[:]))
	}
	for _, x := range d.Addresses {
		out.Addresses = append(out.Addresses, Address(x))
	}
	return out
}

// Page is one page of a list; Next is the cursor of the following one, "" at the end.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
}

// one is the answer with one value.
type one[T any] struct{ Body T }

func page[T any](items []T, next string) *one[Page[T]] {
	if items == nil {
		items = []T{}
	}
	return &one[Page[T]]{Page[T]{items, next}}
}

// answered is an answer, or the problem.
func answered[T any](v T, err error) (*one[T], error) {
	if err != nil {
		return nil, failed(err)
	}
	return &one[T]{v}, nil
}

func paged[T any](items []T, next string, err error) (*one[Page[T]], error) {
	if err != nil {
		return nil, failed(err)
	}
	return page(items, next), nil
}

type devicesInput struct {
	State    string `query:"state" enum:"active,pending,rejected,retired"`
	Product  string `query:"product"`
	Customer string `query:"customer"`
	Prefix   string `query:"prefix" doc:"of the name"`
	Behind   string `query:"behind" doc:"a version: only devices that run an older one, or never told" maxLength:"64"`
	Silent   bool   `query:"silent" doc:"only devices that are not heard as they should be"`
	Limit    int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	Cursor   string `query:"cursor"`
}

var states = map[string]fleet.State{"": 0, "active": fleet.Active, "pending": fleet.Pending, "rejected": fleet.Rejected, "retired": fleet.Retired}

// DeviceRef names a device in a path.
type DeviceRef struct {
	Device string `path:"device" doc:"name or number" maxLength:"64"`
}

type historyInput struct {
	DeviceRef
	From   time.Time `query:"from" doc:"received at or after"`
	To     time.Time `query:"to" doc:"received before"`
	Limit  int       `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	Cursor string    `query:"cursor"`
}

// ApproveRequest says what a device that waits for approval is. Empty fields keep what its fleet key says.
type ApproveRequest struct {
	Product  string `json:"product,omitempty"`
	Customer string `json:"customer,omitempty"`
}

// RejectRequest says why a device is not let in, or goes.
type RejectRequest struct {
	Reason string `json:"reason,omitempty" maxLength:"200"`
}

type suspendInput struct {
	DeviceRef
	Body SuspendRequest
}

// AcceptRequest names an address that a device was heard from.
type AcceptRequest struct {
	Bearer string `json:"bearer"`
	ID     string `json:"id"`
	New    bool   `json:"new,omitempty" doc:"the device need not have been heard from there: it is known to be its address"`
}

// ImportReport is what an import did, or would do.
type ImportReport struct {
	Rows   int        `json:"rows"`
	Done   bool       `json:"done" doc:"the devices are stored; false for a dry run, or if there are errors"`
	Errors []RowError `json:"errors"`
}

// RowError is what is wrong with a line of an import file.
type RowError struct {
	Line  int    `json:"line"`
	Error string `json:"error"`
}

// ExportRequest says how devices are exported.
type ExportRequest struct {
	TransferKey string `json:"transfer_key" doc:"64 hexadecimal digits: the key that wraps the devices' keys" pattern:"^[0-9a-fA-F]{64}$"`
	Expand      bool   `json:"expand,omitempty" doc:"wrap the keys derived from fleet keys too"`
}

// ExportResult is a file for another gateway.
type ExportResult struct {
	Devices int    `json:"devices"`
	Keyless int    `json:"keyless" doc:"devices left out because their key is not at hand"`
	CSV     string `json:"csv,omitempty"`
}

func (a *api) registerDevices(h huma.API) {
	huma.Register(h, operation(http.MethodPost, "/devices/export", "export-devices", "Active devices for another gateway, their keys wrapped", Admin),
		func(ctx context.Context, in *struct{ Body ExportRequest }) (*one[ExportResult], error) {
			return a.exportDevices(ctx, &in.Body)
		})
	huma.Register(h, operation(http.MethodGet, "/devices", "list-devices", "Devices by number", Viewer),
		func(_ context.Context, in *devicesInput) (*one[Page[Device]], error) {
			found, next, err := a.Hub.Devices(hub.DeviceQuery{
				State: states[in.State], Product: in.Product, Customer: in.Customer, Prefix: in.Prefix, Behind: in.Behind, Silent: in.Silent, Limit: in.Limit, After: in.Cursor,
			})
			if err != nil {
				return nil, failed(err)
			}
			items := make([]Device, len(found))
			for i := range found {
				items[i] = view(&found[i])
			}
			return page(items, next), nil
		})
	huma.Register(h, operation(http.MethodGet, "/devices/{device}", "show-device", "One device", Viewer),
		func(_ context.Context, in *DeviceRef) (*one[Device], error) {
			return deviceOf(a.Hub.Device(in.Device))
		})
	huma.Register(h, operation(http.MethodGet, "/devices/{device}/history", "device-history", "What a device said, the newest first", Viewer),
		func(_ context.Context, in *historyInput) (*one[Page[hub.StatusRecord]], error) {
			return paged(a.Hub.History(in.Device, hub.HistoryQuery{From: in.From, To: in.To, Limit: in.Limit, Cursor: in.Cursor}))
		})
	a.registerChanges(h)
}

func (a *api) registerChanges(h huma.API) {
	huma.Register(h, operation(http.MethodPost, "/devices/{device}/approve", "approve-device", "Let a device in that waits for approval, or was rejected or retired", Operator),
		func(ctx context.Context, in *struct {
			DeviceRef
			Body ApproveRequest
		},
		) (*one[Device], error) {
			d, err := a.Hub.Approve(ctx, in.Device, fleet.Approval{Product: in.Body.Product, Customer: in.Body.Customer})
			return a.changed(ctx, "device approved", d, err)
		})
	huma.Register(h, operation(http.MethodPost, "/devices/{device}/reject", "reject-device", "Refuse a device for good", Operator),
		func(ctx context.Context, in *struct {
			DeviceRef
			Body RejectRequest
		},
		) (*one[Device], error) {
			d, err := a.Hub.Reject(ctx, in.Device, in.Body.Reason)
			return a.changed(ctx, "device rejected", d, err)
		})
	huma.Register(h, operation(http.MethodPost, "/devices/{device}/retire", "retire-device", "Take a device out of service", Operator),
		func(ctx context.Context, in *struct {
			DeviceRef
			Body RejectRequest
		},
		) (*one[Device], error) {
			d, err := a.Hub.Retire(ctx, in.Device, in.Body.Reason)
			return a.changed(ctx, "device retired", d, err)
		})
	huma.Register(h, operation(http.MethodPost, "/devices/{device}/suspend", "suspend-line", "Note that a device's line is suspended: its rental is another from then on", Operator),
		func(ctx context.Context, in *suspendInput) (*one[Device], error) {
			d, err := a.Hub.Suspend(ctx, in.Device, in.Body.Link, in.Body.From)
			return a.changed(ctx, "line suspended", d, err)
		})
	huma.Register(h, operation(http.MethodPost, "/devices/{device}/resume", "resume-line", "Note that a line is not suspended any more", Operator),
		func(ctx context.Context, in *suspendInput) (*one[Device], error) {
			d, err := a.Hub.Resume(ctx, in.Device, in.Body.Link, in.Body.From)
			return a.changed(ctx, "line resumed", d, err)
		})
	huma.Register(h, operation(http.MethodPost, "/devices/{device}/addresses", "accept-address", "Let paid downlinks go to an address of the device", Operator),
		func(ctx context.Context, in *struct {
			DeviceRef
			Body AcceptRequest
		},
		) (*one[Device], error) {
			take := a.Hub.AcceptAddress
			if in.Body.New {
				take = a.Hub.GiveAddress
			}
			d, err := take(ctx, in.Device, in.Body.Bearer, in.Body.ID)
			return a.changed(ctx, "address accepted", d, err)
		})
	op := operation(http.MethodPost, "/devices/import", "import-devices", "Take devices in from a CSV file, all or none: "+fleet.ImportColumns, Operator)
	op.MaxBodyBytes = importMax
	huma.Register(h, op, func(ctx context.Context, in *struct {
		DryRun  bool   `query:"dry_run" doc:"check only"`
		Type    string `header:"Content-Type" hidden:"true"`
		RawBody []byte `contentType:"text/csv"`
	},
	) (*one[ImportReport], error) {
		if kind, _, _ := mime.ParseMediaType(in.Type); kind != "" && kind != "text/csv" {
			return nil, problem(http.StatusUnsupportedMediaType, "unsupported-media-type", "an import is text/csv, not "+kind)
		}
		return a.importDevices(ctx, in.RawBody, in.DryRun)
	})
}

func deviceOf(d fleet.Device, err error) (*one[Device], error) {
	return answered(view(&d), err)
}

// changed answers with a device after a change, and logs who made it.
func (a *api) changed(ctx context.Context, what string, d fleet.Device, err error) (*one[Device], error) {
	if err == nil {
		a.note(ctx, what, d.Name)
	}
	return deviceOf(d, err)
}

// note logs who changed what. The message is constant, as all messages of the log are.
func (a *api) note(ctx context.Context, what, name string) {
	a.Log.Info("changed through the API", slog.String("what", what), slog.String("name", name), slog.String("token", caller(ctx)))
}

// importErrorsMax is how many errors of one file are told.
const importErrorsMax = 1000

func (a *api) importDevices(ctx context.Context, csv []byte, dryRun bool) (*one[ImportReport], error) {
	if len(bytes.TrimSpace(csv)) == 0 {
		return nil, problem(http.StatusUnprocessableEntity, "empty-import", "the file is empty: its first line must name the columns: "+fleet.ImportColumns)
	}
	rows, malformed, errs := fleet.ParseImportWhole(bytes.NewReader(csv))
	report := ImportReport{Rows: len(rows) + len(errs), Errors: []RowError{}}
	if len(rows)+len(malformed) > 0 || len(errs) == 0 {
		// All rows are held against the fleet also where some could not be read, so that all errors are told at once.
		res, err := a.Hub.Import(ctx, append(rows, malformed...), dryRun || len(errs) > 0)
		if err != nil {
			return nil, failed(fmt.Errorf("import: %w", err))
		}
		errs, report.Done = append(errs, res.Errors...), res.Done
		errs = byLine(errs)
	}
	for _, e := range errs[:min(len(errs), importErrorsMax)] {
		report.Errors = append(report.Errors, RowError{Line: e.Line, Error: e.Err.Error()})
	}
	if report.Done {
		a.Log.Info("devices imported", slog.Int("devices", len(rows)), slog.String("token", caller(ctx)))
	}
	return &one[ImportReport]{report}, nil
}

// byLine puts errors in the order of their lines, those of one line together.
func byLine(errs []fleet.RowError) []fleet.RowError {
	slices.SortStableFunc(errs, func(a, b fleet.RowError) int { return cmp.Compare(a.Line, b.Line) })
	var list []fleet.RowError
	for _, e := range errs {
		if n := len(list); n > 0 && list[n-1].Line == e.Line {
			list[n-1].Err = errors.Join(list[n-1].Err, e.Err)
			continue
		}
		list = append(list, e)
	}
	return list
}

func (a *api) exportDevices(ctx context.Context, in *ExportRequest) (*one[ExportResult], error) {
	key, err := hex.DecodeString(in.TransferKey)
	if err != nil {
		return nil, problem(http.StatusUnprocessableEntity, "export-not-possible", "transfer_key: want 64 hexadecimal digits")
	}
	defer clear(key)
	transfer, err := store.NewKEK(key)
	if err != nil {
		return nil, problem(http.StatusUnprocessableEntity, "export-not-possible", err.Error())
	}
	rows, keyless, err := a.Hub.Export(transfer, in.Expand)
	if err != nil {
		return nil, failed(fmt.Errorf("export: %w", err))
	}
	if err := a.Hub.Authorise(ctx, "device.export", fmt.Sprintf("%d devices", len(rows)), ""); err != nil {
		return nil, failed(fmt.Errorf("export: %w", err))
	}
	var text bytes.Buffer
	if err := fleet.WriteExport(&text, rows); err != nil {
		return nil, failed(fmt.Errorf("export: %w", err))
	}
	a.Log.Info("devices exported", slog.Int("devices", len(rows)), slog.String("token", caller(ctx)))
	return &one[ExportResult]{ExportResult{Devices: len(rows), Keyless: keyless, CSV: text.String()}}, nil
}
