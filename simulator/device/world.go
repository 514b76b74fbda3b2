package device

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"time"

	"github.com/godwit-gateway/godwit/codec"
)

// A World is what a device's sensors would see: weather, sea, road and its own power. Its signals have the shape of real traces: a daily
// and a yearly course, noise with a memory of hours, sensors that fail for a while. The same seed and the same steps give the same world.
type World struct {
	rng  *rand.Rand
	now  time.Time
	boot time.Time

	latitude, longitude float64 // degrees
	cloud               float64 // 0 clear to 1 overcast
	pressure            float64 // hPa
	air, water          float64 // anomaly of air and temperature of water, °C
	wind, direction     float64 // m/s, degrees
	sea                 float64 // logarithm of the significant wave height
	signal              float64 // dBm

	charge float64 // of the battery, 0 to 1
	solar  float64 // W now

	driving  bool
	speed    float64 // km/h
	heading  float64 // degrees
	odometer float64 // km
	fuel     float64 // %
	engine   float64 // °C

	generic map[uint8]float64 // fields that the world has no signal for, by id, 0 to 1
	broken  map[uint8]float64 // hours until a failed sensor works again
}

// NewWorld places a device somewhere at sea or on a road.
func NewWorld(seed uint64, now time.Time) *World {
	rng := rand.New(rand.NewPCG(seed, 0x776f726c64)) //nolint:gosec // a simulation must be repeatable
	return &World{
		rng: rng, now: now, boot: now,
		latitude: 35 + 20*rng.Float64(), longitude: -70 + 90*rng.Float64(), cloud: rng.Float64(),
		pressure: 1013 + 8*rng.NormFloat64(), water: 12 + 4*rng.NormFloat64(), wind: 6, direction: 360 * rng.Float64(), sea: 0.2,
		signal: -95 + 8*rng.NormFloat64(), charge: 0.6 + 0.4*rng.Float64(), heading: 360 * rng.Float64(),
		odometer: 20000 + 200000*rng.Float64(), fuel: 20 + 80*rng.Float64(), engine: 15,
		generic: make(map[uint8]float64), broken: make(map[uint8]float64),
	}
}

// stepMax bounds one step of the differential equations below, so that a long silence does not throw them off.
const stepMax = 10 * time.Minute

// Advance lets the time of the world pass.
func (w *World) Advance(d time.Duration) {
	for d > 0 {
		step := min(d, stepMax)
		w.now = w.now.Add(step)
		w.step(step.Hours())
		d -= step
	}
}

// drift moves x towards its mean with a memory of tau hours, with noise of standard deviation sigma in the long run
// (an Ornstein-Uhlenbeck process).
func (w *World) drift(x, mean, sigma, tau, hours float64) float64 {
	a := math.Exp(-hours / tau)
	return mean + (x-mean)*a + sigma*math.Sqrt(1-a*a)*w.rng.NormFloat64()
}

func (w *World) step(hours float64) {
	w.cloud = min(max(w.drift(w.cloud, 0.5, 0.35, 6, hours), 0), 1)
	w.pressure = w.drift(w.pressure, 1013, 9, 40, hours)
	w.air = w.drift(w.air, 0, 3, 30, hours)
	w.water += (12 + 0.3*w.air - w.water) * hours / 200
	w.wind = math.Abs(w.drift(w.wind, 6+0.3*math.Abs(1013-w.pressure), 2.5, 5, hours))
	w.direction = wrap(w.drift(w.direction, w.direction, 1, 3, hours) + 12*math.Sqrt(hours)*w.rng.NormFloat64())
	w.sea = w.drift(w.sea, math.Log(0.4+0.02*w.wind*w.wind), 0.25, 8, hours)
	w.signal = w.drift(w.signal, -95, 6, 1, hours)
	w.power(hours)
	w.drive(hours)
	for id, left := range w.broken {
		if left -= hours; left <= 0 {
			delete(w.broken, id)
			continue
		}
		w.broken[id] = left
	}
}

const (
	panelWatts   = 10
	batteryWh    = 120
	loadWatts    = 0.9
	driveStarts  = 0.5 // trips begun per hour of rest
	driveEnds    = 0.4 // trips ended per hour of driving
	kmPerDegree  = 111.2
	litersBurnt  = 3.0 // % of the tank per 100 km
	cruiseKmh    = 72
	sensorFaults = 0.002 // per sensor and hour
	faultHours   = 3
)

