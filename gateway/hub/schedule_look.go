package hub

import (
	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/presence"
)

// Prospects is what the schedule expects of a device.
type Prospects struct {
	Every    scheduler.Secs // how often it speaks; 0: unknown
	Told     bool           // it acknowledged that; otherwise it was seen to
	Pending  scheduler.Secs // what it was offered since; 0: nothing
	Standing presence.Standing
	Heard    bool // by the schedule, so that Standing means something
	Attended bool // its weight counts for more: somebody looks at it
}

// Prospects is what the schedule expects of a device; ok is false if nobody knows it.
func (h *Hub) Prospects(name string) (p Prospects, ok bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	i, ok := h.fleet.ByName(name)
	if !ok {
		return p, false
	}
	p.Every, p.Told, p.Pending = h.core.Running(core.Place(i))
	now := h.clock.Now()
	p.Standing, p.Heard = h.core.Standing(now, core.Place(i))
	factor, _ := h.core.Attention(now, core.Place(i))
	p.Attended = factor > 1
	return p, true
}

// LookAtSchedule shows the schedule. look must keep nothing of it, change nothing and call nothing of the hub.
func (h *Hub) LookAtSchedule(look func(*core.Core)) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	look(h.core)
}
