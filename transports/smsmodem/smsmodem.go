package smsmodem

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/godwit-gateway/godwit/transports"
)

// A Transport sends and receives SMS through one modem. Safe for concurrent use.
type Transport struct {
	cfg    Config // without zeros
	timing timing
	counts counters
	refs   atomic.Uint32 // of concatenated messages; starts somewhere else after each restart
	health ailments      // of the session's loop alone; outlives sessions

	mu       sync.Mutex
	session  *session      // of the running Run once its modem is set up, nil else; guarded by mu
	starting chan struct{} // of a Run whose modem is not set up yet, nil else; closed when that is over; guarded by mu
	sent     sent          // guarded by mu; outlives sessions, as reports do
	partials partials      // guarded by mu
	slots    []Slot        // guarded by mu
	modem    identity      // guarded by mu
	badPIN   bool          // the SIM refused the PIN; guarded by mu
	signal   int           // dBm, 0 unknown; guarded by mu
	roaming  bool          // guarded by mu
	attached bool          // registered with a network; guarded by mu
}

// New returns a transport that does nothing yet.
func New(cfg Config) (*Transport, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("sms link %s: %w", cfg.Name, err)
	}
	t := &Transport{cfg: cfg.withDefaults(), timing: timingDefault}
	t.refs.Store(uint32(t.cfg.Now().Unix())) //nolint:gosec // any number will do
	return t, nil
}

// Name implements transports.Transport.
func (t *Transport) Name() string { return t.cfg.Name }

// Bearer implements transports.Transport.
func (t *Transport) Bearer() transports.Bearer { return transports.SMS }

// Limits implements transports.Transport.
func (t *Transport) Limits() transports.Limits {
	return transports.Limits{UplinkMax: userDataMax, DownlinkMax: partsMax * partSize(t.cfg.Port), PerMessage: wholeSize(t.cfg.Port)}
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

// open lets Send use a session, whose modem is set up now.
func (t *Transport) open(s *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.session = s
	t.startedLocked()
}

func (t *Transport) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.session, t.attached = nil, false
	t.startedLocked()
}

func (t *Transport) startedLocked() {
	if t.starting != nil {
		close(t.starting)
		t.starting = nil
	}
}

// current returns the session to send with; nil if there is none. It waits a little for a modem that is being set up.
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
