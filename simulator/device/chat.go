package device

import (
	"fmt"
	"time"
)

// soon is a time within the next span, so that devices that are switched on together do not speak together; zero if there is no span.
func (d *Device) soon(now time.Time, span time.Duration) time.Time {
	if span == 0 {
		return time.Time{}
	}
	return now.Add(time.Duration(d.rng.Float64() * float64(span)))
}

// chat has the application say what it says now and then: a line for people, and a record of its own that is too large for one frame. What
// finds no room is not said.
func (d *Device) chat(now time.Time) {
	if d.quiet || d.session.Blank {
		return
	}
	if !d.chatter.IsZero() && !now.Before(d.chatter) {
		d.chatter = now.Add(d.config.Chatter)
		_ = d.Tell(fmt.Appendf(nil, "boot %d, %d frames wait, %d readings left out", d.boots, len(d.pending), d.skipped))
	}
	if d.report.IsZero() || now.Before(d.report) || d.config.ReportBytes == 0 {
		return
	}
	d.report = now.Add(d.config.Report)
	record := make([]byte, d.config.ReportBytes) // a waveform: it wanders, as a sensor's does
	level := 128.0
	for i := range record {
		level = min(max(level+8*d.rng.NormFloat64(), 0), 255)
		record[i] = byte(level)
	}
	_ = d.Tell(record)
}
