package device

import (
	"time"

	"github.com/godwit-gateway/godwit/codec"
)

// orders is what a device was told to do and has not done yet.
type orders struct {
	request uint8          // of codec.Request… together
	clock   *codec.TimeSet // what time it is
	rest    time.Duration  // nothing is to be sent before
	offer   *codec.Offer
}

// clock is a device's own: what it says is offset from the true time.
type clock struct {
	sure   bool
	offset time.Duration
}

// order takes a message that the device itself is to obey; it is done at the next Poll. One that is not for it, or says what it does not know,
// changes nothing.
func (d *Device) order(kind codec.MessageType, body []byte) error {
	switch kind {
	case codec.MessageRequest:
		r, err := codec.DecodeRequest(body)
		if err != nil {
			return err
		}
		d.orders.request |= r.What
	case codec.MessageTime:
		t, err := codec.DecodeTime(body)
		if err != nil {
			return err
		}
		d.orders.clock = &t
	case codec.MessageSleep:
		s, err := codec.DecodeSleep(body)
		if err != nil {
			return err
		}
		d.orders.rest = time.Duration(s.Seconds) * time.Second
	case codec.MessagePolicy:
		return d.agree(body)
	case codec.MessageOffer:
		return d.offered(body)
	case codec.MessageFragmentStatus:
		return d.arrived(body)
	default: // an application's, or of no concern to a device that only measures
	}
	return nil
}

// obey does what was ordered: it sets its clock, rests, and answers. A device that makes nothing new any more keeps to that.
func (d *Device) obey(now time.Time) error {
	o := d.orders
	d.orders = orders{offer: o.offer}
	if o.rest > 0 && d.status.Before(now.Add(o.rest)) {
		d.status = now.Add(o.rest)
	}
	answer := o.request&codec.RequestKeyframe != 0
	if o.clock != nil {
		answer = answer || !d.clock.sure
		d.clock = clock{sure: true, offset: o.clock.Time().Sub(now)}
	}
	if o.request&codec.RequestPoll != 0 {
		d.hurry(now)
	}
	if d.quiet {
		return nil
	}
	if o.request&codec.RequestHello != 0 {
		if err := d.hello(now); err != nil {
			return err
		}
	}
	if !answer {
		return nil
	}
	d.statuses.run = keyframeEvery // the next status needs no base
	return d.measure(now)
}

// hurry makes everything due that is repeated until it is acknowledged.
func (d *Device) hurry(now time.Time) {
	for i := range d.pending {
		if p := &d.pending[i]; !p.due.IsZero() && p.due.After(now) {
			p.due = now
		}
	}
}
