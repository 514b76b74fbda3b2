package device_test

import (
	"math"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/simulator/device"
)

// TestWorldLooksReal runs a year and looks at what the sensors said: ranges that occur in the field, days and nights, faults that end.
func TestWorldLooksReal(t *testing.T) {
	hundredth := codec.Decimal{Coef: 1, Exp: -2}
	names := []string{"battery", "solar", "air_temperature", "wave_height", "wind_speed", "pressure", "speed", "lat", "lon"}
	fields := make([]codec.Field, 0, len(names))
	for i, n := range names {
		fields = append(fields, codec.Field{ID: uint8(i + 1), Name: n, Scale: hundredth, Offset: -20000, Width: 24, Optional: true})
	}
	tpl, err := codec.NewTemplate(codec.Timing{}, fields)
	if err != nil {
		t.Fatal(err)
	}
	w := device.NewWorld(3, start)
	type span struct {
		low, high, sum float64
		n              int
	}
	spans := make([]span, len(fields))
	for i := range spans {
		spans[i] = span{low: math.Inf(1), high: math.Inf(-1)}
	}
	const steps = 365 * 24
	for range steps {
		w.Advance(time.Hour)
		for i, v := range w.Measure(tpl, time.Hour) {
			if v.State == codec.NotMeasured {
				continue
			}
			x := fields[i].Float(v)
			s := &spans[i]
			s.low, s.high, s.sum, s.n = min(s.low, x), max(s.high, x), s.sum+x, s.n+1
		}
	}
	for i, want := range []struct{ low, high, least float64 }{
		{11, 15, 0.5}, {0, 10, 3}, {-25, 45, 10}, {0.05, 20, 0.5}, {0, 60, 5}, {950, 1075, 20}, {0, 130, 40}, {-80, 80, 0.1}, {-180, 180, 0.1},
	} {
		s := spans[i]
		if s.low < want.low || s.high > want.high || s.high-s.low < want.least {
			t.Errorf("%s: from %.2f to %.2f, mean %.2f; want within %.2f to %.2f and a range of %.2f", names[i], s.low, s.high, s.sum/float64(s.n), want.low, want.high, want.least)
		}
		if s.n < steps*9/10 || s.n == steps {
			t.Errorf("%s: measured %d of %d times: sensors fail now and then, and work again", names[i], s.n, steps)
		}
	}
}
