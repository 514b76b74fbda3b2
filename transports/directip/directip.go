package directip

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/gate"
	"github.com/godwit-gateway/godwit/transports/recent"
)

// A Transport is both directions of DirectIP for the modems of one account. Safe for concurrent use.
type Transport struct {
	name   string
	cfg    Config // without zeros
	allow  []netip.Prefix
	log    *slog.Logger
	now    func() time.Time
	counts counters
	socket *gate.Socket
	gate   gate.Gate
	client atomic.Uint32 // id of the last MT message
	warned atomic.Int64  // when a stranger was logged last, Unix seconds
	failed atomic.Int64  // when a message that the sink did not take was

	settled *recent.Map[messageKey, struct{}]

	memory    sync.Mutex // taken twice for a message, never while anything waits
	sequences sequences  // guarded by memory
}

// New returns a transport that does nothing yet.
func New(name string, cfg Config, log *slog.Logger) (*Transport, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("directip link %s: %w", name, err)
	}
	cfg = cfg.withDefaults()
	addr, err := transports.ParseListen(cfg.Listen, listenExample)
	if err != nil {
		return nil, fmt.Errorf("directip link %s: %w", name, err)
	}
	allow, err := parseAllow(cfg.Allow)
	if err != nil {
		return nil, fmt.Errorf("directip link %s: %w", name, err)
	}
	return &Transport{
		name: name, cfg: cfg, allow: allow, log: log, now: time.Now, socket: gate.NewSocket(addr),
		gate:      gate.Gate{Most: cfg.Connections, Each: cfg.PerSource},
		settled:   recent.New[messageKey, struct{}](repeatsMax),
		sequences: sequences{modems: recent.New[[imeiLen]byte, sequence](sequencesMax)},
	}, nil
}

// Name implements transports.Transport.
func (t *Transport) Name() string { return t.name }

// Bearer implements transports.Transport.
func (t *Transport) Bearer() transports.Bearer { return transports.SBD }

// Limits implements transports.Transport.
func (t *Transport) Limits() transports.Limits {
	return transports.Limits{UplinkMax: UplinkMax, DownlinkMax: t.cfg.MTMax}
}

// Listen opens the socket if it is not open, so that the address is known and taken before Run, which else does it.
func (t *Transport) Listen() error {
	_, err := t.listen()
	return err
}

func (t *Transport) listen() (*net.TCPListener, error) {
	listener, opened, err := t.socket.Open()
	if err != nil {
		return nil, fmt.Errorf("directip link %s: %w", t.name, err)
	}
	if opened {
		t.log.Info("directip link is open", slog.String("transport", t.name), slog.String("address", t.socket.Addr().String()), slog.Bool("confirm", t.cfg.Confirm))
	}
	return listener, nil
}

// Addr returns the socket's address, with port 0 if that is yet to be chosen.
func (t *Transport) Addr() netip.AddrPort { return t.socket.Addr() }

// Close closes a socket that Listen opened and no Run took. Run closes its own.
func (t *Transport) Close() error { return t.socket.Close() }

// Up implements transports.Line: the socket is open and connections are taken.
func (t *Transport) Up() bool { return t.socket.Up() }
