package device_test

import (
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
	"github.com/godwit-gateway/godwit/simulator/device"
)

// reader reads statuses as a gateway does: each is remembered under its counter.
type reader struct {
	gateway
	states map[uint64]codec.State
}

// read returns the statuses of a frame, oldest first; none for a message.
func (r *reader) read(t *testing.T, payload []byte, now time.Time) (counter uint64, h codec.Header, list []codec.Status) {
	t.Helper()
	s, counter, plaintext := r.open(t, payload)
	r.seen.Accept(counter)
	var state codec.State
	list = make([]codec.Status, 1)
	var err error
	switch s.Header.Kind() {
	case codec.KindKeyframe:
		if err = r.c.Template.DecodeKeyframe(&list[0], s.Header, plaintext, now); err == nil {
			state.SetKeyframe(r.c.Template, &list[0])
		}
	case codec.KindDelta, codec.KindBatch:
		distance, _, derr := codec.DeltaBase(s.Header, plaintext)
		if derr != nil {
			t.Fatal(derr)
		}
		if distance > 0 {
			base, ok := r.states[counter-uint64(distance)]
			if !ok {
				t.Fatalf("counter %d is counted from one that is not known", counter)
			}
			state.CopyFrom(&base)
		}
		if s.Header.Kind() == codec.KindDelta {
			err = r.c.Template.DecodeDelta(&list[0], &state, s.Header, plaintext, now)
		} else {
			list, err = r.c.Template.DecodeBatch(nil, &state, s.Header, plaintext, now)
		}
	default:
		return counter, s.Header, nil
	}
	if err != nil {
		t.Fatalf("counter %d: %v", counter, err)
	}
	if r.states == nil {
		r.states = make(map[uint64]codec.State)
	}
	r.states[counter] = state
	return counter, s.Header, list
}

// A device on text messages takes readings between its statuses, and sends them in the same messages: more readings, not one message more,
// and each at most once.
func TestTextMessagesAreFilled(t *testing.T) {
	count := func(sample time.Duration) (messages, readings int) {
		t.Helper()
		c := config(t)
		c.Stored, c.Interval, c.Sample = true, time.Hour, sample
		d, r := boot(t, c, device.Memory{}, start), reader{gateway: gateway{c: c}}
		said := make(map[time.Time]bool)
		for now := start; now.Before(start.Add(100 * time.Hour)); now = now.Add(5 * time.Minute) {
			for _, tx := range poll(t, d, now) {
				if messages++; len(tx.Payload) > 140 {
					t.Fatalf("%d bytes", len(tx.Payload))
				}
				d.Taken(tx.Frame)
				_, _, list := r.read(t, tx.Payload, now)
				for i, s := range list {
					if readings++; said[s.Time] || i > 0 && !s.Time.After(list[i-1].Time) {
						t.Fatalf("the reading of %s twice, or not in its place", s.Time)
					}
					said[s.Time] = true
				}
			}
		}
		return messages, readings
	}
	messages, readings := count(0)
	filled, more := count(10 * time.Minute)
	if filled != messages || readings != 100 || more < 5*readings {
		t.Errorf("%d messages with %d readings; between them read, %d with %d", messages, readings, filled, more)
	}
}

// The deadbands of a policy hold from then on, across restarts: what is sent is nearer to the truth than they are, and costs less.
func TestObeysPolicies(t *testing.T) {
	size := func(bands map[uint8]uint32, restart bool) (bytes, moved int) {
		t.Helper()
		c := config(t)
		c.Speed = 60
		d, r, s := boot(t, c, device.Memory{}, start), reader{gateway: gateway{c: c}}, teller{c: c}
		b, err := codec.AppendPolicy(nil, &codec.Policy{Interval: 20, Deadbands: bands})
		if err := s.tell(t, d, b, err); err != nil {
			t.Fatal(err)
		}
		if restart {
			d = boot(t, c, d.Memory(), start)
		}
		var before []codec.Value
		statuses := 0
		for now := start; now.Before(start.Add(time.Hour)); now = now.Add(10 * time.Second) {
			for _, tx := range poll(t, d, now) {
				counter, h, list := r.read(t, tx.Payload, now)
				if _, err := d.Receive(r.ack(counter, 0)); err != nil {
					t.Fatal(err)
				}
				if len(list) == 0 {
					continue
				}
				statuses++
				if h.Kind() == codec.KindDelta {
					bytes += len(tx.Payload)
				}
				for i, v := range list[0].Values {
					if before != nil && v != before[i] {
						moved++
					}
				}
				before = list[0].Values
			}
		}
		if statuses < 175 || statuses > 185 {
			t.Errorf("%d statuses in an hour, one in 20 s was ordered", statuses)
		}
		return bytes, moved
	}
	all, moves := size(nil, false)
	for _, restart := range []bool{false, true} {
		held, fewer := size(map[uint8]uint32{1: 5, 2: 10, 3: 5, 4: 50}, restart)
		if held >= all || fewer*2 > moves {
			t.Errorf("restart %t: %d bytes and %d moves with deadbands, %d and %d without", restart, held, fewer, all, moves)
		}
	}
}

// What frames of an epoch that was given up said is said anew in the next one, the readings that went along too.
func TestReadingsAreSaidAnew(t *testing.T) {
	c := config(t)
	c.Sample, c.Silence, c.Bearer = 2*time.Second, time.Minute, session.Bearer{Quantum: 140, Maximum: 140}
	d, r, now := boot(t, c, device.Memory{}, start), reader{gateway: gateway{c: c}}, start
	said := make(map[time.Time]bool)
	var j codec.Join
	for ; j.Boot == 0; now = now.Add(2 * time.Second) {
		for _, tx := range poll(t, d, now) {
			if tx.Join {
				item, _, err := codec.NextItem(tx.Payload)
				if err != nil {
					t.Fatal(err)
				}
				f, err := codec.ParseJoin(item.Content)
				if err != nil {
					t.Fatal(err)
				}
				j = f.Join
				continue
			}
			_, _, list := r.read(t, tx.Payload, now)
			for _, s := range list {
				said[s.Time] = true
			}
		}
	}
	if len(said) < 20 {
		t.Fatalf("%d readings before the join", len(said))
	}
	key, nonce := codec.DeriveJoinKey(&c.Key, c.Number), codec.Nonce{1}
	if _, err := d.Receive(codec.AppendJoinAccept(nil, &key, j, nonce, 4)); err != nil || d.Epoch() != 4 {
		t.Fatalf("epoch %d, %v", d.Epoch(), err)
	}
	salt := j.Salt(nonce)
	r = reader{gateway: gateway{c: c, epoch: 4, salt: salt[:]}}
	for _, tx := range poll(t, d, now) {
		_, _, list := r.read(t, tx.Payload, now)
		for _, s := range list {
			delete(said, s.Time)
		}
	}
	if len(said) != 0 {
		t.Errorf("%d readings are lost", len(said))
	}
}
