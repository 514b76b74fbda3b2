package api

import (
	"net/netip"
	"sync"
	"time"
)

// Limits of failed logins.
const (
	loginWindow   = time.Minute
	loginFailures = 10   // in a window, from one address
	loginsMax     = 4096 // addresses that are counted at a time
)

// logins counts failed logins by address, in bounded memory. Safe for concurrent use.
type logins struct {
	mu    sync.Mutex
	seen  map[netip.Addr]*failures
	swept time.Time
}

// failures are those of one address since began.
type failures struct {
	began time.Time
	n     int
}

func newLogins() *logins { return &logins{seen: make(map[netip.Addr]*failures)} }

// failed counts one failed login, and reports whether it is within what an address may have.
func (l *logins) failed(remote string, now time.Time) bool {
	key := loginKey(remote)
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.seen[key]
	if f == nil {
		if len(l.seen) >= loginsMax {
			l.sweep(now)
		}
		if len(l.seen) >= loginsMax {
			return false // more addresses than people have
		}
		f = &failures{began: now}
		l.seen[key] = f
	}
	if now.Sub(f.began) >= loginWindow {
		f.began, f.n = now, 0
	}
	f.n++
	return f.n <= loginFailures
}

// sweep forgets the addresses whose window is over, at most once in a window: what a stranger causes must cost little.
func (l *logins) sweep(now time.Time) {
	if now.Sub(l.swept) < loginWindow {
		return
	}
	l.swept = now
	for key, f := range l.seen {
		if now.Sub(f.began) >= loginWindow {
			delete(l.seen, key)
		}
	}
}

// loginKey is the address that a request came from: the network of 64 bits in IPv6, where one host has all of it; the zero address for the
// peers of a socket file, who have none.
func loginKey(remote string) netip.Addr {
	peer, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	addr := peer.Addr().Unmap()
	if addr.Is4() {
		return addr
	}
	prefix, err := addr.Prefix(64)
	if err != nil {
		return addr
	}
	return prefix.Addr()
}
