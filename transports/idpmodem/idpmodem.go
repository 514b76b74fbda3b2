package idpmodem

import (
	"fmt"
	"log/slog"
	"sync"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/isatdata"
	"github.com/godwit-gateway/godwit/transports/serial"
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

	running serial.Running[session]

	mu    sync.Mutex
	state state // guarded by mu
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

// end is the end of a Run.
func (t *Transport) end() {
	t.know(func(st *state) { st.network, st.signal = 0, 0 })
	t.running.End()
}

// know changes what is known of the terminal.
func (t *Transport) know(change func(*state)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(&t.state)
}

// Up implements transports.Line.
func (t *Transport) Up() bool { return t.running.Up() }
