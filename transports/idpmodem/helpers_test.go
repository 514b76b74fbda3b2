package idpmodem_test

import (
	"context"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/idpterm"
	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/idpmodem"
	"github.com/godwit-gateway/godwit/transports/transporttest"
)

func TestMain(m *testing.M) { os.Exit(transporttest.Main(m)) }

const (
	peer     = "01234567SKYABCD"
	mobileID = "00000000SKY0000"
)

// longAnswer is the time that a terminal has for an answer where none is missing, shortAnswer where some are.
const (
	longAnswer  = 8 * time.Second
	shortAnswer = 400 * time.Millisecond
)

func address() transports.Address {
	return transports.Address{Bearer: transports.IDP, ID: peer}
}

// message is a payload with the SIN and MIN of frames.
func message(payload string) []byte { return append([]byte{128, 1}, payload...) }

// A site is a terminal with a driver.
type site struct {
	ctx      context.Context // of what the test waits for
	terminal *idpterm.Terminal
	tr       *idpmodem.Transport
	sink     *transporttest.Sink

	mu    transporttest.Monitor
	ended map[uint64]bool  // forward messages by id; guarded by mu
	next  uint64           // id; guarded by mu
	out   []idpterm.Return // guarded by mu
}

// options are what differs between sites.
type options struct {
	terminal idpterm.Options
	driver   idpmodem.Config
	answer   time.Duration
}

func newSite(t *testing.T, o options) *site {
	t.Helper()
	within, giveUp := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(giveUp)
	s := &site{ctx: within, sink: &transporttest.Sink{}, ended: map[uint64]bool{}}
	o.terminal.Path = t.TempDir() + "/idp"
	o.terminal.OnReturn = func(r idpterm.Return) { s.mu.Change(func() { s.out = append(s.out, r) }) }
	o.terminal.OnSettled = func(f idpterm.Forward, _ idpterm.Outcome) { s.mu.Change(func() { s.ended[f.ID] = true }) }
	var err error
	if s.terminal, err = idpterm.New(o.terminal); err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	s.tr = newTransport(t, o, o.terminal.Path)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.terminal.Run(ctx); err != nil {
			t.Errorf("terminal: %v", err)
		}
	})
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	return s
}

// newTransport is a driver in haste, as a fresh process has it.
func newTransport(t *testing.T, o options, path string) *idpmodem.Transport {
	t.Helper()
	cfg := o.driver
	cfg.Device, cfg.Baud = path, 921600 // which nothing here is slower for
	if cfg.Peer == "" {
		cfg.Peer = peer
	}
	tr, err := idpmodem.New("idp0", cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if o.answer == 0 {
		o.answer = longAnswer
	}
	tr.Hasten(o.answer)
	return tr
}

// deliver gives the network a message for the terminal.
func (s *site) deliver(tb testing.TB, b []byte) (id uint64) {
	tb.Helper()
	s.mu.Lock()
	s.next++
	id = s.next
	s.mu.Unlock()
	if err := s.terminal.Deliver(s.ctx, idpterm.Forward{ID: id, Message: b}); err != nil {
		tb.Errorf("deliver: %v", err)
	}
	return id
}

// read waits until a forward message was marked as read.
func (s *site) read(t *testing.T, id uint64) {
	t.Helper()
	if !s.mu.Await(s.ctx, func() bool { return s.ended[id] }) {
		t.Fatalf("message %d was not marked as read; %+v", id, s.tr.Stats())
	}
}

// leaves waits until the network has so many return messages, and returns them.
func (s *site) leaves(t *testing.T, n int) []idpterm.Return {
	t.Helper()
	if !s.mu.Await(s.ctx, func() bool { return len(s.out) >= n }) {
		t.Fatalf("the network does not have %d return messages; %+v", n, s.tr.Stats())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]idpterm.Return(nil), s.out...)
}

// until waits for a state of the driver or the terminal that nothing tells of.
func (s *site) until(t *testing.T, what string, done func() bool) {
	t.Helper()
	if !transporttest.Poll(s.ctx, done) {
		t.Fatalf("%s: not so; driver %+v, terminal %+v", what, s.tr.Stats(), s.terminal.Stats())
	}
}

// running is a Run under way.
type running struct {
	cancel context.CancelFunc
	done   chan struct{}
	err    error
}

// start runs the driver, again when its line is lost, until the test ends or stop is called.
func (s *site) start(t *testing.T) *running {
	t.Helper()
	tr := s.tr
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		for r.err = tr.Run(ctx, s.sink); ctx.Err() == nil; r.err = tr.Run(ctx, s.sink) {
			again := time.NewTimer(5 * time.Millisecond)
			select {
			case <-again.C:
			case <-ctx.Done():
			}
		}
	}()
	t.Cleanup(r.stop)
	return r
}

func (r *running) stop() {
	r.cancel()
	<-r.done
}

// up waits until the driver can send.
func (s *site) up(t *testing.T) {
	t.Helper()
	s.until(t, "the driver is up", s.tr.Up)
}

func (s *site) send(payload string) (transports.Receipt, error) {
	return s.tr.Send(s.ctx, transports.Downlink{To: address(), Payload: []byte(payload), WantReport: true})
}
