package device

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/codec"
)

// Layout of a sealed downlink.
const downCTRBits, downTagLen = 16, 8

// sealedMore is by how much a frame may be longer than a status: it carries the whole counter and the longer tag.
const sealedMore = 1 + 4 + 4

// pending is a frame that nobody acknowledged yet. Its bytes are made once: a repeat is the same frame.
type pending struct {
	frame   Frame
	header  codec.Header
	content []byte         // plaintext
	status  []codec.Status // what content was made of, oldest first; none for a message
	payload []byte
	tag     tag
	tries   int
	way     int // place in Device.ways of what carries it
	tried   int // transmissions over it
	made    time.Time
	due     time.Time // zero: nothing to do until the link reports
}

// enqueue gives a plaintext its counter and seals it. What Memory holds then must be written before the frame leaves.
// status is what it was made of, none for a message.
func (d *Device) enqueue(now time.Time, h codec.Header, plaintext []byte, status []codec.Status) error {
	counter, _, err := d.session.Next()
	if err != nil {
		return fmt.Errorf("device %d: %w", d.config.Number, err)
	}
	p := codec.Position{Direction: codec.Up, Number: d.config.Number, Epoch: d.Epoch(), Counter: counter}
	cipher, tagLen := d.current.short, d.config.TagLen
	if h.Kind() == codec.KindExtended {
		cipher, tagLen = d.current.up, 8 // messages are worth the longer tag on any link
	}
	item := make([]byte, 0, d.overhead()+len(plaintext)+sealedMore)
	if d.addressed() {
		item = codec.AppendAddressed(item, d.config.Number, nil)
		d.known = min(d.known+1, knownAfter)
	}
	item, err = cipher.AppendSealed(item, h, p, d.config.CTRBits, tagLen, plaintext)
	if err != nil {
		return fmt.Errorf("device %d: seal: %w", d.config.Number, err)
	}
	if len(d.pending) == 0 {
		d.heard = now // nobody has been silent yet: there was nothing to answer
	}
	d.pending = append(d.pending, pending{frame: Frame{p.Epoch, counter}, header: h, content: bytes.Clone(plaintext), status: status, payload: item, made: now, due: now})
	return nil
}

// after is when a frame is due again after a try: twice as long each time, and never at the same moment as the neighbours.
func (d *Device) after(now time.Time, p *pending) time.Time {
	if d.stored(p) {
		return time.Time{}
	}
	wait := d.config.Retry
	for i := 1; i < p.tries && wait < d.config.RetryMax; i++ {
		wait *= 2
	}
	wait = min(wait, d.config.RetryMax)
	return now.Add(wait*3/4 + time.Duration(d.rng.Int64N(int64(wait)/2+1)))
}

// Receive takes a payload that the network brought and returns the frames that it newly acknowledges. What does not verify is dropped
// with an error; what repeats an earlier payload does nothing.
func (d *Device) Receive(payload []byte) (acknowledged []Frame, err error) {
	if d.state != Working {
		return nil, nil
	}
	for rest := payload; len(rest) > 0; {
		var item codec.Item
		if item, rest, err = codec.NextItem(rest); err != nil {
			return acknowledged, fmt.Errorf("device %d: downlink: %w", d.config.Number, err)
		}
		frames, err := d.receive(&item)
		acknowledged = append(acknowledged, frames...)
		if err != nil {
			return acknowledged, fmt.Errorf("device %d: downlink: %w", d.config.Number, err)
		}
	}
	return acknowledged, nil
}

func (d *Device) receive(item *codec.Item) ([]Frame, error) {
	switch t, control := codec.Control(item.Content); {
	case control && t != codec.ControlAck:
		return nil, d.joinReply(item.Content)
	case d.session.Blank:
		return nil, nil // of a life that it does not remember
	case control:
		return d.acknowledge(item.Content)
	}
	sealed, err := codec.ParseSealed(item.Content, downCTRBits, downTagLen)
	if err != nil {
		return nil, err
	}
	return nil, d.message(&sealed)
}

// epochs calls f with the current epoch and then with the previous one, until it reports true.
func (d *Device) epochs(f func(previous bool, k *keys) bool) bool {
	return f(false, &d.current) || d.session.Two && f(true, &d.previous)
}

// acknowledge forgets the frames that an acknowledgement covers.
func (d *Device) acknowledge(content []byte) ([]Frame, error) {
	frame, err := codec.ParseAck(content)
	if err != nil {
		return nil, err
	}
	var acked []Frame
	if !d.epochs(func(previous bool, k *keys) bool {
		epoch := d.session.Kept(previous).Number
		last, ok := d.session.Last(previous)
		if !ok {
			return false
		}
		ack, err := frame.Verify(&k.ack, d.config.Number, epoch, last)
		if err != nil {
			return false
		}
		d.pending = slices.DeleteFunc(d.pending, func(p pending) bool {
			covered := p.tries > 0 && p.frame.Epoch == epoch && ack.Covers(p.frame.Counter)
			if covered {
				acked = append(acked, p.frame)
				d.settled(&p)
				if !previous {
					d.statuses.acknowledged(p.frame.Counter)
				}
			}
			return covered
		})
		if !previous {
			d.session.Heard()
			d.answered = true
		}
		return true
	}) {
		return nil, codec.ErrAuth
	}
	return acked, nil
}

// message opens a sealed downlink, keeps the bytes of the application and notes what is ordered. A counter of an epoch is taken once.
func (d *Device) message(s *codec.Sealed) error {
	var plaintext []byte
	taken := false
	if !d.epochs(func(previous bool, k *keys) bool {
		e := d.session.Kept(previous)
		p := codec.Position{Direction: codec.Down, Number: d.config.Number, Epoch: e.Number, Counter: e.Complete(s.CTR, s.CTRBits)}
		b, err := k.down.Open(nil, s, p)
		if err != nil {
			return false
		}
		plaintext, taken = b, e.Take(p.Counter)
		return true
	}) {
		return codec.ErrAuth
	}
	if !taken || len(plaintext) == 0 {
		return nil
	}
	return d.take(codec.MessageType(plaintext[0]), plaintext[1:], s.Header.Base()&1 == 1)
}

// take takes a message of the gateway. asked says that the gateway wants to know which fragments are there.
func (d *Device) take(kind codec.MessageType, body []byte, asked bool) error {
	switch kind {
	case codec.MessageFragment:
		return d.parts.hold(body, asked)
	case codec.MessageUser:
		d.inbox = append(d.inbox, body)
	case codec.MessageRekey:
		r, err := codec.DecodeRekey(body)
		if err != nil {
			return err
		}
		if d.session.Rekeyed(r) {
			d.entered(false)
		}
	default:
		return d.order(kind, body)
	}
	return nil
}

// Messages returns the messages for the application that came since the last call.
func (d *Device) Messages() [][]byte {
	inbox := d.inbox
	d.inbox = nil
	return inbox
}

// Taken says that a link that keeps messages itself has taken over a frame: it is forgotten.
func (d *Device) Taken(f Frame) {
	d.pending = slices.DeleteFunc(d.pending, func(p pending) bool {
		if p.frame == f {
			d.settled(&p)
		}
		return p.frame == f
	})
}

// Failed says that the link did not take a frame: it is due again after the pause of its tries.
func (d *Device) Failed(f Frame, now time.Time) {
	for i := range d.pending {
		if p := &d.pending[i]; p.frame == f {
			d.refused(p, now)
		}
	}
}
