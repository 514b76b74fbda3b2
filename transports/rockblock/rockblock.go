package rockblock

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/gate"
	"github.com/godwit-gateway/godwit/transports/recent"
	"github.com/godwit-gateway/godwit/transports/webservice"
)

// A Transport takes the webhooks of one account and sends to its modems. Safe for concurrent use.
type Transport struct {
	name     string
	cfg      Config // without zeros
	log      *slog.Logger
	now      func() time.Time
	verifier verifier
	client   *http.Client
	counts   counters
	socket   *gate.Socket
	gate     gate.Gate
	slots    chan struct{} // holds a token for each message that the sink has
	warned   atomic.Int64  // when a webhook that was not taken was logged last, Unix seconds
	settled  *recent.Map[messageKey, struct{}]
}

// New returns a transport that does nothing yet.
func New(name string, cfg Config, log *slog.Logger) (*Transport, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("rockblock link %s: %w", name, err)
	}
	cfg = cfg.withDefaults()
	addr, err := transports.ParseListen(cfg.Listen, listenExample)
	if err != nil {
		return nil, fmt.Errorf("rockblock link %s: %w", name, err)
	}
	key, err := parseKey(cfg.Key)
	if err != nil {
		return nil, fmt.Errorf("rockblock link %s: %w", name, err)
	}
	return &Transport{
		name: name, cfg: cfg, log: log, now: time.Now, socket: gate.NewSocket(addr), gate: gate.Gate{Most: connsMax, Each: connsMax},
		slots: make(chan struct{}, connsMax), settled: recent.New[messageKey, struct{}](repeatsMax), verifier: verifier{key: key, age: cfg.TokenAge},
		client: webservice.NewClient(cfg.SendTime, false),
	}, nil
}

// Name implements transports.Transport.
func (t *Transport) Name() string { return t.name }

// Bearer implements transports.Transport.
func (t *Transport) Bearer() transports.Bearer { return transports.SBD }

// Limits implements transports.Transport.
func (t *Transport) Limits() transports.Limits {
	return transports.Limits{UplinkMax: UplinkMax, DownlinkMax: DownlinkMax}
}

// Listen opens the socket if it is not open, so that the address is known and taken before Run, which else does it.
func (t *Transport) Listen() error {
	_, err := t.listen()
	return err
}

func (t *Transport) listen() (*net.TCPListener, error) {
	listener, opened, err := t.socket.Open()
	if err != nil {
		return nil, fmt.Errorf("rockblock link %s: %w", t.name, err)
	}
	if opened {
		t.log.Info("rockblock link is open", slog.String("transport", t.name), slog.String("address", t.socket.Addr().String()), slog.String("path", t.cfg.Path))
	}
	return listener, nil
}

// Addr returns the socket's address, with port 0 if that is yet to be chosen.
func (t *Transport) Addr() netip.AddrPort { return t.socket.Addr() }

// Close closes a socket that Listen opened and no Run took. Run closes its own.
func (t *Transport) Close() error { return t.socket.Close() }

// Up implements transports.Line: webhooks are taken.
func (t *Transport) Up() bool { return t.socket.Up() }
