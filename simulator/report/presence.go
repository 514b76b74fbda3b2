package report

import (
	"fmt"
	"time"

	claim "github.com/godwit-gateway/godwit/scheduler/presence"
	"github.com/godwit-gateway/godwit/simulator/device"
	"github.com/godwit-gateway/godwit/simulator/report/chart"
	"github.com/godwit-gateway/godwit/simulator/world"
)

// truths are what a device can be. Out of reach is one that works while its network does not.
var truths = [...]string{"alive", "out of reach", "flat", "dead", "retired", "away"}

func truthOf(g *world.Glance) int {
	switch g.State {
	case device.Working:
		if g.Cut {
			return 1
		}
		return 0
	case device.Flat:
		return 2
	case device.Dead:
		return 3
	case device.Retired:
		return 4
	case device.Away:
		return 5
	}
	return 0
}

// ended says whether a truth is for good.
func ended(truth int) bool { return truth == 3 || truth == 4 }

// believed are the lower ends of the ranges of probability in which claims are held against the truth.
var believed = [...]float64{0, 0.01, 0.1, 0.5, 0.9, 0.95, 0.99}

// presence holds what the gateway takes devices for against what they are. It counts looks: a device that is looked at a hundred times counts so.
type presence struct {
	counts [claim.Retired + 1][len(truths)]float64
	claims [len(believed)]struct{ looks, claimed, ended float64 }
}

// Look implements Looker.
func (p *presence) Look(_ time.Time, g *world.Glance) {
	if !g.Taken.Heard {
		return
	}
	truth, st := truthOf(g), &g.Taken.Standing
	p.counts[st.Class][truth]++
	at := len(believed) - 1
	for st.Dead < believed[at] {
		at--
	}
	c := &p.claims[at]
	c.looks++
	c.claimed += st.Dead
	if ended(truth) {
		c.ended++
	}
}

// Looked implements Looker.
func (*presence) Looked(time.Time, world.View) {}

// Section implements Part.
func (p *presence) Section() (Section, bool) {
	matrix := Table{Head: Column{Key: "class", Title: "Taken for"}, Named: true}
	for _, t := range truths {
		matrix.Columns = append(matrix.Columns, Column{Key: t, Title: t})
	}
	looks, dead := 0.0, 0.0
	for class := range p.counts {
		matrix.Rows = append(matrix.Rows, Row{Name: claim.Class(class).String(), Values: p.counts[class][:]})
		for truth, n := range p.counts[class] {
			if looks += n; ended(truth) {
				dead += n
			}
		}
	}
	if looks == 0 {
		return Section{}, false
	}
	calibration := Table{Head: Column{Key: "claimed", Title: "Probability that it is dead"}, Named: true, Columns: []Column{
		{Key: "looks", Title: "Looks"}, {Key: "claim", Title: "Claimed, mean", Quantity: chart.Share}, {Key: "true", Title: "Were dead or retired", Quantity: chart.Share},
	}}
	for i, c := range p.claims {
		to := 1.0
		if i+1 < len(believed) {
			to = believed[i+1]
		}
		calibration.Rows = append(calibration.Rows, Row{
			Name: fmt.Sprintf("%g to %g %%", 100*believed[i], 100*to), Values: []float64{c.looks, share(c.claimed, c.looks), share(c.ended, c.looks)},
		})
	}
	presumed := &p.counts[claim.Presumed]
	all := 0.0
	for _, n := range presumed {
		all += n
	}
	return Section{
		Key: "presence", Title: "Who is there",
		Text: "What the gateway takes devices for, against what they are, at each sample. It cannot see the difference between a device that broke and one that was taken out of service without a word. Out of reach is as of the last try.",
		Facts: []Fact{
			{Key: "presumed_right", Name: "of looks at devices presumed dead, they were", Quantity: chart.Share, Value: share(presumed[3]+presumed[4], all)},
			{Key: "dead_presumed", Name: "of looks at devices that had ended, they were presumed dead", Quantity: chart.Share, Value: share(presumed[3]+presumed[4], dead)},
		},
		Figures: []Figure{
			{Key: "confusion", Title: "Taken for, and being", Text: "Looks.", Table: matrix},
			{Key: "calibration", Title: "Claims", Text: "Of looks with a claim in a range, how many were right.", Table: calibration},
		},
	}, true
}
