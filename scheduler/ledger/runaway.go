package ledger

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
)

// A Sample is what one device has spent in the time that is looked at.
type Sample struct {
	Device   uint32
	Product  string
	Micros   scheduler.Micros
	Interval time.Duration // between its statuses as its policy has it; 0: none
}

// Runaway says when a device counts as one that spends far more than its like. Zero values stand for the ones that are said.
type Runaway struct {
	Score float64          // robust z-score from which on; 6
	Least scheduler.Micros // that is worth a thought; 0
	Peers int              // devices of a product that can be compared; 8
}

// A Finding is a device that spends far more than its like, and what might quieten it.
type Finding struct {
	Device   uint32           `json:"device"`
	Product  string           `json:"product"`
	Micros   scheduler.Micros `json:"price"`
	Median   scheduler.Micros `json:"median"`   // of the product
	Score    float64          `json:"score"`    // 0.6745 (price - median) / MAD
	Interval time.Duration    `json:"interval"` // proposed: with it the device spends about the median; 0: no policy can be blamed
	Why      string           `json:"why"`
}

const (
	quietStep = 15 * time.Minute    // proposed intervals are whole multiples of it
	quietMost = 30 * 24 * time.Hour // and no longer
	// spreadFloor is the least spread, as a part of the median: a product whose devices are all alike would make a runaway of any other.
	spreadFloor = 0.05
)

// Find compares devices within their products by the robust z-score: the distance from the median in units of the median absolute deviation
// (MAD), scaled by 0.6745 to be that of a normal distribution. One runaway, or many, move neither much. The findings are in the order of scores,
// the worst first.
func (o Runaway) Find(samples []Sample) []Finding {
	o.Score, o.Peers = cmp.Or(o.Score, 6), cmp.Or(o.Peers, 8)
	products := make(map[string][]Sample)
	for _, s := range samples {
		products[s.Product] = append(products[s.Product], s)
	}
	var list []Finding
	for _, group := range products {
		if len(group) < o.Peers {
			continue
		}
		spent := make([]float64, len(group))
		for i, s := range group {
			spent[i] = float64(s.Micros)
		}
		median := middle(spent)
		for i := range spent {
			spent[i] = math.Abs(spent[i] - median)
		}
		mad := max(middle(spent), spreadFloor*math.Abs(median), 1)
		for _, s := range group {
			if score := 0.6745 * (float64(s.Micros) - median) / mad; score >= o.Score && s.Micros >= o.Least {
				list = append(list, finding(&s, median, score))
			}
		}
	}
	slices.SortFunc(list, func(a, b Finding) int { return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Device, b.Device)) })
	return list
}

// middle is the median; it sorts the list.
func middle(list []float64) float64 {
	slices.Sort(list)
	n := len(list)
	if n%2 == 1 {
		return list[n/2]
	}
	return (list[n/2-1] + list[n/2]) / 2
}

func finding(s *Sample, median, score float64) Finding {
	f := Finding{Device: s.Device, Product: s.Product, Micros: s.Micros, Median: scheduler.Micros(median), Score: math.Round(score*100) / 100}
	f.Why = fmt.Sprintf("it has spent %s, the median of %s is %s, %.1f deviations away", f.Micros, f.Product, f.Median, f.Score)
	if s.Interval > 0 {
		// Spend goes with the reciprocal of the interval. A median of nothing would ask for silence.
		steps := math.Ceil(float64(s.Interval) * (float64(s.Micros) / max(median, 1)) / float64(quietStep))
		f.Interval = min(time.Duration(min(steps, float64(quietMost/quietStep)))*quietStep, quietMost)
	}
	return f
}
