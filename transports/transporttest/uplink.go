package transporttest

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/godwit-gateway/godwit/transports"
)

func testIdentity(t *testing.T, s *suite) {
	if s.tr.Name() == "" || s.tr.Bearer() == "" {
		t.Errorf("name %q and bearer %q, want neither empty", s.tr.Name(), s.tr.Bearer())
	}
	l := s.tr.Limits()
	if l.UplinkMax <= 0 || l.DownlinkMax <= 0 || l.PerMessage < 0 {
		t.Errorf("limits %+v, want sizes above zero", l)
	}
	s.stop(t, s.start(t))
	if after := s.tr.Limits(); after != l {
		t.Errorf("limits were %+v and are %+v, want constants", l, after)
	}
}

func testDelivers(t *testing.T, s *suite) {
	s.start(t)
	longest := string(bytes.Repeat([]byte{0x81, 0x00, 0xFF}, s.tr.Limits().UplinkMax/3+1)[:s.tr.Limits().UplinkMax])
	for device, payload := range []string{"a", "\x00\x1a\x1b\r\n\xff>", longest} {
		id := s.inject(t, device, payload)
		u := s.arrives(t, payload, 1)
		s.confirmed(t, id, "a stored payload")
		if u.Transport != s.tr.Name() || u.From != s.Address(device) || u.Content != transports.ContentData || !u.Part.Whole() {
			t.Errorf("uplink %+v, want transport %q, from %v, whole data", u, s.tr.Name(), s.Address(device))
		}
		if u.ReceivedAt.IsZero() {
			t.Error("ReceivedAt is zero")
		}
		if (u.Window.ID != 0) != s.caps.Windows {
			t.Errorf("window %+v, want one: %t", u.Window, s.caps.Windows)
		}
	}
}

