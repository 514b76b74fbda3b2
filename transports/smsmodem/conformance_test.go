package smsmodem_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/warthog618/sms/encoding/tpdu"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/smsmodem"
	"github.com/godwit-gateway/godwit/transports/transporttest"
)

// harness is a modem with four devices on the air.
type harness struct {
	*modem

	tr    *smsmodem.Transport
	units map[string]unit // guarded by mu
	heard int             // of accepted, by Sent; guarded by mu
}

type unit struct {
	index int
	pdu   string
}

func TestConformance(t *testing.T) {
	caps := transporttest.Capabilities{Redelivers: true, ConfirmsRejected: true}
	transporttest.Run(t, caps, func(t *testing.T) transporttest.Harness {
		t.Helper()
		m := newModem(t)
		return &harness{modem: m, tr: newTransport(t, m), units: map[string]unit{}}
	})
}

func (h *harness) Transport() transports.Transport { return h.tr }

func (h *harness) Address(device int) transports.Address {
	return transports.Address{Bearer: transports.SMS, ID: fmt.Sprintf("+49170000000%d", device)}
}

// Target waits a moment for a Run that may have been started just now: a Send before it has begun is one to a line that is down.
func (h *harness) Target() transports.Address {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	h.mu.Await(ctx, func() bool { return h.opened > 0 })
	return h.Address(0)
}

func (h *harness) Inject(tb testing.TB, device int, payload []byte) string {
	tb.Helper()
	pdu := deliverPDU(tb, h.Address(device).ID, payload)
	index := h.put("SM", message{pdu: pdu})
	var id string
	h.mu.Change(func() {
		id = strconv.Itoa(len(h.units))
		h.units[id] = unit{index: index, pdu: pdu}
	})
	h.urc(fmt.Sprintf(`+CMTI: "SM",%d`, index))
	return id
}

// Confirmed: the slot is empty, or holds another message.
func (h *harness) Confirmed(ctx context.Context, id string) bool {
	return h.mu.Await(ctx, func() bool {
		u := h.units[id]
		return h.storages["SM"][u.index].pdu != u.pdu
	})
}

func (h *harness) Redeliver(testing.TB, string) {}

// Sent reassembles what went out, as a device does.
func (h *harness) Sent(ctx context.Context) ([]byte, bool) {
	var payload []byte
	ok := h.mu.Await(ctx, func() bool {
		payload = payload[:0]
		for i := h.heard; i < len(h.accepted); i++ {
			t := submitOf(h.tb, h.accepted[i])
			payload = append(payload, t.UD...)
			if total, seq, _, concat := t.ConcatInfo(); !concat || seq == total {
				h.heard = i + 1
				return true
			}
		}
		return false
	})
	return payload, ok
}

func (h *harness) Refuse(testing.TB) { h.once("+CMS ERROR: 42") }

func (h *harness) Mute(testing.TB) bool {
	h.once("")
	return true
}

// once answers the next PDU.
func (h *harness) once(reply string) {
	h.mu.Change(func() {
		h.onPDU = func(string) (string, bool) {
			h.mu.Change(func() { h.onPDU = nil })
			return reply, true
		}
	})
}

func (h *harness) Report(tb testing.TB, ref string, state transports.ReportState) {
	tb.Helper()
	mr, err := strconv.Atoi(ref)
	if err != nil {
		tb.Fatalf("reference %q is no TP-MR", ref)
	}
	status := map[transports.ReportState]byte{transports.ReportPending: 0x20, transports.ReportDelivered: 0, transports.ReportFailed: 0x41}[state]
	index := h.put("SM", message{pdu: reportPDU(tb, tpdu.NewAddress(tpdu.FromNumber(h.Target().ID)), mr, status)})
	h.urc(fmt.Sprintf(`+CDSI: "SM",%d`, index))
}

func (h *harness) Cut(testing.TB) { h.unplug() }

func (h *harness) Mend(testing.TB) { h.plug() }
