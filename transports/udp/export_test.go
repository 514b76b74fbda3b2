package udp

import (
	"net"
	"net/netip"
	"time"

	"github.com/godwit-gateway/godwit/transports"
)

// SetClock replaces the clock. To be called before anything else.
func (t *Transport) SetClock(now func() time.Time) { t.now, t.started = now, now() }

// SetPortable has the transport use the batch of systems other than Linux.
func (t *Transport) SetPortable() {
	t.newBatch = func(conn *net.UDPConn) (batch, error) { return newSingle(conn), nil }
}

// CutSocket closes the socket under a running transport.
func (t *Transport) CutSocket() {
	t.mu.Lock()
	defer t.mu.Unlock()
	_ = t.conn.Close()
}

// AwaitsVerdict reports whether a Send waits for the verdict on its window's uplink.
func (t *Transport) AwaitsVerdict() bool {
	t.gate.Lock()
	defer t.gate.Unlock()
	return t.windows.waiting != nil
}

// A Limiter is a limiter for tests.
type Limiter struct{ l *limiter }

// NewLimiter makes a limiter, with defaults for zeros.
func NewLimiter(f Failures, seed uint64) Limiter {
	return Limiter{newLimiter(Config{Failures: f}.withDefaults().Failures, seed)}
}

// Decision is what a limiter says of a datagram.
type Decision = decision

// Decisions.
const (
	Admitted      = admitted
	LimitedPrefix = limitedPrefix
	LimitedSource = limitedSource
	LimitedTotal  = limitedTotal
)

// Admit asks about a datagram.
func (l Limiter) Admit(now time.Duration, peer netip.AddrPort) Decision {
	return l.l.admit(now, l.l.source(peer))
}

// Settle tells the verdict.
func (l Limiter) Settle(now time.Duration, peer netip.AddrPort, v transports.Settlement) {
	l.l.settle(now, l.l.source(peer), v)
}

// Live counts prefixes whose bucket is not full and sources that count as verified.
func (l Limiter) Live(now time.Duration) (prefixes, sources int) {
	for _, e := range l.l.prefixes.entries {
		if e.full > now {
			prefixes++
		}
	}
	for _, e := range l.l.sources.entries {
		if e.verified > 0 && now-e.verified <= l.l.remember {
			sources++
		}
	}
	return prefixes, sources
}

// Peers is a cache of names for tests.
type Peers struct{ p *peers }

// NewPeers makes a cache.
func NewPeers(most int) Peers { return Peers{newPeers(most)} }

// Name names a peer.
func (p Peers) Name(peer netip.AddrPort) string { return p.p.name(peer) }

// Len counts the names held.
func (p Peers) Len() int { return len(p.p.young) + len(p.p.old) }
