package report

import (
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/gateway/rollout/silence"
	"github.com/godwit-gateway/godwit/simulator/device"
	"github.com/godwit-gateway/godwit/simulator/report/chart"
	"github.com/godwit-gateway/godwit/simulator/world"
)

// Why a device can be silent, as it is.
const (
	atWork     = iota // it is not, or by chance
	outOfReach        // its network is out
	cutOff            // its contract has ended
	noPower           // its battery is empty
	byUpdate          // an update ended it, or switched it off for a while
	broken
	takenOut
	reasons
)

var reasonNames = [reasons]string{"at work", "network out", "contract ended", "battery empty", "by an update", "broken", "taken out"}

// answers are the classes that are right for a reason, the first one best.
var answers = [reasons][]silence.Class{
	atWork:     {silence.NotDue, silence.Late},
	outOfReach: {silence.Outage, silence.Contract},
	cutOff:     {silence.Contract, silence.Outage},
	noPower:    {silence.Battery},
	byUpdate:   {silence.Update},
	broken:     {silence.Unknown},
	takenOut:   {silence.Retired, silence.Unknown},
}

// reasonOf is why a device is silent, if it is.
func reasonOf(g *world.Glance) int {
	switch {
	case g.State == device.Retired:
		return takenOut
	case g.State == device.Away:
		return byUpdate
	case g.State == device.Dead && slices.ContainsFunc(g.Happened, func(h device.Happening) bool { return h.What == device.Bricked || h.What == device.Drained }):
		return byUpdate
	case g.State == device.Flat, g.State == device.Dead && g.Drained:
		return noPower
	case g.State == device.Dead:
		return broken
	case g.Barred:
		return cutOff
	case g.Cut:
		return outOfReach
	}
	return atWork
}

// silences holds the classes of silence against the truth. It counts looks at devices that owe a contact.
type silences struct {
	cut     map[uint32]stretch // what kept devices off that are silent, as it was at the looks since they were heard
	counts  [reasons][silence.Classes]float64
	claimed [silence.Classes]struct{ looks, claimed, right float64 }
}

// stretch is the silence of a device.
type stretch struct {
	heard  time.Time // before it
	reason int
}

// since is why a device is silent, also if the reason is over and it has had nothing to say since.
func (p *silences) since(g *world.Glance) int {
	reason, before := reasonOf(g), p.cut[g.Number]
	switch {
	case reason != atWork:
		p.cut[g.Number] = stretch{g.Heard, reason}
	case before.reason != atWork && before.heard.Equal(g.Heard):
		return before.reason
	default:
		delete(p.cut, g.Number)
	}
	return reason
}

// Look implements Looker.
func (p *silences) Look(_ time.Time, g *world.Glance) {
	reason := p.since(g)
	if len(g.Silence.Evidence) == 0 || g.Taken.Standing.Missed == 0 {
		return
	}
	p.counts[reason][g.Silence.Class]++
	c := &p.claimed[g.Silence.Class]
	c.looks++
	c.claimed += g.Silence.Probability
	if slices.Contains(answers[reason], g.Silence.Class) {
		c.right++
	}
}

// Looked implements Looker.
func (*silences) Looked(time.Time, world.View) {}

// Section implements Part.
func (p *silences) Section() (Section, bool) {
	matrix := Table{Head: Column{Key: "reason", Title: "As it is"}, Named: true}
	claims := Table{Head: Column{Key: "class", Title: "Taken for"}, Named: true, Columns: []Column{
		{Key: "looks", Title: "Looks"}, {Key: "claimed", Title: "Probability claimed, mean", Quantity: chart.Share}, {Key: "right", Title: "Were right", Quantity: chart.Share},
	}}
	for c := range silence.Class(silence.Classes) {
		matrix.Columns = append(matrix.Columns, Column{Key: c.Label(), Title: c.String()})
		if x := p.claimed[c]; x.looks > 0 {
			claims.Rows = append(claims.Rows, Row{Name: c.String(), Values: []float64{x.looks, share(x.claimed, x.looks), share(x.right, x.looks)}})
		}
	}
	looks := 0.0
	for r := range reasons {
		matrix.Rows = append(matrix.Rows, Row{Name: reasonNames[r], Values: p.counts[r][:]})
		for _, n := range p.counts[r] {
			looks += n
		}
	}
	if looks == 0 {
		return Section{}, false
	}
	harmed, blamed, innocent := 0.0, p.counts[broken][silence.Update]+p.counts[atWork][silence.Update]+p.counts[outOfReach][silence.Update]+p.counts[cutOff][silence.Update], 0.0
	for c := range silence.Classes {
		harmed += p.counts[byUpdate][c]
		innocent += p.counts[broken][c] + p.counts[atWork][c] + p.counts[outOfReach][c] + p.counts[cutOff][c]
	}
	return Section{
		Key: "silence", Title: "Why devices are silent",
		Text: "Looks at devices that have missed a contact: what their silence is put down to, against why they are silent. A device that is looked at a hundred times counts so.",
		Facts: []Fact{
			{Key: "looks", Name: "looks at silent devices", Value: looks},
			{Key: "update_found", Name: "of those that an update silenced, put down to it", Quantity: chart.Share, Value: share(p.counts[byUpdate][silence.Update], harmed)},
			{Key: "update_blamed", Name: "of the others, put down to an update", Quantity: chart.Share, Value: share(blamed, innocent)},
		},
		Figures: []Figure{
			{Key: "matrix", Title: "Against the truth", Table: matrix},
			{Key: "claims", Title: "How sure, and how right", Table: claims},
		},
	}, true
}
