package train

import (
	"errors"
	"fmt"
	"math"
	"math/bits"

	"github.com/godwit-gateway/godwit/codec"
)

// ErrRows is wrapped by the errors of rows that nothing can be learned from.
var ErrRows = errors.New("rows")

// Resolve chooses what a draft leaves open of scales, ranges, time unit and interval.
func Resolve(d Draft, rows []Row) (Draft, error) {
	if len(rows) == 0 {
		return d, fmt.Errorf("%w: there are none", ErrRows)
	}
	for _, r := range rows {
		if len(r.Values) != len(d.Fields) {
			return d, fmt.Errorf("%w: one of %d values, want %d", ErrRows, len(r.Values), len(d.Fields))
		}
	}
	d.Fields = append([]Field(nil), d.Fields...)
	for i := range d.Fields {
		f := &d.Fields[i]
		column := make([]float64, 0, len(rows))
		for _, r := range rows {
			if v := r.Values[i]; !math.IsNaN(v) && !math.IsInf(v, 0) {
				column = append(column, v)
			}
		}
		if f.AnyScale {
			f.Scale = codec.Decimal{Coef: 1, Exp: stepOf(column)}
		}
		if err := f.fitRange(column); err != nil {
			return d, err
		}
		f.AnyScale, f.AnyOffset, f.AnyWidth = false, false, false
	}
	d.resolveTiming(rows)
	return d, nil
}

// finest is the smallest step that is chosen: decimals beyond it are noise of arithmetic.
const finest = -6

// stepOf is the exponent of the largest power of ten, up to 1, that all but one in a hundred values are multiples of. Values that were rounded to
// a binary fraction of 24 bits count as what they were before.
func stepOf(column []float64) int8 {
	for exp := 0; exp > finest; exp-- {
		odd := 0
		for _, v := range column {
			n := v * math.Pow10(-exp)
			if math.Abs(n-math.Round(n)) > min(1e-2, 1e-9+1e-7*math.Abs(n)) {
				odd++
			}
		}
		if odd*100 <= len(column) {
			return coarser(column, int8(exp))
		}
	}
	return coarser(column, finest)
}

// rangeBits is how many steps a range may have, as a power of two, before the step is made coarser, up to 10^coarsest, the largest of a template.
const (
	rangeBits = 34
	coarsest  = 12
)

// coarser makes a step larger until what the column spans is not too many of it.
func coarser(column []float64, exp int8) int8 {
	low, high := limits(column)
	for exp < coarsest && math.Max(high-low, math.Max(math.Abs(low), math.Abs(high)))*math.Pow10(-int(exp)) > 1<<rangeBits {
		exp++
	}
	return exp
}

func limits(column []float64) (low, high float64) {
	for i, v := range column {
		if i == 0 {
			low, high = v, v
		}
		low, high = min(low, v), max(high, v)
	}
	return low, high
}

// fitRange chooses offset and width where they are open: what the column spans, and as much again below and above. What was never negative is
// taken to have its lowest value at 0.
func (f *Field) fitRange(column []float64) error {
	if !f.AnyOffset && !f.AnyWidth {
		return nil
	}
	bottom, top := limits(column)
	unit := float64(f.Scale.Coef) * math.Pow10(int(f.Scale.Exp))
	low, high := math.Floor(bottom/unit+1e-6), math.Ceil(top/unit-1e-6)
	margin := math.Max(high-low, 8)
	if f.Predictor == codec.PredictElapsed {
		margin = math.Max(4*high, 1<<12) // it grows without end
	}
	from := low - margin
	if low >= 0 {
		from = math.Max(from, 0)
	}
	if !(math.Abs(from) <= 1<<39 && high+margin-from <= 1<<39) { // nor what is no number any more
		return fmt.Errorf("%w: %q spans %g to %g in steps of %g: too many", ErrRows, f.Name, bottom, top, unit)
	}
	if f.AnyOffset {
		f.Offset = int64(from)
	}
	if f.AnyWidth {
		span := max(int64(high+margin)-f.Offset, 1)
		f.Width = uint8(bits.Len64(uint64(span) + 2)) //nolint:gosec // at most 2^41
	}
	return nil
}

// intervalShare is the part of the steps between times, one in so many, that the most frequent one must have to be an interval.
const intervalShare = 4

// resolveTiming chooses minutes where all times are whole ones, and the most frequent step as the interval.
func (d *Draft) resolveTiming(rows []Row) {
	if d.AnyUnit {
		d.Timing.Unit = codec.Minutes
		for _, r := range rows {
			if r.Time%60 != 0 {
				d.Timing.Unit = codec.Seconds
			}
		}
	}
	if d.AnyInterval {
		steps, most := make(map[int64]int), int64(0)
		for i := 1; i < len(rows); i++ {
			step := rows[i].Time - rows[i-1].Time
			if steps[step]++; steps[step] > steps[most] {
				most = step
			}
		}
		if d.Timing.Unit == codec.Minutes {
			steps[most/60], most = steps[most], most/60
		}
		if d.Timing.Interval = 0; most > 0 && most < 366*24*3600 && steps[most]*intervalShare >= len(rows) {
			d.Timing.Interval = uint32(most)
		}
	}
	d.AnyUnit, d.AnyInterval = false, false
}
