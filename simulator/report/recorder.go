package report

import (
	"fmt"
	"time"

	"github.com/godwit-gateway/godwit/simulator/radio"
	"github.com/godwit-gateway/godwit/simulator/report/chart"
	"github.com/godwit-gateway/godwit/simulator/world"
	"github.com/godwit-gateway/godwit/transports"
)

// What a part may want to be told; see [world.Watcher].
type (
	// A Sender is told of transmissions.
	Sender interface {
		Sent(at time.Time, on world.Line, bytes, try int, join bool)
	}
	// A Taker is told of what the gateway said of payloads.
	Taker interface {
		Taken(at time.Time, on world.Line, made time.Time, bytes int, s transports.Settlement)
	}
	// A Teller is told of downlinks.
	Teller interface {
		Told(at time.Time, on world.Line, bytes int)
	}
	// An Acknowledger is told of frames that devices know to be taken.
	Acknowledger interface {
		Acknowledged(at time.Time, group int, number uint32, frames int)
	}
	// A Payer is told of what a network charges.
	Payer interface {
		Billed(at time.Time, on world.Line, up bool, cost radio.Micros)
	}
	// A Looker is shown each device at each sample, and then the world.
	Looker interface {
		Look(at time.Time, g *world.Glance)
		Looked(at time.Time, v world.View)
	}
)

// A Frame is what all parts must know of a world: its names, and the stretches of time over which they sum.
type Frame struct {
	Groups []string
	Links  []string
	LinkOf []int // of a group
	Begin  time.Time
	Length time.Duration
	Count  []int  // devices of a group
	Power  []bool // a group has batteries that can be empty

	last time.Time // that was heard of, at most the end
}

// bins is how many stretches there are.
const bins = 180

// during notes a time and reports whether it is within the length: the days after it, in which everything is well, belong to no report.
func (f *Frame) during(at time.Time) bool {
	if at.Sub(f.Begin) > f.Length {
		f.last = f.Begin.Add(f.Length)
		return false
	}
	f.last = at
	return true
}

// Bin is the stretch that a time is in.
func (f *Frame) Bin(at time.Time) int {
	return min(bins-1, int(at.Sub(f.Begin)*bins/f.Length))
}

// Middle is the middle of a stretch, in Unix seconds.
func (f *Frame) Middle(bin int) float64 {
	return float64(f.Begin.Unix()) + f.Length.Seconds()*(float64(bin)+0.5)/bins
}

// Played is how many stretches have passed as a whole, or one at least.
func (f *Frame) Played() int {
	if !f.last.Before(f.Begin.Add(f.Length)) {
		return bins
	}
	return max(1, f.Bin(f.last))
}

// perDay is what a sum over a stretch comes to in a day.
func (f *Frame) perDay() float64 { return 86400 * bins / f.Length.Seconds() }

// A Recorder watches a world for its parts. It implements [world.Watcher].
type Recorder struct {
	Frame *Frame
	// Progress is called at each sample, with the number of frames that were taken so far; nil: nobody wants to know.
	Progress func(at time.Time, share float64, frames uint64)

	parts         []Part
	senders       []Sender
	takers        []Taker
	tellers       []Teller
	acknowledgers []Acknowledger
	payers        []Payer
	lookers       []Looker
	incidents     incidents
	frames        uint64
}

// New returns a recorder of a world with the usual parts.
func New(s *world.Setup) *Recorder {
	f := &Frame{Begin: s.Start, Length: s.Length, last: s.Start}
	links := make(map[string]int)
	for i := range s.Links {
		links[s.Links[i].Name] = i
		f.Links = append(f.Links, s.Links[i].Name)
	}
	for i := range s.Groups {
		g := &s.Groups[i]
		f.Groups = append(f.Groups, g.Name)
		f.LinkOf = append(f.LinkOf, links[g.Link])
		f.Count, f.Power = append(f.Count, g.Count), append(f.Power, g.Device.Power != nil)
	}
	r := &Recorder{Frame: f}
	for _, p := range []Part{
		newVersions(f), newStaleness(f), newDelays(f), newLosses(f), newTraffic(f), newMoney(f), newPower(f), newLife(f), newBacklog(f),
	} {
		r.Add(p)
	}
	if s.Schedule.Core.Links != nil {
		r.Add(newSchedule(f, float64(s.Schedule.Core.Money)/1e6, classOf(s)))
		r.Add(new(presence))
	}
	if len(s.Rollouts) > 0 {
		r.Add(newRollouts(s))
		r.Add(&silences{cut: make(map[uint32]stretch)})
	}
	return r
}

// Add adds a part.
func (r *Recorder) Add(p Part) {
	r.parts = append(r.parts, p)
	if x, ok := p.(Sender); ok {
		r.senders = append(r.senders, x)
	}
	if x, ok := p.(Taker); ok {
		r.takers = append(r.takers, x)
	}
	if x, ok := p.(Teller); ok {
		r.tellers = append(r.tellers, x)
	}
	if x, ok := p.(Acknowledger); ok {
		r.acknowledgers = append(r.acknowledgers, x)
	}
	if x, ok := p.(Payer); ok {
		r.payers = append(r.payers, x)
	}
	if x, ok := p.(Looker); ok {
		r.lookers = append(r.lookers, x)
	}
}