// sun is the sine of the sun's elevation, 0 at night.
func (w *World) sun() float64 {
	day := float64(w.now.UTC().YearDay())
	hour := float64(w.now.UTC().Hour()) + float64(w.now.UTC().Minute())/60 + w.longitude/15
	declination := -23.44 * math.Cos(2*math.Pi*(day+10)/365.25)
	lat, dec, angle := rad(w.latitude), rad(declination), rad(15*(hour-12))
	return max(0, math.Sin(lat)*math.Sin(dec)+math.Cos(lat)*math.Cos(dec)*math.Cos(angle))
}

func (w *World) power(hours float64) {
	w.solar = panelWatts * w.sun() * (1 - 0.75*w.cloud)
	w.charge = min(max(w.charge+(w.solar-loadWatts)*hours/batteryWh, 0.02), 1)
}

// voltage is that of a 12 V lead battery: open-circuit voltage by charge, lifted while the panel charges it.
func (w *World) voltage() float64 {
	return 11.6 + 1.2*w.charge + 0.12*w.solar + 0.01*w.rng.NormFloat64()
}

func (w *World) drive(hours float64) {
	switch {
	case w.driving && w.rng.Float64() < driveEnds*hours:
		w.driving, w.speed = false, 0
	case !w.driving && w.rng.Float64() < driveStarts*hours:
		w.driving, w.speed, w.heading = true, 40, 360*w.rng.Float64()
	}
	warm := 15 + w.air
	if w.driving {
		warm = 92
		w.speed = min(max(w.drift(w.speed, cruiseKmh, 18, 0.2, hours), 0), 130)
		w.heading = wrap(w.heading + 25*math.Sqrt(hours)*w.rng.NormFloat64())
		km := w.speed * hours
		w.odometer += km
		w.latitude = min(max(w.latitude+km*math.Cos(rad(w.heading))/kmPerDegree, -80), 80)
		w.longitude = wrap(w.longitude+km*math.Sin(rad(w.heading))/kmPerDegree/math.Cos(rad(w.latitude))+180) - 180
		if w.fuel -= km * litersBurnt / 100; w.fuel < 8 {
			w.fuel = 98 // filled up
		}
	}
	w.engine += (warm - w.engine) * min(1, hours*4)
}

// Temperature is the air's, in °C: the yearly and the daily course and the weather.
func (w *World) Temperature() float64 {
	day := float64(w.now.UTC().YearDay())
	hour := float64(w.now.UTC().Hour()) + w.longitude/15
	return 13 - 9*math.Cos(2*math.Pi*(day-20)/365.25) - 4*math.Cos(2*math.Pi*(hour-3)/24)*(1-0.6*w.cloud) + w.air
}

// Measure reads all sensors of a template. A sensor that failed is not measured until it works again.
func (w *World) Measure(t *codec.Template, elapsed time.Duration) []codec.Value {
	values := make([]codec.Value, len(t.Fields()))
	for i := range t.Fields() {
		f := &t.Fields()[i]
		if w.broken[f.ID] <= 0 && f.Optional && w.rng.Float64() < sensorFaults*elapsed.Hours() {
			w.broken[f.ID] = faultHours * w.rng.ExpFloat64()
		}
		if w.broken[f.ID] > 0 {
			continue
		}
		values[i] = f.Quantize(w.sense(f))
	}
	return values
}

// other is the signal of a field that the world has none for: it wanders slowly within the field's range.
func (w *World) other(f *codec.Field) float64 {
	x, ok := w.generic[f.ID]
	if !ok {
		h := fnv.New32a()
		_, _ = h.Write([]byte(f.Name))
		x = float64(h.Sum32()%1000) / 1000
	}
	x = min(max(x+0.01*w.rng.NormFloat64(), 0), 1)
	w.generic[f.ID] = x
	span := float64(uint64(1)<<f.Width - 2)
	return (float64(f.Offset) + x*span) * float64(f.Scale.Coef) * math.Pow10(int(f.Scale.Exp))
}

func rad(degrees float64) float64 { return degrees * math.Pi / 180 }

func wrap(degrees float64) float64 { return math.Mod(math.Mod(degrees, 360)+360, 360) }
