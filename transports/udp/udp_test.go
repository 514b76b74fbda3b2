package udp_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/transporttest"
	"github.com/godwit-gateway/godwit/transports/udp"
)

// sinkFunc settles uplinks by a function.
type sinkFunc func(us []transports.Uplink, out []transports.Verdict) error

func (f sinkFunc) Uplinks(_ context.Context, us []transports.Uplink, out []transports.Verdict) error {
	return f(us, out)
}

func (sinkFunc) Report(context.Context, transports.Report) error { return nil }

// run runs a transport until the returned function is called, which returns Run's error; the end of the test calls it too.
func run(t testing.TB, tr *udp.Transport, sink transports.Sink) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	var err error
	go func() {
		defer close(done)
		err = tr.Run(ctx, sink)
	}()
	stop = func() error {
		cancel()
		<-done
		return err
	}
	t.Cleanup(func() { _ = stop() })
	return stop
}

// deadline returns a context for what must happen.
func deadline(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestConfig(t *testing.T) {
	for _, c := range []struct {
		name string
		cfg  udp.Config
		want []string // in the error; none: valid
	}{
		{"zeros are defaults", udp.Config{Listen: ":5688"}, nil},
		{"IPv6", udp.Config{Listen: "[2001:db8::1]:5688"}, nil},
		{"no listen", udp.Config{}, []string{"listen"}},
		{"host name", udp.Config{Listen: "localhost:5688"}, []string{"listen"}},
		{"no port", udp.Config{Listen: "127.0.0.1"}, []string{"listen"}},
		{"port too high", udp.Config{Listen: ":65536"}, []string{"listen"}},
		{
			"all at once",
			udp.Config{Listen: "x", ReceiveBuffer: 1, Windows: -1, Failures: udp.Failures{Rate: -1, Burst: -1, Total: -1, Remember: 1, Sources: 1}},
			[]string{"listen", "receive_buffer", "windows", "failures.rate", "failures.burst", "failures.total", "failures.remember", "failures.sources"},
		},
	} {
		err := c.cfg.Validate()
		if (err == nil) != (c.want == nil) {
			t.Errorf("%s: Validate returned %v", c.name, err)
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: Validate returned %q, which does not name %s", c.name, err, w)
			}
		}
		if _, newErr := udp.New("ip", c.cfg, slog.New(slog.DiscardHandler)); (newErr == nil) != (err == nil) {
			t.Errorf("%s: New returned %v", c.name, newErr)
		}
	}
}

