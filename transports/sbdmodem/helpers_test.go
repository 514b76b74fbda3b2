package sbdmodem_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/sbdterm"
	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/sbdmodem"
	"github.com/godwit-gateway/godwit/transports/transporttest"
	"github.com/godwit-gateway/godwit/transports/tty"
)

func TestMain(m *testing.M) { os.Exit(transporttest.Main(m)) }

const peer = "300234010753371"

// site is a simulated transceiver on a pseudo-terminal, what its network saw, and what the driver wrote.
type site struct {
	t     *testing.T
	ctx   context.Context // of all that the test waits for
	modem *sbdterm.Modem
	state string // file of the driver's journal
	sink  *transporttest.Sink

	mu      transporttest.Monitor
	took    []sbdterm.MO               // by the network, in order; guarded by mu
	settled map[uint64]sbdterm.Outcome // by id; guarded by mu
	nextID  uint64                     // guarded by mu
	wrote   []byte                     // by drivers; guarded by mu
}

// newSite starts a transceiver.
func newSite(t *testing.T, change ...func(*sbdterm.Options)) *site {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	dir := t.TempDir()
	s := &site{
		t: t, ctx: ctx, state: filepath.Join(dir, "links", "sbd0.mark"), sink: &transporttest.Sink{},
		settled: map[uint64]sbdterm.Outcome{},
	}
	o := sbdterm.Options{
		Path: filepath.Join(dir, "sbd0"), Seed: 1, MOMSN: 7, Session: sbdterm.Span{Most: time.Millisecond}, Ring: time.Millisecond,
		Register: time.Millisecond, Off: 20 * time.Millisecond,
	}
	for _, c := range change {
		c(&o)
	}
	o.OnMO = func(m sbdterm.MO) { s.mu.Change(func() { s.took = append(s.took, m) }) }
	o.OnSettled = func(m sbdterm.MT, as sbdterm.Outcome) { s.mu.Change(func() { s.settled[m.ID] = as }) }
	var err error
	if s.modem, err = sbdterm.New(o); err != nil {
		cancel()
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	done := make(chan struct{})
	playing, stop := context.WithCancel(context.Background())
	go func() {
		defer close(done)
		if err := s.modem.Run(playing); err != nil {
			t.Errorf("modem: %v", err)
		}
	}()
	t.Cleanup(func() {
		stop()
		<-done
		cancel()
	})
	return s
}

// until waits for what nobody tells of.
func (s *site) until(what string, done func() bool) {
	s.t.Helper()
	if !transporttest.Poll(s.ctx, done) {
		s.t.Fatalf("did not happen: %s\nmodem: %+v\nwritten: %q", what, s.modem.Stats(), s.written())
	}
}

// put has somebody send to the transceiver and returns the message's id.
func (s *site) put(payload string) uint64 {
	s.t.Helper()
	s.mu.Lock()
	s.nextID++
	id := s.nextID
	s.mu.Unlock()
	if err := s.modem.Deliver(s.ctx, sbdterm.MT{ID: id, Payload: []byte(payload)}); err != nil {
		s.t.Fatal(err)
	}
	return id
}

// cleared waits until the transceiver gave a message's place back, after it was read.
func (s *site) cleared(id uint64) {
	s.t.Helper()
	ok := s.mu.Await(s.ctx, func() bool { _, ok := s.settled[id]; return ok })
	s.mu.Lock()
	defer s.mu.Unlock()
	if !ok || s.settled[id] != sbdterm.Cleared {
		s.t.Fatalf("message %d: %v (%t), want cleared", id, s.settled[id], ok)
	}
}

// taken are the messages that the network took.
func (s *site) taken() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]string, len(s.took))
	for i := range s.took {
		out[i] = string(s.took[i].Payload)
	}
	return out
}

func (s *site) written() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.wrote)
}

// tap notes what a driver writes.
type tap struct {
	*tty.Port
	s *site
}

func (p tap) Write(b []byte) (int, error) {
	p.s.mu.Lock()
	p.s.wrote = append(p.s.wrote, b...)
	p.s.mu.Unlock()
	return p.Port.Write(b)
}

func (s *site) open(context.Context) (io.ReadWriteCloser, error) {
	port, err := tty.Open(s.modem.Path(), sbdmodem.BaudDefault)
	if err != nil {
		return nil, err
	}
	return tap{port, s}, nil
}

// driver makes a driver in haste.
func (s *site) driver(change ...func(*sbdmodem.Config)) *sbdmodem.Transport {
	s.t.Helper()
	cfg := sbdmodem.Config{Open: s.open, State: s.state}
	for _, c := range change {
		c(&cfg)
	}
	tr, err := sbdmodem.New("sbd0", cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		s.t.Fatal(err)
	}
	tr.Hasten()
	return tr
}

// running is a Run under way.
type running struct {
	s      *site
	cancel context.CancelFunc
	done   chan struct{}
	err    error
}

// start runs a driver until the test ends, and waits until it is set up.
func (s *site) start(tr *sbdmodem.Transport) *running {
	s.t.Helper()
	r := s.launch(tr)
	s.until("the driver is up", func() bool { return tr.Up() })
	return r
}

// launch runs a driver until the test ends.
func (s *site) launch(tr *sbdmodem.Transport) *running {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{s: s, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.err = tr.Run(ctx, s.sink)
	}()
	s.t.Cleanup(func() {
		cancel()
		<-r.done
	})
	return r
}

// ended waits for Run to return.
func (r *running) ended() error {
	r.s.t.Helper()
	select {
	case <-r.done:
		return r.err
	case <-r.s.ctx.Done():
		r.s.t.Fatal("Run has not returned")
		return nil
	}
}

// stop ends Run, which has to return nil.
func (r *running) stop() {
	r.s.t.Helper()
	r.cancel()
	if err := r.ended(); err != nil {
		r.s.t.Fatalf("Run returned %v", err)
	}
}

func downlink(ref uint64, payload string) transports.Downlink {
	return transports.Downlink{To: transports.Address{Bearer: transports.SBD, ID: peer}, Ref: ref, Payload: []byte(payload)}
}

// send sends, and wants a receipt.
func (s *site) send(tr *sbdmodem.Transport, ref uint64, payload string) {
	s.t.Helper()
	receipt, err := tr.Send(s.ctx, downlink(ref, payload))
	if err != nil || receipt.Parts != 1 || receipt.At.IsZero() {
		s.t.Fatalf("Send: %+v, %v; modem %+v", receipt, err, s.modem.Stats())
	}
}

// fails wants an error of an outcome, and returns it.
func fails(t *testing.T, err error, want transports.Outcome) *transports.SendError {
	t.Helper()
	var failed *transports.SendError
	if !errors.As(err, &failed) || failed.Outcome != want {
		t.Fatalf("Send: %v, want the outcome %q", err, want)
	}
	return failed
}

// wantTaken wants the network to have exactly these messages.
func (s *site) wantTaken(want ...string) {
	s.t.Helper()
	s.mu.Await(s.ctx, func() bool { return len(s.took) >= len(want) })
	got := s.taken()
	if len(got) != len(want) {
		s.t.Fatalf("the network took %q, want %q", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			s.t.Fatalf("the network took %q, want %q", got, want)
		}
	}
}
