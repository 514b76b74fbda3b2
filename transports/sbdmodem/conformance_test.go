package sbdmodem_test

import (
	"context"
	"strconv"
	"testing"

	"github.com/godwit-gateway/godwit/simulator/peers/sbdterm"
	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/sbdmodem"
	"github.com/godwit-gateway/godwit/transports/transporttest"
)

// harness is a transceiver to which four devices send. Nobody tells it which.
type harness struct {
	*site

	tr    *sbdmodem.Transport
	heard int // of took, by Sent; guarded by mu
}

func TestConformance(t *testing.T) {
	caps := transporttest.Capabilities{Redelivers: true, ConfirmsRejected: true, InOrder: true}
	transporttest.Run(t, caps, func(t *testing.T) transporttest.Harness {
		t.Helper()
		s := newSite(t)
		return &harness{site: s, tr: s.driver()}
	})
}

func (h *harness) Transport() transports.Transport { return h.tr }

func (h *harness) Address(int) transports.Address { return transports.Address{Bearer: transports.SBD} }

func (h *harness) Target() transports.Address {
	return transports.Address{Bearer: transports.SBD, ID: peer}
}

func (h *harness) Inject(_ testing.TB, _ int, payload []byte) string {
	return strconv.FormatUint(h.put(string(payload)), 10)
}

func (h *harness) Confirmed(ctx context.Context, id string) bool {
	n, _ := strconv.ParseUint(id, 10, 64)
	return h.mu.Await(ctx, func() bool {
		as, ok := h.settled[n]
		return ok && as == sbdterm.Cleared
	})
}

func (h *harness) Redeliver(testing.TB, string) {}

func (h *harness) Sent(ctx context.Context) (payload []byte, ok bool) {
	ok = h.mu.Await(ctx, func() bool {
		if h.heard == len(h.took) {
			return false
		}
		payload = h.took[h.heard].Payload
		h.heard++
		return true
	})
	return payload, ok
}

func (h *harness) Refuse(testing.TB) { h.modem.Inject(sbdterm.Step{MO: 15}) }

// Mute cannot be had: the transceiver's own count tells what became of a session.
func (h *harness) Mute(testing.TB) bool { return false }

func (h *harness) Cut(testing.TB) { h.modem.Unplug() }

func (h *harness) Mend(tb testing.TB) {
	tb.Helper()
	if err := h.modem.Plug(); err != nil {
		tb.Error(err)
	}
}
