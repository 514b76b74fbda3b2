package train

import (
	"fmt"
	"time"

	"github.com/godwit-gateway/godwit/codec"
)

// Statuses is what devices of the template would have sent for the rows: values to the nearest step, clocks right.
func Statuses(t *codec.Template, rows []Row) []codec.Status {
	statuses := make([]codec.Status, len(rows))
	for i, r := range rows {
		values := make([]codec.Value, len(t.Fields()))
		for j := range values {
			values[j] = t.Fields()[j].Quantize(r.Values[j])
		}
		statuses[i] = codec.Status{Time: time.Unix(r.Time, 0).UTC(), ClockValid: true, Values: values}
	}
	return statuses
}

// A Report says what the statuses that a template was trained on cost as deltas, each against the one before it.
type Report struct {
	Statuses int       // counted: all but the first
	Time     float64   // bits of the mean status for its time
	Fields   []float64 // and for each field
	Fixed    float64   // and for what no template changes
}

// Bits of the mean status. Its bytes are an eighth of it, and a third of a byte more for the last one, which is whole.
func (r *Report) Bits() float64 {
	bits := r.Time + r.Fixed
	for _, f := range r.Fields {
		bits += f
	}
	return bits
}

// FromRows finishes a draft from what one device measured.
func FromRows(d Draft, rows []Row) (*codec.Template, Report, error) {
	d, err := Resolve(d, rows)
	if err != nil {
		return nil, Report{}, err
	}
	t, err := d.template(nil)
	if err != nil {
		return nil, Report{}, err
	}
	return Train(d, [][]codec.Status{Statuses(t, rows)})
}

// Train finishes a draft of which only codings are open, from the statuses of devices, each in the order of time.
func Train(d Draft, devices [][]codec.Status) (*codec.Template, Report, error) {
	s := search{draft: d, devices: devices}
	chosen, err := s.run()
	if err != nil {
		return nil, Report{}, err
	}
	t, err := d.template(chosen)
	if err != nil {
		return nil, Report{}, err
	}
	return t, s.report(chosen), nil
}

// template is the draft as a template, with these choices for fields and time, or without any.
func (d *Draft) template(chosen []choice) (*codec.Template, error) {
	timing := d.Timing
	timing.Coding = codec.Coding{}
	fields := make([]codec.Field, len(d.Fields))
	for i := range fields {
		fields[i] = d.Fields[i].Field
		if fields[i].Coding = (codec.Coding{}); chosen != nil {
			fields[i].Predictor, fields[i].Coding = chosen[i].predictor, chosen[i].coding()
		}
	}
	if chosen != nil {
		timing.Coding = chosen[len(fields)].coding()
	}
	t, err := codec.NewTemplate(timing, fields)
	if err != nil {
		return nil, fmt.Errorf("template: %w", err)
	}
	return t, nil
}
