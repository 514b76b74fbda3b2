package trial

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
)

// Speed is how long package scheduler takes on this machine, in processor time: the fastest of five rounds, since other work can only slow it down.
type Speed struct {
	Plan    float64 `json:"plan_ns"`       // of a device in a complete plan: links, prices, and what each device is told
	Decide  float64 `json:"decide_ns"`     // of one decision
	Allocs  int64   `json:"decide_allocs"` // of one decision
	Reprice float64 `json:"reprice_ms"`    // of the price from a histogram, after a device has changed
}

const rounds = 5

// errBenchmark is what Measure says of a benchmark that did not run.
var errBenchmark = errors.New("benchmark has failed")

// Measure takes the times with a fleet of so many devices, a quarter of which has two links to choose from. The clock is the processor time that
// this process has used.
func Measure(devices int, clock func() time.Duration) (Speed, error) {
	f := NewFleet(Setup{Devices: devices, Spread: 0.8, Seed: 1})
	tables := f.tables(scheduler.Policy{Max: scheduler.Secs(longest)})
	for i := range tables.Devices {
		if d := &tables.Devices[i]; f.All[i].Class == SBD {
			d.Links[1].Link = uint8(IDP) + 1
		}
	}
	var solver scheduler.Solver
	money := Middle / usual * scheduler.Micros(devices)
	plan, err := solver.Solve(&tables, &scheduler.Budget{Money: money}, nil, newYear)
	if err != nil {
		return Speed{}, fmt.Errorf("plan of %d devices: %w", devices, err)
	}
	for i := range tables.Devices {
		d := &tables.Devices[i]
		d.Current = uint32(scheduler.Decide(&plan, &tables, d, scheduler.Occasion{Now: newYear}).Interval) //nolint:gosec // at most longest
	}
	m := meter{clock: clock, tables: &tables, plan: plan, solver: &solver, money: money}
	s := Speed{Plan: m.fastest(m.replan) / float64(devices), Decide: m.fastest(m.decide), Allocs: m.allocs}
	s.Reprice = m.fastest(m.reprice()) / 1e6
	return s, m.err
}

// meter holds what is measured.
type meter struct {
	clock  func() time.Duration
	tables *scheduler.Fleet
	plan   scheduler.Plan
	solver *scheduler.Solver
	money  scheduler.Micros
	allocs int64 // of the last benchmark
	err    error
}

// fastest is the time of one operation in nanoseconds.
func (m *meter) fastest(benchmark func(*testing.B)) float64 {
	var best float64
	for range rounds {
		var used time.Duration // of the last call, whose number of operations counts
		r := testing.Benchmark(func(b *testing.B) {
			b.Helper()
			began := m.clock()
			benchmark(b)
			used = m.clock() - began
		})
		if r.N == 0 && m.err == nil {
			m.err = errBenchmark
		}
		took := float64(used.Nanoseconds()) / float64(max(r.N, 1))
		if best == 0 || took < best {
			best = took
		}
		m.allocs = r.AllocsPerOp()
	}
	return best
}

// replan makes a plan from the one before, at a budget that has moved by a few thousandths, as it does from day to day, and asks for each device what to do.
func (m *meter) replan(b *testing.B) {
	b.Helper()
	plan, n := m.plan, 0
	for b.Loop() {
		n++
		var err error
		if plan, err = m.solver.Solve(m.tables, &scheduler.Budget{Money: m.money / 1000 * scheduler.Micros(1000+n%5)}, &plan, newYear+scheduler.Secs(Hour)); err != nil {
			m.err = err
			b.FailNow()
		}
		for i := range m.tables.Devices {
			m.solver.Decide(&plan, m.tables, i, scheduler.Occasion{Now: newYear + scheduler.Secs(Hour)})
		}
	}
}

// decide asks for one device after the other.
func (m *meter) decide(b *testing.B) {
	b.Helper()
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i = (i + 1) % len(m.tables.Devices)
		scheduler.Decide(&m.plan, m.tables, &m.tables.Devices[i], scheduler.Occasion{Now: newYear + scheduler.Secs(Hour)})
	}
}

// reprice changes a device of a histogram and asks for the price.
func (m *meter) reprice() func(*testing.B) {
	var h scheduler.Hist
	keys := make([]scheduler.Key, len(m.tables.Devices))
	for i := range keys {
		keys[i], _ = m.plan.Key(m.tables, &m.tables.Devices[i], newYear)
		h.Replace(scheduler.Key{}, keys[i])
	}
	rate, i := float64(m.money)/1e6/scheduler.MonthHours, 0
	return func(b *testing.B) {
		b.Helper()
		for b.Loop() {
			i = (i + 1) % len(keys)
			h.Replace(keys[i], scheduler.Key{})
			h.Price(rate)
			h.Replace(scheduler.Key{}, keys[i])
		}
	}
}
