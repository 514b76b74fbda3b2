package scheduler_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/scheduler"
)

// What is learned begins with what is expected of the link, comes to what happens, and follows when that changes.
func TestDelivery(t *testing.T) {
	var l scheduler.Delivery
	if got := l.Probability(.9); got != .9 {
		t.Errorf("nothing seen: %v, want .9", got)
	}
	l.Observe(1, 0)
	if got := l.Probability(.9); math.Abs(got-18./21) > 1e-6 {
		t.Errorf("one loss: %v, want 18/21", got)
	}
	r := rand.New(rand.NewPCG(1, 1))
	for _, p := range []float64{.6, .95} {
		for range 1500 {
			l.Observe(1, int(r.Float64()+p))
		}
		if got := l.Probability(.9); math.Abs(got-p) > .08 {
			t.Errorf("after many attempts at %v: %v", p, got)
		}
	}
	l.Observe(1_000_000, 0)
	if got := l.Via(.9); got < 1 || got > 6600 {
		t.Errorf("after a long silence: %d of 65535", got)
	}
}

// A pace makes up for what was spent too much within weeks, keeps within its limits, and has no month's end.
func TestPace(t *testing.T) {
	const month = 730_500_000 // a micro-unit million an hour
	p := scheduler.Pace{Month: month}
	p.Spent(somewhen, 0, 0)
	if got := p.Money(); got != month {
		t.Errorf("at the start %v", got)
	}
	p.Spent(somewhen+day, 24_000_000+33_600_000, 0)
	if got := p.Money(); math.Abs(float64(got)-.9*month) > 1 {
		t.Errorf("a tenth of two weeks' money too much: %v, want nine tenths of %v", got, scheduler.Micros(month))
	}
	p.Spent(somewhen+2*day, 1e12, 0)
	if got := p.Money(); math.Abs(float64(got)-.6*month) > 1 {
		t.Errorf("far too much was spent: %v", got)
	}
	p.Spent(somewhen+200*day, 0, 0)
	if got := p.Money(); math.Abs(float64(got)-1.4*month) > 1 {
		t.Errorf("nothing was spent: %v", got)
	}
	p = scheduler.Pace{Month: month, Cap: 500_000_000}
	p.Spent(somewhen, 0, 0)
	var spent, last scheduler.Micros
	for i := range scheduler.Secs(180) {
		took := scheduler.Micros(float64(p.Money()) / scheduler.MonthHours * 24)
		down := took / 20
		if i >= 149 {
			last += took + down
		}
		spent += took + down
		p.Spent(somewhen+(i+1)*day, took, down)
	}
	if last > 500_000_000 || last < 460_000_000 {
		t.Errorf("a month of 31 days took %v of a cap of 500", last)
	}
	if p.Downlink <= 0 {
		t.Error("downlinks took money, but none is kept for them")
	}
	before := p
	p.Spent(somewhen, 5_000_000, 0) // the clock was set back
	if p.At != before.At || p.Ahead >= before.Ahead {
		t.Errorf("%+v after %+v: what is spent counts whatever the clock says", p, before)
	}
}

func TestReserve(t *testing.T) {
	for _, c := range []struct {
		share float64
		want  int64
	}{{.8, 8}, {0, 1}, {1, 10}, {.05, 1}} {
		if got := scheduler.Reserve([]int64{10, 3, 5, 1, 2, 8, 7, 4, 6, 9}, c.share); got != c.want {
			t.Errorf("share %v: %d, want %d", c.share, got, c.want)
		}
	}
	if got := scheduler.Reserve(nil, .8); got != 0 {
		t.Errorf("of nothing: %d", got)
	}
}

// A burst rises, spreads as the fear fades, and is worth its price at each contact; phases spread over the interval and jitter stays in a twentieth.
func TestBurst(t *testing.T) {
	if got := scheduler.Burst(nil, 1000, .9, 100, day); !slices.Equal(got, []uint16{5, 10, 20, 30, 45, 60, 240, 720}) {
		t.Errorf("without a hazard %v", got)
	}
	h := &scheduler.Hazard{Chance: .03, Tau: 12 * 3600, Loss: 500}
	got := scheduler.Burst(h, 120_000, .9, 200, day)
	if len(got) < 2 || got[0] != 5 {
		t.Errorf("%v, want a confirmation at once and checks after it", got)
	}
	// The integral of the density sqrt(L g h(t) / cost) up to the k-th check is k.
	cost, g := 200*.12, 1/.9-.5
	n := 2 * math.Sqrt(12*h.Loss*h.Chance*g/cost)
	for k := 1; k < len(got); k++ {
		if have := n * (1 - math.Exp(-float64(got[k])/60/24)); math.Abs(have-float64(k)) > .01 {
			t.Errorf("check %d at %d min: the integral is %v", k, got[k], have)
		}
	}
	if got := scheduler.Burst(&scheduler.Hazard{Chance: 1e-6, Tau: day, Loss: 1}, 120_000, .9, 200, day); len(got) != 0 {
		t.Errorf("a check that is not worth its price: %v", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		h := &scheduler.Hazard{Chance: rapid.Float64Range(0, 1).Draw(t, "chance"), Tau: scheduler.Secs(rapid.Int64Range(60, 1e7).Draw(t, "tau")), Loss: rapid.Float64Range(0, 1e5).Draw(t, "loss")}
		got := scheduler.Burst(h, scheduler.Micros(rapid.Int64Range(0, 1e6).Draw(t, "check")), rapid.Float64Range(.01, 1).Draw(t, "p"), rapid.Float64Range(0, 1e4).Draw(t, "price"), scheduler.Secs(rapid.Int64Range(900, 1e6).Draw(t, "every")))
		for i := 1; i < len(got); i++ {
			if got[i] <= got[i-1] {
				t.Fatalf("%v does not rise", got)
			}
		}
		if len(got) > 16 || len(got) > 0 && got[0] == 0 {
			t.Fatalf("%v cannot be offered", got)
		}
	})
}

func TestHazardFades(t *testing.T) {
	h := scheduler.Hazard{Chance: .1, Tau: day, Loss: 240}
	for hours := 0.; hours < 400; hours += .37 {
		since := scheduler.Secs(hours * 3600)
		want := math.Exp(-since.Hours()/24) * 240 * .1 / 24
		if got := h.Weight(since); math.Abs(got/want-1) > 5e-3 {
			t.Fatalf("after %v h: %v, want %v", hours, got, want)
		}
	}
	if h.Weight(-1) != 0 || h.Weight(1<<40) != 0 {
		t.Error("there is fear before the update, or for ever")
	}
}

func TestPhases(t *testing.T) {
	var hours [24]int
	for number := range uint32(24_000) {
		at := scheduler.Phase(number, day)
		hours[at/3600]++
	}
	if least, most := slices.Min(hours[:]), slices.Max(hours[:]); least < 850 || most > 1150 {
		t.Errorf("contacts of an hour: %d to %d, want about 1000", least, most)
	}
	for _, c := range []struct{ every, heard, now, want scheduler.Secs }{
		{100, 1000, 1050, 1100}, {100, 1000, 1100, 1200}, {100, 1000, 1990, 2000}, {0, 1000, 1050, 0}, {100, 1000, 900, 1100},
	} {
		if got := scheduler.NextDue(5, c.every, c.heard, c.now); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
	if got := scheduler.NextDue(5, 100, 0, 1000); got < 1000 || got >= 1100 {
		t.Errorf("a device that was never heard is due at %d", got)
	}
}
