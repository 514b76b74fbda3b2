package node

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/gateway/config"
	"github.com/godwit-gateway/godwit/simulator/peers/atmodem"
	"github.com/godwit-gateway/godwit/simulator/peers/sbdterm"
	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/sbdmodem"
	"github.com/godwit-gateway/godwit/transports/transporttest"
	"github.com/godwit-gateway/godwit/transports/udp"
)

// patience bounds what a test waits for.
const patience = 30 * time.Second

// wire makes a link and runs it until the test ends.
func wire(t *testing.T, l config.Link) *wired {
	t.Helper()
	w, err := wireLink(l, filepath.Join(t.TempDir(), "links", l.Name+".mark"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.listen(); err != nil {
		t.Fatal(err)
	}
	transporttest.Background(t, func(ctx context.Context) error {
		return runTransports(ctx, []*runner{&w.runner}, &transporttest.Sink{}, slog.New(slog.DiscardHandler))
	})
	return w
}

// A reply is one datagram that was sent.
func TestStateOfASocket(t *testing.T) {
	w := wire(t, config.Link{Name: "udp0", Kind: "udp", UDP: &udp.Config{Listen: "127.0.0.1:0"}})
	conn, err := net.Dial("udp4", w.address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("a payload")); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	state := w.state()
	wantSent(t, state.Sent, 1, uint64(len(transporttest.Reply)))
	if state.ModemUp != nil || state.ModemResets != nil {
		t.Error("a socket says that it is a modem")
	}
}

// Each part of a long message is one that was sent.
func TestStateOfAModem(t *testing.T) {
	path := filepath.Join(t.TempDir(), "modem")
	m, err := atmodem.New(atmodem.Options{Path: path})
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	transporttest.Background(t, m.Run)
	w := wire(t, config.Link{Name: "sms0", Kind: "smsmodem", SMSModem: &config.SMSModem{Device: path}})
	state := w.state()
	until(t, "the modem to be set up", state.ModemUp)
	wantSent(t, state.Sent, 0, 0)
	d := transports.Downlink{To: transports.Address{Bearer: transports.SMS, ID: "+491700000001"}, Payload: make([]byte, 200)}
	if _, err := w.transport.Send(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	wantSent(t, state.Sent, 2, 0)
	if n := state.ModemResets(); n != 0 || state.UDP != nil {
		t.Errorf("%d starts of a modem that works, or it says that it is a socket", n)
	}
}

// wantSent waits for counts: a driver adds a message to them after the other side may have it.
func wantSent(t *testing.T, sent func() (messages, payload uint64), messages, payload uint64) {
	t.Helper()
	until(t, "what was sent to be counted", func() bool {
		n, b := sent()
		return n == messages && b == payload
	})
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s for %s", patience, what)
		}
		<-tick.C
	}
}

// A session that sends nothing is one that is paid for.
func TestStateOfATransceiver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sbd")
	m, err := sbdterm.New(sbdterm.Options{Path: path, Session: sbdterm.Span{Most: time.Millisecond}, Ring: time.Millisecond})
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	transporttest.Background(t, m.Run)
	w := wire(t, config.Link{Name: "sbd0", Kind: "sbdmodem", SBDModem: &sbdmodem.Config{Device: path}})
	state := w.state()
	until(t, "the transceiver to be set up", state.ModemUp)
	if err := m.Deliver(t.Context(), sbdterm.MT{Payload: []byte("up")}); err != nil {
		t.Fatal(err)
	}
	until(t, "a check", func() bool { return state.Sessions()["check"] == 1 })
	d := transports.Downlink{To: transports.Address{Bearer: transports.SBD, ID: "300234010753371"}, Payload: make([]byte, 20)}
	if _, err := w.transport.Send(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	wantSent(t, state.Sent, 1, 20)
	if n := state.Sessions(); n["failed"] != 0 || n["empty"] != 0 || w.address() != path {
		t.Errorf("sessions %v at %s", n, w.address())
	}
}
