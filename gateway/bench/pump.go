package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/godwit-gateway/godwit/transports/udp"
)

const (
	sockets     = 2       // that the devices are behind, as behind a carrier's NAT
	flightMax   = 4096    // frames on their way without an acknowledgement
	datagramMem = 1 << 10 // what the kernel charges a small datagram to the socket's buffer with, rounded up
	burst       = 32      // frames sent at a time: a sender that is woken for each acknowledgement costs more than the gateway
	lostAfter   = 500 * time.Millisecond
	stuckAfter  = 30 * time.Second
)

// pump sends frames to the gateway and reads the acknowledgements, with no more on their way than the gateway's socket has room for. What is
// not acknowledged for a while counts as lost. Each device is behind one socket, so that its frames arrive in their order.
func pump(ctx context.Context, to *udp.Transport, frames []load) error {
	flight := min(flightMax, to.Stats().SocketBuffer/datagramMem)
	var parts [sockets][]load
	for i := range frames {
		k := frames[i].key.Number % sockets
		if parts[k] == nil {
			parts[k] = make([]load, 0, len(frames))
		}
		parts[k] = append(parts[k], frames[i])
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, part := range parts {
		group.Go(func() error { return pumpOne(ctx, to, part, max(burst, flight/sockets)) })
	}
	return group.Wait()
}

// pumpOne is pump for one socket. It allocates nothing per frame.
func pumpOne(ctx context.Context, to *udp.Transport, frames []load, window int) error {
	conn, err := dial(to)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	out := newWriter(conn)
	buf := make([]byte, 64)
	sent, answered := 0, 0
	for answered < len(frames) {
		if sent < len(frames) && sent-answered <= window-burst {
			n := min(burst, len(frames)-sent)
			if err := out.write(frames[sent : sent+n]); err != nil {
				return err
			}
			sent += n
			continue
		}
		n, err := drain(conn, buf, min(burst, sent-answered))
		answered += n
		if n == 0 {
			answered = sent // as far as is known
		}
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// writer sends bursts of frames.
type writer struct {
	conn      *net.UDPConn
	segmented bool
	buf       []byte
}

func newWriter(conn *net.UDPConn) *writer {
	return &writer{conn: conn, segmented: segment(conn, frameLen), buf: make([]byte, 0, burst*frameLen)}
}

// write sends one datagram per frame. All have the same length.
func (w *writer) write(frames []load) error {
	w.buf = w.buf[:0]
	for i := range frames {
		if w.buf = append(w.buf, frames[i].payload...); w.segmented && i < len(frames)-1 {
			continue
		}
		if _, err := w.conn.Write(w.buf); err != nil {
			return fmt.Errorf("send frames: %w", err)
		}
		w.buf = w.buf[:0]
	}
	return nil
}

// drain reads n datagrams, or fewer if nothing comes.
func drain(conn *net.UDPConn, buf []byte, n int) (int, error) {
	if err := conn.SetReadDeadline(time.Now().Add(lostAfter)); err != nil {
		return 0, fmt.Errorf("set a deadline: %w", err)
	}
	for i := range n {
		if _, err := conn.Read(buf); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return i, nil
			}
			return i, fmt.Errorf("read an acknowledgement: %w", err)
		}
	}
	return n, nil
}

func dial(to *udp.Transport) (*net.UDPConn, error) {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to.Addr()))
	if err != nil {
		return nil, fmt.Errorf("dial the gateway: %w", err)
	}
	_ = conn.SetReadBuffer(flightMax * datagramMem) // as much as there is
	return conn, nil
}
