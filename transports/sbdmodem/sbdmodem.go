package sbdmodem

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/serial"
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
	check   check

	running serial.Running[runner]

	mu       sync.Mutex
	modem    identity // guarded by mu
	signal   int      // bars, -1 unknown; guarded by mu
	attached bool     // registered with the network, as far as is known; guarded by mu
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
func (t *Transport) Up() bool { return t.running.Up() }

// end is the end of a Run.
func (t *Transport) end() {
	t.mu.Lock()
	t.attached, t.signal = false, -1
	t.mu.Unlock()
	t.running.End()
}
