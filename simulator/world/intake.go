package world

import (
	"fmt"
	"time"

	"github.com/godwit-gateway/godwit/transports"
)

// intake is where uplinks wait for the gateway to take them.
type intake struct {
	waiting  map[*Link][]arrival
	uplinks  []transports.Uplink
	verdicts []transports.Verdict
	one      [1]transports.Uplink
	reply    [1]transports.Verdict
}

// arrival is a packet that waits.
type arrival struct {
	m *mobile
	a *air
	p packet
}

// drop forgets what waits with the process that it waits for. Networks that keep what was not taken have it still.
func (in *intake) drop(w *world) {
	for i := range w.setup.Links {
		l := &w.setup.Links[i]
		for _, a := range in.waiting[l] {
			if l.Keeps {
				a.a.kept = append(a.a.kept, a.p)
				a.m.soon(w.now.Add(comeBack))
			}
		}
	}
	clear(in.waiting)
}

// gather adds a packet to those that wait.
func (g *gateway) gather(m *mobile, a *air, p packet) {
	l := a.link
	g.intake.waiting[l] = append(g.intake.waiting[l], arrival{m, a, p})
	if len(g.intake.waiting[l]) > 1 {
		return
	}
	life := g.life
	g.w.schedule.plan(g.w.now.Add(l.Linger), func() {
		if g.up && g.life == life {
			g.takeGathered(l)
		}
	})
}

// takeGathered hands all that waits on a link to the process at once.
func (g *gateway) takeGathered(l *Link) {
	in := &g.intake
	waiting := in.waiting[l]
	in.uplinks = in.uplinks[:0]
	for i := range waiting {
		in.uplinks = append(in.uplinks, waiting[i].m.uplink(waiting[i].a, waiting[i].p.payload))
	}
	for len(in.verdicts) < len(in.uplinks) {
		in.verdicts = append(in.verdicts, transports.Verdict{})
	}
	if !g.hand(in.uplinks, in.verdicts[:len(in.uplinks)]) {
		return
	}
	in.waiting[l] = waiting[:0] // nothing comes while they are settled
	for i := range waiting {
		waiting[i].m.settled(waiting[i].a, &waiting[i].p, &in.verdicts[i])
	}
	clear(waiting)
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
	g.tap.note(g.w.now, workUplinks, us)
	if err := g.hub.Uplinks(g.w.ctx, us, out); err != nil {
		g.w.fail(fmt.Errorf("take uplinks: %w", err))
		return false
	}
	g.tap.settled(out)
	for i := range us {
		g.w.note(0, us[i].Payload, "up ", out[i].Settlement.String(), " ", us[i].From.ID)
	}
	return true
}

// comeBack is when a network tries again to hand over what was not taken.
const comeBack = 5 * time.Minute
