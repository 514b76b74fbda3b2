package udp_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/transporttest"
	"github.com/godwit-gateway/godwit/transports/udp"
)

func TestMain(m *testing.M) { os.Exit(transporttest.Main(m)) }

func TestConformance(t *testing.T) {
	caps := transporttest.Capabilities{Redelivers: true, Windows: true}
	for name, portable := range map[string]bool{"batched": false, "portable": true} {
		t.Run(name, func(t *testing.T) {
			transporttest.Run(t, caps, func(t *testing.T) transporttest.Harness {
				t.Helper()
				tr := newTransport(t, udp.Config{Listen: "127.0.0.1:0"})
				if portable {
					tr.SetPortable()
				}
				return newHarness(t, tr)
			})
		})
	}
}

// Devices with IPv4 reach a socket that listens on all addresses, and are named as IPv4.
func TestConformanceDualStack(t *testing.T) {
	if conn, err := net.ListenPacket("udp6", "[::1]:0"); err != nil {
		t.Skip("no IPv6 here")
	} else {
		conn.Close()
	}
	transporttest.Run(t, transporttest.Capabilities{Redelivers: true, Windows: true}, func(t *testing.T) transporttest.Harness {
		t.Helper()
		return newHarness(t, newTransport(t, udp.Config{Listen: ":0"}))
	})
}

func newTransport(t testing.TB, cfg udp.Config) *udp.Transport {
	t.Helper()
	tr, err := udp.New("ip", cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Listen(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tr.Close() })
	return tr
}

// gatewayAddr is where devices on this host send to.
func gatewayAddr(tr *udp.Transport) netip.AddrPort {
	a := tr.Addr()
	if a.Addr().IsUnspecified() {
		return netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), a.Port())
	}
	return a
}

// A device is a socket on the loopback interface.
type device struct {
	conn *net.UDPConn

	mu      sync.Mutex
	changed chan struct{} // closed and replaced when something comes
	got     []string      // guarded by mu
	read    int           // of got, by Answered; guarded by mu
	sent    int           // guarded by mu
}

func newDevice(t testing.TB, addr string) *device {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(addr)))
	if err != nil {
		t.Fatal(err)
	}
	d := &device{conn: conn, changed: make(chan struct{})}
	var wg sync.WaitGroup
	wg.Go(func() {
		buf := make([]byte, 2048)
		for {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			d.mu.Lock()
			d.got = append(d.got, string(buf[:n]))
			close(d.changed)
			d.changed = make(chan struct{})
			d.mu.Unlock()
		}
	})
	t.Cleanup(func() {
		conn.Close()
		wg.Wait()
	})
	return d
}

func (d *device) addr() netip.AddrPort { return d.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// await waits until done, called under the lock, is true. It asks at each datagram and, because done may look at the transport's counters too,
// once in a while.
func (d *device) await(ctx context.Context, done func() bool) bool {
	for {
		d.mu.Lock()
		ok, changed := done(), d.changed
		d.mu.Unlock()
		if ok {
			return true
		}
		select {
		case <-changed:
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return false
		}
	}
}

// harness has devices for whom the sink's reply is the confirmation.
type harness struct {
	transporttest.Socket

	tr      *udp.Transport
	devices [transporttest.Devices]*device

	mu   sync.Mutex
	sent map[string]string // payloads by id
}

func newHarness(t testing.TB, tr *udp.Transport) *harness {
	t.Helper()
	h := &harness{Socket: transporttest.NewSocket(tr), tr: tr, sent: map[string]string{}}
	for i := range h.devices {
		h.devices[i] = newDevice(t, "127.0.0.1:0")
	}
	return h
}

func (h *harness) Address(i int) transports.Address {
	return transports.Address{Bearer: transports.UDP, ID: h.devices[i].addr().String()}
}

func (h *harness) Inject(tb testing.TB, i int, payload []byte) string {
	tb.Helper()
	d := h.devices[i]
	d.mu.Lock()
	d.sent++
	id := fmt.Sprintf("%d/%d", i, d.sent)
	d.mu.Unlock()
	h.mu.Lock()
	h.sent[id] = string(payload)
	h.mu.Unlock()
	h.send(tb, d, payload)
	return id
}

func (h *harness) send(tb testing.TB, d *device, payload []byte) {
	tb.Helper()
	h.Open(tb) // UDP forgets what comes before
	if _, err := d.conn.WriteToUDPAddrPort(payload, gatewayAddr(h.tr)); err != nil {
		tb.Errorf("device cannot send: %v", err)
	}
}

// find returns the device of a unit and which of its units it is.
func (h *harness) find(id string) (d *device, n int) {
	var i int
	if _, err := fmt.Sscanf(strings.ReplaceAll(id, "/", " "), "%d %d", &i, &n); err != nil {
		panic(err)
	}
	return h.devices[i], n
}

func (h *harness) Confirmed(ctx context.Context, id string) bool {
	d, n := h.find(id)
	return d.await(ctx, func() bool {
		replies := 0
		for _, got := range d.got {
			if got == transporttest.Reply {
				replies++
			}
		}
		return replies >= n
	})
}

func (h *harness) Redeliver(tb testing.TB, id string) {
	tb.Helper()
	d, _ := h.find(id)
	h.mu.Lock()
	payload := h.sent[id]
	h.mu.Unlock()
	h.send(tb, d, []byte(payload))
}

func (h *harness) Answered(ctx context.Context, id string) ([]byte, bool) {
	d, _ := h.find(id)
	var next string
	ok := d.await(ctx, func() bool {
		if d.read == len(d.got) {
			return false
		}
		next = d.got[d.read]
		d.read++
		return true
	})
	return []byte(next), ok
}