// "Nothing is confirmed to a network before it is synced."
func testConfirmsAfterSink(t *testing.T, s *suite) {
	release := make(chan struct{})
	s.sink.Judge = func(context.Context, transports.Uplink) (transports.Settlement, error) {
		<-release
		return transports.Stored, nil
	}
	s.start(t)
	id := s.inject(t, 0, "held")
	if _, ok := s.sink.Await(s.ctx, []byte("held"), 1); !ok {
		close(release)
		t.Fatal("the sink was not given the payload")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	early := s.Confirmed(ctx, id)
	close(release)
	if early {
		t.Fatal("the network was told before the sink returned")
	}
	s.confirmed(t, id, "a stored payload")
}

func testSettlements(t *testing.T, s *suite) {
	verdicts := []transports.Settlement{transports.Unsettled, transports.Stored, transports.Duplicate, transports.Quarantined, transports.Rejected}
	s.sink.Judge = func(_ context.Context, u transports.Uplink) (transports.Settlement, error) {
		for _, v := range verdicts {
			if string(u.Payload) == v.String() {
				return v, nil
			}
		}
		return transports.Stored, nil
	}
	if s.caps.InOrder { // the first one last
		verdicts = append(verdicts[1:], verdicts[0])
	}
	r := s.start(t)
	ids := make(map[transports.Settlement]string, len(verdicts))
	for i, v := range verdicts {
		ids[v] = s.inject(t, i%Devices, v.String())
		s.arrives(t, v.String(), 1)
	}
	for _, v := range verdicts {
		switch v {
		case transports.Stored, transports.Duplicate, transports.Quarantined:
			s.confirmed(t, ids[v], v.String())
		case transports.Rejected:
			if s.caps.ConfirmsRejected {
				s.confirmed(t, ids[v], v.String())
			}
		case transports.Unsettled:
		}
	}
	s.stop(t, r) // what the driver was about to say, it has said
	s.unconfirmed(t, ids[transports.Unsettled], "an unsettled payload")
	if !s.caps.ConfirmsRejected {
		s.unconfirmed(t, ids[transports.Rejected], "a rejected payload")
	}
}

// "On an error nothing of the call may be confirmed to the network, so that the network delivers it again."
func testSinkError(t *testing.T, s *suite) {
	var failing atomic.Bool
	failing.Store(true)
	s.sink.Judge = func(context.Context, transports.Uplink) (transports.Settlement, error) {
		if failing.Load() {
			return transports.Unsettled, ErrSink
		}
		return transports.Stored, nil
	}
	r := s.start(t)
	id := s.inject(t, 0, "again")
	s.arrives(t, "again", 1)
	r.cancel()
	_ = s.ended(t, r) // a driver may give up its line over a sink that fails
	s.unconfirmed(t, id, "a payload whose sink failed")
	if !s.caps.Redelivers {
		return
	}
	failing.Store(false)
	seen := len(s.sink.Received())
	s.start(t)
	s.Redeliver(t, id)
	s.arrives(t, "again", seen+1)
	s.confirmed(t, id, "a payload delivered again")
}

func testStopsIdle(t *testing.T, s *suite) {
	r := s.start(t)
	s.confirmed(t, s.inject(t, 0, "up"), "a stored payload") // it is receiving
	s.stop(t, r)
}

// "Run receives until ctx is done, finishes the payload in hand and returns nil."
func testFinishesInHand(t *testing.T, s *suite) {
	release := make(chan struct{})
	var gone atomic.Bool
	s.sink.Judge = func(ctx context.Context, _ transports.Uplink) (transports.Settlement, error) {
		<-release
		gone.Store(ctx.Err() != nil)
		return transports.Stored, nil
	}
	r := s.start(t)
	id := s.inject(t, 0, "in hand")
	_, ok := s.sink.Await(s.ctx, []byte("in hand"), 1)
	r.cancel()
	close(release)
	if !ok {
		t.Fatal("the sink was not given the payload")
	}
	s.stop(t, r)
	if gone.Load() {
		t.Error("the sink's context was done while the payload in hand was being stored")
	}
	s.confirmed(t, id, "the payload in hand")
}

func testRunsAgain(t *testing.T, s *suite) {
	for i := range 3 {
		r := s.start(t)
		payload := fmt.Sprintf("run %d", i)
		id := s.inject(t, 0, payload)
		s.arrives(t, payload, 1)
		s.confirmed(t, id, "a stored payload")
		s.stop(t, r)
	}
}

// "Payloads belong to the caller and are valid until return": more traffic must not change what a sink is looking at.
func testPayloadStable(t *testing.T, s *suite) {
	release := make(chan struct{})
	s.sink.Judge = func(context.Context, transports.Uplink) (transports.Settlement, error) {
		<-release
		return transports.Stored, nil
	}
	s.start(t)
	ids := []string{s.inject(t, 0, "first")}
	_, ok := s.sink.Await(s.ctx, []byte("first"), 1)
	for i := range 20 {
		ids = append(ids, s.inject(t, i%Devices, fmt.Sprintf("later %d", i)))
	}
	close(release)
	if !ok {
		t.Fatal("the sink was not given the payload")
	}
	for _, id := range ids {
		s.confirmed(t, id, "a stored payload")
	}
	if n := s.sink.Mutated(); n != 0 {
		t.Errorf("%d payloads changed while the sink had them", n)
	}
}

func testConcurrent(t *testing.T, s *suite) {
	const each = 10
	s.start(t)
	s.confirmed(t, s.inject(t, 0, "up"), "a stored payload") // it is running, so it sends too
	var wg sync.WaitGroup
	for device := range Devices {
		wg.Go(func() {
			for i := range each {
				payload := fmt.Sprintf("device %d payload %d", device, i)
				id := s.inject(t, device, payload)
				if !s.Confirmed(s.ctx, id) {
					t.Errorf("%q was not confirmed", payload)
					return
				}
			}
		})
	}
	if sender, ok := s.Harness.(Sender); ok {
		wg.Go(func() {
			for i := range 3 {
				d := transports.Downlink{To: sender.Target(), Payload: fmt.Appendf(nil, "down %d", i)}
				if _, err := s.tr.Send(s.ctx, d); err != nil {
					t.Errorf("Send under traffic: %v", err)
				}
			}
		})
	}
	wg.Wait()
	for device := range Devices {
		for i := range each {
			u := s.arrives(t, fmt.Sprintf("device %d payload %d", device, i), 1)
			if u.From != s.Address(device) {
				t.Errorf("%q came from %v, want %v", u.Payload, u.From, s.Address(device))
			}
		}
	}
}
