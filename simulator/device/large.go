package device

import (
	"errors"
	"fmt"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
)

// Limits of what a device has to say besides its statuses.
const (
	toldMax       = 16 // messages of the application that wait
	parcelsMax    = codec.FragmentSetsMax - 1
	fragmentsOut  = 4                     // of one message, not acknowledged
	overheadMax   = 1 + 5 + 3 + 1 + 5 + 8 // array and connection id, head, header, counter, tag
	uplinkStored  = 140                   // bytes of a text message (3GPP TS 23.040)
	uplinkDefault = 1200
)

// ErrFull is returned for a message that found no room.
var ErrFull = errors.New("too many messages wait")

// tag says what a pending frame carries besides what was measured, so that its acknowledgement is noted where it belongs.
type tag struct {
	set      uint8
	fragment uint16
	isPart   bool
	steps    uint8 // of a step log
	rollout  uint32
	receipt  bool // of the policy whose revision has these low bits
	revision uint8
}

// parcel is a message that goes in fragments.
type parcel struct {
	*session.Parcel
	began time.Time
	out   int // fragments that were sent and not acknowledged
}

// Tell has the device send a message of its application, in fragments if it is too large for one frame of its link.
func (d *Device) Tell(payload []byte) error {
	if len(d.told) >= toldMax {
		return fmt.Errorf("device %d: %w", d.config.Number, ErrFull)
	}
	if len(payload) == 0 || len(payload) >= codec.FragmentedMax {
		return fmt.Errorf("device %d: message of %d bytes: %w", d.config.Number, len(payload), codec.ErrMalformed)
	}
	d.told = append(d.told, append([]byte{byte(codec.MessageUser)}, payload...))
	return nil
}

// room is the longest plaintext of a message that fits into one frame of the link.
func (d *Device) room() int { return d.config.UplinkMax - overheadMax }

// speak seals what the application said, as far as there is room for more pending frames.
func (d *Device) speak(now time.Time) error {
	if d.session.Blank {
		return nil
	}
	for len(d.told) > 0 && !d.quiet && len(d.pending) < d.config.PendingMax {
		if len(d.told[0]) > d.room() {
			if !d.config.Stored && len(d.parcels) > 0 {
				break // one after the other
			}
			if err := d.pack(now, d.told[0]); err != nil {
				return err
			}
		} else if err := d.enqueue(now, messageHeader(!d.config.Stored), d.told[0], nil); err != nil {
			return err
		}
		d.told = d.told[1:]
	}
	return d.pieces(now)
}

// pack begins a message in fragments. Where nobody acknowledges frames, one that nobody asked about gives way to a newer one.
func (d *Device) pack(now time.Time, message []byte) error {
	d.set++
	p, err := session.NewParcel(d.set, message, d.room())
	if err != nil {
		return fmt.Errorf("device %d: %w", d.config.Number, err)
	}
	if len(d.parcels) == parcelsMax {
		d.parcels = d.parcels[1:]
	}
	d.parcels = append(d.parcels, &parcel{Parcel: p, began: now})
	return nil
}

// pieces seals the fragments that are to go now. Where each frame is acknowledged few are under way at a time; a link that keeps messages takes all,
// and the last one asks what arrived.
func (d *Device) pieces(now time.Time) error {
	kept := d.parcels[:0]
	for _, p := range d.parcels {
		for !d.quiet && len(d.pending) < d.config.PendingMax && (d.config.Stored || p.out < fragmentsOut) {
			index, last, ok := p.Next()
			if !ok {
				break
			}
			b, err := p.AppendPlaintext(nil, index)
			if err != nil {
				return fmt.Errorf("device %d: %w", d.config.Number, err)
			}
			if err := d.enqueue(now, messageHeader(last && d.config.Stored), b, nil); err != nil {
				return err
			}
			p.Sent(index, last)
			p.out++
			d.pending[len(d.pending)-1].tag = tag{set: p.Set(), fragment: index, isPart: true}
		}
		if !p.Done() && !p.Exhausted() && now.Sub(p.began) < codec.FragmentTTL {
			kept = append(kept, p)
		}
	}
	clear(d.parcels[len(kept):])
	d.parcels = kept
	return nil
}

// settled notes that a frame is on the gateway's disk, or was taken over by a link that keeps it.
func (d *Device) settled(p *pending) {
	if p.tag.steps > 0 {
		d.update.told(p.tag.rollout, p.tag.steps)
		d.logging = false
	}
	if !d.config.Stored {
		d.received(&p.tag)
		d.update.Burst.answered(p.made)
	}
	if !p.tag.isPart || d.config.Stored { // that a link keeps a fragment does not say that it arrived
		return
	}
	for _, q := range d.parcels {
		if q.Set() == p.tag.set {
			q.Arrived(p.tag.fragment)
			q.out--
		}
	}
}

// lost notes that a frame is given up: its epoch is over.
func (d *Device) lost(p *pending) {
	if p.tag.steps > 0 {
		d.logging, d.update.News = false, true
	}
	for _, q := range d.parcels {
		if p.tag.isPart && q.Set() == p.tag.set {
			q.Unsent(p.tag.fragment)
			q.out--
		}
	}
}

// arrived takes the gateway's word of which fragments it has.
func (d *Device) arrived(body []byte) error {
	st, err := codec.DecodeFragmentStatus(body)
	if err != nil {
		return err
	}
	for _, p := range d.parcels {
		p.Take(&st)
	}
	return nil
}
