package ledger

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// A Record is one thing that was billed, as a provider or we have it down.
type Record struct {
	ID        string           `json:"id"` // of the device, as the provider calls it: IMEI, ICCID, MSISDN
	Time      time.Time        `json:"time"`
	Direction tariff.Direction `json:"direction"` // "both": not told
	Billed    int64            `json:"billed"`    // bytes, or whatever the column counts
	Micros    scheduler.Micros `json:"price"`
	Line      int              `json:"line,omitempty"` // of the provider's file
}

// Columns says what the columns of a provider's file are called, and how they are written.
type Columns struct {
	ID        string         // name in the file's first line
	Time      string         //
	Billed    string         // "" if there is none
	Price     string         // "" if there is none
	Direction string         // "" if there is none
	MO, MT    string         // what the column of directions has for them
	Layout    string         // of times, as package time has it, or "unix"; "": RFC 3339
	Zone      *time.Location // of times that do not say theirs; nil: UTC
	Comma     rune           // between columns; 0: a comma
	Unit      int64          // bytes that the number billed is in; 0: 1
	Decimal   string         // between units and parts of prices: "." or ","; "": a point
}

// ErrRecords is wrapped by errors about files of records.
var ErrRecords = errors.New("records of a provider")

// recordProblems is how many lines may be wrong before reading ends.
const recordProblems = 100

// ReadRecords reads a provider's file of records: a first line with the names of columns, then one record a line. All lines that cannot be
// read are in the error, up to a hundred; the others are returned.
func ReadRecords(r io.Reader, c *Columns) ([]Record, error) {
	f := csv.NewReader(r)
	f.ReuseRecord, f.TrimLeadingSpace = true, true
	if c.Comma != 0 {
		f.Comma = c.Comma
	}
	head, err := f.Read()
	if err != nil {
		return nil, fmt.Errorf("%w: the line of names: %w", ErrRecords, err)
	}
	places, err := c.places(head)
	if err != nil {
		return nil, err
	}
	var list []Record
	var bad []error
	for len(bad) < recordProblems {
		cells, err := f.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var pe *csv.ParseError
		switch {
		case errors.As(err, &pe):
			bad = append(bad, fmt.Errorf("%w: line %d: %w", ErrRecords, pe.Line, pe.Err))
			continue
		case err != nil:
			return list, fmt.Errorf("%w: %w", ErrRecords, err)
		}
		line, _ := f.FieldPos(0)
		record, err := c.record(cells, places)
		if err != nil {
			bad = append(bad, fmt.Errorf("%w: line %d: %w", ErrRecords, line, err))
			continue
		}
		record.Line = line
		list = append(list, record)
	}
	return list, errors.Join(bad...)
}

// places is where the columns are; -1: there is none.
type places struct{ id, time, billed, price, direction int }

func (c *Columns) places(head []string) (places, error) {
	var bad []error
	find := func(what, name string, needed bool) int {
		if name == "" && !needed {
			return -1
		}
		for i, h := range head {
			if strings.TrimSpace(strings.TrimPrefix(h, "\ufeff")) == name {
				return i
			}
		}
		bad = append(bad, fmt.Errorf("%w: no column %q for the %s, there are %s", ErrRecords, name, what, strings.Join(head, ", ")))
		return -1
	}
	p := places{
		id: find("device", c.ID, true), time: find("time", c.Time, true), billed: find("bytes", c.Billed, false),
		price: find("price", c.Price, false), direction: find("direction", c.Direction, false),
	}
	return p, errors.Join(bad...)
}

func (c *Columns) record(cells []string, p places) (r Record, err error) {
	r.ID = strings.TrimSpace(cells[p.id])
	if r.ID == "" {
		return r, errors.New("there is no device")
	}
	if r.Time, err = c.time(strings.TrimSpace(cells[p.time])); err != nil {
		return r, err
	}
	if p.billed >= 0 {
		n, err := strconv.ParseInt(strings.TrimSpace(cells[p.billed]), 10, 64)
		unit := max(c.Unit, 1)
		if err != nil || n < 0 || n > amountMost/unit {
			return r, fmt.Errorf("%q is no number of bytes", cells[p.billed])
		}
		r.Billed = n * unit
	}
	if p.price >= 0 {
		text := strings.TrimSpace(cells[p.price])
		if c.Decimal == "," {
			text = strings.ReplaceAll(text, ",", ".")
		}
		if r.Micros, err = scheduler.ParseMicros(text); err != nil {
			return r, err
		}
	}
	if p.direction >= 0 {
		switch strings.TrimSpace(cells[p.direction]) {
		case c.MO:
			r.Direction = tariff.MO
		case c.MT:
			r.Direction = tariff.MT
		default:
			return r, fmt.Errorf("%q is no direction, want %q or %q", cells[p.direction], c.MO, c.MT)
		}
	}
	return r, nil
}

func (c *Columns) time(text string) (time.Time, error) {
	zone := c.Zone
	if zone == nil {
		zone = time.UTC
	}
	layout := c.Layout
	switch layout {
	case "unix":
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return time.Time{}, fmt.Errorf("%q is no number of seconds since 1970", text)
		}
		return time.Unix(n, 0).In(zone), nil
	case "":
		layout = time.RFC3339
	}
	t, err := time.ParseInLocation(layout, text, zone)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is no time as in %q", text, layout)
	}
	return t, nil
}
