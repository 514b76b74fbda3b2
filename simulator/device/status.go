package device

import (
	"fmt"
	"time"

	"github.com/godwit-gateway/godwit/codec"
)

// keyframeEvery is the most statuses from one keyframe to the next.
const keyframeEvery = 32

// sentStatus is a status that later ones may be counted from, once it is acknowledged.
type sentStatus struct {
	counter uint64
	state   codec.State
	sent    bool // is a status at all
	known   bool // the gateway has it on disk
}

// statuses is what a device remembers of the statuses that it sent since it booted: enough for any distance of a delta.
type statuses struct {
	sent [codec.DistanceMax]sentStatus // by counter modulo DistanceMax
	run  int                           // statuses since the last keyframe
}

// acknowledged says that the frame of a counter is on the gateway's disk.
func (s *statuses) acknowledged(counter uint64) {
	if p := &s.sent[counter%codec.DistanceMax]; p.sent && p.counter == counter {
		p.known = true
	}
}

// base is the newest acknowledged status that a frame of the counter can be counted from.
func (s *statuses) base(counter uint64) *sentStatus {
	var best *sentStatus
	for i := range s.sent {
		p := &s.sent[i]
		if p.known && counter-p.counter <= codec.DistanceMax && (best == nil || p.counter > best.counter) {
			best = p
		}
	}
	return best
}

// keep remembers the state after a status that goes out.
func (s *statuses) keep(counter uint64, state *codec.State) {
	p := &s.sent[counter%codec.DistanceMax]
	p.counter, p.sent, p.known = counter, true, false
	p.state.CopyFrom(state)
}

// encodeStatus gives a status the form that costs least: what is new since the last acknowledged one, or all of it where none is at hand, or a
// keyframe is due. The frame will have the next counter.
func (d *Device) encodeStatus(status *codec.Status, counter uint64) ([]byte, codec.Header, error) {
	t := d.config.Template
	base := d.statuses.base(counter)
	if base != nil && d.statuses.run < keyframeEvery-1 {
		d.state.CopyFrom(&base.state)
		delta := *status
		delta.AckAsked = false
		plaintext, h, err := t.AppendDelta(d.scratch[:0], 0, uint8(counter-base.counter), &d.state, &delta) //nolint:gosec // within DistanceMax
		if err != nil {
			return nil, 0, err
		}
		d.statuses.run++
		d.statuses.keep(counter, &d.state)
		return plaintext, h, nil
	}
	plaintext, h, err := t.AppendKeyframe(d.scratch[:0], 0, status)
	if err != nil {
		return nil, 0, err
	}
	d.statuses.run = 0
	d.state.SetKeyframe(t, status)
	d.statuses.keep(counter, &d.state)
	return plaintext, h, nil
}

// measure reads the sensors and makes a status of them.
func (d *Device) measure(now time.Time) error {
	if len(d.pending) >= d.config.PendingMax || d.session.Blank {
		d.skipped++
		return nil
	}
	elapsed := time.Duration(float64(now.Sub(d.last)) * d.config.Speed)
	d.last = now
	d.world.Advance(elapsed)
	status := &codec.Status{Time: now.Add(d.clock.offset), ClockValid: d.clock.sure, AckAsked: !d.config.Stored, Values: d.world.Measure(d.config.Template, elapsed)}
	if err := d.say(now, status); err != nil {
		return err
	}
	return d.watch(now, status.Values)
}

// say gives a status its counter and its form.
func (d *Device) say(now time.Time, status *codec.Status) error {
	plaintext, h, err := d.encodeStatus(status, d.session.Upcoming())
	if err != nil {
		return fmt.Errorf("device %d: %w", d.config.Number, err)
	}
	d.scratch = plaintext
	return d.enqueue(now, h, plaintext, status)
}
