package world

import (
	"time"

	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/rollout"
	"github.com/godwit-gateway/godwit/gateway/rollout/silence"
	"github.com/godwit-gateway/godwit/simulator/device"
	"github.com/godwit-gateway/godwit/simulator/radio"
	"github.com/godwit-gateway/godwit/transports"
)

// A Line is a device on a link. Groups and links are named by their place in Setup.Groups and Setup.Links, devices by their number.
type Line struct {
	Group, Link int
	Number      uint32
}

// A Watcher is told what happens in a world, in the order of virtual time. It must not change anything of it.
type Watcher interface {
	// Sent is a transmission of a device: a frame, or, with join, the wish for a new epoch. Try is 1 for the first of a frame.
	Sent(at time.Time, on Line, bytes, try int, join bool)
	// Taken is what the gateway said of an uplink whose content a device made at a time.
	Taken(at time.Time, on Line, made time.Time, bytes int, s transports.Settlement)
	// Told is a downlink that went on its way to a device.
	Told(at time.Time, on Line, bytes int)
	// Billed is what a network charges for a payload from a device (up) or to it.
	Billed(at time.Time, on Line, up bool, cost radio.Micros)
	// Acknowledged are frames that a device knows to be taken.
	Acknowledged(at time.Time, group int, number uint32, frames int)
	// Failed is something that went wrong; until is zero where it is over at once.
	Failed(at, until time.Time, kind string)
	// Sampled comes at the pace of Setup.Sample. The view is valid until it returns.
	Sampled(at time.Time, v View)
}

// A View shows a world at a moment.
type View struct{ w *world }

// A Glance is what can be seen of a device at a moment.
type Glance struct {
	Group   int
	Number  uint32
	Version string    // of the firmware that runs
	Known   string    // what the gateway takes it for; "" before it has heard
	Heard   time.Time // when the gateway last did; zero: never
	Pending int       // frames that the device keeps
	Charge  float64   // of its battery, 0 to 1
	State   device.State
	Cut     bool          // from its network, as far as that has shown
	Every   time.Duration // between its statuses
	Taken   hub.Prospects // what the gateway's schedule takes it for

	Happened []device.Happening // what updates did to it
	Drained  bool               // its battery is empty for good
	Barred   bool               // its contract has ended
	Silence  silence.Finding    // what the gateway puts its silence down to; without evidence: nothing
}

// Devices shows all of them, in the order of the setup.
func (v View) Devices(yield func(Glance) bool) {
	for _, m := range v.w.fleet {
		if m.clone {
			continue
		}
		g := Glance{
			Group: m.group, Number: m.config.Number, Version: m.dev.Version(), Pending: m.dev.Pending(), Charge: m.dev.Charge(), State: m.dev.State(),
			Cut: m.cut(v.w.now), Every: m.dev.Interval(), Happened: m.dev.Happened(), Barred: m.barred, Drained: m.dev.Exhausted(),
		}
		if v.w.gateway.up {
			if d, err := v.w.gateway.hub.Device(m.name()); err == nil {
				g.Known, g.Heard = d.Version, d.LastSeen
				g.Taken, _ = v.w.gateway.hub.Prospects(m.name())
				if len(v.w.setup.Rollouts) > 0 {
					g.Silence, _ = v.w.gateway.hub.Silence(m.name()) // it is known
				}
			}
		}
		if !yield(g) {
			return
		}
	}
}

// Rollouts shows the rollouts of the gateway, if it runs. look must change nothing.
func (v View) Rollouts(look func(now time.Time, m *rollout.Machine)) {
	if v.w.gateway.up {
		v.w.gateway.hub.LookAtRollouts(look)
	}
}

// GatewayUp says whether the gateway runs.
func (v View) GatewayUp() bool { return v.w.gateway.up }

// Unpublished is how many events the gateway holds that are not on the stream.
func (v View) Unpublished() uint64 {
	if !v.w.gateway.up {
		return 0
	}
	return v.w.gateway.publisher.Stats().Pending
}
