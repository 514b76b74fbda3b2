package udp

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/godwit-gateway/godwit/transports"
)

// A Transport receives datagrams on one socket. Safe for concurrent use.
type Transport struct {
	name    string
	cfg     Config // without zeros
	log     *slog.Logger
	now     func() time.Time
	started time.Time // what the times of limiter and windows count from, on the monotonic clock
	counts  counters

	newBatch func(*net.UDPConn) (batch, error)

	gate    sync.Mutex // taken twice per batch, never while anything waits
	limiter *limiter   // guarded by gate
	peers   *peers     // guarded by gate
	windows *windows   // guarded by gate

	mu      sync.Mutex
	conn    *net.UDPConn   // the open socket, nil if there is none; guarded by mu
	running bool           // guarded by mu
	addr    netip.AddrPort // where the socket is or was; a port taken from the system is taken again; guarded by mu
	buffer  int            // of the socket; guarded by mu
	drops   uint64         // of sockets closed before; guarded by mu
}

// New returns a transport that does nothing yet.
func New(name string, cfg Config, log *slog.Logger) (*Transport, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("udp link %s: %w", name, err)
	}
	cfg = cfg.withDefaults()
	addr, err := transports.ParseListen(cfg.Listen, listenExample)
	if err != nil {
		return nil, fmt.Errorf("udp link %s: %w", name, err)
	}
	t := &Transport{
		name: name, cfg: cfg, log: log, now: time.Now, addr: addr, newBatch: newBatch,
		windows: newWindows(cfg.Windows), limiter: newLimiter(cfg.Failures, maphash.String(maphash.MakeSeed(), "mix")), peers: newPeers(peersMax),
	}
	t.started = t.now()
	return t, nil
}

// Name implements transports.Transport.
func (t *Transport) Name() string { return t.name }

// Bearer implements transports.Transport.
func (t *Transport) Bearer() transports.Bearer { return transports.UDP }

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

func (t *Transport) listen() (*net.UDPConn, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.conn != nil {
		return t.conn, nil
	}
	conn, err := net.ListenUDP(transports.ListenNetwork("udp", t.addr.Addr()), net.UDPAddrFromAddrPort(t.addr))
	if err != nil {
		return nil, fmt.Errorf("udp link %s: %w", t.name, err)
	}
	local, ok := conn.LocalAddr().(*net.UDPAddr)
	if !ok {
		return nil, errors.Join(errors.New("udp socket without a UDP address"), conn.Close())
	}
	t.conn = conn
	t.addr = netip.AddrPortFrom(t.addr.Addr(), local.AddrPort().Port())
	t.buffer = setReceiveBuffer(conn, t.cfg.ReceiveBuffer)
	t.log.Info("udp link is open", slog.String("transport", t.name), slog.String("address", t.addr.String()), slog.Int("receive_buffer", t.buffer))
	if t.buffer < t.cfg.ReceiveBuffer {
		t.log.Warn("receive buffer is smaller than configured: raise net.core.rmem_max", slog.String("transport", t.name),
			slog.Int("receive_buffer", t.buffer), slog.Int("configured", t.cfg.ReceiveBuffer))
	}
	return conn, nil
}

// Close closes a socket that Listen opened and no Run took. Run closes its own.
func (t *Transport) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.conn == nil || t.running {
		return nil
	}
	return t.closeLocked()
}

// closeLocked closes the socket. Called with mu held.
func (t *Transport) closeLocked() error {
	t.drops += socketDrops(t.conn)
	err := t.conn.Close()
	t.conn = nil
	return err
}

// clock returns the time since the transport was made, which no change of the wall clock moves.
func (t *Transport) clock() time.Duration { return t.now().Sub(t.started) }

// Up implements transports.Line: the socket is open and read.
func (t *Transport) Up() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.running && t.conn != nil
}

// Send implements transports.Transport. A datagram can be answered only in the window of an uplink that verified: with up to DownlinkMax
// bytes if its payload was new, else with what a reply may have. Send waits a moment for an uplink that is not settled yet, then returns NotSent.
func (t *Transport) Send(ctx context.Context, d transports.Downlink) (transports.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return transports.Receipt{}, &transports.SendError{Outcome: transports.NotSent, Err: err}
	}
	now := t.now()
	switch {
	case len(d.Payload) > DownlinkMax:
		return transports.Receipt{}, &transports.SendError{Outcome: transports.Refused, Err: transports.ErrTooLarge}
	case !d.Expires.IsZero() && !now.Before(d.Expires):
		return transports.Receipt{}, &transports.SendError{Outcome: transports.Refused, Err: transports.ErrExpired}
	case d.Window.ID == 0:
		return transports.Receipt{}, &transports.SendError{Outcome: transports.Refused, Err: errNoWindow}
	}
	t.mu.Lock()
	conn, running := t.conn, t.running
	t.mu.Unlock()
	if !running {
		return transports.Receipt{}, &transports.SendError{Outcome: transports.NotSent, Err: transports.ErrDown}
	}
	peer, err := t.take(ctx, d.Window.ID, len(d.Payload))
	if err != nil {
		return transports.Receipt{}, err
	}
	n, err := conn.WriteToUDPAddrPort(d.Payload, peer)
	if err != nil { // the kernel took nothing
		t.counts.sendErrors.Add(1)
		return transports.Receipt{}, transports.Unreached(fmt.Errorf("send datagram: %w", err))
	}
	t.counts.sent.Add(1)
	t.counts.sentBytes.Add(uint64(max(n, 0)))
	return transports.Receipt{At: now, Parts: 1}, nil
}

// take takes n bytes from the budget of a window, once the verdict on its uplink is known.
func (t *Transport) take(ctx context.Context, id uint64, n int) (netip.AddrPort, error) {
	ctx, cancel := context.WithTimeout(ctx, verdictWait)
	defer cancel()
	for {
		var verdicts <-chan struct{}
		t.gate.Lock()
		peer, err := t.windows.take(t.clock(), id, n)
		if errors.Is(err, errUnsettled) {
			verdicts = t.windows.verdicts()
		}
		t.gate.Unlock()
		if verdicts == nil {
			return peer, err
		}
		select {
		case <-verdicts:
		case <-ctx.Done():
			return peer, err
		}
	}
}
