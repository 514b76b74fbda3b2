package device

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// Power is the energy of a device: a battery, what charges it and what empties it.
type Power struct {
	Capacity      float64 // of the battery, Wh at 20 °C
	Panel         float64 // W of a solar panel under a sun overhead; 0: there is none, and the battery ends for good
	Idle          float64 // W all the time that the device is on
	Frame         float64 // J for a transmission, however short
	Byte          float64 // J for each of its bytes
	SelfDischarge float64 // part of the capacity that is lost in a year
	Cold          float64 // part of the capacity that is out of reach for each °C below 20
	Empty, Full   float64 // V of the open circuit
	CutOff        float64 // V below which the device switches itself off
	Resume        float64 // V at which it is on again
}

// Lead is a sealed lead battery of 12 V under a panel, as buoys have it. It falls asleep at 11.8 V, an eighth of its charge; of the capacity about a
// hundredth is lost for each degree of cold, and a quarter in a year by itself, as makers of such batteries say. A transmission is that of an Iridium
// 9603: 145 mA at 5 V for 20 s or some 15 J (links with their own figures set Frame).
func Lead() Power {
	return Power{
		Capacity: batteryWh, Panel: panelWatts, Idle: 0.3, Frame: 15, Byte: 0.01, SelfDischarge: 0.25, Cold: 0.01,
		Empty: emptyVolts, Full: fullVolts, CutOff: 11.75, Resume: 12.1,
	}
}

// Primary is a lithium-thionyl chloride cell of size D: 19 Ah at 3.6 V, a hundredth lost in a year, and flat until its end. A device that sleeps in
// between takes some 25 µA. A transmission is taken as 10 J, as no citable figure was found for short messages.
func Primary() Power {
	return Power{
		Capacity: 68, Idle: 90e-6, Frame: 10, Byte: 0.005, SelfDischarge: 0.01, Cold: 0.004, Empty: 2.9, Full: 3.65, CutOff: 2.95, Resume: 2.95,
	}
}

// ErrPower is wrapped by the error for a battery that cannot be.
var ErrPower = errors.New("power")

func (p *Power) validate() error {
	for _, v := range []float64{p.Panel, p.Idle, p.Frame, p.Byte, p.SelfDischarge, p.Cold} {
		if !(v >= 0) || math.IsInf(v, 0) {
			return fmt.Errorf("%+v: want nothing below 0: %w", *p, ErrPower)
		}
	}
	if !(p.Capacity > 0 && p.Empty > 0 && p.Empty <= p.CutOff && p.CutOff <= p.Resume && p.Resume < p.Full) {
		return fmt.Errorf("%+v: want a capacity, and 0 < empty <= cut-off <= resume < full: %w", *p, ErrPower)
	}
	return nil
}

// What a device has unless its configuration says otherwise. It never runs out.
const (
	panelWatts = 10
	batteryWh  = 120
	loadWatts  = 0.9
	emptyVolts = 11.6
	fullVolts  = 12.8
)

// supply is the state of a device's energy.
type supply struct {
	Power

	ends   bool    // it can be empty
	off    bool    // the device takes nothing
	drain  float64 // W that a bad software takes besides
	charge float64 // of the battery, 0 to 1
	solar  float64 // W now
}

func newSupply(rng *rand.Rand) supply {
	return supply{
		Power:  Power{Capacity: batteryWh, Panel: panelWatts, Idle: loadWatts, Empty: emptyVolts, Full: fullVolts},
		charge: 0.6 + 0.4*rng.Float64(),
	}
}

// equip gives the device a battery, charged as the one that it had before, or new where nothing charges it.
func (s *supply) equip(p Power) {
	s.Power, s.ends = p, true
	if p.Panel == 0 {
		s.charge = 1
	}
}

// sun is the mean of the sine of the sun's elevation over the hours before now, 0 at night, and its value now.
func (w *World) sun(hours float64) (mean, now float64) {
	sinDec, cosDec := math.Sincos(rad(-23.44 * math.Cos(2*math.Pi*(w.day()+11)/365.25)))
	sinLat, cosLat := math.Sincos(rad(w.latitude))
	at := func(hour float64) float64 { return max(0, sinLat*sinDec+cosLat*cosDec*math.Cos(rad(15*(hour-12)))) }
	hour := w.hour()
	const apart = 1.5 // hours between the heights that the mean is taken of
	n := int(math.Ceil(hours / apart))
	for i := range n {
		mean += at(hour - hours*(float64(i)+0.5)/float64(n))
	}
	return mean / float64(n), at(hour)
}

// power lets the panel charge the battery and the device empty it.
func (w *World) power(hours float64) {
	s := &w.supply
	watts := 0.0
	if !s.off {
		watts = -s.Idle - s.drain
	}
	if s.Panel > 0 {
		light := s.Panel * (1 - 0.75*w.cloud)
		mean, now := w.sun(hours)
		s.solar = light * now
		watts += light * mean
	}
	const hoursPerYear = 8766
	least := 0.02
	if s.ends {
		least = 0
	}
	s.charge = min(max(s.charge+watts*hours/s.Capacity-s.SelfDischarge*hours/hoursPerYear, least), 1)
}

// consume takes energy for so many tries of a transmission.
func (s *supply) consume(tries, size int) {
	if s.ends {
		const joules = 3600 // of a Wh
		s.charge = max(0, s.charge-float64(tries)*(s.Frame+s.Byte*float64(size))/joules/s.Capacity)
	}
}

// rest is the voltage of the open circuit by what of the charge is within reach.
func (w *World) rest() float64 {
	s := &w.supply
	within := s.charge
	if s.Cold > 0 {
		within -= s.Cold * max(0, 20-w.Temperature())
	}
	return s.Empty + (s.Full-s.Empty)*max(0, within)
}

// voltage is what a sensor reads: the open circuit, lifted while the panel charges.
func (w *World) voltage() float64 {
	return w.rest() + 0.12*w.supply.solar*w.supply.Empty/emptyVolts + 0.01*w.rng.NormFloat64()
}

// empty reports whether the device must switch itself off, or if it is off must stay so.
func (w *World) empty() bool {
	s := &w.supply
	if !s.ends {
		return false
	}
	if s.off {
		return w.rest() < s.Resume
	}
	return w.rest() < s.CutOff
}

// lookAgain is how often a circuit that runs on next to nothing looks whether the battery is charged.
const lookAgain = time.Hour

// exhausted reports whether the battery is empty for good.
func (s *supply) exhausted() bool {
	return s.ends && s.Panel == 0 && s.Empty+(s.Full-s.Empty)*s.charge < s.Resume
}
