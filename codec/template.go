package codec

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"
)

// Limits of a template (SPEC §3).
const (
	FieldsMax  = 60
	WidthMax   = 40 // bits
	GroupsMax  = 8
	coefMax    = 1_000_000
	exponentBy = 12
	offsetBy   = 1 << 40
	textMax    = 32
)

// A Decimal is Coef × 10^Exp, exactly.
type Decimal struct {
	Coef int64
	Exp  int8
}

// A TimeUnit is the resolution of the time in a keyframe; it fixes the window that the time is given modulo of.
type TimeUnit uint8

// Units. The windows are as wide as the longest delay of a link that a device would choose the unit for.
const (
	Seconds TimeUnit = iota // 20 bits: about 12 days
	Minutes                 // 16 bits: about 45 days
)

func (u TimeUnit) width() uint8 {
	if u == Minutes {
		return 16
	}
	return 20
}

func (u TimeUnit) seconds() int64 {
	if u == Minutes {
		return 60
	}
	return 1
}

// A Predictor says what value of a field a delta expects. Keyframes do not use it.
type Predictor uint8

// Predictors.
const (
	PredictLast    Predictor = iota // the value of the base
	PredictElapsed                  // that value and the time elapsed since, for a field whose unit is the second
	PredictTrend                    // that value and the move that led to it
	PredictZero                     // the lowest value: for a count, or a reading that has nothing to do with the one before
	PredictAlong                    // that value and the move of the field before it in the template, in the same status
)

// String names the predictor, as product files do.
func (p Predictor) String() string {
	names := [...]string{"last", "elapsed", "trend", "zero", "along"}
	if int(p) >= len(names) {
		return "invalid"
	}
	return names[p]
}

// A Coding says how the difference of a value to its prediction is written in a delta. Keyframes do not use it.
type Coding struct {
	Order  uint8  // of the classes of differences: class j spans 2^(Order+j) values. 0 to 15
	Spread uint8  // a move of up to 2^Spread is a small one, of up to four times that a middling one. 0 to 30
	Model  []byte // probabilities, trained from data; empty: those that suit a reading that moves now and then
}

// Limits of a coding.
const (
	orderMax  = 15
	spreadMax = 30
)

func (c *Coding) valid() bool {
	return c.Order <= orderMax && c.Spread <= spreadMax && (len(c.Model) == 0 || len(c.Model) == modelLen && validModel(c.Model))
}

func (c *Coding) model() *model {
	if len(c.Model) == 0 {
		return &defaultModel
	}
	return (*model)(c.Model)
}

// A Field is one measured value of a product. Its value is (Offset + n) × Scale for the n of Width bits on air, in Unit.
type Field struct {
	ID        uint8
	Name      string // in events and product files
	Unit      string // UCUM or SenML (RFC 8428 §12.1), "" for a plain number
	Scale     Decimal
	Offset    int64 // lowest value, in steps of Scale
	Width     uint8 // bits in a keyframe, 1 to WidthMax
	Optional  bool  // a presence bit before it; else all ones mean "not measured"
	Group     uint8 // 0: none; else one presence bit for all fields of the group
	Predictor Predictor
	Coding    Coding
}

// top is the largest n that is a value: without a presence bit the code of all ones means "not measured".
func (f *Field) top() uint64 {
	all := uint64(1)<<f.Width - 1
	if f.Optional {
		return all
	}
	return all - 1
}

// A Template is the list of fields of a product. It is immutable and named by its hash; a change makes a new template.
type Template struct {
	unit      TimeUnit
	interval  uint32 // nominal, in units of time; 0: none
	timing    Coding // of the difference of a time to what its interval makes expect
	fields    []Field
	models    []*model // of the fields
	groups    uint8    // highest group
	canonical []byte
	hash      [8]byte
}

// A Timing is what a template says of the times of its statuses.
type Timing struct {
	Unit     TimeUnit
	Interval uint32 // nominal interval between statuses, in units; 0: deltas learn it
	Coding   Coding
}

// intervalMax is a nominal interval of a year in seconds.
const intervalMax = 366 * 24 * 3600

