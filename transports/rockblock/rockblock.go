package rockblock

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/gate"
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
	gate     gate.Gate
	slots    chan struct{} // holds a token for each message that the sink has
	warned   atomic.Int64  // when a webhook that was not taken was logged last, Unix seconds

	mu      sync.Mutex
	socket  net.Listener   // nil if it is not open; guarded by mu
	running bool           // guarded by mu
	addr    netip.AddrPort // where the socket is or was; guarded by mu
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
		name: name, cfg: cfg, log: log, now: time.Now, addr: addr, gate: gate.Gate{Most: connsMax, Each: connsMax}, slots: make(chan struct{}, connsMax), verifier: verifier{key: key, age: cfg.TokenAge},
		// What a redirect leads to is not whom the password is for.
		client: &http.Client{Timeout: cfg.SendTime, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
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

// Addr returns the socket's address, with port 0 if that is yet to be chosen.
func (t *Transport) Addr() netip.AddrPort {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.addr
}

func (t *Transport) listen() (net.Listener, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.socket != nil {
		return t.socket, nil
	}
	network := "tcp4"
	if t.addr.Addr().Is6() {
		network = "tcp" // [::] takes IPv4 too
	}
	socket, err := net.ListenTCP(network, net.TCPAddrFromAddrPort(t.addr))
	if err != nil {
		return nil, fmt.Errorf("rockblock link %s: %w", t.name, err)
	}
	if local, ok := socket.Addr().(*net.TCPAddr); ok {
		t.addr = netip.AddrPortFrom(t.addr.Addr(), local.AddrPort().Port())
	}
	t.socket = socket
	t.log.Info("rockblock link is open", slog.String("transport", t.name), slog.String("address", t.addr.String()), slog.String("path", t.cfg.Path))
	return t.socket, nil
}

// Close closes a socket that Listen opened and no Run took. Run closes its own.
func (t *Transport) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.socket == nil || t.running {
		return nil
	}
	return t.closeLocked()
}

// closeLocked closes the socket. Called with mu held.
func (t *Transport) closeLocked() error {
	err := t.socket.Close()
	t.socket = nil
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Up implements transports.Line: webhooks are taken.
func (t *Transport) Up() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.running && t.socket != nil
}

// setRunning opens and closes the transport for Send; after a run the socket is closed.
func (t *Transport) setRunning(on bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running = on
	if !on && t.socket != nil {
		_ = t.closeLocked() // the web service comes again
	}
}
