package device_test

import (
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/simulator/device"
)

// teller sends sealed downlinks.
type teller struct {
	c       device.Config
	counter uint64
	ask     uint8 // 1: each asks for a fragment status
}

func (s *teller) tell(t *testing.T, d *device.Device, plaintext []byte, err error) error {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	s.counter++
	cipher := codec.NewCipher(codec.DeriveSealKey(&s.c.Key, nil, codec.LabelDown, s.c.Number, 0))
	item, err := cipher.AppendSealed(nil, codec.MakeHeader(codec.KindExtended, 0, s.ask),
		codec.Position{Direction: codec.Down, Number: s.c.Number, Counter: s.counter}, 16, 8, plaintext)
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Receive(item)
	return err
}

// F-071: a device that is asked for a hello and a keyframe sends them at once, in the midst of deltas.
func TestObeysRequests(t *testing.T) {
	c := config(t)
	d, now, g := boot(t, c, device.Memory{}, start), start, gateway{c: c, frames: map[uint64][]byte{}}
	s := teller{c: c}
	poll := func() (headers []codec.Header) {
		t.Helper()
		out, _, err := d.Poll(now)
		if err != nil {
			t.Fatal(err)
		}
		for _, tx := range out {
			sealed, counter, _ := g.open(t, tx.Payload)
			headers = append(headers, sealed.Header)
			if _, err := d.Receive(g.ack(counter, 0)); err != nil {
				t.Fatal(err)
			}
		}
		return headers
	}
	for range 5 {
		poll()
		now = now.Add(c.Interval)
	}
	if h := poll(); len(h) != 1 || h[0].Kind() != codec.KindDelta {
		t.Fatalf("sent %v, want a delta", h)
	}
	b, err := codec.AppendRequest(nil, &codec.Request{What: codec.RequestKeyframe | codec.RequestHello})
	if err := s.tell(t, d, b, err); err != nil {
		t.Fatal(err)
	}
	if h := poll(); len(h) != 2 || h[0] != codec.MakeHeader(codec.KindExtended, 1, 1) || h[1].Kind() != codec.KindKeyframe {
		t.Errorf("sent %v, want a hello and a keyframe", h)
	}
	if h := poll(); len(h) != 0 {
		t.Errorf("answered again: %v", h)
	}
	b, err = codec.AppendRequest(nil, &codec.Request{What: codec.RequestHello})
	if err := s.tell(t, d, append(b[:1], 0xa2, 0x01, 0x02, 0x09, 0xf5), err); err == nil {
		t.Error("took an odd key that it does not know")
	}
	if h := poll(); len(h) != 0 {
		t.Errorf("answered what it does not understand: %v", h)
	}
	d.Quiet()
	b, err = codec.AppendRequest(nil, &codec.Request{What: codec.RequestKeyframe})
	if err := s.tell(t, d, b, err); err != nil || len(poll()) != 0 {
		t.Errorf("made something new: %v", err)
	}
}

// A poll brings what waits for its repeat.
func TestObeysPoll(t *testing.T) {
	c := config(t)
	c.Retry, c.RetryMax = time.Hour, time.Hour
	d, now := boot(t, c, device.Memory{}, start), start
	if out, _, err := d.Poll(now); err != nil || len(out) != 1 {
		t.Fatalf("%d, %v", len(out), err)
	}
	s := teller{c: c}
	now = now.Add(time.Millisecond)
	b, err := codec.AppendRequest(nil, &codec.Request{What: codec.RequestPoll})
	if err := s.tell(t, d, b, err); err != nil {
		t.Fatal(err)
	}
	if out, _, err := d.Poll(now); err != nil || len(out) != 1 || out[0].Try != 2 {
		t.Errorf("%+v, %v", out, err)
	}
}

// F-071: a device without a clock says so until it is told the time, and answers with a status that has it.
func TestObeysTime(t *testing.T) {
	c := config(t)
	c.NoClock = true
	d, now, g := boot(t, c, device.Memory{}, start), start, gateway{c: c, frames: map[uint64][]byte{}}
	s := teller{c: c}
	var tm codec.Status
	last := func() *codec.Status {
		t.Helper()
		out, _, err := d.Poll(now)
		if err != nil || len(out) == 0 {
			t.Fatalf("%d sent, %v", len(out), err)
		}
		sealed, _, plaintext := g.open(t, out[len(out)-1].Payload)
		if err := c.Template.DecodeKeyframe(&tm, sealed.Header, plaintext, now); err != nil {
			t.Fatal(err)
		}
		return &tm
	}
	now = now.Add(c.Interval)
	if last().ClockValid {
		t.Fatal("it has no clock, and is sure of it")
	}
	truth := now.Add(36 * time.Minute)
	b, err := codec.AppendTime(nil, &codec.TimeSet{Seconds: uint64(truth.Unix())})
	if err := s.tell(t, d, b, err); err != nil {
		t.Fatal(err)
	}
	if got := last(); !got.ClockValid || !got.Time.Equal(truth) {
		t.Errorf("%t, %s, want %s", got.ClockValid, got.Time, truth)
	}
}

// A device that was told to sleep takes no status until then.
func TestObeysSleep(t *testing.T) {
	c := config(t)
	c.Stored = true
	d, now := boot(t, c, device.Memory{}, start), start
	s := teller{c: c}
	b, err := codec.AppendSleep(nil, &codec.Sleep{Seconds: 3600})
	if err := s.tell(t, d, b, err); err != nil {
		t.Fatal(err)
	}
	out, wake, err := d.Poll(now)
	if err != nil || len(out) != 1 || wake.Before(now.Add(time.Hour)) { // the hello of its boot
		t.Errorf("%d sent, awake at %s, %v", len(out), wake, err)
	}
	if out, _, err := d.Poll(now.Add(time.Hour)); err != nil || len(out) == 0 {
		t.Errorf("%d sent after it slept, %v", len(out), err)
	}
}