// NewTemplate checks the fields and returns their template. The error names all that is wrong.
func NewTemplate(timing Timing, fields []Field) (*Template, error) {
	unit := timing.Unit
	t := &Template{unit: unit, interval: timing.Interval, timing: timing.Coding, fields: append([]Field(nil), fields...)}
	var errs []error
	if timing.Interval > intervalMax || !timing.Coding.valid() {
		errs = append(errs, fmt.Errorf("interval %d, or the coding of times: %w", timing.Interval, ErrMalformed))
	}
	if unit > Minutes {
		errs = append(errs, fmt.Errorf("time unit %d: %w", unit, ErrMalformed))
	}
	if len(fields) == 0 || len(fields) > FieldsMax {
		errs = append(errs, fmt.Errorf("%d fields, want 1 to %d: %w", len(fields), FieldsMax, ErrMalformed))
	}
	ids, names := make(map[uint8]bool), make(map[string]bool)
	for i := range t.fields {
		f := &t.fields[i]
		if err := f.validate(); err != nil {
			errs = append(errs, fmt.Errorf("field %q: %w", f.Name, err))
		}
		if i == 0 && f.Predictor == PredictAlong {
			errs = append(errs, fmt.Errorf("field %q: the first field has none to move along with: %w", f.Name, ErrMalformed))
		}
		if ids[f.ID] {
			errs = append(errs, fmt.Errorf("field %q: id %d stands twice: %w", f.Name, f.ID, ErrMalformed))
		}
		if names[f.Name] {
			errs = append(errs, fmt.Errorf("field %q stands twice: %w", f.Name, ErrMalformed))
		}
		ids[f.ID], names[f.Name] = true, true
		t.groups = max(t.groups, f.Group)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for i := range t.fields {
		t.models = append(t.models, t.fields[i].Coding.model())
	}
	canonical, err := t.marshal()
	if err != nil {
		return nil, fmt.Errorf("encode the template: %w", err)
	}
	sum := sha256.Sum256(canonical)
	t.canonical, t.hash = canonical, [8]byte(sum[:8])
	return t, nil
}

func (f *Field) validate() error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf(format+": %w", append(args, ErrMalformed)...))
	}
	if f.Name == "" || len(f.Name) > textMax || !utf8.ValidString(f.Name) {
		bad("name: want 1 to %d bytes", textMax)
	}
	if len(f.Unit) > textMax || !utf8.ValidString(f.Unit) {
		bad("unit: want up to %d bytes", textMax)
	}
	if f.Width < 1 || f.Width > WidthMax {
		bad("width %d: want 1 to %d", f.Width, WidthMax)
	}
	if f.Width == 1 && !f.Optional {
		bad("width 1 has room for one value beside \"not measured\": make the field optional")
	}
	if f.Scale.Coef < 1 || f.Scale.Coef > coefMax || f.Scale.Exp < -exponentBy || f.Scale.Exp > exponentBy {
		bad("scale %d e%d: want 1 to %d, exponent up to ±%d", f.Scale.Coef, f.Scale.Exp, coefMax, exponentBy)
	}
	if f.Offset < -offsetBy || f.Offset > offsetBy {
		bad("offset %d: want up to ±%d", f.Offset, int64(offsetBy))
	}
	if f.Group > GroupsMax {
		bad("group %d: want 0 to %d", f.Group, GroupsMax)
	}
	if f.Predictor > PredictAlong || !f.Coding.valid() {
		bad("predictor %d, order %d, spread %d, model of %d bytes", f.Predictor, f.Coding.Order, f.Coding.Spread, len(f.Coding.Model))
	}
	if f.Predictor == PredictElapsed && (f.Scale.Exp < -3 || f.Scale.Exp > 6) {
		bad("an elapsed time in units of %d e%d s: want an exponent of -3 to 6", f.Scale.Coef, f.Scale.Exp)
	}
	return errors.Join(errs...)
}

// Fields returns the fields in their order on air. The caller must not change them.
func (t *Template) Fields() []Field { return t.fields }

// Timing is what the template says of times.
func (t *Template) Timing() Timing {
	return Timing{Unit: t.unit, Interval: t.interval, Coding: t.timing}
}

// Hash names the template: the first 8 bytes of SHA-256 over Canonical.
func (t *Template) Hash() [8]byte { return t.hash }

// Canonical is the template in deterministic CBOR (RFC 8949 §4.2.1). The caller must not change it.
func (t *Template) Canonical() []byte { return t.canonical }

// wireTemplate and wireField are the template in CBOR: arrays, so that nothing can be left out or stand twice.
type wireTemplate struct {
	_        struct{} `cbor:",toarray"`
	Version  uint8
	Unit     TimeUnit
	Interval uint32
	Timing   wireCoding
	Fields   []wireField
}

