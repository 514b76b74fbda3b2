package train

import (
	"github.com/godwit-gateway/godwit/codec"
)

// A Row is what a device measured at one time.
type Row struct {
	Time   int64     // Unix seconds
	Values []float64 // in the order of the draft's fields; NaN: not measured
}

// A Draft is a template that is not finished. What is open is chosen from rows.
type Draft struct {
	Timing      codec.Timing // Coding is always chosen
	AnyInterval bool         // Timing.Interval is open
	AnyUnit     bool         // Timing.Unit is open
	Fields      []Field
}

// A Field is a field of a draft. Order, spread and model are always chosen, and the predictor unless it is PredictElapsed.
type Field struct {
	codec.Field
	AnyScale  bool // Scale is open
	AnyOffset bool // Offset is open
	AnyWidth  bool // Width is open
}

// DraftOf is the draft of a finished template, of which only the codings are chosen anew.
func DraftOf(t *codec.Template) Draft {
	d := Draft{Timing: t.Timing()}
	for _, f := range t.Fields() {
		d.Fields = append(d.Fields, Field{Field: f})
	}
	return d
}
