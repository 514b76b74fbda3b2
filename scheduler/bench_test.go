package scheduler_test

import (
	"testing"

	"github.com/godwit-gateway/godwit/scheduler"
)

// million is the fleet of the benchmarks.
const million = 1_000_000

// BenchmarkPlan is a complete re-plan of a million devices: coefficients, choice of links, prices, grid and hysteresis.
func BenchmarkPlan(b *testing.B) {
	f, budget := mixedFleet(million, 1), &scheduler.Budget{Money: 1_200_000_000_000}
	var s scheduler.Solver
	p, err := s.Solve(f, budget, nil, somewhen)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		budget.Money = budget.Money/100*101 + 1
		if p, err = s.Solve(f, budget, &p, somewhen); err != nil {
			b.Fatal(err)
		}
		for i := range f.Devices {
			sink = s.Decide(&p, f, i, scheduler.Occasion{Now: somewhen})
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/million, "ns/device")
	b.ReportMetric(float64(p.Iterations), "passes")
}

func BenchmarkDecide(b *testing.B) {
	f := mixedFleet(1000, 1)
	p := solve(b, f, &scheduler.Budget{Money: 1_200_000_000})
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		sink = scheduler.Decide(p, f, &f.Devices[i%1000], scheduler.Occasion{Now: somewhen, Ack: 16})
		i++
	}
}

// BenchmarkReprice is the price of a million devices from their histogram, one of which has just changed.
func BenchmarkReprice(b *testing.B) {
	f := mixedFleet(million, 1)
	p := solve(b, f, &scheduler.Budget{Money: 1_200_000_000_000})
	var h scheduler.Hist
	keys := make([]scheduler.Key, len(f.Devices))
	for i := range f.Devices {
		keys[i], _ = p.Key(f, &f.Devices[i], somewhen)
		h.Replace(scheduler.Key{}, keys[i])
	}
	i := 0
	for b.Loop() {
		h.Replace(keys[i%million], keys[(i+1)%million])
		h.Replace(keys[(i+1)%million], keys[i%million])
		sinkPrice = h.Price(1_200_000 / scheduler.MonthHours)
		i++
	}
	b.ReportMetric(100*(sinkPrice/p.S-1), "%off")
}

var (
	sink      scheduler.Decision
	sinkPrice float64
)
