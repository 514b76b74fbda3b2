package directip_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/transports/directip"
	"github.com/godwit-gateway/godwit/transports/transporttest"
)

func TestMain(m *testing.M) { os.Exit(transporttest.Main(m)) }

const hello = "hello"

func newTransport(t testing.TB, change func(*directip.Config)) *directip.Transport {
	t.Helper()
	cfg := directip.Config{Listen: "127.0.0.1:0", Allow: []string{"127.0.0.0/8"}, Confirm: true}
	if change != nil {
		change(&cfg)
	}
	tr, err := directip.New("sat", cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Listen(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tr.Close() })
	return tr
}

// record is an MO message as the network sends it.
type record struct {
	cdr     uint32
	imei    string
	status  byte
	momsn   uint16
	session uint32
	payload []byte
}

// bytes writes a record in the order of the captures, with an element that nobody knows.
func (r record) bytes() []byte {
	var b []byte
	b = append(b, 0x01, 0, 28)
	b = binary.BigEndian.AppendUint32(b, r.cdr)
	b = append(b, r.imei...)
	b = append(b, r.status)
	b = binary.BigEndian.AppendUint16(b, r.momsn)
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint32(b, r.session)
	b = append(b, 0x7f, 0, 1, 0)
	if r.payload != nil {
		b = append(b, 0x02)
		b = binary.BigEndian.AppendUint16(b, uint16(len(r.payload)))
		b = append(b, r.payload...)
	}
	return framed(b)
}

// framed puts revision and length in front.
func framed(body []byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{1}, uint16(len(body))), body...)
}

// ending is how a connection ended: with a word, in peace, or reset.
type ending string

const (
	saidYes ending = "confirmed"
	saidNo  ending = "refused in words"
	closed  ending = "closed"
	reset   ending = "reset"
)

// dialFrom connects from an address of the loopback network.
func dialFrom(t testing.TB, source string, tr *directip.Transport) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(source)}}
	conn, err := d.Dial("tcp4", netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), tr.Addr().Port()).String())
	if errors.Is(err, syscall.ECONNRESET) { // it may be before the system has said that there is a connection
		return resetConn{}
	}
	if err != nil {
		t.Fatalf("connect from %s: %v", source, err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// resetConn is a connection that was reset before it was ours.
type resetConn struct{ net.Conn }

func (resetConn) Read([]byte) (int, error)        { return 0, syscall.ECONNRESET }
func (resetConn) Write([]byte) (int, error)       { return 0, syscall.ECONNRESET }
func (resetConn) Close() error                    { return nil }
func (resetConn) SetDeadline(time.Time) error     { return nil }
func (resetConn) SetReadDeadline(time.Time) error { return nil }

// end reads until the connection ends and says how it did.
func end(conn net.Conn) ending {
	b, err := io.ReadAll(io.LimitReader(conn, 64))
	switch string(b) {
	case "\x01\x00\x04\x05\x00\x01\x01":
		return saidYes
	case "\x01\x00\x04\x05\x00\x01\x00":
		return saidNo
	}
	switch {
	case len(b) > 0:
		return ending(fmt.Sprintf("said %x", b))
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return reset
	case err != nil:
		return ending(err.Error())
	default:
		return closed
	}
}

// deliver sends one message and says how that ended.
func deliver(t testing.TB, tr *directip.Transport, message []byte) ending {
	t.Helper()
	conn := dialFrom(t, "127.0.0.1", tr)
	defer conn.Close()
	return put(t, conn, message)
}

// put sends one message over a connection and says how that ended. Where the reset comes before the message, its write has the error, and who reads after that
// finds the connection closed.
func put(t testing.TB, conn net.Conn, message []byte) ending {
	t.Helper()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	switch _, err := conn.Write(message); {
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return reset
	case err != nil:
		t.Errorf("write: %v", err)
	}
	return end(conn)
}

// harness is a network that delivers what devices send, each message on a connection of its own, and takes messages to them.
type harness struct {
	*transporttest.Exchanges

	tr *directip.Transport
	mt net.Listener
	wg sync.WaitGroup

	mu     sync.Mutex
	status int16 // of the next answer; 0: the place in the queue; guarded by mu
	mute   bool  // the next message gets no answer; guarded by mu
}

func newHarness(t *testing.T, confirm bool) *harness {
	t.Helper()
	h := &harness{}
	var err error
	if h.mt, err = net.Listen("tcp4", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	h.tr = newTransport(t, func(c *directip.Config) {
		c.Confirm, c.MT, c.PerSource = confirm, []string{h.mt.Addr().String()}, 64
	})
	h.Exchanges = transporttest.NewExchanges(t, h.tr, imei)
	h.wg.Go(func() { h.takeDown() })
	t.Cleanup(func() {
		h.mt.Close()
		h.wg.Wait()
	})
	return h
}

func imei(device int) string { return fmt.Sprintf("30023401075337%d", device) }

func (h *harness) Inject(tb testing.TB, device int, payload []byte) string {
	tb.Helper()
	r := record{imei: imei(device), session: uint32(time.Now().Unix()), payload: append([]byte(nil), payload...)}
	return h.Bring(tb, func(n int) transporttest.Exchange {
		r.cdr, r.momsn = uint32(n), uint16(n)
		message := r.bytes()
		return func(tb testing.TB) bool {
			tb.Helper()
			ended := deliver(tb, h.tr, message)
			return ended == saidYes || ended == closed
		}
	})
}

func (h *harness) Refuse(testing.TB) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status = -5
}

func (h *harness) Mute(testing.TB) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.mute = true
	return true
}

// takeDown takes MT messages until the listener is closed.
func (h *harness) takeDown() {
	for {
		conn, err := h.mt.Accept()
		if err != nil {
			return
		}
		h.mu.Lock()
		status, mute := h.status, h.mute
		h.status, h.mute = 0, false
		h.mu.Unlock()
		payload, answer := readTerminated(conn, status)
		if status == 0 && !mute {
			h.Reached(payload)
		}
		if !mute {
			_, _ = conn.Write(answer)
		}
		_ = conn.Close()
	}
}

// readTerminated reads an MT message and returns its payload and an answer to it; status 0 stands for the first place in the queue.
func readTerminated(r io.Reader, status int16) (payload, answer []byte) {
	var head [3]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, nil
	}
	body := make([]byte, binary.BigEndian.Uint16(head[1:]))
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, nil
	}
	answer = []byte{0x44, 0, 25}
	for len(body) > 3 {
		n := int(binary.BigEndian.Uint16(body[1:]))
		switch body[0] {
		case 0x41:
			answer = append(answer, body[3:3+19]...) // client id and IMEI
		case 0x42:
			payload = body[3 : 3+n]
		}
		body = body[3+n:]
	}
	if status == 0 {
		status = 1
	}
	answer = append(answer, 0, 0, 0, 9)
	answer = binary.BigEndian.AppendUint16(answer, uint16(status))
	return payload, framed(answer)
}

// log collects what a transport logs.
type log struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
