package device

import (
	"math"
	"strings"

	"github.com/godwit-gateway/godwit/codec"
)

// sense reads the sensor of a field, found by the field's name: a product file names a field by what it measures.
func (w *World) sense(f *codec.Field) float64 {
	for _, s := range sensors {
		if strings.HasPrefix(f.Name, s.prefix) {
			return s.read(w)
		}
	}
	return w.other(f)
}

// sensors are the signals by the beginning of a field's name; the longer of two beginnings stands first.
var sensors = []struct {
	prefix string
	read   func(w *World) float64
}{
	{"battery_charge", func(w *World) float64 { return 100 * w.charge }},
	{"battery_level", func(w *World) float64 { return 100 * w.charge }},
	{"battery", (*World).voltage},
	{"solar", func(w *World) float64 { return w.solar }},
	{"signal", func(w *World) float64 { return w.signal }},
	{"rssi", func(w *World) float64 { return w.signal }},
	{"uptime", func(w *World) float64 { return w.now.Sub(w.boot).Minutes() }},
	{"air_temp", (*World).Temperature},
	{"temperature", (*World).Temperature},
	{"water_temp", func(w *World) float64 { return w.water + 0.02*w.rng.NormFloat64() }},
	{"sea_temp", func(w *World) float64 { return w.water + 0.02*w.rng.NormFloat64() }},
	{"engine_temp", func(w *World) float64 { return w.engine + 0.5*w.rng.NormFloat64() }},
	{"coolant", func(w *World) float64 { return w.engine + 0.5*w.rng.NormFloat64() }},
	{"cargo_temp", func(w *World) float64 { return 4 + 0.1*(w.Temperature()-10) + 0.3*w.rng.NormFloat64() }},
	{"humidity", func(w *World) float64 { return min(100, 55+40*w.cloud) }},
	{"pressure", func(w *World) float64 { return w.pressure }},
	{"wind_dir", func(w *World) float64 { return w.direction }},
	{"wind_gust", func(w *World) float64 { return w.wind * (1.2 + 0.2*w.rng.Float64()) }},
	{"gust", func(w *World) float64 { return w.wind * (1.2 + 0.2*w.rng.Float64()) }},
	{"wind", func(w *World) float64 { return w.wind }},
	{"wave_period", func(w *World) float64 { return 3 + 3*math.Exp(w.sea/2) }},
	{"wave_dir", func(w *World) float64 { return wrap(w.direction + 10*w.rng.NormFloat64()) }},
	{"wave", func(w *World) float64 { return math.Exp(w.sea) }},
	{"lat", func(w *World) float64 { return w.latitude }},
	{"lon", func(w *World) float64 { return w.longitude }},
	{"speed", func(w *World) float64 { return w.speed }},
	{"heading", func(w *World) float64 { return w.heading }},
	{"course", func(w *World) float64 { return w.heading }},
	{"odometer", func(w *World) float64 { return w.odometer }},
	{"fuel", func(w *World) float64 { return w.fuel }},
}
