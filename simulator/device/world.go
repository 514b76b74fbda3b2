package device

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/godwit-gateway/godwit/codec"
)

// A World is what a device's sensors would see: weather, sea, road and its own power. Its signals have the shape of real traces: a daily
// and a yearly course, noise with a memory of hours, sensors that fail for a while. The same seed and the same steps give the same world.
type World struct {
	rng   *rand.Rand
	now   time.Time
	boot  time.Time
	decay decay

	latitude, longitude float64 // degrees
	cloud               float64 // 0 clear to 1 overcast
	pressure            float64 // hPa
	air, water          float64 // anomaly of air and temperature of water, °C
	wind, direction     float64 // m/s, degrees
	sea                 float64 // logarithm of the significant wave height
	signal              float64 // dBm

	supply supply
	trip   trip

	bricked  bool // the device is, and no restart helps
	happened []Happening

	measured *codec.Template // that sensors are for
	sensors  []sensor        // one for each of its fields
	drives   bool            // it is a vehicle, by what they measure
}

// NewWorld places a device somewhere at sea or on a road.
func NewWorld(seed uint64, now time.Time) *World {
	rng := rand.New(rand.NewPCG(seed, 0x776f726c64)) //nolint:gosec // a simulation must be repeatable
	return &World{
		rng: rng, now: now, boot: now,
		latitude: 35 + 20*rng.Float64(), longitude: -70 + 90*rng.Float64(), cloud: rng.Float64(),
		pressure: 1013 + 8*rng.NormFloat64(), water: 12 + 4*rng.NormFloat64(), wind: 6, direction: 360 * rng.Float64(), sea: 0.2,
		signal: -95 + 8*rng.NormFloat64(), supply: newSupply(rng), trip: newTrip(rng),
	}
}

// Bounds of one step of the equations below. A short one follows what depends on each other closely; the next reading after a long silence needs no
// such detail, as each signal by itself is exact over any step.
const (
	stepLeast = 10 * time.Minute
	stepMost  = 3 * time.Hour
	stepsEach = 4 // of a time that is between the two
)

// Advance lets the time of the world pass.
func (w *World) Advance(d time.Duration) {
	most := min(max(d/stepsEach, stepLeast), stepMost)
	for d > 0 {
		step := min(d, most)
		w.now = w.now.Add(step)
		w.step(step.Hours())
		d -= step
	}
}

// recall is how a signal with a memory goes on over a step (an Ornstein-Uhlenbeck process): what is left of its distance from the mean, and the
// noise that comes.
type recall struct{ keep, noise float64 }

// over is the recall of a signal with a memory of tau hours and a standard deviation of sigma in the long run.
func over(hours, tau, sigma float64) recall {
	keep := math.Exp(-hours / tau)
	return recall{keep, sigma * math.Sqrt(1-keep*keep)}
}

// decay is the recall of all signals for a step, which mostly is as long as the one before it.
type decay struct {
	hours                                 float64
	cloud, pressure, air, wind, sea, cell recall
	water, turn                           float64
}

func (d *decay) set(hours float64) {
	if d.hours == hours {
		return
	}
	*d = decay{
		hours: hours, cloud: over(hours, 6, 0.35), pressure: over(hours, 40, 9), air: over(hours, 30, 3), wind: over(hours, 5, 2.5), sea: over(hours, 8, 0.25),
		cell: over(hours, 1, 6), water: 1 - math.Exp(-hours/200), turn: 12 * math.Sqrt(hours),
	}
}

// drift moves a signal on towards its mean.
func (w *World) drift(x, mean float64, r recall) float64 {
	return mean + (x-mean)*r.keep + r.noise*w.rng.NormFloat64()
}

func (w *World) step(hours float64) {
	d := &w.decay
	d.set(hours)
	w.cloud = min(max(w.drift(w.cloud, 0.5, d.cloud), 0), 1)
	w.pressure = w.drift(w.pressure, 1013, d.pressure)
	w.air = w.drift(w.air, 0, d.air)
	w.water += (12 + 0.3*w.air - w.water) * d.water
	w.wind = math.Abs(w.drift(w.wind, 6+0.3*math.Abs(1013-w.pressure), d.wind))
	w.direction = wrap(w.direction + d.turn*w.rng.NormFloat64())
	w.sea = w.drift(w.sea, math.Log(0.4+0.02*w.wind*w.wind), d.sea)
	w.signal = w.drift(w.signal, -95, d.cell)
	w.power(hours)
	if w.drives {
		w.drive(hours)
	}
}

// day and hour are the day of the year and the hour of the day at the place, from 0.
func (w *World) day() float64 { return math.Mod(float64(w.now.Unix())/86400, 365.25) }

func (w *World) hour() float64 { return float64(w.now.Unix()%86400)/3600 + w.longitude/15 }

// Temperature is the air's, in °C: the yearly and the daily course and the weather.
func (w *World) Temperature() float64 {
	return 13 - 9*math.Cos(2*math.Pi*(w.day()-19)/365.25) - 4*math.Cos(2*math.Pi*(w.hour()-3)/24)*(1-0.6*w.cloud) + w.air
}

func rad(degrees float64) float64 { return degrees * math.Pi / 180 }

// wrap brings a direction that is not far off into [0, 360).
func wrap(degrees float64) float64 {
	for degrees < 0 {
		degrees += 360
	}
	for degrees >= 360 {
		degrees -= 360
	}
	return degrees
}
