package verdict_test

import (
	"math"
	"testing"

	"github.com/godwit-gateway/godwit/gateway/rollout/verdict"
)

// The share of devices that are still heard is the product-limit estimate, with devices that were not seen for as long left out from then on; a restart
// changes nothing, and one that comes back stays one that was silent.
func TestSurvival(t *testing.T) {
	j := judge(t, 1)
	at := int64(start + day)
	const n = 40
	for p := range uint32(n) {
		update(j, at, cell, hour, p)
	}
	if list := j.Survival(); len(list) != 0 {
		t.Errorf("at once: %+v", list)
	}
	until := func(p uint32) int64 { // hours for which a device speaks
		switch {
		case p < 4: // silenced at once
			return 0
		case p < 8:
			return 30
		case p < 20: // they leave
			return 40
		default:
			return 96
		}
	}
	for h := int64(1); h <= 96; h++ {
		for p := range uint32(n) {
			switch {
			case h <= until(p), p == 1 && h == 60: // one comes back
				j.Contact(at+h*hour, p, cell, hour)
			case until(p) == 40 && h == 41:
				j.Leave(at+h*hour, p)
			}
		}
		j.Poll(at + h*hour)
	}
	for i, x := range []*verdict.Judge{j, restored(t, j)} {
		list := x.Survival()
		if len(list) == 0 {
			t.Fatal("nothing")
		}
		at := func(hours int) verdict.Survival {
			for _, s := range list {
				if s.Hours >= hours {
					return s
				}
			}
			return list[len(list)-1]
		}
		first, later, last := at(1), at(36), list[len(list)-1]
		if first.AtRisk != n || first.Silent != 4 || math.Abs(first.Share-0.9) > 1e-12 {
			t.Errorf("%d: after an hour %+v", i, first)
		}
		if later.AtRisk != 36 || later.Silent != 4 || math.Abs(later.Share-0.9*32/36) > 1e-12 {
			t.Errorf("%d: after 36 hours %+v", i, later)
		}
		// Collett, Modelling Survival Data in Medical Research: Greenwood's error and the interval on the scale of log(-log).
		s := 0.9 * 32 / 36
		width := 1.959963984540054 * math.Sqrt(4./(40*36)+4./(36*32)) / math.Abs(math.Log(s))
		low, high := math.Pow(s, math.Exp(width)), math.Pow(s, math.Exp(-width))
		if math.Abs(later.Low-low) > 1e-9 || math.Abs(later.High-high) > 1e-9 || !(low < s && s < high) {
			t.Errorf("%d: %+v, want %g to %g", i, later, low, high)
		}
		if last.Share != later.Share || last.AtRisk > 20 || last.Hours < 72 || last.Hours > 102 {
			t.Errorf("%d: at last %+v", i, last)
		}
	}
}