func TestPortIsKeptAndTaken(t *testing.T) {
	tr := newTransport(t, udp.Config{Listen: "127.0.0.1:0"})
	addr := tr.Addr()
	if addr.Port() == 0 {
		t.Fatal("port 0 after Listen")
	}
	other, err := udp.New("other", udp.Config{Listen: addr.String()}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Run(t.Context(), &transporttest.Sink{}); err == nil {
		t.Error("two transports run on one port")
	}
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	if err := tr.Listen(); err != nil || tr.Addr() != addr {
		t.Errorf("opened again at %v (%v), want %v", tr.Addr(), err, addr)
	}
}

// What is dropped is counted under its reason, and the rest passes.
func TestDropsAndCounts(t *testing.T) {
	tr := newTransport(t, udp.Config{Listen: "127.0.0.1:0"})
	sink := &transporttest.Sink{Judge: func(_ context.Context, u transports.Uplink) (transports.Settlement, error) {
		switch string(u.Payload) {
		case "rejected":
			return transports.Rejected, nil
		case "duplicate":
			return transports.Duplicate, nil
		case "error":
			return transports.Unsettled, transporttest.ErrSink
		}
		return transports.Stored, nil
	}}
	stop := run(t, tr, sink)
	d := newDevice(t, "127.0.0.1:0")
	size := 0
	send := func(payload string) {
		t.Helper()
		size += len(payload)
		if _, err := d.conn.WriteToUDPAddrPort([]byte(payload), tr.Addr()); err != nil {
			t.Fatal(err)
		}
	}
	ctx := deadline(t)
	for _, p := range []string{"error", "rejected", "duplicate", strings.Repeat("x", udp.UplinkMax)} { // one by one, for "error" takes its batch along
		send(p)
		if _, ok := sink.Await(ctx, []byte(p), 1); !ok {
			t.Fatalf("%.10q did not arrive", p)
		}
	}
	send("")
	send(strings.Repeat("x", udp.UplinkMax+1))
	send(strings.Repeat("x", 9000))
	send("last")
	if _, ok := sink.Await(ctx, []byte("last"), 1); !ok {
		t.Fatal("nothing arrived behind what is too large")
	}
	if !d.await(ctx, func() bool { return len(d.got) == 3 }) {
		t.Fatalf("the device got %q, want three replies", d.got)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	got := tr.Stats()
	want := udp.Stats{
		Received: 8, ReceivedBytes: uint64(size - (9000 - udp.UplinkMax - 1)),
		Empty: 1, TooLarge: 2, Unconfirmed: 1, Stored: 2, Duplicate: 1, Rejected: 1,
		Sent: 3, SentBytes: 6, Withheld: 1,
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(udp.Stats{}, "SocketBuffer")); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
	if got.SocketBuffer < 64<<10 {
		t.Errorf("socket buffer of %d bytes", got.SocketBuffer)
	}
}

// A reply is at most eight bytes longer than the request, and nothing goes to who did not verify.
func TestReplyBounds(t *testing.T) {
	tr := newTransport(t, udp.Config{Listen: "127.0.0.1:0"})
	run(t, tr, sinkFunc(func(us []transports.Uplink, out []transports.Verdict) error {
		for i, u := range us { // "<settlement> <extra bytes of reply>"
			out[i].Settlement = transports.Settlement(u.Payload[0] - '0')
			out[i].Reply = append(out[i].Reply[:0], bytes.Repeat([]byte{u.Payload[0]}, len(u.Payload)+int(u.Payload[1]-'0'))...)
		}
		return nil
	}))
	d := newDevice(t, "127.0.0.1:0")
	for _, p := range []string{"19", "09", "00", "40", "48", "18", "28", "29", "38", "39", "88"} { // 88: no such settlement
		if _, err := d.conn.WriteToUDPAddrPort([]byte(p), tr.Addr()); err != nil {
			t.Fatal(err)
		}
	}
	if !d.await(deadline(t), func() bool { return len(d.got) == 3 && tr.Stats().Received == 11 && tr.Stats().Withheld == 8 }) {
		t.Fatalf("got %q, stats %+v; want three replies, eight withheld", d.got, tr.Stats())
	}
	got := map[string]bool{}
	for _, g := range d.got {
		got[g] = true
	}
	want := map[string]bool{strings.Repeat("1", 10): true, strings.Repeat("2", 10): true, strings.Repeat("3", 10): true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("replies (-want +got):\n%s", diff)
	}
}

func wantOutcome(t *testing.T, err error, outcome transports.Outcome, cause error) {
	t.Helper()
	var failed *transports.SendError
	if !errors.As(err, &failed) || failed.Outcome != outcome || (cause != nil && !errors.Is(err, cause)) {
		t.Errorf("Send: %v, want %q with cause %v", err, outcome, cause)
	}
}

// What may be sent in a window depends on the verdict on its uplink, and ends with its time.
func TestWindowLife(t *testing.T) {
	tr := newTransport(t, udp.Config{Listen: "127.0.0.1:0"})
	var skew atomic.Int64
	start := time.Now()
	tr.SetClock(func() time.Time { return start.Add(time.Duration(skew.Load())) })
	early := make(chan error, 1)
	run(t, tr, sinkFunc(func(us []transports.Uplink, out []transports.Verdict) error {
		for i, u := range us {
			if u.Payload[0] == '1' {
				_, err := tr.Send(context.Background(), transports.Downlink{Window: u.Window, Payload: []byte("early")})
				early <- err
			}
			out[i].Settlement = transports.Settlement(u.Payload[0] - '0')
			var id [8]byte
			for j := range id {
				id[j] = byte(u.Window.ID >> (8 * j))
			}
			out[i].Reply = append(out[i].Reply[:0], id[:]...)
			if !u.Window.Until.Equal(u.ReceivedAt.Add(udp.WindowTime)) {
				t.Errorf("window until %v, want 30 s from %v", u.Window.Until, u.ReceivedAt)
			}
		}
		return nil
	}))
	d := newDevice(t, "127.0.0.1:0")
	ctx := deadline(t)
	window := func(payload string) (w transports.Window) {
		t.Helper()
		d.mu.Lock()
		have := len(d.got)
		d.mu.Unlock()
		if _, err := d.conn.WriteToUDPAddrPort([]byte(payload), tr.Addr()); err != nil {
			t.Fatal(err)
		}
		if !d.await(ctx, func() bool { return len(d.got) > have }) {
			t.Fatalf("no reply to %q", payload)
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		for j := range 8 {
			w.ID |= uint64(d.got[have][j]) << (8 * j)
		}
		return w
	}
	send := func(w transports.Window, n int) error {
		_, err := tr.Send(ctx, transports.Downlink{Window: w, Payload: make([]byte, n)})
		return err
	}
	stored, duplicate := window("1"), window("2xxx")
	err := <-early
	if wantOutcome(t, err, transports.NotSent, nil); !transports.Unasked(err) {
		t.Errorf("Send: %v, as if the device had said something", err)
	}
	if err := send(stored, 1000); err != nil {
		t.Errorf("Send after a new payload: %v", err)
	}
	wantOutcome(t, send(stored, 233), transports.Refused, transports.ErrTooLarge)
	wantOutcome(t, send(duplicate, 5), transports.Refused, transports.ErrTooLarge) // 4 + 8 less the 8 of the reply
	if err := send(duplicate, 4); err != nil {
		t.Errorf("Send after a duplicate: %v", err)
	}
	wantOutcome(t, send(duplicate, 1), transports.Refused, nil)
	skew.Store(int64(udp.WindowTime))
	if err := send(stored, 1); err != nil {
		t.Errorf("Send at the end of the window: %v", err)
	}
	skew.Add(1)
	wantOutcome(t, send(stored, 1), transports.Refused, transports.ErrExpired)
}

// Who sends in answer to an uplink that is on disk may be quicker than the reader that is told so.
func TestSendAwaitsTheVerdict(t *testing.T) {
	tr := newTransport(t, udp.Config{Listen: "127.0.0.1:0"})
	ctx := deadline(t)
	sent := make(chan error, 1)
	var sender sync.WaitGroup
	t.Cleanup(sender.Wait)
	run(t, tr, sinkFunc(func(us []transports.Uplink, out []transports.Verdict) error {
		sender.Go(func() {
			_, err := tr.Send(ctx, transports.Downlink{Window: us[0].Window, Payload: []byte("an answer")})
			sent <- err
		})
		for !tr.AwaitsVerdict() && ctx.Err() == nil {
			runtime.Gosched()
		}
		out[0].Settlement = transports.Stored
		return nil
	}))
	d := newDevice(t, "127.0.0.1:0")
	if _, err := d.conn.WriteToUDPAddrPort([]byte("a status"), tr.Addr()); err != nil {
		t.Fatal(err)
	}
	if err := <-sent; err != nil {
		t.Errorf("Send in a window whose uplink was settled a moment later: %v", err)
	}
	if !d.await(ctx, func() bool { return len(d.got) == 1 }) {
		t.Error("the device got no answer")
	}
}

// A flood of forgeries is dropped before the sink, and those who verified before are heard throughout, although they share the prefix.
func TestFloodIsDroppedBeforeTheSink(t *testing.T) {
	const flood = 5000
	tr := newTransport(t, udp.Config{Listen: "127.0.0.1:0"})
	var forged atomic.Int64
	run(t, tr, sinkFunc(func(us []transports.Uplink, out []transports.Verdict) error {
		for i, u := range us {
			if string(u.Payload) == "forged" {
				forged.Add(1)
				out[i].Settlement = transports.Rejected
				continue
			}
			out[i].Settlement, out[i].Reply = transports.Stored, append(out[i].Reply[:0], "ok"...)
		}
		return nil
	}))
	ctx := deadline(t)
	good, bad := newDevice(t, "127.0.0.1:0"), newDevice(t, "127.0.0.2:0")
	replies := 0
	ask := func() {
		t.Helper()
		replies++
		if _, err := good.conn.WriteToUDPAddrPort([]byte("good"), tr.Addr()); err != nil {
			t.Fatal(err)
		}
		if !good.await(ctx, func() bool { return len(good.got) >= replies }) {
			t.Fatalf("no reply to the good device; stats %+v", tr.Stats())
		}
	}
	ask()
	for i := range flood {
		if _, err := bad.conn.WriteToUDPAddrPort([]byte("forged"), tr.Addr()); err != nil {
			t.Fatal(err)
		}
		if i%100 == 99 {
			ask()
		}
	}
	ask()
	var s udp.Stats
	if !good.await(ctx, func() bool { // the last that were read may still be on their way through another reader
		s = tr.Stats()
		return s.LimitedPrefix+s.Rejected+s.SocketDrops == flood
	}) {
		t.Errorf("stats %+v do not account for %d forgeries", s, flood)
	}
	// 100 of the burst, 20 a second of a slow test, and what was with the sink as the bucket ran dry
	if n := forged.Load(); n < 100 || n > 100+20*10+8*64 {
		t.Errorf("%d forgeries reached the sink, want little more than the burst of 100", n)
	}
	if len(bad.got) != 0 {
		t.Errorf("the forger got %d answers", len(bad.got))
	}
}

// Beyond the grace period the sink is told to give up, and Run returns.
func TestGraceEnds(t *testing.T) {
	if testing.Short() {
		t.Skip("takes the grace period")
	}
	tr := newTransport(t, udp.Config{Listen: "127.0.0.1:0"})
	inside := make(chan struct{})
	stop := run(t, tr, waitingSink{inside})
	d := newDevice(t, "127.0.0.1:0")
	if _, err := d.conn.WriteToUDPAddrPort([]byte("x"), tr.Addr()); err != nil {
		t.Fatal(err)
	}
	<-inside
	began := time.Now()
	if err := stop(); err != nil {
		t.Errorf("Run returned %v", err)
	}
	if took := time.Since(began); took < udp.Grace || took > udp.Grace+5*time.Second {
		t.Errorf("Run took %v to return, want %v", took, udp.Grace)
	}
	if s := tr.Stats(); s.Unconfirmed != 1 {
		t.Errorf("%d unconfirmed, want 1", s.Unconfirmed)
	}
}

// waitingSink settles nothing and returns when its context is done.
type waitingSink struct{ inside chan struct{} }

func (s waitingSink) Uplinks(ctx context.Context, _ []transports.Uplink, _ []transports.Verdict) error {
	close(s.inside)
	<-ctx.Done()
	return ctx.Err()
}

func (waitingSink) Report(context.Context, transports.Report) error { return nil }
