package device

import (
	"math/rand/v2"
	"time"

	"github.com/godwit-gateway/godwit/codec"
)

// Pauses between two requests of one attempt to join on a link that keeps messages until they are delivered: the first, and the longest.
const (
	joinStored = 2 * time.Hour
	joinMax    = 24 * time.Hour
)

// How long an attempt may go unanswered before the device begins another one: what is kept until it is delivered takes its time. Somebody who has its key
// too may be in the epoch that the attempt began, and then the gateway is silent about it (F-150).
const (
	attemptLife       = 24 * time.Hour
	attemptLifeStored = 7 * 24 * time.Hour
)

// confirmMax is how often a challenge is confirmed before the device begins another attempt: the gateway may know of it no more (F-125).
const confirmMax = 3

// joining is what the device says until it has a new epoch.
type joining struct {
	payload   []byte // the request, or the confirmation of a challenge; nil: nothing to say
	confirms  bool
	challenge codec.Nonce // that is confirmed
	tries     int
	due       time.Time
	began     time.Time // the attempt
}

// keys are the keys of one epoch.
type keys struct {
	up    *codec.Cipher // tag of 8 bytes
	short *codec.Cipher // statuses with the tag of Config.TagLen; another key if that is 4
	down  *codec.Cipher
	ack   [32]byte
}

func (c *Config) keys(epoch uint32, salt []byte) keys {
	k := keys{
		up:   codec.NewCipher(codec.DeriveSealKey(&c.Key, salt, codec.LabelUp8, c.Number, epoch)),
		down: codec.NewCipher(codec.DeriveSealKey(&c.Key, salt, codec.LabelDown, c.Number, epoch)),
		ack:  codec.DeriveAckKey(&c.Key, salt, c.Number, epoch),
	}
	k.short = k.up
	if c.TagLen == 4 {
		k.short = codec.NewCipher(codec.DeriveSealKey(&c.Key, salt, codec.LabelUp4, c.Number, epoch))
	}
	return k
}

// derive makes the keys of the epochs that the session is in.
func (d *Device) derive() {
	s := &d.session
	d.current = d.config.keys(s.Current.Number, s.Current.SaltBytes())
	if s.Two {
		d.previous = d.config.keys(s.Previous.Number, s.Previous.SaltBytes())
	}
}

// entered says that the session is in a new epoch: its keys are made and a hello is owed. After a rekey frames of the old epoch are repeated as
// they are. Who joined does not know whether the gateway still has that epoch: what it says is owed anew.
func (d *Device) entered(joined bool) {
	d.derive()
	d.join = joining{}
	d.statuses = statuses{} // none of the new epoch is known yet
	d.answered, d.owed = true, true
	kept := d.pending[:0]
	for _, p := range d.pending {
		switch {
		case joined:
			if owedAnew(&p) {
				d.anew = append(d.anew, p)
			}
		case p.frame.Epoch == d.session.Previous.Number:
			kept = append(kept, p)
		default:
			d.lost(&p)
		}
	}
	d.pending = kept
}

// owedAnew reports whether what a frame said is worth saying in another epoch: a hello was said, and a fragment status is asked for again.
func owedAnew(p *pending) bool {
	if p.header.Kind() != codec.KindExtended || len(p.content) == 0 {
		return true
	}
	kind := codec.MessageType(p.content[0])
	return kind != codec.MessageHello && kind != codec.MessageFragmentStatus
}

// greet seals what is owed in a new epoch.
func (d *Device) greet(now time.Time) error {
	if !d.owed {
		return nil
	}
	d.owed = false
	if err := d.hello(now); err != nil {
		return err
	}
	anew := d.anew
	d.anew = nil
	for _, p := range anew {
		var err error
		if n := len(p.status) - 1; n >= 0 { // what it was counted from is of another epoch
			d.keep(p.status[:n]...)
			err = d.say(now, &p.status[n])
		} else {
			if err = d.enqueue(now, p.header, p.content, nil); err == nil {
				d.pending[len(d.pending)-1].tag = p.tag
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// attempt begins an attempt to join if one is due: what the device remembers demands it, or nobody has answered it for long.
func (d *Device) attempt(now time.Time) {
	if _, under := d.session.Joining(); under {
		return
	}
	silence := d.config.Silence << min(d.silent, 5) // ever more seldom
	if !d.session.JoinDue() && (d.config.Stored || len(d.pending) == 0 || now.Sub(d.heard) < silence) {
		return
	}
	d.silent++
	d.ask(now, 0)
}

// ask begins an attempt after so many transmissions of the one before it, which count for the pauses.
func (d *Device) ask(now time.Time, tries int) {
	// Not from the source of the measurements: that one begins anew where it began before when a memory is lost.
	rng := rand.New(rand.NewPCG(d.config.Seed, uint64(now.UnixNano()))) //nolint:gosec // a simulation must be repeatable
	j := d.session.Join(d.config.Number, rng.Uint32())
	d.join = joining{payload: codec.AppendJoinRequest(nil, &d.joinKey, j), tries: tries, due: now, began: now}
}

// pollJoin is what the device says to join now, and when it has something to say next.
func (d *Device) pollJoin(now time.Time) (out []Transmission, wake time.Time) {
	d.attempt(now)
	if _, under := d.session.Joining(); !under || d.join.payload == nil {
		return nil, time.Time{}
	}
	if !now.Before(d.join.due) {
		wait, most, life := d.config.Retry, d.config.Silence, attemptLife
		if d.config.Stored {
			wait, most, life = joinStored, joinMax, attemptLifeStored
		}
		if d.join.confirms && d.join.tries >= confirmMax || now.Sub(d.join.began) >= life {
			d.ask(now, d.join.tries)
		}
		d.join.tries++
		d.join.due = now.Add(min(wait<<min(d.join.tries-1, 20), most))
		d.world.supply.consume(1, len(d.join.payload))
		out = []Transmission{{Join: true, Try: d.join.tries, Payload: d.join.payload}}
		if n := len(d.ways); n > 0 { // each way in turn: one of them may not reach the gateway
			out[0].Way = d.ways[(d.join.tries-1)%n]
		}
	}
	return out, d.join.due
}

// joinReply takes a challenge or an acceptance. One that is not for the attempt under way is late, or not meant for this device.
func (d *Device) joinReply(content []byte) error {
	f, err := codec.ParseJoin(content)
	if err != nil {
		return err
	}
	switch {
	case d.session.Challenged(&f, &d.joinKey) == nil:
		if d.join.confirms && d.join.challenge == f.Nonce {
			return nil // it is being confirmed: who says it again must not make the device speak
		}
		j, _ := d.session.Joining()
		d.join = joining{payload: codec.AppendJoinConfirm(nil, &d.joinKey, j, f.Nonce), confirms: true, challenge: f.Nonce, began: d.join.began} // due at once
	case d.session.Accepted(&f, &d.joinKey) == nil:
		d.entered(true)
	}
	return nil
}
