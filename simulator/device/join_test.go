package device_test

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
	"github.com/godwit-gateway/godwit/simulator/device"
)

// home is a gateway with epochs: it opens, acknowledges, and settles joins.
type home struct {
	t      *testing.T
	c      device.Config
	s      session.Gateway
	rng    *rand.Rand
	frames map[device.Frame]string
	fresh  int // frames taken for the first time
	down   [][]byte
}

func newHome(t *testing.T, c device.Config) *home {
	t.Helper()
	return &home{t: t, c: c, rng: rand.New(rand.NewPCG(1, 2)), frames: make(map[device.Frame]string)}
}

func (h *home) say(b []byte) { h.down = append(h.down, b) }

// hear takes an uplink.
func (h *home) hear(payload []byte, now time.Time) {
	h.t.Helper()
	item, _, err := codec.NextItem(payload)
	if err != nil {
		h.t.Fatal(err)
	}
	key := codec.DeriveJoinKey(&h.c.Key, h.c.Number)
	if _, control := codec.Control(item.Content); control {
		f, err := codec.ParseJoin(item.Content)
		if err != nil {
			h.t.Fatal(err)
		}
		var answer session.Answer
		if f.Type == codec.ControlJoinRequest {
			if err := f.Verify(&key); err != nil {
				h.t.Fatal(err)
			}
			answer = h.s.Request(f.Join, codec.Nonce{byte(h.rng.Uint32()), byte(h.rng.Uint32())}, true, now)
		} else {
			f.Nonce, _ = h.s.Challenged(f.Join)
			if f.Verify(&key) != nil {
				return
			}
			answer = h.s.Confirm(f.Join)
		}
		switch answer {
		case session.Accept:
			h.say(codec.AppendJoinAccept(nil, &key, f.Join, h.s.PendingNonce(), h.s.Second.Number))
		case session.Challenge:
			h.say(codec.AppendChallenge(nil, &key, f.Join, h.s.Challenge))
		default:
		}
		return
	}
	h.open(&item, now)
}

func (h *home) open(item *codec.Item, now time.Time) {
	h.t.Helper()
	s, err := codec.ParseSealed(item.Content, h.c.CTRBits, 8)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, second := range []bool{false, true} {
		e := &h.s.Current
		if second {
			if e = &h.s.Second; !h.s.Has(now) {
				continue
			}
		}
		p := codec.Position{Number: h.c.Number, Epoch: e.Number, Counter: codec.CompleteCounter(s.CTR, s.CTRBits, e.Counters.Highest, e.Counters.Seen)}
		plaintext, err := codec.NewCipher(codec.DeriveSealKey(&h.c.Key, e.SaltBytes(), codec.LabelUp8, h.c.Number, e.Number)).Open(nil, &s, p)
		if err != nil {
			continue
		}
		name, content := device.Frame{Epoch: p.Epoch, Counter: p.Counter}, string(append([]byte{byte(s.Header)}, plaintext...))
		if before, ok := h.frames[name]; ok && before != content {
			h.t.Fatalf("frame %v had another content before", name)
		} else if !ok {
			h.fresh++
		}
		h.frames[name] = content
		ack := codec.DeriveAckKey(&h.c.Key, e.SaltBytes(), h.c.Number, e.Number)
		h.s.Accept(second, p.Counter, now)
		h.say(codec.AppendAck(nil, &ack, h.c.Number, p.Epoch, codec.Ack{Counter: p.Counter}))
		return
	}
}

func (h *home) rekey() {
	e := &h.s.Current
	r, _ := h.s.Rekey([session.SaltLen]byte{byte(h.rng.Uint32()), 1})
	plaintext, err := codec.AppendRekey(nil, &r)
	if err != nil {
		h.t.Fatal(err)
	}
	item, err := codec.NewCipher(codec.DeriveSealKey(&h.c.Key, e.SaltBytes(), codec.LabelDown, h.c.Number, e.Number)).AppendSealed(nil,
		codec.MakeHeader(codec.KindExtended, 0, 0), codec.Position{Direction: codec.Down, Number: h.c.Number, Epoch: e.Number, Counter: h.s.NextDown()},
		16, 8, plaintext)
	if err != nil {
		h.t.Fatal(err)
	}
	h.say(item)
}

