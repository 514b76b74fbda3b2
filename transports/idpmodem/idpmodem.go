package idpmodem

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/isatdata"
)

// A Transport receives and sends through one terminal. Safe for concurrent use.
type Transport struct {
	name    string
	log     *slog.Logger
	cfg     Config // without zeros
	dialect dialect
	header  isatdata.Header
	timing  timing
	counts  counters
	queue   queue // of the session's loop alone; outlives sessions

	mu       sync.Mutex
	session  *session      // of the running Run once its terminal is set up, nil else; guarded by mu
	starting chan struct{} // of a Run whose terminal is not set up yet, nil else; closed when that is over; guarded by mu
	state    state         // guarded by mu
}

// state is what is known of the terminal.
type state struct {
	mobileID string
	sums     bool // its line has checksums
	network  int  // see networkActive
	signal   int  // hundredths of a dB-Hz, 0 unknown
	queued   int  // return messages of ours in its queue
}

// networkActive is the state of the network in which a terminal can send.
const networkActive = 5

// New returns a transport that does nothing yet.
func New(name string, cfg Config, log *slog.Logger) (*Transport, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("idp link %s: %w", name, err)
	}
	cfg = cfg.withDefaults()
	header, err := isatdata.NewHeader(cfg.SIN, cfg.MIN)
	if err != nil {
		return nil, fmt.Errorf("idp link %s: %w", name, err)
	}
	t := &Transport{name: name, log: log, cfg: cfg, dialect: dialects[cfg.Dialect], header: header, timing: timingDefault}
	t.queue.sequence = uint64(cfg.Now().Unix()) //nolint:gosec // any number will do
	return t, nil
}

// Name implements transports.Transport.
func (t *Transport) Name() string { return t.name }

// Bearer implements transports.Transport.
func (t *Transport) Bearer() transports.Bearer { return transports.IDP }

// Limits implements transports.Transport. The gateway is the mobile here: what comes up to it are forward messages, which may be longer than the return
// messages that go down from it.
func (t *Transport) Limits() transports.Limits {
	return transports.Limits{UplinkMax: isatdata.ForwardMax - isatdata.HeaderLen, DownlinkMax: isatdata.ReturnMax - isatdata.HeaderLen}
}

// peer is who is at the other end, as far as that is known.
func (t *Transport) peer() transports.Address {
	return transports.Address{Bearer: transports.IDP, ID: t.cfg.Peer}
}

// errRunning is returned by a second Run.
var errRunning = errors.New("already running")

// begin claims the transport for one Run.
func (t *Transport) begin() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.starting != nil || t.session != nil {
		return errRunning
	}
	t.starting = make(chan struct{})
	return nil
}

// open lets Send use a session, whose terminal is set up now.
func (t *Transport) open(s *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.session = s
	t.startedLocked()
}

func (t *Transport) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.session = nil
	t.state.network, t.state.signal = 0, 0
	t.startedLocked()
}

func (t *Transport) startedLocked() {
	if t.starting != nil {
		close(t.starting)
		t.starting = nil
	}
}

// current returns the session to send with; nil if there is none. It waits a little for a terminal that is being set up.
func (t *Transport) current(ctx context.Context) *session {
	t.mu.Lock()
	s, starting := t.session, t.starting
	t.mu.Unlock()
	if s != nil || starting == nil {
		return s
	}
	timer := time.NewTimer(t.timing.start)
	defer timer.Stop()
	select {
	case <-starting:
	case <-timer.C:
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.session
}

// know changes what is known of the terminal.
func (t *Transport) know(change func(*state)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(&t.state)
}

// Up implements transports.Line.
func (t *Transport) Up() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.session != nil
}
