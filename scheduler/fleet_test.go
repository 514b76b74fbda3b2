package scheduler_test

import (
	"math"
	"math/rand/v2"

	"github.com/godwit-gateway/godwit/scheduler"
)

const day scheduler.Secs = 24 * 3600

// somewhen is a moment of the tests, in seconds since 1970.
const somewhen scheduler.Secs = 1_800_000_000

// mixedLinks are a kind of link each, with prices of a message that lie far apart.
func mixedLinks() []scheduler.Link {
	message := func(price scheduler.Micros) scheduler.Rate {
		return scheduler.Rate{Min: 1, Inc: 1000, Price: price, Failed: true}
	}
	return []scheduler.Link{
		{Name: "cell", Up: message(1_000), Down: message(500), Deliver: .98, Energy: 2_000, Wakeable: true},
		{Name: "sms", Up: message(20_000), Down: message(20_000), Deliver: .95, Energy: 3_000},
		{Name: "sbd", Up: message(120_000), Down: message(120_000), Deliver: .90, Energy: 15_000, MaxGap: 7 * day},
		{Name: "idp", Up: message(60_000), Down: message(60_000), Deliver: .93, Energy: 20_000, MinGap: 1800},
	}
}

// mixedFleet is a fleet of n devices over all links, two links each in a fifth, with batteries in three fifths and weights that spread as people's
// opinions do.
func mixedFleet(n int, seed uint64) *scheduler.Fleet {
	r := rand.New(rand.NewPCG(seed, 1))
	f := &scheduler.Fleet{Links: mixedLinks(), Policies: []scheduler.Policy{{Name: "default"}}, Devices: make([]scheduler.Device, n)}
	for i := range f.Devices {
		d := &f.Devices[i]
		*d = scheduler.Device{Number: uint32(i) + 1000, Weight: float32(math.Exp(.8 * r.NormFloat64())), Status: 40, Heard: uint32(somewhen) - r.Uint32N(86400)}
		first := uint8(0)
		switch share := r.Float64(); {
		case share < .45:
		case share < .65:
			first = 1
		case share < .90:
			first = 2
		default:
			first = 3
		}
		d.Links[0] = scheduler.Via{Link: first + 1, Deliver: uint16(65535 * (f.Links[first].Deliver - .08*r.Float64()))}
		if r.Float64() < .2 {
			d.Links[1] = scheduler.Via{Link: (first+1)%4 + 1, Deliver: uint16(65535 * (.5 + .4*r.Float64()))}
		}
		if r.Float64() < .6 {
			d.Power = float32(f.Links[first].Energy / 3600 / (2 + 4*r.Float64()))
		}
		if r.Float64() < .7 {
			d.Current = uint32(scheduler.Code(r.IntN(40)).Secs())
			d.Via = 1
		}
	}
	return f
}

// failer is what testing and rapid have in common.
type failer interface {
	Helper()
	Fatal(args ...any)
}

func solve(t failer, f *scheduler.Fleet, b *scheduler.Budget) *scheduler.Plan {
	t.Helper()
	p, err := scheduler.Solve(f, b, nil, somewhen)
	if err != nil {
		t.Fatal(err)
	}
	return &p
}
