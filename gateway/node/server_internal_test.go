package node

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// startAPI serves one short answer as the API is served, and counts the connections that are open at the same time.
func startAPI(t *testing.T) (address string, most *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	counted := &countingListener{Listener: l}
	s := serve(counted, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "ok\n")
	}), slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.run(ctx, func() {}) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return l.Addr().String(), &counted.most
}

// countingListener counts the connections that are open. The server's own ConnState tells of an end only after the next one may have been accepted.
type countingListener struct {
	net.Listener
	open, most atomic.Int64
}

func (l *countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if n := l.open.Add(1); n > l.most.Load() {
		l.most.Store(n)
	}
	return &countedConn{Conn: c, of: l}, nil
}

type countedConn struct {
	net.Conn
	of   *countingListener
	once sync.Once
}

func (c *countedConn) Close() error {
	c.once.Do(func() { c.of.open.Add(-1) })
	return c.Conn.Close()
}

// say opens a connection and writes to it. What comes back must come in time.
func say(t *testing.T, address, text string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestAPIEndsWhatNeverEnds: a request whose headers never end, one whose headers are enormous, one that is no HTTP/1.1, and one that asks for HTTP/2,
// whose resets cost a server more than a client, which is not spoken.
func TestAPIEndsWhatNeverEnds(t *testing.T) {
	t.Parallel()
	address, _ := startAPI(t)
	for name, tt := range map[string]struct {
		text   string
		answer string // of the first line; empty: it ends without one, or with 400 or 408
	}{
		"nothing is said":      {"", ""},
		"headers stop":         {"GET / HTTP/1.1\r\nHost: x\r\n", ""},
		"half a request line":  {"GET /ver", ""},
		"headers are enormous": {"GET / HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("a", headersMax+8<<10) + "\r\n\r\n", "431"},
		"not HTTP":             {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "400"},
		"HTTP/2":               {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", "200"}, // a request like any other, and what follows is none
		"two lengths":          {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "400"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := bufio.NewReader(say(t, address, tt.text))
			line, err := r.ReadString('\n')
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatal("the connection stays open")
			}
			if tt.answer == "" && line != "" && !strings.Contains(line, " 40") || tt.answer != "" && !strings.Contains(line, " "+tt.answer+" ") {
				t.Errorf("answer %q, %v; want %q", line, err, tt.answer)
			}
			if _, err := io.Copy(io.Discard, r); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("the connection stays open after its answer")
			}
		})
	}
}

// TestAPIBoundsItsConnections: more connections that say nothing than there may be leave room for one that does, in the end, and are never all open.
func TestAPIBoundsItsConnections(t *testing.T) {
	t.Parallel()
	address, most := startAPI(t)
	for range connectionsMax + 50 {
		say(t, address, "")
	}
	c := say(t, address, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	answer, err := io.ReadAll(c)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 200") {
		t.Errorf("answer %q, %v", answer, err)
	}
	if n := most.Load(); n > connectionsMax {
		t.Errorf("%d connections were open, want up to %d", n, connectionsMax)
	}
}