// Sent implements world.Watcher.
func (r *Recorder) Sent(at time.Time, on world.Line, bytes, try int, join bool) {
	if !r.Frame.during(at) {
		return
	}
	for _, x := range r.senders {
		x.Sent(at, on, bytes, try, join)
	}
}

// Taken implements world.Watcher.
func (r *Recorder) Taken(at time.Time, on world.Line, made time.Time, bytes int, s transports.Settlement) {
	if !r.Frame.during(at) {
		return
	}
	if s == transports.Stored {
		r.frames++
	}
	for _, x := range r.takers {
		x.Taken(at, on, made, bytes, s)
	}
}

// Told implements world.Watcher.
func (r *Recorder) Told(at time.Time, on world.Line, bytes int) {
	if !r.Frame.during(at) {
		return
	}
	for _, x := range r.tellers {
		x.Told(at, on, bytes)
	}
}

// Acknowledged implements world.Watcher.
func (r *Recorder) Acknowledged(at time.Time, group int, number uint32, frames int) {
	if !r.Frame.during(at) {
		return
	}
	for _, x := range r.acknowledgers {
		x.Acknowledged(at, group, number, frames)
	}
}

// Billed implements world.Watcher.
func (r *Recorder) Billed(at time.Time, on world.Line, up bool, cost radio.Micros) {
	if !r.Frame.during(at) {
		return
	}
	for _, x := range r.payers {
		x.Billed(at, on, up, cost)
	}
}

// Failed implements world.Watcher.
func (r *Recorder) Failed(at, until time.Time, kind string) { r.incidents.add(at, until, kind) }

// Sampled implements world.Watcher.
func (r *Recorder) Sampled(at time.Time, v world.View) {
	if !r.Frame.during(at) {
		return
	}
	v.Devices(func(g world.Glance) bool {
		for _, x := range r.lookers {
			x.Look(at, &g)
		}
		return true
	})
	for _, x := range r.lookers {
		x.Looked(at, v)
	}
	if r.Progress != nil {
		r.Progress(at, at.Sub(r.Frame.Begin).Seconds()/r.Frame.Length.Seconds(), r.frames)
	}
}

// sections are what the parts have to say, with what went wrong marked on each axis of time.
func (r *Recorder) sections() []Section {
	var all []Section
	marks := r.incidents.marks()
	for _, p := range append(r.parts, &r.incidents) {
		s, ok := p.Section()
		if !ok {
			continue
		}
		for i := range s.Figures {
			if c, ok := s.Figures[i].Picture.(*chart.Chart); ok && c.X.Quantity == chart.Moment {
				c.Marks = append(c.Marks, marks...)
				c.X.From, c.X.To = float64(r.Frame.Begin.Unix()), float64(r.Frame.last.Unix())
			}
		}
		all = append(all, s)
	}
	return all
}

// incidents are what went wrong.
type incidents struct {
	list []incident
	more uint64 // that were not kept
}

type incident struct {
	at, until time.Time
	kind      string
}

const incidentsKept = 400

func (in *incidents) add(at, until time.Time, kind string) {
	if len(in.list) == incidentsKept {
		in.more++
		return
	}
	in.list = append(in.list, incident{at, until, kind})
}

func (in *incidents) marks() []chart.Mark {
	var marks []chart.Mark
	for i, x := range in.list {
		m := chart.Mark{At: float64(x.at.Unix()), Label: fmt.Sprint(i + 1), Title: x.kind + ", " + chart.Moment.Format(float64(x.at.Unix()))}
		if !x.until.IsZero() {
			m.Until = float64(x.until.Unix())
		}
		marks = append(marks, m)
	}
	return marks
}

// Section implements Part.
func (in *incidents) Section() (Section, bool) {
	if len(in.list) == 0 {
		return Section{}, false
	}
	t := Table{Head: Column{Key: "incident", Title: "Incident"}, Named: true, Columns: []Column{
		{Key: "at", Title: "At (UTC)", Quantity: chart.Moment}, {Key: "for", Title: "Lasted", Quantity: chart.Duration},
	}}
	for i, x := range in.list {
		row := Row{Name: fmt.Sprintf("%d %s", i+1, x.kind), Values: []float64{float64(x.at.Unix()), 0}}
		if !x.until.IsZero() {
			row.Values[1] = x.until.Sub(x.at).Seconds()
		}
		t.Rows = append(t.Rows, row)
	}
	return Section{
		Key: "incidents", Title: "Incidents", Text: "What was planned or happened by chance. Its numbers are those in the pictures above.",
		Facts:   []Fact{{Key: "incidents", Name: "incidents", Value: float64(uint64(len(in.list)) + in.more)}},
		Figures: []Figure{{Key: "list", Title: "In the order of time", Table: t}},
	}, true
}
