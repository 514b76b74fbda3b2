package world

import (
	"fmt"
	"time"

	"github.com/godwit-gateway/godwit/transports"
)

// intake is what has come to the gateway and waits to be taken together. A real gateway waits milliseconds, and under load longer; virtual time
// lets a world choose how long.
type intake struct {
	waiting  []arrival
	uplinks  []transports.Uplink
	verdicts []transports.Verdict
	one      [1]transports.Uplink
	reply    [1]transports.Verdict
}

// arrival is a packet that waits.
type arrival struct {
	m *mobile
	p packet
}

// drop forgets what waits with the process that it waits for. Networks that keep what was not taken have it still.
func (in *intake) drop(w *world) {
	for i := range in.waiting {
		m := in.waiting[i].m
		if m.link.Keeps {
			m.kept = append(m.kept, in.waiting[i].p)
			m.soon(w.now.Add(comeBack))
		}
	}
	clear(in.waiting)
	in.waiting = in.waiting[:0]
}

// gather adds a packet to those that wait.
func (g *gateway) gather(m *mobile, p packet) {
	in := &g.intake
	in.waiting = append(in.waiting, arrival{m, p})
	if len(in.waiting) > 1 {
		return
	}
	life := g.life
	g.w.schedule.plan(g.w.now.Add(g.w.setup.Linger), func() {
		if g.up && g.life == life {
			g.takeGathered()
		}
	})
}

// takeGathered hands all that waits to the process at once.
func (g *gateway) takeGathered() {
	in := &g.intake
	in.uplinks = in.uplinks[:0]
	for i := range in.waiting {
		in.uplinks = append(in.uplinks, in.waiting[i].m.uplink(in.waiting[i].p.payload))
	}
	for len(in.verdicts) < len(in.uplinks) {
		in.verdicts = append(in.verdicts, transports.Verdict{})
	}
	if !g.hand(in.uplinks, in.verdicts[:len(in.uplinks)]) {
		return
	}
	for i := range in.waiting {
		in.waiting[i].m.settled(&in.waiting[i].p, &in.verdicts[i])
	}
	clear(in.waiting)
	in.waiting = in.waiting[:0]
	g.transmit()
}

// take hands a payload to the process. False: it is not there, or did not confirm it. The verdict is valid until the next call.
func (g *gateway) take(u transports.Uplink) (*transports.Verdict, bool) {
	if !g.up {
		return nil, false
	}
	in := &g.intake
	in.one[0] = u
	if !g.hand(in.one[:], in.reply[:]) {
		return nil, false
	}
	g.transmit()
	return &in.reply[0], true
}

// hand gives uplinks to the hub and makes what it says of them part of the trace.
func (g *gateway) hand(us []transports.Uplink, out []transports.Verdict) bool {
	if err := g.hub.Uplinks(g.w.ctx, us, out); err != nil {
		g.w.fail(fmt.Errorf("take uplinks: %w", err))
		return false
	}
	for i := range us {
		g.w.note("up "+out[i].Settlement.String()+" "+us[i].From.ID, 0, us[i].Payload)
	}
	return true
}

// comeBack is when a network tries again to hand over what was not taken.
const comeBack = 5 * time.Minute