type wireCoding struct {
	_      struct{} `cbor:",toarray"`
	Order  uint8
	Spread uint8
	Model  []byte
}

func (c *Coding) wire() wireCoding {
	return wireCoding{Order: c.Order, Spread: c.Spread, Model: append([]byte{}, c.Model...)} // never null
}

func (w *wireCoding) coding() Coding {
	c := Coding{Order: w.Order, Spread: w.Spread}
	if len(w.Model) > 0 {
		c.Model = w.Model
	}
	return c
}

type wireField struct {
	_         struct{} `cbor:",toarray"`
	ID        uint8
	Name      string
	Unit      string
	Coef      int64
	Exp       int8
	Offset    int64
	Width     uint8
	Optional  bool
	Group     uint8
	Predictor Predictor
	Coding    wireCoding
}

const templateVersion = 1

func (t *Template) marshal() ([]byte, error) {
	w := wireTemplate{Version: templateVersion, Unit: t.unit, Interval: t.interval, Timing: t.timing.wire()}
	for _, f := range t.fields {
		w.Fields = append(w.Fields, wireField{
			ID: f.ID, Name: f.Name, Unit: f.Unit, Coef: f.Scale.Coef, Exp: f.Scale.Exp, Offset: f.Offset, Width: f.Width,
			Optional: f.Optional, Group: f.Group, Predictor: f.Predictor, Coding: f.Coding.wire(),
		})
	}
	return encMode.Marshal(w)
}

// ParseTemplate reads what Canonical gives. Any other encoding of the same template is refused.
func ParseTemplate(b []byte) (*Template, error) {
	var w wireTemplate
	if err := templateMode.Unmarshal(b, &w); err != nil {
		return nil, fmt.Errorf("template: %w: %w", ErrMalformed, err)
	}
	if w.Version != templateVersion {
		return nil, fmt.Errorf("template version %d: %w", w.Version, ErrUnsupported)
	}
	fields := make([]Field, 0, len(w.Fields))
	for _, f := range w.Fields {
		fields = append(fields, Field{
			ID: f.ID, Name: f.Name, Unit: f.Unit, Scale: Decimal{f.Coef, f.Exp}, Offset: f.Offset, Width: f.Width,
			Optional: f.Optional, Group: f.Group, Predictor: f.Predictor, Coding: f.Coding.coding(),
		})
	}
	t, err := NewTemplate(Timing{Unit: w.Unit, Interval: w.Interval, Coding: w.Timing.coding()}, fields)
	if err != nil {
		return nil, fmt.Errorf("template: %w", err)
	}
	if string(t.canonical) != string(b) {
		return nil, fmt.Errorf("template: not in canonical form: %w", ErrMalformed)
	}
	return t, nil
}

// templateMode reads templates; they come from an operator, or later over the air, and are longer than messages.
var templateMode = mustDecMode(cbor.DecOptions{
	DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden,
	MaxNestedLevels: nestingMax, MaxArrayElements: 256, MaxMapPairs: 64, UTF8: cbor.UTF8RejectInvalid,
})

// A ValueState says whether a value was measured.
type ValueState uint8

// States of a value. The zero value is the one of a field that nobody set.
const (
	NotMeasured ValueState = iota
	Measured
	Saturated // outside the field's range: Raw is the nearest that the field can say
)

// A Value is the value of a field in steps of its scale.
type Value struct {
	Raw   int64
	State ValueState
}

// Quantize gives the value of the field that is nearest to v. NaN is not measured; what is out of range saturates.
func (f *Field) Quantize(v float64) Value {
	if math.IsNaN(v) {
		return Value{}
	}
	step := math.Round(v / (float64(f.Scale.Coef) * math.Pow10(int(f.Scale.Exp))))
	low, high := float64(f.Offset), float64(f.Offset)+float64(f.top())
	switch {
	case step < low:
		return Value{Raw: f.Offset, State: Measured}
	case step >= high && !f.Optional, step > high:
		return Value{Raw: f.Offset + int64(f.top()), State: Saturated} //nolint:gosec // at most 40 bits
	default:
		return Value{Raw: int64(step), State: Measured}
	}
}

// Float is the value as a floating-point number, NaN if it was not measured.
func (f *Field) Float(v Value) float64 {
	if v.State == NotMeasured {
		return math.NaN()
	}
	return float64(v.Raw) * float64(f.Scale.Coef) * math.Pow10(int(f.Scale.Exp))
}