// exchange lets the two talk for a while. lossy loses most of what is said.
func (h *home) exchange(d *device.Device, now *time.Time, rounds int, lossy bool) {
	h.t.Helper()
	for range rounds {
		for _, tx := range poll(h.t, d, *now) {
			if !lossy || h.rng.IntN(3) == 0 {
				h.hear(tx.Payload, *now)
			}
		}
		down := h.down
		h.down = nil
		for _, b := range down {
			if lossy && h.rng.IntN(3) > 0 {
				continue
			}
			if _, err := d.Receive(b); err != nil {
				h.t.Fatal(err)
			}
		}
		*now = now.Add(h.c.Interval)
	}
}

func within(t *testing.T, c device.Config, h *home) {
	t.Helper()
	if h.fresh == 0 || h.s.Current.Number == 0 {
		t.Fatalf("%d frames, epoch %d", h.fresh, h.s.Current.Number)
	}
}

// F-118: told of new keys, the device says hello under them at once; what it had sealed before is repeated as it was.
func TestObeysRekey(t *testing.T) {
	c := config(t)
	h, now := newHome(t, c), start
	d := boot(t, c, device.Memory{}, now)
	h.exchange(d, &now, 5, false)
	h.rekey()
	down := h.down
	h.down = nil
	old := poll(t, d, now) // measured before the keys arrive, and lost
	for _, b := range down {
		if _, err := d.Receive(b); err != nil {
			t.Fatal(err)
		}
	}
	out := poll(t, d, now)
	if len(out) != 1 || out[0].Frame != (device.Frame{Epoch: 1}) || d.Epoch() != 1 {
		t.Fatalf("after the rekey: %+v", out)
	}
	h.hear(out[0].Payload, now)
	if plain := h.frames[out[0].Frame]; len(plain) < 2 || codec.MessageType(plain[1]) != codec.MessageHello {
		t.Fatalf("the first frame is %x", plain)
	}
	h.exchange(d, &now, 50, false)
	for _, tx := range old {
		if _, ok := h.frames[tx.Frame]; !ok || tx.Epoch != 0 {
			t.Errorf("frame %v of the old epoch never arrived", tx.Frame)
		}
	}
	// A restart goes on where it was.
	d = boot(t, c, d.Memory(), now)
	h.exchange(d, &now, 5, false)
	if d.Epoch() != 1 || d.Pending() > 1 {
		t.Errorf("epoch %d, %d pending", d.Epoch(), d.Pending())
	}
}

// A device that lost its memory seals nothing until it has a new epoch; with an intact boot counter it is accepted at once, else challenged.
func TestJoinsAfterMemoryLoss(t *testing.T) {
	for _, stored := range []bool{false, true} {
		for _, keepsBoot := range []bool{true, false} {
			c := config(t)
			c.Stored = stored
			h, now := newHome(t, c), start
			h.s.Boot = 3
			d := boot(t, c, device.Memory{}, now)
			h.exchange(d, &now, 3, false)
			m := device.Erased()
			if keepsBoot {
				m.Boot = 3
			}
			d = boot(t, c, m, now)
			out := poll(t, d, now)
			if len(out) != 1 || !out[0].Join || len(out[0].Payload) != 22 {
				t.Fatalf("stored %t: says %+v", stored, out)
			}
			h.hear(out[0].Payload, now)
			h.exchange(d, &now, 5, false)
			within(t, c, h)
			if want := uint32(4); keepsBoot && h.s.Boot != want || !keepsBoot && h.s.Boot != 3 {
				t.Errorf("boot counter %d", h.s.Boot)
			}
			before := h.fresh
			h.exchange(d, &now, 5, false)
			if h.fresh <= before {
				t.Errorf("stored %t, boot counter kept %t: silent after the join", stored, keepsBoot)
			}
		}
	}
}

