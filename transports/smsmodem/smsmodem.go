package smsmodem

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/serial"
)

// A Transport sends and receives SMS through one modem. Safe for concurrent use.
type Transport struct {
	cfg    Config // without zeros
	timing timing
	counts counters
	refs   atomic.Uint32 // of concatenated messages; starts somewhere else after each restart
	health ailments      // of the session's loop alone; outlives sessions

	running serial.Running[session]

	mu       sync.Mutex
	sent     sent     // guarded by mu; outlives sessions, as reports do
	partials partials // guarded by mu
	slots    []Slot   // guarded by mu
	modem    identity // guarded by mu
	badPIN   bool     // the SIM refused the PIN; guarded by mu
	signal   int      // dBm, 0 unknown; guarded by mu
	roaming  bool     // guarded by mu
	attached bool     // registered with a network; guarded by mu
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

// end is the end of a Run.
func (t *Transport) end() {
	t.mu.Lock()
	t.attached = false
	t.mu.Unlock()
	t.running.End()
}
