package hub

import (
	"fmt"
	"strconv"
	"time"

	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/rollout"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// LookAtRollouts shows the rollouts at a time. look must keep nothing of them, change nothing and call nothing of the hub.
func (h *Hub) LookAtRollouts(look func(now time.Time, m *rollout.Machine)) {
	h.mu.Lock() // the machine may remember what it reckoned
	defer h.mu.Unlock()
	look(h.clock.Now(), h.rollouts)
}

// PlanRollout says what a rollout would be like, and changes nothing.
func (h *Hub) PlanRollout(s rollout.Spec) (f rollout.Forecast, err error) {
	h.LookAtRollouts(func(now time.Time, m *rollout.Machine) {
		f, err = m.Plan(now, s, func(at rollout.Place) (int64, string) { return h.updateCost(now, at) })
	})
	return f, err
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
	after := uint64(0)
	if q.After != "" {
		if after, err = strconv.ParseUint(q.After, 10, 32); err != nil {
			return nil, "", fmt.Errorf("%w: cursor %q", ErrQuery, q.After)
		}
	}
	h.LookAtRollouts(func(now time.Time, m *rollout.Machine) {
		list, err = m.Devices(now, id, func(d *rollout.DeviceView) bool { return uint64(d.Number) > after && q.takes(d) })
	})
	if err != nil {
		return nil, "", err
	}
	if limit := pageLimit(q.Limit); len(list) > limit {
		list = list[:limit]
		next = strconv.FormatUint(uint64(list[limit-1].Number), 10)
	}
	return list, next, nil
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
