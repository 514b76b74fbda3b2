package gate

import (
	"net"
	"net/netip"
	"slices"
	"sync"
)

// A Gate bounds the connections that are open. When there is no room, the oldest one whose message has not come in makes some: first among those of the
// same source, then among those of the source that has most. So one that opens connections and leaves them takes no place from others, and none
// from its own next one. Safe for concurrent use.
type Gate struct {
	Most int // connections at once
	Each int // of these, of one source

	mu     sync.Mutex
	closed bool
	visits []*Visit // oldest first
}

// A Visit is one connection.
type Visit struct {
	conn   *net.TCPConn
	source netip.Prefix
	taken  bool // its message has come in: it is not interrupted any more; guarded by Gate.mu
	gone   bool // it was interrupted; guarded by Gate.mu
}

// SourceOf is what connections are counted by: an address, or in IPv6, where each host has many, their prefix.
func SourceOf(a netip.Addr) netip.Prefix {
	bits := 32
	if !a.Is4() {
		bits = 56
	}
	p, err := a.WithZone("").Prefix(bits)
	if err != nil {
		panic("gate: " + err.Error()) // the lengths are right
	}
	return p
}

// Enter lets a connection in, or returns nil. How many others had to leave for it comes besides.
func (g *Gate) Enter(conn *net.TCPConn, source netip.Prefix) (v *Visit, left int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, 0
	}
	if from := g.count(source); from >= g.Each {
		if !g.interrupt(source) {
			return nil, 0
		}
		left++
	} else if len(g.visits) >= g.Most {
		loser := source
		if busiest, has := g.busiest(); has > from {
			loser = busiest
		}
		if !g.interrupt(loser) {
			return nil, 0
		}
		left++
	}
	v = &Visit{conn: conn, source: source}
	g.visits = append(g.visits, v)
	return v, left
}

// count is how many connections of a source are open. Called with mu held.
func (g *Gate) count(source netip.Prefix) (n int) {
	for _, v := range g.visits {
		if v.source == source {
			n++
		}
	}
	return n
}

// busiest is the source with most open connections of those with one that can be interrupted, and how many they are. Of several it is the one
// that has waited longest. Called with mu held.
func (g *Gate) busiest() (source netip.Prefix, has int) {
	for _, v := range g.visits {
		if n := g.count(v.source); n > has && !v.taken {
			source, has = v.source, n
		}
	}
	return source, has
}

// Len is how many connections are open.
func (g *Gate) Len() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.visits)
}

// interrupt ends the oldest connection of a source whose message has not come in. Called with mu held.
func (g *Gate) interrupt(source netip.Prefix) bool {
	i := slices.IndexFunc(g.visits, func(v *Visit) bool { return v.source == source && !v.taken })
	if i < 0 {
		return false
	}
	g.end(g.visits[i])
	g.visits = slices.Delete(g.visits, i, i+1)
	return true
}

// end closes a connection under its reader. Called with mu held.
func (g *Gate) end(v *Visit) {
	v.gone = true
	_ = v.conn.Close()
}

// Take says that the connection's message has come in. It reports false if the connection was interrupted.
func (g *Gate) Take(v *Visit) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	v.taken = !v.gone
	return v.taken
}

// Free says that what came in was answered: the connection may bring another message, and is as one whose message has not come in.
func (g *Gate) Free(v *Visit) {
	g.mu.Lock()
	defer g.mu.Unlock()
	v.taken = false
}

// Leave ends a connection.
func (g *Gate) Leave(v *Visit) {
	g.mu.Lock()
	defer g.mu.Unlock()
	_ = v.conn.Close()
	if i := slices.Index(g.visits, v); i >= 0 {
		g.visits = slices.Delete(g.visits, i, i+1)
	}
}

// Open lets connections in, which Close has stopped.
func (g *Gate) Open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = false
}

// Close lets no more connections in and ends those whose message has not come in; with all it ends the others too.
func (g *Gate) Close(all bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	for _, v := range g.visits {
		if all || !v.taken {
			g.end(v)
		}
	}
}
