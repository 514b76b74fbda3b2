package main

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/godwit-gateway/godwit/gateway/config"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
)

type spendReconcileCmd struct {
	File      string `arg:"" help:"The provider's records as CSV, with a first line of names; - for the standard input."`
	Link      string `required:"" help:"Name of the link that they are about."`
	Month     string `required:"" help:"As 2026-10."`
	Device    string `help:"Column of the device." default:"device"`
	Time      string `help:"Column of the time." default:"time"`
	Bytes     string `help:"Column of what is billed; without it bytes are not compared." placeholder:"COLUMN"`
	Price     string `help:"Column of the price; without it prices are not compared." placeholder:"COLUMN"`
	Direction string `help:"Column of the direction; without it both ways are compared as one." placeholder:"COLUMN"`
	MO        string `name:"mo" help:"What that column has for messages of devices." default:"MO"`
	MT        string `name:"mt" help:"What that column has for messages to devices." default:"MT"`
	Layout    string `help:"Of times, as Go has it, such as '2006-01-02 15:04:05', or unix; by default RFC 3339."`
	Zone      string `help:"Of times that do not say theirs, as Europe/Berlin; by default that of the tariff."`
	Comma     string `help:"Between columns." default:","`
	Decimal   string `help:"In prices." enum:"point,comma" default:"point"`
	Unit      int64  `help:"Bytes that one of what is billed stands for." default:"1"`
	Tolerance string `help:"By which the times of one transmission may be apart." default:"2m"`
	Daily     bool   `help:"The file has no more than a sum for each device and day."`
	Limit     int    `help:"List so many differences at most; all are counted." default:"1000"`
}

// Help explains.
func (spendReconcileCmd) Help() string {
	return `Changes nothing. Records are paired by device, direction and time; what is only on one side, or has other bytes or another price, is
listed. A device is known by any of its addresses on the link, its name or its number. Ours are those of frames and of attempts of
downlinks, for as long as frames are kept; what repeated frames, strangers and reports of the network have cost is kept as sums, which
are shown. Ends with 1 if there are differences.

Example:
  godwit spend reconcile october.csv --link sbd0 --month 2026-10 --device IMEI --time "Session time" --bytes Bytes --price Cost
  godwit spend reconcile cdr.csv --link cell0 --month 2026-10 --device MSISDN --layout 2006-01-02 --bytes KB --unit 1000 --daily`
}

var errDiffers = errors.New("the provider's records and ours differ")

// Run compares.
func (c *spendReconcileCmd) Run(e *env) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	text, err := readInput(c.File)
	if err != nil {
		return fmt.Errorf("read the records: %w", err)
	}
	client, err := e.client()
	if err != nil {
		return err
	}
	var r hub.ReconcileReport
	if err := client.Post(e.ctx, "/spend/reconcile", q, text, &r); err != nil {
		return err
	}
	if err := e.print(r, "", func(row func(...any)) { reconcileRows(&r, row) }); err != nil {
		return err
	}
	if n := r.MissingHere + r.MissingThere + r.OtherBytes + r.OtherPrice; n > 0 {
		return fmt.Errorf("%w: %d differences", errDiffers, n)
	}
	return nil
}

func (c *spendReconcileCmd) query() (url.Values, error) {
	if err := monthArg(c.Month); err != nil || c.Month == "" {
		return nil, fmt.Errorf("%w: --month %q: want one as 2026-11", errUsage, c.Month)
	}
	tolerance, err := config.ParseDuration(c.Tolerance)
	if err != nil || tolerance < 0 {
		return nil, fmt.Errorf("%w: --tolerance %q: want a length of time as 2m", errUsage, c.Tolerance)
	}
	if c.Unit < 1 || c.Limit < 1 {
		return nil, fmt.Errorf("%w: --unit and --limit are 1 at least", errUsage)
	}
	if c.Zone != "" {
		if _, err := time.LoadLocation(c.Zone); err != nil {
			return nil, fmt.Errorf("%w: --zone %q: want one as Europe/Berlin", errUsage, c.Zone)
		}
	}
	q := url.Values{
		"link": {c.Link}, "month": {c.Month}, "device": {c.Device}, "time": {c.Time}, "bytes": {c.Bytes}, "price": {c.Price}, "direction": {c.Direction},
		"mo": {c.MO}, "mt": {c.MT}, "layout": {c.Layout}, "zone": {c.Zone}, "comma": {c.Comma}, "decimal": {map[string]string{"point": ".", "comma": ","}[c.Decimal]},
		"unit": {strconv.FormatInt(c.Unit, 10)}, "tolerance_seconds": {strconv.FormatInt(int64(tolerance/time.Second), 10)}, "daily": {strconv.FormatBool(c.Daily)},
		"limit": {strconv.Itoa(c.Limit)},
	}
	for name, v := range q {
		if slices.Equal(v, []string{""}) {
			delete(q, name)
		}
	}
	return q, nil
}

func reconcileRows(r *hub.ReconcileReport, row func(...any)) {
	row("", "RECORDS", "BILLED", "PRICE")
	row("ours", r.Ours.Records, r.Ours.Billed, money(r.Ours.Micros, r.Currency))
	row("theirs", r.Theirs.Records, r.Theirs.Billed, money(r.Theirs.Micros, r.Currency))
	for i := range r.Unlisted {
		u := &r.Unlisted[i]
		row("sums only: "+describeTotal(u), u.Count, u.Billed, money(u.Micros, u.Currency))
	}
	row("agree", r.Matched)
	row(ledger.MissingHere, r.MissingHere)
	row(ledger.MissingThere, r.MissingThere)
	row(ledger.OtherBytes, r.OtherBytes)
	row(ledger.OtherPrice, r.OtherPrice)
	if r.Outside > 0 {
		row("of another month", r.Outside)
	}
	if !r.Since.IsZero() {
		row("our records begin", r.Since)
	}
	if len(r.Differences) > 0 {
		row("DIFFERENCE", "DEVICE", "TIME", "WAY", "BILLED", "PRICE", "THEY_BILL", "THEIR_PRICE", "LINE")
	}
	for i := range r.Differences {
		d := &r.Differences[i]
		one, cells := d.Ours, []any{d.What}
		if one == nil {
			one = d.Theirs
		}
		cells = append(cells, one.ID, one.Time, one.Direction)
		if d.Ours != nil {
			cells = append(cells, d.Ours.Billed, d.Ours.Micros)
		} else {
			cells = append(cells, "", "")
		}
		if d.Theirs != nil {
			cells = append(cells, d.Theirs.Billed, d.Theirs.Micros, d.Theirs.Line)
		}
		row(cells...)
	}
}
