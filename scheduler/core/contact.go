package core

import (
	"math"
	"time"

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

	Square uint16 // in which the network saw the device, as Square numbers them; 0: it does not say

	Campaign string // what it is charged to: a rollout; "": none
}

// smoothing is the weight of what is new in what is learned of sizes and gaps.
const smoothing = 0.1

// burstTime is for how long after an update a device may follow its programme of contacts, in seconds.
const burstTime = 24 * 60 * 60

// gapsLeast is how many gaps must have been seen before an interval that nobody told is believed.
const gapsLeast = 3

// Heard is told of each frame that is new. It returns what was booked for it.
func (k *Core) Heard(now time.Time, at Place, c Contact) (cost Cost) {
	m := k.at(at)
	if m == nil || c.Link < 0 || c.Link >= len(k.config.Links) {
		return Cost{}
	}
	cause := c.Cause
	if cause == ledger.CauseStatus && c.Newest && k.answers(now, k.find(at)) {
		cause = ledger.CausePoll
	}
	if !c.Paid {
		cost = k.charge(now, at, c.Link, tariff.Event{Time: now, Direction: tariff.MO, Bytes: int64(c.Bytes), Parts: int64(c.Parts)}, cause, c.Campaign)
	}
	if c.Again {
		return cost
	}
	k.touch(at)
	d := k.record(at)
	v := d.join(c.Link)
	if v >= 0 {
		k.records.learned(m.record, v).Observe(min(max(c.Lost, 0), 256)+1, 1)
	}
	if !c.Newest {
		return cost
	}
	if c.Cause == ledger.CauseStatus {
		d.status = uint16(min(max(float64(d.status)+float64(smoothing*(float64(c.Bytes)-float64(d.status)))+0.5, 1), math.MaxUint16))
	}
	status := c.Cause == ledger.CauseStatus
	if status && d.regular && d.current == 0 && stamp(now) > d.updated+burstTime {
		d.guess(float32(stamp(now)) - float32(d.heard))
	}
	d.regular = status
	if v >= 0 {
		d.via = uint8(v) + 1 //nolint:gosec // at most MaxVias
	}
	d.retired = false
	if d.heard == 0 {
		k.heard++
	}
	k.present(now, at, c.Link, c.Square)
	delete(k.said, at)
	d.heard = stamp(now)
	return cost
}

// guess learns how often a device speaks by itself, from the time between two statuses: hellos, steps of updates and what else comes in between say nothing
// of it, nor does the programme of an update. What comes within a minute belongs to one contact.
func (d *device) guess(gap float32) {
	if gap < 60 {
		return
	}
	if d.gaps == 0 {
		d.gap = gap
	}
	d.gap += float32(smoothing * (gap - d.gap))
	d.gaps = min(d.gaps, math.MaxUint8-1) + 1
}

// interval is how often the device is taken to speak: as it acknowledged, else as it was seen to; 0: unknown.
func (d *device) interval() uint32 {
	if d.current > 0 {
		return d.current
	}
	if d.gaps >= gapsLeast {
		return uint32(d.gap)
	}
	return 0
}

// Receipt says that a device runs the policy of a revision. It reports whether that is news.
func (k *Core) Receipt(now time.Time, at Place, revision uint8) bool {
	k.keeps(now, at, revision)
	d := k.find(at)
	if d == nil || d.offered.interval == 0 || d.offered.revision != revision {
		return false
	}
	d.current, d.revision = d.offered.interval, revision
	d.presence.Acknowledge(presence.Policy{Interval: d.current, Link: d.link()})
	k.settle(at, offer{})
	k.await(now, at)
	k.touch(at)
	return true
}

// Forgot says that a device lost its memory, and with it what it was told.
func (k *Core) Forgot(now time.Time, at Place) {
	d := k.find(at)
	if d == nil {
		return
	}
	d.current, d.gaps, d.regular = 0, 0, false
	k.settle(at, offer{revision: d.offered.revision})
	k.await(now, at)
	k.touch(at)
}

// Updated says that a device booted other software: what it says counts for more for a while, and it may follow the programme of its offer.
func (k *Core) Updated(now time.Time, at Place) {
	if k.at(at) == nil {
		return
	}
	k.record(at).updated = stamp(now)
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
func (k *Core) Battery(now time.Time, at Place, percent float64) {
	if k.at(at) != nil && !math.IsNaN(percent) {
		k.record(at).power.note(now, uint8(min(max(percent, 1), 100)))
	}
}

// Attend raises a device's weight until a time: somebody looks at it.
func (k *Core) Attend(at Place, factor float64, until time.Time) {
	if k.at(at) != nil && factor > 0 && factor < math.MaxFloat32 {
		d := k.record(at)
		d.boost, d.boostEnds = float32(factor), stamp(until)
		k.touch(at)
	}
}

// Alarmed says that a device has raised an alarm: its rule may say that this draws attention. Attention that it has already is not lessened.
func (k *Core) Alarmed(now time.Time, at Place) {
	m := k.at(at)
	if m == nil || int(m.rule) >= len(k.config.Rules) {
		return
	}
	r := k.config.Rules[m.rule].Alarm
	wants, lasts := float64(float32(r.Factor)), now.Add(r.Lasts) // as Attend keeps it: another alarm of the same rule lasts longer
	if factor, until := k.Attention(now, at); wants > factor || wants == factor && lasts.After(until) {
		k.Attend(at, r.Factor, lasts)
	}
}

// Attention is by how much a device's weight is raised at a time, and until when; 1 if it is not.
func (k *Core) Attention(now time.Time, at Place) (factor float64, until time.Time) {
	d := k.find(at)
	if d == nil || d.boost <= 1 || d.boostEnds <= stamp(now) {
		return 1, time.Time{}
	}
	return float64(d.boost), time.Unix(int64(d.boostEnds), 0).UTC()
}
