package sbdmodem

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/godwit-gateway/godwit/transports"
)

// A Transport sends and receives through one transceiver. Safe for concurrent use.
type Transport struct {
	name   string
	cfg    Config // without zeros
	log    *slog.Logger
	timing timing
	counts counters

	// Of the loop of the Run under way; they outlive it.
	pace    pace
	journal journal

	mu       sync.Mutex
	running  *runner       // the Run under way once its transceiver is set up, nil else; guarded by mu
	starting chan struct{} // of a Run whose transceiver is not set up yet, nil else; closed when that is over; guarded by mu
	modem    identity      // guarded by mu
	signal   int           // bars, -1 unknown; guarded by mu
	attached bool          // registered with the network, as far as is known; guarded by mu
}

// identity is what a transceiver says of itself.
type identity struct{ imei, firmware string }

// New returns a transport that does nothing yet.
func New(name string, cfg Config, log *slog.Logger) (*Transport, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("sbd link %s: %w", name, err)
	}
	t := &Transport{name: name, cfg: cfg.withDefaults(), log: log.With(slog.String("transport", name)), timing: timingDefault, signal: -1}
	t.journal.path = cfg.State
	seed := uint64(t.cfg.Now().UnixNano())
	t.pace.rng = rand.New(rand.NewPCG(seed, 0x73626478)) //nolint:gosec // pauses are no secret
	return t, nil
}

// Name implements transports.Transport.
func (t *Transport) Name() string { return t.name }

// Bearer implements transports.Transport.
func (t *Transport) Bearer() transports.Bearer { return transports.SBD }

// Limits implements transports.Transport.
func (t *Transport) Limits() transports.Limits {
	return transports.Limits{UplinkMax: UplinkMax, DownlinkMax: t.cfg.MOMax}
}

// Up implements transports.Line: the transceiver is set up.
func (t *Transport) Up() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.running != nil
}

// errRunning is returned by a second Run.
var errRunning = errors.New("already running")

// begin claims the transport for one Run.
func (t *Transport) begin() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.starting != nil || t.running != nil {
		return errRunning
	}
	t.starting = make(chan struct{})
	return nil
}

// open lets Send use a runner, whose transceiver is set up now.
func (t *Transport) open(r *runner) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running = r
	t.startedLocked()
}

func (t *Transport) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running, t.attached, t.signal = nil, false, -1
	t.startedLocked()
}

func (t *Transport) startedLocked() {
	if t.starting != nil {
		close(t.starting)
		t.starting = nil
	}
}

// current returns the runner to send with; nil if there is none. It waits a little for a transceiver that is being set up.
func (t *Transport) current(ctx context.Context) *runner {
	t.mu.Lock()
	r, starting := t.running, t.starting
	t.mu.Unlock()
	if r != nil || starting == nil {
		return r
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
	return t.running
}
