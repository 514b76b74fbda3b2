package device

import (
	"hash/fnv"
	"math"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/codec"
)

const (
	sensorFaults = 0.002 // per sensor and hour
	faultHours   = 3
)

// sensor is what measures one field.
type sensor struct {
	read     func(w *World) float64 // nil: the world has no signal for it
	at       float64                // of such a field, 0 to 1
	least    float64                // in its unit
	span     float64
	repaired time.Time // it has failed and works again then
}

// fit gives the world a sensor for each field, found by the field's name: a product file names a field by what it measures.
func (w *World) fit(t *codec.Template) {
	w.measured, w.sensors, w.drives = t, make([]sensor, len(t.Fields())), false
	for i := range t.Fields() {
		f := &t.Fields()[i]
		s := &w.sensors[i]
		for k := range signals {
			if strings.HasPrefix(f.Name, signals[k].prefix) {
				s.read = signals[k].read
				w.drives = w.drives || signals[k].drives
				break
			}
		}
		h := fnv.New32a()
		_, _ = h.Write([]byte(f.Name))
		s.at = float64(h.Sum32()%1000) / 1000
		step := float64(f.Scale.Coef) * math.Pow10(int(f.Scale.Exp))
		s.least, s.span = float64(f.Offset)*step, float64(uint64(1)<<f.Width-2)*step
	}
}

// Measure reads all sensors of a template. A sensor that failed is not measured until it works again.
func (w *World) Measure(t *codec.Template, elapsed time.Duration) []codec.Value {
	if w.measured != t {
		w.fit(t)
	}
	values := make([]codec.Value, len(w.sensors))
	for i := range w.sensors {
		f, s := &t.Fields()[i], &w.sensors[i]
		if f.Optional && !w.now.Before(s.repaired) && w.rng.Float64() < sensorFaults*elapsed.Hours() {
			s.repaired = w.now.Add(time.Duration(faultHours * w.rng.ExpFloat64() * float64(time.Hour)))
		}
		if w.now.Before(s.repaired) {
			continue
		}
		values[i] = f.Quantize(w.sense(s))
	}
	return values
}

// sense is what a sensor says. One that the world has no signal for wanders slowly within its range.
func (w *World) sense(s *sensor) float64 {
	if s.read != nil {
		return s.read(w)
	}
	s.at = min(max(s.at+0.01*w.rng.NormFloat64(), 0), 1)
	return s.least + s.at*s.span
}

// signals are what the world has by the beginning of a field's name; the longer of two beginnings stands first.
var signals = []struct {
	prefix string
	read   func(w *World) float64
	drives bool // a device that measures it is a vehicle
}{
	{"battery_charge", func(w *World) float64 { return 100 * w.supply.charge }, false},
	{"battery_level", func(w *World) float64 { return 100 * w.supply.charge }, false},
	{"battery", (*World).voltage, false},
	{"solar", func(w *World) float64 { return w.supply.solar }, false},
	{"signal", func(w *World) float64 { return w.signal }, false},
	{"rssi", func(w *World) float64 { return w.signal }, false},
	{"uptime", func(w *World) float64 { return w.now.Sub(w.boot).Minutes() }, false},
	{"air_temp", (*World).Temperature, false},
	{"temperature", (*World).Temperature, false},
	{"water_temp", func(w *World) float64 { return w.water + 0.02*w.rng.NormFloat64() }, false},
	{"sea_temp", func(w *World) float64 { return w.water + 0.02*w.rng.NormFloat64() }, false},
	{"engine_temp", func(w *World) float64 { return w.trip.engine + 0.5*w.rng.NormFloat64() }, true},
	{"coolant", func(w *World) float64 { return w.trip.engine + 0.5*w.rng.NormFloat64() }, true},
	{"cargo_temp", func(w *World) float64 { return 4 + 0.1*(w.Temperature()-10) + 0.3*w.rng.NormFloat64() }, false},
	{"humidity", func(w *World) float64 { return min(100, 55+40*w.cloud) }, false},
	{"pressure", func(w *World) float64 { return w.pressure }, false},
	{"wind_dir", func(w *World) float64 { return w.direction }, false},
	{"wind_gust", func(w *World) float64 { return w.wind * (1.2 + 0.2*w.rng.Float64()) }, false},
	{"gust", func(w *World) float64 { return w.wind * (1.2 + 0.2*w.rng.Float64()) }, false},
	{"wind", func(w *World) float64 { return w.wind }, false},
	{"wave_period", func(w *World) float64 { return 3 + 3*math.Exp(w.sea/2) }, false},
	{"wave_dir", func(w *World) float64 { return wrap(w.direction + 10*w.rng.NormFloat64()) }, false},
	{"wave", func(w *World) float64 { return math.Exp(w.sea) }, false},
	{"lat", func(w *World) float64 { return w.latitude }, false},
	{"lon", func(w *World) float64 { return w.longitude }, false},
	{"speed", func(w *World) float64 { return w.trip.speed }, true},
	{"heading", func(w *World) float64 { return w.trip.heading }, true},
	{"course", func(w *World) float64 { return w.trip.heading }, true},
	{"odometer", func(w *World) float64 { return w.trip.odometer }, true},
	{"fuel", func(w *World) float64 { return w.trip.fuel }, true},
}
