package world

import (
	"fmt"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/hub"
)

// command is what an operator tells a device.
func (w *world) command(in *Incident) bool {
	return w.eachMet(in, func(m *mobile) error {
		tell := func(c hub.Command) error {
			c.Link = m.awake()
			_, err := w.gateway.hub.SendCommand(w.ctx, m.name(), c)
			return err
		}
		say := func(payload []byte) error {
			_, err := w.gateway.hub.SendMessage(w.ctx, m.name(), hub.Message{Payload: payload, Link: m.awake()})
			return err
		}
		switch w.rng.IntN(6) {
		case 0:
			return say([]byte("open the valve"))
		case 1:
			return say(make([]byte, 200+w.rng.IntN(800))) // several frames on SMS
		case 2:
			return tell(hub.Command{Request: codec.RequestKeyframe | codec.RequestHello})
		case 3:
			return tell(hub.Command{Time: true})
		case 4:
			return tell(hub.Command{Sleep: &codec.Sleep{Seconds: 3600}})
		default:
			return tell(w.update(m, fmt.Sprintf("2.%d.0", w.rng.IntN(100))))
		}
	})
}

// offer is an operator who offers a version to devices.
func (w *world) offer(in *Incident) bool {
	return w.eachMet(in, func(m *mobile) error {
		c := w.update(m, in.Version)
		c.Link = m.awake()
		_, err := w.gateway.hub.SendCommand(w.ctx, m.name(), c)
		return err
	})
}

// giveAttention is an operator who has devices count for more for a while.
func (w *world) giveAttention(in *Incident) bool {
	w.ends = w.now.Add(in.For)
	return w.eachMet(in, func(m *mobile) error {
		_, err := w.gateway.hub.Attend(w.as(planner), m.name(), in.Factor, w.ends)
		return err
	})
}

// Numbers of offers that are made by hand: none that a rollout comes to.
const (
	byHandFrom = 1 << 14
	byHandMany = 1 << 10
)

// update is an offer that an operator makes by hand, without a rollout.
func (w *world) update(m *mobile, version string) hub.Command {
	o := &codec.Offer{
		Rollout: byHandFrom + w.rng.Uint32()%byHandMany, Version: version, Reference: "https://updates.example/m", Size: 100 << 10, Hash: make([]byte, 16), Memory: 200 << 10,
	}
	if w.updates.publisher != nil {
		var err error
		o.Reference, o.Hash, err = w.updates.byHand(m.config.Product, version, o.Size)
		w.fail(err)
	}
	return hub.Command{Offer: o}
}

func (w *world) rekey(in *Incident) bool {
	return w.eachMet(in, func(m *mobile) error {
		_, err := w.gateway.hub.Rekey(w.ctx, m.name(), m.awake())
		return err
	})
}

// eachMet does something with each device that an incident meets. False: none took it. A device that is not known yet, or has enough under way,
// does not.
func (w *world) eachMet(in *Incident, do func(*mobile) error) bool {
	if !w.gateway.up {
		return false
	}
	done := false
	for _, m := range w.whom(in) {
		if do(m) == nil {
			done = true
		}
	}
	w.gateway.transmit()
	return done
}
