package gss

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"
)

// Disposition flags that the gateway knows.
const (
	flagFlush    = 1 << 0
	flagRing     = 1 << 1
	flagLocation = 1 << 3
	flagPriority = 1 << 4
	flagMTMSN    = 1 << 5
	flagsKnown   = flagFlush | flagRing | flagLocation | flagPriority | flagMTMSN
)

// Statuses of answers; above 0 is a place in the queue.
const (
	taken        = 0
	badIMEI      = -1
	unknownIMEI  = -2
	tooLarge     = -3
	noPayload    = -4
	queueFull    = -5
	protocol     = -7
	filtered     = -10
	mtmsnRange   = -11
	priorityLast = 5
)

// serve takes MT messages until the socket is closed.
func (g *Gateway) serve(ctx context.Context, wg *sync.WaitGroup) error {
	for {
		conn, err := g.socket.Accept()
		if ctx.Err() != nil {
			if err == nil {
				_ = conn.Close()
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("MT server: %w", err)
		}
		wg.Go(func() {
			defer func() { _ = conn.Close() }()
			stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
			defer stop()
			g.answer(conn)
		})
	}
}

// answer takes one MT message.
func (g *Gateway) answer(conn net.Conn) {
	_ = conn.SetDeadline(time.Now().Add(g.o.Answer))
	var head [3]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil || head[0] != 1 {
		return
	}
	body := make([]byte, binary.BigEndian.Uint16(head[1:]))
	if _, err := io.ReadFull(conn, body); err != nil {
		return
	}
	r, err := parseRequest(body)
	status, id := int16(protocol), uint32(0)
	if err == nil && r.has&hasHeader != 0 {
		status, id = g.take(&r, conn.RemoteAddr())
	}
	_, _ = conn.Write(r.answer(id, status))
}

// take puts a message into its modem's queue and returns its place there, or what is wrong.
func (g *Gateway) take(r *request, from net.Addr) (int16, uint32) {
	if status := g.check(r, from); status != taken {
		return status, 0
	}
	now := g.o.Now()
	g.mu.Lock()
	m := g.modems[r.imei]
	if m == nil {
		g.mu.Unlock()
		return unknownIMEI, 0
	}
	m.purge(now, g.o.MTLife)
	if r.flags&flagFlush != 0 {
		m.queue = nil
	}
	status := int16(taken)
	if r.has&hasPayload != 0 {
		if len(m.queue) >= g.o.MTQueue {
			g.mu.Unlock()
			return queueFull, 0
		}
		status = m.put(r, now)
	}
	g.mt++
	id := g.mt
	ring := r.flags&flagRing != 0 || r.has&hasPayload != 0 && now.Sub(m.rung) >= ringEvery
	if ring {
		m.rung = now
	}
	g.mu.Unlock()
	if ring && g.o.OnRing != nil {
		g.o.OnRing(r.imei)
	}
	return status, id
}

// put queues a message behind those that are as urgent, and returns its place. Called with Gateway.mu held.
func (m *modem) put(r *request, now time.Time) int16 {
	w := waiting{payload: r.payload, priority: r.priority, since: now}
	if w.priority == 0 {
		w.priority = priorityLast
	}
	if r.flags&flagMTMSN != 0 {
		w.mtmsn = uint16(r.client) //nolint:gosec // checked
	} else {
		m.mtmsn++
		w.mtmsn = m.mtmsn
	}
	place := len(m.queue)
	for place > 0 && m.queue[place-1].priority > w.priority {
		place--
	}
	m.queue = slices.Insert(m.queue, place, w)
	return int16(place + 1) //nolint:gosec // at most MTQueue
}

// check looks at what can be said of a message without its modem.
func (g *Gateway) check(r *request, from net.Addr) int16 {
	acts := r.flags & (flagFlush | flagRing | flagMTMSN)
	payload := r.has&hasPayload != 0
	switch {
	case !g.allowed(from):
		return filtered
	case !validIMEI(r.imei):
		return badIMEI
	case r.flags&^flagsKnown != 0, acts == flagRing|flagMTMSN, acts == flagFlush|flagRing|flagMTMSN:
		return protocol
	case (r.flags&flagPriority != 0) != (r.has&hasPriority != 0), r.has&hasPriority != 0 && (r.priority < 1 || r.priority > priorityLast):
		return protocol
	case r.flags&flagRing != 0 && payload:
		return protocol
	case !payload && acts&(flagFlush|flagRing) == 0:
		return noPayload
	case len(r.payload) > g.o.MTMax:
		return tooLarge
	case r.flags&flagMTMSN != 0 && (r.client < 1 || r.client > 65535):
		return mtmsnRange
	}
	return taken
}

func (g *Gateway) allowed(from net.Addr) bool {
	if len(g.o.Allow) == 0 {
		return true
	}
	a, ok := from.(*net.TCPAddr)
	if !ok {
		return false
	}
	addr := a.AddrPort().Addr().Unmap()
	for _, p := range g.o.Allow {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}
