package directip

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/gate"
)

// Grace is how long the sink may take for the messages in hand once Run's context is done.
const Grace = 5 * time.Second

// How often what may come again and again is logged, in seconds.
const (
	strangerEvery = 60 // connections from addresses that are not allowed
	failedEvery   = 10 // messages that the sink did not take
)

// Run implements transports.Transport. Messages that have not come in whole when ctx is done are left to the network, which sends them again.
func (t *Transport) Run(ctx context.Context, sink transports.Sink) error {
	socket, err := t.listen()
	if err != nil {
		return err
	}
	t.gate.Open()
	t.socket.Run(true)
	defer t.socket.Run(false)

	// The messages in hand outlive ctx, by the grace period at most; after that the sink is told to give up.
	inHand, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	ctx, stop := context.WithCancel(ctx)
	var visits, guard sync.WaitGroup
	finished := make(chan struct{})
	guard.Go(func() {
		<-ctx.Done()
		_ = socket.Close()
		t.gate.Close(false)
		grace := time.NewTimer(Grace)
		defer grace.Stop()
		select {
		case <-grace.C:
			giveUp()
			t.gate.Close(true)
		case <-finished:
		}
	})
	err = t.accept(ctx, socket, func(conn *net.TCPConn, v *gate.Visit) { visits.Go(func() { t.visit(inHand, sink, conn, v) }) })
	stop()
	visits.Wait()
	close(finished)
	guard.Wait()
	return err
}

// accept takes connections until ctx is done, which closes the socket.
func (t *Transport) accept(ctx context.Context, socket *net.TCPListener, begin func(*net.TCPConn, *gate.Visit)) error {
	for {
		conn, err := socket.AcceptTCP()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				refuse(conn)
			}
			return nil
		case err != nil:
			return fmt.Errorf("directip link %s: %w", t.name, err)
		}
		t.counts.connections.Add(1)
		from := t.source(conn)
		if !t.allowed(from) {
			t.counts.stranger.Add(1)
			if t.seldom(&t.warned, strangerEvery) {
				t.log.Warn("connection from an address that allow does not name", slog.String("transport", t.name), slog.String("from", from.String()))
			}
			refuse(conn)
			continue
		}
		v, left := t.gate.Enter(conn, gate.SourceOf(from))
		t.counts.crowded.Add(uint64(left)) //nolint:gosec // 0 or 1
		if v == nil {
			t.counts.crowded.Add(1)
			refuse(conn)
			continue
		}
		begin(conn, v)
	}
}

// refuse resets a connection: one that is only closed might be taken for a yes.
func refuse(conn *net.TCPConn) {
	_ = conn.SetLinger(0)
	_ = conn.Close()
}

// source is where a connection comes from.
func (t *Transport) source(conn net.Conn) netip.Addr {
	if a, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		return a.AddrPort().Addr().Unmap()
	}
	return netip.IPv6Unspecified()
}

func (t *Transport) allowed(a netip.Addr) bool {
	for _, p := range t.allow {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// seldom reports whether it is time to log something again.
func (t *Transport) seldom(last *atomic.Int64, every int64) bool {
	now, before := t.now().Unix(), last.Load()
	return now-before >= every && last.CompareAndSwap(before, now)
}
