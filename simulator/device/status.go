package device

import (
	"fmt"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
)

const (
	keyframeEvery = 32  // most statuses from one keyframe to the next
	backlogMax    = 256 // readings that wait for room in a frame
)

// sentStatus is a status that later ones may be counted from, once it is acknowledged.
type sentStatus struct {
	counter uint64
	base    *session.Base // nil: there is none
	known   bool          // the gateway has it on disk
}

// statuses is what a device remembers of the statuses that it sent since it booted: enough for any distance of a delta.
type statuses struct {
	sent [codec.DistanceMax]sentStatus // by counter modulo DistanceMax
	run  int                           // statuses since the last keyframe
}

// acknowledged says that the frame of a counter is on the gateway's disk. Nothing is counted from an older one any more.
func (s *statuses) acknowledged(counter uint64) {
	p := &s.sent[counter%codec.DistanceMax]
	if p.base == nil || p.counter != counter {
		return
	}
	p.known = true
	for i := range s.sent {
		if s.sent[i].counter < counter {
			s.sent[i] = sentStatus{}
		}
	}
}

// base is the newest acknowledged status that a frame of the counter can be counted from; nil if there is none.
func (s *statuses) base(counter uint64) *session.Base {
	var best *sentStatus
	for i := range s.sent {
		p := &s.sent[i]
		if p.known && counter-p.counter <= codec.DistanceMax && (best == nil || p.counter > best.counter) {
			best = p
		}
	}
	if best == nil {
		return nil
	}
	best.base.Distance = uint8(counter - best.counter) //nolint:gosec // within DistanceMax
	return best.base
}

// keep remembers what a status that goes out leaves.
func (s *statuses) keep(counter uint64, base session.Base) {
	s.sent[counter%codec.DistanceMax] = sentStatus{counter: counter, base: &base}
}

// read reads the sensors for the backlog.
func (d *Device) read(now time.Time) {
	status := d.observe(now)
	d.keep(*status)
	d.sample = d.sample.Add(d.config.Sample)
	if d.sample.Before(now) { // the caller slept
		d.sample = now.Add(d.config.Sample)
	}
}

// keep adds readings that were not sent to the backlog, which forgets the oldest where it is full.
func (d *Device) keep(readings ...codec.Status) {
	d.backlog = append(d.backlog, readings...)
	if extra := len(d.backlog) - backlogMax; extra > 0 {
		d.backlog = slices.Delete(d.backlog, 0, extra)
	}
}

// observe reads the sensors.
func (d *Device) observe(now time.Time) *codec.Status {
	elapsed := d.pass(now)
	return &codec.Status{
		Time: now.Add(d.clock.offset), ClockValid: d.clock.sure, AckAsked: !d.config.Stored, Values: d.world.Measure(d.config.Template, elapsed),
	}
}

// measure reads the sensors and makes a status of them. A reading that was due at the same time is this one.
func (d *Device) measure(now time.Time) error {
	if !d.sample.IsZero() {
		d.sample = now.Add(d.config.Sample)
	}
	if len(d.pending) >= d.config.PendingMax || d.session.Blank {
		d.skipped++
		return nil
	}
	status := d.observe(now)
	status.Rare = d.receipt()
	if err := d.say(now, status); err != nil {
		return err
	}
	if d.restarted = false; d.config.Stored && d.receipts > 0 {
		d.receipts--
	}
	return d.watch(now, status.Values)
}

// say gives a status its counter and the form that costs least: what is new since the last acknowledged one, or all of it where none is at hand, or
// a keyframe is due; readings of the backlog go along where they are paid for anyway.
func (d *Device) say(now time.Time, status *codec.Status) error {
	counter := d.session.Upcoming()
	f := session.Filler{Template: d.config.Template, Deadbands: d.policy.Deadbands, Bearer: d.config.Bearer, Overhead: d.overhead()}
	whole := d.statuses.run >= keyframeEvery-1
	out, err := f.Frame(d.statuses.base(counter), whole, d.backlog, status)
	if err != nil {
		return fmt.Errorf("device %d: %w", d.config.Number, err)
	}
	if d.statuses.run++; out.Header.Kind() == codec.KindKeyframe {
		d.statuses.run = 0
	}
	d.statuses.keep(counter, out.Base)
	from := len(d.backlog) - (out.Readings - 1)
	said := append(slices.Clone(d.backlog[from:]), *status)
	d.backlog = d.backlog[:from]
	if err := d.enqueue(now, out.Header, out.Plaintext, said); err != nil {
		return err
	}
	d.pending[len(d.pending)-1].tag = tag{receipt: status.Rare.HasPolicy, revision: status.Rare.Policy}
	return nil
}

// overhead is what a status costs besides its plaintext.
func (d *Device) overhead() int {
	n := 2 + 1 + int(d.config.CTRBits)/8 + int(d.config.TagLen) // head, header, counter, tag
	if d.addressed() {
		n += 1 + 5 // array and connection id
	}
	return n
}
