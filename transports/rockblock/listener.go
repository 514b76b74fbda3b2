package rockblock

import (
	"context"
	"net"
	"sync"

	"github.com/godwit-gateway/godwit/transports/gate"
)

// gated is a socket that lets connections in through a gate: who opens some and says nothing has to leave for those who come later. A proxy in front
// is one source, so sources are not told apart.
type gated struct {
	net.Listener

	t *Transport
}

// Accept implements net.Listener.
func (l gated) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		tcp, isTCP := conn.(*net.TCPConn)
		addr, hasAddr := conn.RemoteAddr().(*net.TCPAddr)
		if !isTCP || !hasAddr {
			_ = conn.Close() // the socket is ours: there are no others
			continue
		}
		v, left := l.t.gate.Enter(tcp, gate.SourceOf(addr.AddrPort().Addr().Unmap()))
		l.t.counts.crowded.Add(uint64(left)) //nolint:gosec // 0 or 1
		if v == nil {
			l.t.counts.crowded.Add(1)
			_ = conn.Close()
			continue
		}
		return &visitor{Conn: conn, visit: v, leave: sync.OnceFunc(func() { l.t.gate.Leave(v) })}, nil
	}
}

// visitor is a connection that was let in.
type visitor struct {
	net.Conn

	visit *gate.Visit
	leave func()
}

// Close implements net.Conn.
func (v *visitor) Close() error {
	v.leave() // closes the connection
	return nil
}

// visitKey is under what a request's context has its visit.
type visitKey struct{}

func withVisit(ctx context.Context, c net.Conn) context.Context {
	if v, ok := c.(*visitor); ok {
		return context.WithValue(ctx, visitKey{}, v.visit)
	}
	return ctx
}

// visitOf is the connection of a request, nil if it did not come through the gate.
func visitOf(ctx context.Context) *gate.Visit {
	v, _ := ctx.Value(visitKey{}).(*gate.Visit)
	return v
}
