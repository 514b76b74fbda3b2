package transporttest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/transports"
)

// patience is how long the suite waits for what must happen.
const patience = 10 * time.Second

// Run checks a driver. open returns a fresh driver with a network of its own at each call.
func Run(t *testing.T, caps Capabilities, open func(t *testing.T) Harness) {
	t.Helper()
	for _, c := range []struct {
		name string
		run  func(t *testing.T, s *suite)
	}{
		{"Identity", testIdentity},
		{"Delivers", testDelivers},
		{"ConfirmsAfterSink", testConfirmsAfterSink},
		{"Settlements", testSettlements},
		{"SinkError", testSinkError},
		{"StopsIdle", testStopsIdle},
		{"FinishesInHand", testFinishesInHand},
		{"RunsAgain", testRunsAgain},
		{"PayloadStable", testPayloadStable},
		{"Concurrent", testConcurrent},
		{"SendRefusals", testSendRefusals},
		{"Send", testSend},
		{"SendOutcomes", testSendOutcomes},
		{"Windows", testWindows},
		{"Replies", testReplies},
		{"Reports", testReports},
		{"LineLost", testLineLost},
	} {
		t.Run(c.name, func(t *testing.T) {
			NoLeak(t)
			c.run(t, newSuite(t, caps, open(t)))
		})
	}
}

// A suite is one test of a driver.
type suite struct {
	Harness

	caps Capabilities
	sink *Sink
	tr   transports.Transport
	ctx  context.Context //nolint:containedctx // the deadline of everything that this one test waits for
}

func newSuite(t *testing.T, caps Capabilities, h Harness) *suite {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return &suite{Harness: h, caps: caps, sink: &Sink{}, tr: h.Transport(), ctx: ctx}
}

// A running is a call of Run under way.
type running struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when Run has returned
	err    error         // of Run; valid once done is closed
}

// start runs the driver, and stops it at the end of the test if the test did not.
func (s *suite) start(t *testing.T) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.err = s.tr.Run(ctx, s.sink)
	}()
	t.Cleanup(func() {
		cancel()
		<-r.done
	})
	return r
}

// stop ends Run and expects it to return nil within the grace period.
func (s *suite) stop(t *testing.T, r *running) {
	t.Helper()
	r.cancel()
	if err := s.ended(t, r); err != nil {
		t.Fatalf("Run returned %v after its context was done, want nil", err)
	}
}

// ended waits for Run to return.
func (s *suite) ended(t *testing.T, r *running) error {
	t.Helper()
	timer := time.NewTimer(s.caps.grace())
	defer timer.Stop()
	select {
	case <-r.done:
		return r.err
	case <-timer.C:
		t.Fatalf("Run has not returned within %v", s.caps.grace())
		return nil
	}
}

// inject has device 0 send a payload and overwrites the buffer that it passed.
func (s *suite) inject(t *testing.T, device int, payload string) string {
	t.Helper()
	b := []byte(payload)
	id := s.Inject(t, device, b)
	scribble(b)
	return id
}

// arrives waits until the sink was given a payload n times.
func (s *suite) arrives(t *testing.T, payload string, n int) transports.Uplink {
	t.Helper()
	u, ok := s.sink.Await(s.ctx, []byte(payload), n)
	if !ok {
		t.Fatalf("the sink was not given %q %d times; it has %s", payload, n, summary(s.sink.Received()))
	}
	return u
}

// confirmed waits until the network was told that a unit is received.
func (s *suite) confirmed(t *testing.T, id, what string) {
	t.Helper()
	if !s.Confirmed(s.ctx, id) {
		t.Fatalf("the network was not told that %s is received", what)
	}
}

// unconfirmed looks whether the network was told that a unit is received.
func (s *suite) unconfirmed(t *testing.T, id, what string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s.Confirmed(ctx, id) {
		t.Fatalf("the network was told that %s is received", what)
	}
}

// summary lists payloads for a failure.
func summary(us []transports.Uplink) string {
	if len(us) == 0 {
		return "nothing"
	}
	text := ""
	for i := range us {
		text += fmt.Sprintf("%.40q ", us[i].Payload)
	}
	return text
}

// scribble overwrites a buffer that its taker must not look at any more.
func scribble(b []byte) {
	for i := range b {
		b[i] = 0xA5
	}
}
