package year

import (
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/simulator/device"
	"github.com/godwit-gateway/godwit/simulator/radio"
	"github.com/godwit-gateway/godwit/simulator/trial"
	"github.com/godwit-gateway/godwit/simulator/world"
	"github.com/godwit-gateway/godwit/transports"
)

// known is what the gateway knows of a device.
type known struct {
	made    time.Time // of the newest status that it has; zero: none
	counted time.Time // until when its age was counted
	gone    bool      // broken, or without power
}

// watcher measures. It implements world.Watcher.
type watcher struct {
	members  []member
	from, to time.Time // the time that counts
	devices  map[uint32]*known
	group    map[uint32]int
	stale    trial.Staleness
	up, down scheduler.Micros
	frames   int
	lived    []float64 // hours of each group's devices that count
}

func newWatcher(s *Setup, start time.Time) *watcher {
	members := s.members()
	return &watcher{
		members: members, from: start.Add(s.Length / settling), to: start.Add(s.Length), devices: make(map[uint32]*known), group: make(map[uint32]int),
		lived: make([]float64, len(members)),
	}
}

// settling is the part of the time that does not count: one in so many.
const settling = 5

func (w *watcher) counts(at time.Time) bool { return !at.Before(w.from) && at.Before(w.to) }

// count adds the age of what is known of a device until a time.
func (w *watcher) count(k *known, group int, at time.Time) {
	if at.After(w.to) {
		at = w.to
	}
	from := k.counted
	if from.Before(w.from) {
		from = w.from
	}
	if k.counted = at; k.made.IsZero() || k.gone || !from.Before(at) {
		return
	}
	age := func(t time.Time) int64 { return max(0, int64(t.Sub(k.made)/time.Second)) }
	w.stale.Add(w.members[group].weight, age(from), age(at))
	w.lived[group] += at.Sub(from).Hours()
}

// Taken implements world.Watcher.
func (w *watcher) Taken(at time.Time, on world.Line, made time.Time, _ int, s transports.Settlement) {
	if s != transports.Stored {
		return
	}
	k := w.devices[on.Number]
	if k == nil {
		k = new(known)
		w.devices[on.Number], w.group[on.Number] = k, on.Group
	}
	w.count(k, on.Group, at)
	if k.gone = false; made.After(k.made) {
		k.made = made
	}
	if w.counts(at) {
		w.frames++
	}
}

// Billed implements world.Watcher.
func (w *watcher) Billed(at time.Time, _ world.Line, up bool, cost radio.Micros) {
	switch {
	case !w.counts(at):
	case up:
		w.up += scheduler.Micros(cost)
	default:
		w.down += scheduler.Micros(cost)
	}
}

// Sampled implements world.Watcher: what is known of a device that does not work any more does not count from then on.
func (w *watcher) Sampled(at time.Time, v world.View) {
	for g := range v.Devices {
		if k := w.devices[g.Number]; k != nil && g.State != device.Working && !k.gone {
			w.count(k, g.Group, at)
			k.gone = true
		}
	}
}

// finish counts what is left.
func (w *watcher) finish(numbers []uint32) {
	for _, n := range numbers {
		w.count(w.devices[n], w.group[n], w.to)
	}
}

// Sent implements world.Watcher.
func (*watcher) Sent(time.Time, world.Line, int, int, bool) {}

// Told implements world.Watcher.
func (*watcher) Told(time.Time, world.Line, int) {}

// Acknowledged implements world.Watcher.
func (*watcher) Acknowledged(time.Time, int, uint32, int) {}

// Failed implements world.Watcher.
func (*watcher) Failed(_, _ time.Time, _ string) {}

// segments are the times that count, for the bound: those of each group's devices together are as many of the same length.
func (w *watcher) segments() (list []scheduler.Segment) {
	length := w.to.Sub(w.from).Hours()
	for i := range w.members {
		m := &w.members[i]
		for left := w.lived[i]; left > 1; left -= length {
			list = append(list, scheduler.Segment{Hours: min(left, length), Weight: m.weight, Cost: float64(m.class.price) / 1e6 / (1 - m.class.loss), Lo: m.floor().Hours()})
		}
	}
	return list
}