// F-125: a gateway that forgot its challenge is asked anew, and a challenge that is said again and again makes nobody speak.
func TestForgottenChallenge(t *testing.T) {
	c := config(t)
	c.Stored = true
	h, now := newHome(t, c), start
	h.s.Boot = 3
	d := boot(t, c, device.Erased(), now)
	h.hear(poll(t, d, now)[0].Payload, now) // answered with a challenge
	challenge := bytes.Clone(h.down[0])
	h.down = nil
	h.s.Challenge = codec.Nonce{} // the gateway is another one, brought back from a backup
	if _, err := d.Receive(challenge); err != nil {
		t.Fatal(err)
	}
	confirms := 0
	for end := now.Add(72 * time.Hour); now.Before(end); now = now.Add(time.Minute) {
		for _, tx := range poll(t, d, now) {
			item, _, err := codec.NextItem(tx.Payload)
			if err != nil {
				t.Fatal(err)
			}
			if kind, _ := codec.Control(item.Content); kind == codec.ControlJoinRequest {
				if confirms != 3 {
					t.Fatalf("it asked anew after %d confirmations", confirms)
				}
				h.hear(tx.Payload, now)
				h.exchange(d, &now, 5, false)
				within(t, c, h)
				return
			}
			confirms++
		}
		if _, err := d.Receive(challenge); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatalf("%d confirmations, and it never asked anew", confirms)
}

// F-150: who has the key of a device and its attempt to join can keep the gateway silent about that one, but not about the next.
func TestAttemptThatSomebodyElseUsed(t *testing.T) {
	for _, stored := range []bool{false, true} {
		c := config(t)
		c.Stored = stored
		h, now := newHome(t, c), start
		d := boot(t, c, device.Erased(), now)
		first := poll(t, d, now)[0].Payload
		h.hear(first, now)
		h.down = nil // somebody else took the answer, and is in the epoch
		h.s.Role, h.s.Current = session.Previous, h.s.Second
		life := 24 * time.Hour
		if stored {
			life *= 7
		}
		for since := now; h.down == nil; now = now.Add(time.Minute) {
			for _, tx := range poll(t, d, now) {
				if !bytes.Equal(tx.Payload, first) && now.Sub(since) < life {
					t.Fatalf("stored %t: another attempt after %s", stored, now.Sub(since))
				}
				h.hear(tx.Payload, now)
			}
			if now.Sub(since) > life+24*time.Hour {
				t.Fatalf("stored %t: the same attempt for ever", stored)
			}
		}
		h.exchange(d, &now, 5, false)
		within(t, c, h)
	}
}

// Losses of messages, of power and of memory, one after the other: no counter of an epoch has two contents, and the two talk again.
func TestJoinsThroughAnything(t *testing.T) {
	c := config(t)
	c.Retry, c.RetryMax = time.Second, time.Minute
	h, now := newHome(t, c), start
	m := device.Memory{}
	for round := range 40 {
		d := boot(t, c, m, now)
		h.exchange(d, &now, 20, round%4 < 3)
		if h.rng.IntN(3) == 0 {
			h.rekey()
		}
		m = d.Memory()
		if round%5 == 4 {
			m = device.Erased()
		}
		if round%4 == 3 && round%5 != 4 {
			before := h.fresh
			h.exchange(d, &now, 40, false)
			if h.fresh <= before {
				t.Fatalf("round %d: nothing is heard: %+v, %+v", round, d.Memory(), h.s)
			}
			m = d.Memory()
		}
	}
}

// F-122: a device that nobody answers for an hour joins, goes on as before meanwhile, and stops asking when somebody answers.
func TestJoinsAfterLongSilence(t *testing.T) {
	c := config(t)
	h, now := newHome(t, c), start
	d := boot(t, c, device.Memory{}, now)
	c.PendingMax = 64
	joins, first := 0, time.Time{}
	for range 6 * 60 * 6 {
		for _, tx := range poll(t, d, now) {
			if tx.Join {
				if joins++; joins == 1 {
					first = now
				}
			}
		}
		now = now.Add(c.Interval)
	}
	if at := first.Sub(start); at < time.Hour || at > time.Hour+time.Minute || joins > 40 {
		t.Errorf("%d requests, the first after %s", joins, at)
	}
	if d.Epoch() != 0 || d.Pending() == 0 {
		t.Errorf("epoch %d, %d pending", d.Epoch(), d.Pending())
	}
	// The gateway forgot the device's epoch: it has a later one.
	h.s.Current = session.Epoch{Number: 9}
	h.s.Allocated = 9
	h.exchange(d, &now, 6*60*30, false)
	within(t, c, h)
	if d.Epoch() != 10 || h.fresh < c.PendingMax {
		t.Errorf("epoch %d, %d frames", d.Epoch(), h.fresh)
	}
}

// A device that speaks more seldom than that does not take its own pauses for silence.
func TestPausesAreNotSilence(t *testing.T) {
	c := config(t)
	c.Interval = 3 * time.Hour
	h, now := newHome(t, c), start
	d := boot(t, c, device.Memory{}, now)
	h.c.Interval = time.Minute // of looks at the device
	h.exchange(d, &now, 4*24*60, false)
	if d.Epoch() != 0 || d.Memory().Boot != 0 {
		t.Errorf("it asked to join %d times, and is in epoch %d", d.Memory().Boot, d.Epoch())
	}
	if h.fresh < 25 {
		t.Errorf("%d frames in four days", h.fresh)
	}
}
