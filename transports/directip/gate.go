package directip

import (
	"net"
	"net/netip"
	"slices"
	"sync"
)

// A gate bounds the connections that are open. When there is no room, the oldest one whose message has not come in makes some: first among those of the
// same source, then among those of the source that has most. So one that opens connections and leaves them takes no place from others, and none
// from its own next one. Safe for concurrent use.
type gate struct {
	most, each int

	mu     sync.Mutex
	closed bool
	visits []*visit // oldest first
}

// visit is one connection.
type visit struct {
	conn   *net.TCPConn
	source netip.Prefix
	taken  bool // its message has come in: it is not interrupted any more; guarded by gate.mu
	gone   bool // it was interrupted; guarded by gate.mu
}

// sourceOf is what connections are counted by: an address, or in IPv6, where each host has many, their prefix.
func sourceOf(a netip.Addr) netip.Prefix {
	bits := 32
	if !a.Is4() {
		bits = 56
	}
	p, err := a.WithZone("").Prefix(bits)
	if err != nil {
		panic("directip: " + err.Error()) // the lengths are right
	}
	return p
}

// enter lets a connection in, or returns nil. How many others had to leave for it comes besides.
func (g *gate) enter(conn *net.TCPConn, source netip.Prefix) (v *visit, left int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, 0
	}
	if from := g.count(source); from >= g.each {
		if !g.interrupt(source) {
			return nil, 0
		}
		left++
	} else if len(g.visits) >= g.most {
		loser := source
		if busiest, has := g.busiest(); has > from {
			loser = busiest
		}
		if !g.interrupt(loser) {
			return nil, 0
		}
		left++
	}
	v = &visit{conn: conn, source: source}
	g.visits = append(g.visits, v)
	return v, left
}

// count is how many connections of a source are open. Called with mu held.
func (g *gate) count(source netip.Prefix) (n int) {
	for _, v := range g.visits {
		if v.source == source {
			n++
		}
	}
	return n
}

// busiest is the source with most open connections of those with one that can be interrupted, and how many they are. Of several it is the one
// that has waited longest. Called with mu held.
func (g *gate) busiest() (source netip.Prefix, has int) {
	for _, v := range g.visits {
		if n := g.count(v.source); n > has && !v.taken {
			source, has = v.source, n
		}
	}
	return source, has
}

// interrupt ends the oldest connection of a source whose message has not come in. Called with mu held.
func (g *gate) interrupt(source netip.Prefix) bool {
	i := slices.IndexFunc(g.visits, func(v *visit) bool { return v.source == source && !v.taken })
	if i < 0 {
		return false
	}
	g.end(g.visits[i])
	g.visits = slices.Delete(g.visits, i, i+1)
	return true
}

// end closes a connection under its reader. Called with mu held.
func (g *gate) end(v *visit) {
	v.gone = true
	_ = v.conn.Close()
}

// take says that the connection's message has come in. It reports false if the connection was interrupted.
func (g *gate) take(v *visit) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	v.taken = !v.gone
	return v.taken
}

// leave ends a connection.
func (g *gate) leave(v *visit) {
	g.mu.Lock()
	defer g.mu.Unlock()
	_ = v.conn.Close()
	if i := slices.Index(g.visits, v); i >= 0 {
		g.visits = slices.Delete(g.visits, i, i+1)
	}
}

// open lets connections in, which close has stopped.
func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = false
}

// close lets no more connections in and ends those whose message has not come in; with all it ends the others too.
func (g *gate) close(all bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	for _, v := range g.visits {
		if all || !v.taken {
			g.end(v)
		}
	}
}
