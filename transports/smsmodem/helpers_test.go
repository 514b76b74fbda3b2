package smsmodem_test

import (
	"context"
	"encoding/hex"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/warthog618/sms/encoding/pdumode"
	"github.com/warthog618/sms/encoding/tpdu"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/smsmodem"
	"github.com/godwit-gateway/godwit/transports/transporttest"
)

func TestMain(m *testing.M) { os.Exit(transporttest.Main(m)) }

const sender = "+491700000001"

var stamp = time.Date(2026, 3, 1, 12, 0, 0, 0, time.FixedZone("SCTS", 2*3600))

// deliverPDU makes an SMS-DELIVER with 8-bit data.
func deliverPDU(tb testing.TB, from string, payload []byte, udh ...tpdu.InformationElement) string {
	tb.Helper()
	t := tpdu.TPDU{Direction: tpdu.MT, OA: tpdu.NewAddress(tpdu.FromNumber(from)), DCS: tpdu.Dcs8BitData, SCTS: tpdu.Timestamp{Time: stamp}, UD: payload}
	if len(udh) > 0 {
		t.SetUDH(udh)
	}
	return pduOf(tb, &t)
}

func pduOf(tb testing.TB, t *tpdu.TPDU) string {
	tb.Helper()
	b, err := t.MarshalBinary()
	if err != nil {
		tb.Fatal(err)
	}
	p := pdumode.PDU{TPDU: b}
	p.SMSC.Address = tpdu.NewAddress(tpdu.FromNumber("+491710760000"))
	text, err := p.MarshalHexString()
	if err != nil {
		tb.Fatal(err)
	}
	return strings.ToUpper(text)
}

// reportPDU makes an SMS-STATUS-REPORT.
func reportPDU(tb testing.TB, to tpdu.Address, mr int, status byte) string {
	tb.Helper()
	t := tpdu.TPDU{
		Direction: tpdu.MT, FirstOctet: tpdu.FirstOctet(0).WithMTI(tpdu.MtCommand), MR: byte(mr), RA: to,
		SCTS: tpdu.Timestamp{Time: stamp}, DT: tpdu.Timestamp{Time: stamp.Add(time.Minute)}, ST: status,
	}
	return pduOf(tb, &t)
}

func tpduLength(pdu string) int {
	b, err := hex.DecodeString(pdu)
	if err != nil || len(b) == 0 {
		return len(pdu) / 2
	}
	return len(b) - 1 - int(b[0])
}

// submitOf reads a PDU that the driver handed over.
func submitOf(tb testing.TB, pdu string) *tpdu.TPDU {
	tb.Helper()
	p, err := pdumode.UnmarshalHexString(pdu)
	if err != nil {
		tb.Fatal(err)
	}
	t := &tpdu.TPDU{Direction: tpdu.MO}
	if err := t.UnmarshalBinary(p.TPDU); err != nil {
		tb.Fatalf("%s: %v", pdu, err)
	}
	return t
}

// newTransport makes a driver of a modem, in haste.
func newTransport(tb testing.TB, m *modem, change ...func(*smsmodem.Config)) *smsmodem.Transport {
	tb.Helper()
	cfg := smsmodem.Config{Name: "modem0", Open: m.open, Sweep: time.Hour}
	for _, c := range change {
		c(&cfg)
	}
	tr, err := smsmodem.New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tr.Hasten()
	return tr
}

// running is a Run under way.
type running struct {
	tb     testing.TB
	ctx    context.Context // of the test
	cancel context.CancelFunc
	done   chan struct{}
	err    error
	sink   *transporttest.Sink
}

// start runs a driver until the test ends.
func start(tb testing.TB, tr *smsmodem.Transport, sink *transporttest.Sink) *running {
	tb.Helper()
	within, giveUp := context.WithTimeout(tb.Context(), 10*time.Second)
	ctx, cancel := context.WithCancel(tb.Context())
	r := &running{tb: tb, ctx: within, cancel: cancel, done: make(chan struct{}), sink: sink}
	go func() {
		defer close(r.done)
		r.err = tr.Run(ctx, sink)
	}()
	tb.Cleanup(func() {
		cancel()
		<-r.done
		giveUp()
	})
	return r
}

// ended waits for Run to return.
func (r *running) ended() error {
	r.tb.Helper()
	select {
	case <-r.done:
		return r.err
	case <-r.ctx.Done():
		r.tb.Fatal("Run has not returned")
		return nil
	}
}

// stop ends Run, which has to return nil.
func (r *running) stop() {
	r.tb.Helper()
	r.cancel()
	if err := r.ended(); err != nil {
		r.tb.Fatalf("Run returned %v", err)
	}
}

// gets waits for a payload to reach the sink.
func (r *running) gets(payload string) {
	r.tb.Helper()
	if _, ok := r.sink.Await(r.ctx, []byte(payload), 1); !ok {
		r.tb.Fatalf("the sink did not get %q; it has %d uplinks", payload, len(r.sink.Received()))
	}
}

// until waits for a state of the modem.
func (r *running) until(m *modem, what string, done func() bool) {
	r.tb.Helper()
	if !m.mu.Await(r.ctx, done) {
		m.mu.Lock()
		defer m.mu.Unlock()
		r.tb.Fatalf("did not happen: %s\ncommands: %q", what, m.commands)
	}
}

func address(id string) transports.Address {
	return transports.Address{Bearer: transports.SMS, ID: id}
}

func mustHex(tb testing.TB, text string) string {
	tb.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}

func hexOf(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }
