package hub

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// Suspend notes that a network has suspended a device's line on a link, from a day on in the zone of the link's tariff, 0 being today: what it costs is from
// then on what the tariff says of suspended lines. Nothing else changes, and the network is not asked to do it.
func (h *Hub) Suspend(ctx context.Context, ref, link string, from tariff.Date) (fleet.Device, error) {
	if h.links[link] == nil {
		return fleet.Device{}, fmt.Errorf("%w: there is no link %q", ErrQuery, link)
	}
	return h.suspend(ctx, ref, "device.suspend", link, from, h.fleet.Suspend)
}

// Resume notes that a line is not suspended any more, from a day on. It may be one on a link that is configured no more: that costs nothing until the link is
// back, and would be suspended then.
func (h *Hub) Resume(ctx context.Context, ref, link string, from tariff.Date) (fleet.Device, error) {
	return h.suspend(ctx, ref, "device.resume", link, from, func(i fleet.Index, link string, from, _ tariff.Date) error {
		if h.links[link] == nil && !slices.ContainsFunc(h.fleet.Suspensions(i), func(s fleet.Suspension) bool { return s.Link == link }) {
			return fmt.Errorf("%w: there is no link %q, and the device has no line that is suspended on one of that name", ErrQuery, link)
		}
		return h.fleet.Resume(i, link, from)
	})
}

func (h *Hub) suspend(
	ctx context.Context, ref, action, link string, from tariff.Date, how func(i fleet.Index, link string, from, open tariff.Date) error,
) (fleet.Device, error) {
	from = cmp.Or(from, h.today(link))
	return h.change(ctx, ref, action, link+" from "+from.String(), func(c *commit, i fleet.Index) error {
		closed := h.core.Ledger().Closed()
		if from.Month() <= closed {
			return fmt.Errorf("%w: from %s: the months until %s are closed", ErrQuery, from, closed)
		}
		if err := how(i, link, from, closed.Next().Day(1)); err != nil {
			return err
		}
		h.suspensionsEvent(c, i, link)
		return nil
	})
}

// suspensionsEvent tells that the suspensions of a device are others, and all of them, so that the newest event is enough for who has lost the store.
func (h *Hub) suspensionsEvent(c *commit, i fleet.Index, link string) {
	e := h.gatewayEvent(c, i, KindSuspensions, h.clock.Now())
	e.payload = appendTextMember(e.payload, "link", link)
	e.payload = append(appendName(e.payload, "suspensions"), '[')
	for k, s := range h.fleet.Suspensions(i) {
		if k > 0 {
			e.payload = append(e.payload, ',')
		}
		e.payload = appendText(append(e.payload, `{"link":`...), s.Link)
		e.payload = appendTextMember(e.payload, "from", s.From.String())
		e.payload = append(appendTextMember(e.payload, "until", s.Until.String()), '}')
	}
	e.payload = append(e.payload, ']')
	h.emit(c, nil, e)
}

// adoptSuspensions takes over which lines of a device are suspended.
func (h *Hub) adoptSuspensions(c *commit, p *Published, data []byte) error {
	var d struct {
		Number      uint32
		Suspensions []fleet.Suspension
	}
	if err := json.Unmarshal(data, &d); err != nil {
		return fmt.Errorf("read the event: %w", err)
	}
	i, known := h.fleet.ByNumber(d.Number)
	if !known {
		var err error
		if i, err = h.revive(c, d.Number, p); err != nil {
			return err
		}
	}
	if err := h.fleet.RestoreSuspensions(i, d.Suspensions); err != nil {
		return err
	}
	c.touch(i)
	return nil
}

// today is the day that it is where a link's tariff bills.
func (h *Hub) today(link string) tariff.Date {
	h.mu.RLock()
	defer h.mu.RUnlock()
	now := h.clock.Now()
	if l := h.links[link]; l != nil {
		if t := h.core.Tariff(now, l.place); t != nil {
			return tariff.DateOf(t.Local(now))
		}
	}
	return tariff.DateOf(h.core.Local(now))
}

// suspensions are those of a device on links that there are.
func (h *Hub) suspensions(i fleet.Index) (list []core.Suspension) {
	for _, s := range h.fleet.Suspensions(i) {
		if l := h.links[s.Link]; l != nil {
			list = append(list, core.Suspension{Link: l.place, Days: s.Days})
		}
	}
	return list
}
