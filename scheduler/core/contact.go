package core

import (
	"math"
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/scheduler/presence"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// A Contact is a frame that was heard of a device.
type Contact struct {
	Link   int // place in Config.Links
	Bytes  int // of payload
	Parts  int // in which the network carried it; 0: as many as its bytes need
	Cause  ledger.Cause
	Newest bool // nothing newer is known of the device: it speaks now
	Again  bool // it was heard before: it costs something, and tells nothing new
	Paid   bool // another frame of the same transmission was told of: it costs nothing more
	Lost   int  // frames before it that never came, as far as its counter tells

	Campaign string // what it is charged to: a rollout; "": none
}

// smoothing is the weight of what is new in what is learned of sizes and gaps.
const smoothing = 0.1

// gapsLeast is how many gaps must have been seen before an interval that nobody told is believed.
const gapsLeast = 3

// Heard is told of each frame that is new.
func (k *Core) Heard(now time.Time, at Place, c Contact) {
	m := k.at(at)
	if m == nil || c.Link < 0 || c.Link >= len(k.config.Links) {
		return
	}
	if !c.Paid {
		k.charge(now, at, c.Link, tariff.Event{Time: now, Direction: tariff.MO, Bytes: int64(c.Bytes), Parts: int64(c.Parts)}, c.Cause, c.Campaign)
	}
	if c.Again {
		return
	}
	k.touch(at)
	d := &k.devices[at]
	v := via(d, c.Link)
	if v >= 0 {
		m.learned[v].Observe(min(max(c.Lost, 0), 256)+1, 1)
		d.Links[v].Deliver = m.learned[v].Via(k.fleet.Links[c.Link].Deliver)
	}
	if !c.Newest {
		return
	}
	if c.Cause == ledger.CauseStatus {
		d.Status = uint16(min(max(float64(d.Status)+float64(smoothing*(float64(c.Bytes)-float64(d.Status)))+0.5, 1), math.MaxUint16))
	}
	if d.Current == 0 && d.Heard > 0 {
		m.guess(float32(stamp(now)) - float32(d.Heard))
	}
	if v >= 0 {
		d.Via = uint8(v) + 1 //nolint:gosec // at most MaxVias
	}
	m.retired = false
	if d.Heard == 0 {
		k.heard++
	}
	k.present(now, at, c.Link)
	d.Heard = stamp(now)
}

// guess learns how often a device speaks by itself. What comes within a minute belongs to one contact.
func (m *device) guess(gap float32) {
	if gap < 60 {
		return
	}
	if m.gaps == 0 {
		m.gap = gap
	}
	m.gap += float32(smoothing * (gap - m.gap))
	m.gaps = min(m.gaps, math.MaxUint8-1) + 1
}

// interval is how often the device is taken to speak: as it acknowledged, else as it was seen to; 0: unknown.
func (m *device) interval(d *scheduler.Device) uint32 {
	if d.Current > 0 {
		return d.Current
	}
	if m.gaps >= gapsLeast {
		return uint32(m.gap)
	}
	return 0
}

// Receipt says that a device runs the policy of a revision. It reports whether that is news.
func (k *Core) Receipt(now time.Time, at Place, revision uint8) bool {
	m := k.at(at)
	if m == nil || m.offered.interval == 0 || m.offered.revision != revision {
		return false
	}
	d := &k.devices[at]
	d.Current, m.revision = m.offered.interval, revision
	m.presence.Acknowledge(presence.Policy{Interval: d.Current, Link: k.linkOf(d)})
	m.offered = offer{}
	k.await(now, at)
	k.touch(at)
	return true
}

// Forgot says that a device lost its memory, and with it what it was told.
func (k *Core) Forgot(now time.Time, at Place) {
	m := k.at(at)
	if m == nil {
		return
	}
	k.devices[at].Current, m.offered, m.gaps = 0, offer{revision: m.offered.revision}, 0
	k.await(now, at)
	k.touch(at)
}

// linkOf is the place of the link that a device uses.
func (k *Core) linkOf(d *scheduler.Device) uint8 {
	if d.Via == 0 {
		return 0
	}
	return d.Links[d.Via-1].Link - 1
}

// Updated says that a device booted other software: what it says counts for more for a while, and it may follow the programme of its offer.
func (k *Core) Updated(now time.Time, at Place) {
	if k.at(at) == nil {
		return
	}
	k.devices[at].Updated = stamp(now)
	k.touch(at)
}

// Gauge is where the statuses of a device say how full its battery is; nil if nobody wants to know.
func (k *Core) Gauge(at Place) *Gauge {
	m := k.at(at)
	if m == nil || int(m.rule) >= len(k.config.Rules) || k.config.Rules[m.rule].Gauge.Field == "" {
		return nil
	}
	return &k.config.Rules[m.rule].Gauge
}

// Battery is told how full a device's battery is, in percent. What is beyond a gauge's ends counts as the end.
func (k *Core) Battery(at Place, percent float64) {
	if k.at(at) != nil && !math.IsNaN(percent) {
		k.devices[at].Battery = uint8(min(max(percent, 1), 100))
	}
}

// Attend raises a device's weight until a time: somebody looks at it.
func (k *Core) Attend(at Place, factor float64, until time.Time) {
	if k.at(at) != nil && factor > 0 && factor < math.MaxFloat32 {
		k.devices[at].Boost, k.devices[at].BoostEnds = float32(factor), stamp(until)
		k.touch(at)
	}
}
