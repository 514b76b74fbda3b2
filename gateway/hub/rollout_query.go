package hub

import (
	"strconv"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/rollout"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/presence"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// LookAtRollouts shows the rollouts at a time. look must keep nothing of them, change nothing and call nothing of the hub.
func (h *Hub) LookAtRollouts(look func(now time.Time, m *rollout.Machine)) {
	h.mu.Lock() // the machine may remember what it reckoned
	defer h.mu.Unlock()
	look(h.clock.Now(), h.rollouts)
}

// looksAtOnce is how many devices of a rollout are looked at while frames wait: a few milliseconds.
const looksAtOnce = 512

// lookAt has a look at all devices of a rollout come to its end. Frames pass between its steps.
func lookAt[T any](h *Hub, begin func(now time.Time, m *rollout.Machine) (*rollout.Look[T], error)) (out T, err error) {
	var look *rollout.Look[T]
	h.LookAtRollouts(func(now time.Time, m *rollout.Machine) { look, err = begin(now, m) })
	if err != nil {
		return out, err
	}
	for more := true; more; {
		h.LookAtRollouts(func(time.Time, *rollout.Machine) { more = look.Some(looksAtOnce) })
	}
	h.LookAtRollouts(func(time.Time, *rollout.Machine) { out, err = look.Result() })
	return out, err
}

// RolloutReport is what is to be said of a rollout.
func (h *Hub) RolloutReport(id rollout.ID) (rollout.Report, error) {
	return lookAt(h, func(now time.Time, m *rollout.Machine) (*rollout.Look[rollout.Report], error) {
		return m.LookReport(now, id)
	})
}

// RolloutFunnel is how far devices came, by step.
func (h *Hub) RolloutFunnel(id rollout.ID) ([]rollout.FunnelStep, error) {
	return lookAt(h, func(now time.Time, m *rollout.Machine) (*rollout.Look[[]rollout.FunnelStep], error) {
		return m.LookFunnel(now, id)
	})
}

// RolloutBehind is who is behind, by customer.
func (h *Hub) RolloutBehind(id rollout.ID) ([]rollout.Behind, error) {
	return lookAt(h, func(now time.Time, m *rollout.Machine) (*rollout.Look[[]rollout.Behind], error) {
		return m.LookBehind(now, id)
	})
}

// RolloutAdoption is how devices stood over time, as far as was known at asOf; zero: now.
func (h *Hub) RolloutAdoption(id rollout.ID, asOf time.Time, every time.Duration) ([]rollout.AdoptionPoint, error) {
	return lookAt(h, func(now time.Time, m *rollout.Machine) (*rollout.Look[[]rollout.AdoptionPoint], error) {
		return m.LookAdoption(now, id, asOf, every)
	})
}

// PlanRollout says what a rollout would be like, and changes nothing.
func (h *Hub) PlanRollout(s rollout.Spec) (rollout.Forecast, error) {
	var p *rollout.Planning
	var err error
	h.LookAtRollouts(func(now time.Time, m *rollout.Machine) {
		p, err = m.Planning(now, s, func(at rollout.Place) (int64, string) { return h.updateCost(now, at) })
	})
	if err != nil {
		return rollout.Forecast{}, err
	}
	for more := true; more; {
		h.LookAtRollouts(func(time.Time, *rollout.Machine) { more = p.Some(looksAtOnce) })
	}
	return p.Forecast(), nil
}

// Sizes of what an update sends, for forecasts: an offer, and the step logs and the hello that answer it.
const (
	offerSize  = 96
	answerSize = 40
	answers    = 3
)

// updateCost is what an offer to a device and its answers cost over the link on which it was heard last.
func (h *Hub) updateCost(now time.Time, at rollout.Place) (micros int64, currency string) {
	l := h.links[h.fleet.Profile(fleet.Index(at)).LastLink]
	if l == nil {
		return 0, ""
	}
	down, currency := h.core.Quote(now, core.Place(at), l.place, tariff.MT, offerSize)
	up, _ := h.core.Quote(now, core.Place(at), l.place, tariff.MO, answerSize)
	return int64(down + answers*up), currency
}

// UpdatesOf is where a device stands in each rollout that has it, the newest first.
func (h *Hub) UpdatesOf(ref string) (list []rollout.DeviceView, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i, err := h.find(ref)
	if err != nil {
		return nil, err
	}
	return h.rollouts.Device(h.clock.Now(), rollout.Place(i)), nil
}

// A RolloutQuery selects devices of a rollout.
type RolloutQuery struct {
	Standing string // "": any
	Customer string
	Product  string
	Behind   bool // do not run the release, as far as is known
	Silent   bool // overdue
	After    string
	Limit    int
}

// RolloutDevices returns a page of a rollout's devices, by number, and the cursor of the next page.
func (h *Hub) RolloutDevices(id rollout.ID, q RolloutQuery) (list []rollout.DeviceView, next string, err error) {
	after, err := afterNumber(q.After)
	if err != nil {
		return nil, "", err
	}
	limit, last, list := pageLimit(q.Limit), uint32(max(after, 0)), []rollout.DeviceView{} //nolint:gosec // 32 bits
	for more := true; more; {
		h.LookAtRollouts(func(now time.Time, m *rollout.Machine) {
			var some []rollout.DeviceView
			some, last, more, err = m.Page(now, id, last, limit+1-len(list), looksAtOnce, q.takes)
			list = append(list, some...)
		})
		if err != nil {
			return nil, "", err
		}
		if len(list) > limit {
			list = list[:limit]
			return list, strconv.FormatUint(uint64(list[limit-1].Number), 10), nil
		}
	}
	return list, "", nil
}

// silentAfter is how many contacts a device of a rollout must have missed to be called silent.
const silentAfter = 2

func (q *RolloutQuery) takes(d *rollout.DeviceView) bool {
	switch {
	case q.Standing != "" && d.Standing.String() != q.Standing,
		q.Customer != "" && d.Customer != q.Customer,
		q.Behind && (d.Standing == rollout.Confirmed || d.Standing == rollout.Soaking || d.Standing == rollout.Outside),
		q.Silent && d.Missed < silentAfter:
		return false
	}
	return true
}

// RolloutStats are figures of a rollout that has begun and not ended.
type RolloutStats struct {
	Rollout   uint32
	Standings map[string]int
	Excess    float64 // long silences beyond those that there would be without the update
}

// RolloutStats are figures of all rollouts that have begun and not ended.
func (h *Hub) RolloutStats() (list []RolloutStats) {
	h.LookAtRollouts(func(_ time.Time, m *rollout.Machine) {
		for _, s := range m.List() {
			if s.State != rollout.Running && s.State != rollout.Paused && s.State != rollout.Halted {
				continue
			}
			x := RolloutStats{Rollout: uint32(s.ID), Standings: make(map[string]int, len(s.Standings))}
			for standing, n := range s.Standings {
				x.Standings[standing.String()] = n
			}
			if events, usual, err := m.Silences(s.ID); err == nil {
				x.Excess = max(0, float64(events)-usual)
			}
			list = append(list, x)
		}
	})
	return list
}

// behind reports whether a device runs an older version than one of its product, or never told. Releases say which of two is older; where one of them
// is not known, the numbers in the versions do. mu is held.
func (h *Hub) behind(i fleet.Index, version string) bool {
	p := h.fleet.Profile(i)
	if p.Version == "" || p.Version == version {
		return p.Version == ""
	}
	runs, err := h.rollouts.Release(p.Product, p.Version)
	want, err2 := h.rollouts.Release(p.Product, version)
	if err == nil && err2 == nil {
		return runs.Sequence < want.Sequence
	}
	return older(p.Version, version)
}

// older compares versions as people count: number by number, text by text between them.
func older(a, b string) bool {
	for a != "" && b != "" {
		x, y := token(a), token(b)
		a, b = a[len(x):], b[len(y):]
		if x == y {
			continue
		}
		if isDigit(x[0]) && isDigit(y[0]) {
			x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
			if len(x) != len(y) {
				return len(x) < len(y)
			}
		}
		if x != y {
			return x < y
		}
	}
	return a == "" && b != ""
}

// token is the run of digits, or of anything else, that a text begins with.
func token(s string) string {
	n := 1
	for n < len(s) && isDigit(s[n]) == isDigit(s[0]) {
		n++
	}
	return s[:n]
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// isSilent reports whether a device is not heard as it should be. mu is held.
func (h *Hub) isSilent(i fleet.Index, now time.Time) bool {
	s, ok := h.core.Standing(now, core.Place(i))
	return ok && (s.Class == presence.Silent || s.Class == presence.Presumed || s.Class == presence.Out)
}
