package hub_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/rollout"
	"github.com/godwit-gateway/godwit/transports"
)

// crowd is how many devices crowded has, more than one step of a start is about.
const crowd = 2100

// crowded is a gateway with many devices that may be updated, and a rollout that may be started.
func crowded(t *testing.T) (*bench, rollout.ID) {
	t.Helper()
	b := newBench(t)
	rows := make([]fleet.ImportRow, crowd)
	for i := range rows {
		key := ownKey
		rows[i] = fleet.ImportRow{Line: i + 2, Key: &key, Device: fleet.Device{
			Number: uint32(5000 + i), Name: fmt.Sprintf("buoy-%d", i), Product: "buoy", Customer: "acme", State: fleet.Active, KeySource: fleet.KeyOwn, CTRBits: 8, TagLen: 8,
		}}
	}
	if res, err := b.hub.Import(t.Context(), rows, false); err != nil || !res.Done {
		t.Fatalf("%+v, %v", res, err)
	}
	b.release(1024)
	s := rollout.Spec{Name: "spring", Product: "buoy", Version: "2.0.0", Waves: []rollout.Wave{{Share: 1}}, Soak: 2}
	r, err := b.hub.CreateRollout(as(t, "ann", "operator"), s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.hub.MoveRollout(as(t, "ann", "operator"), r.ID, rollout.Submit, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := b.hub.MoveRollout(as(t, "ben", "approver"), r.ID, rollout.Approve, "fine"); err != nil {
		t.Fatal(err)
	}
	return b, r.ID
}

// got is a rollout as it is.
func (b *bench) got(id rollout.ID) (s rollout.Summary) {
	b.t.Helper()
	var err error
	b.hub.LookAtRollouts(func(_ time.Time, m *rollout.Machine) { s, err = m.Get(id) })
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

// deviceRows are how many rows of devices the rollouts have.
func (b *bench) deviceRows() (n int) {
	b.t.Helper()
	err := b.store.EachRollout(func(key, _ []byte) error {
		if key[0] == 'c' {
			n++
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

// A start that is called off, or during which the power fails, has changed nothing, wherever that is, and the next one is as if it had not been.
func TestStartThatIsCalledOff(t *testing.T) {
	b, id := crowded(t)
	d := b.device(1)
	b.settled(b.udp(d.to(d.status(3.7))), transports.Stored)
	for crash, steps := false, 1; ; crash, steps = !crash, steps+2 {
		ctx, cancel := context.WithCancel(as(t, "ann", "operator"))
		left := steps
		b.clock.tick = func() {
			if left--; left == 0 {
				cancel()
			}
		}
		s, err := b.hub.MoveRollout(ctx, id, rollout.Start, "as planned")
		b.clock.tick = nil
		cancel()
		if err == nil {
			if s.State != rollout.Running || s.Devices != crowd+1 || steps < 9 {
				t.Errorf("after %d steps: %+v", steps, s)
			}
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if crash {
			b.crash()
		}
		if s := b.got(id); s.State != rollout.Approved || s.Devices != 0 {
			t.Fatalf("after %d steps: %+v", steps, s)
		}
		if b.settled(b.udp(d.to(d.status(3.7))), transports.Stored); b.deviceRows() != 0 {
			t.Fatalf("after %d steps %d rows are left", steps, b.deviceRows())
		}
	}
	b.crash()
	b.poll()
	if n := b.got(id).Standings[rollout.Eligible]; n != crowd+1 || b.deviceRows() != crowd+1 {
		t.Errorf("%d devices are eligible, there are %d rows", n, b.deviceRows())
	}
}

// Frames are taken while a rollout starts and its wave opens, and each device ends up in it once.
func TestFramesWhileARolloutStarts(t *testing.T) {
	b, id := crowded(t)
	_ = b.store.Close()
	b.driven = true
	b.open()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.hub.Run(ctx) }()
	speaks := make(chan error)
	stop := make(chan struct{})
	frames := make([]transports.Uplink, 0, 600)
	for i := range 300 {
		d := b.deviceWithKey(uint32(5000+7*i), ownKey, 8)
		for _, frame := range [][]byte{d.hello("1.0.0"), d.status(3.7)} {
			frames = append(frames, transports.Uplink{
				Transport: "udp", From: transports.Address{Bearer: transports.UDP, ID: "127.0.0.1:9"}, Payload: d.to(frame), ReceivedAt: b.clock.t,
			})
		}
	}
	go func() {
		defer close(speaks)
		for i := range frames {
			out := make([]transports.Verdict, 1)
			if err := b.hub.Uplinks(ctx, frames[i:i+1], out); err != nil || out[0].Settlement != transports.Stored {
				speaks <- fmt.Errorf("frame %d is settled as %s, %w", i, out[0].Settlement, err)
				return
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	}()
	if _, err := b.hub.MoveRollout(as(t, "ann", "operator"), id, rollout.Start, "as planned"); err != nil {
		t.Error(err)
	}
	b.poll()
	close(stop)
	for err := range speaks {
		t.Error(err)
	}
	if s := b.got(id); s.Devices != crowd || s.Standings[rollout.Eligible] != crowd {
		t.Errorf("%+v", s)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A plan goes by steps as well, and says the same.
func TestPlanOfManyDevices(t *testing.T) {
	b, _ := crowded(t)
	s := rollout.Spec{Name: "x", Product: "buoy", Version: "2.0.0", Waves: []rollout.Wave{{Share: 1}}}
	f, err := b.hub.PlanRollout(s)
	if err != nil || f.Devices != crowd || f.Waves[0].Devices != crowd {
		t.Errorf("%+v, %v", f, err)
	}
	if s.Version = "9"; second(b.hub.PlanRollout(s)) == nil {
		t.Error("a release that there is not is planned")
	}
}

func second[T any](_ T, err error) error { return err }
