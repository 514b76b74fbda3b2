package device

import (
	"math"
	"math/rand/v2"
)

// trip is what a vehicle does: it drives and rests by turns.
type trip struct {
	driving  bool
	left     float64 // hours until it starts or stops
	speed    float64 // km/h
	heading  float64 // degrees
	odometer float64 // km
	fuel     float64 // %
	engine   float64 // °C
}

const (
	driveStarts = 0.5 // trips begun per hour of rest
	driveEnds   = 0.4 // trips ended per hour of driving
	kmPerDegree = 111.2
	litersBurnt = 3.0 // % of the tank per 100 km
	cruiseKmh   = 72
)

func newTrip(rng *rand.Rand) trip {
	return trip{
		left: rng.ExpFloat64() / driveStarts, heading: 360 * rng.Float64(), odometer: 20000 + 200000*rng.Float64(), fuel: 20 + 80*rng.Float64(), engine: 15,
	}
}

// drive lets a vehicle drive and rest.
func (w *World) drive(hours float64) {
	t := &w.trip
	for t.left < hours {
		hours -= t.left
		w.move(t.left)
		if t.driving = !t.driving; t.driving {
			t.speed, t.heading, t.left = 40, 360*w.rng.Float64(), w.rng.ExpFloat64()/driveEnds
			continue
		}
		t.speed, t.left = 0, w.rng.ExpFloat64()/driveStarts
	}
	t.left -= hours
	w.move(hours)
}

// move goes on as it is for a while.
func (w *World) move(hours float64) {
	t := &w.trip
	warm := 15 + w.air
	if t.driving {
		warm = 92
		before := t.speed
		t.speed = min(max(w.drift(t.speed, cruiseKmh, over(hours, 0.2, 18)), 0), 130)
		t.heading = wrap(t.heading + 25*math.Sqrt(hours)*w.rng.NormFloat64())
		km := (before + t.speed) / 2 * hours
		t.odometer += km
		w.latitude = min(max(w.latitude+km*math.Cos(rad(t.heading))/kmPerDegree, -80), 80)
		w.longitude = wrap(w.longitude+km*math.Sin(rad(t.heading))/kmPerDegree/math.Cos(rad(w.latitude))+180) - 180
		for t.fuel -= km * litersBurnt / 100; t.fuel < 8; {
			t.fuel += 90 // filled up
		}
	}
	t.engine += (warm - t.engine) * (1 - math.Exp(-4*hours))
}
