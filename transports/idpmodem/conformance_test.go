package idpmodem_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/idpterm"
	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/idpmodem"
	"github.com/godwit-gateway/godwit/transports/transporttest"
)

// harness is a terminal whose network relays for four devices.
type harness struct {
	*site

	heard int // of out, by Sent; guarded by mu
}

// With checksums, and, in the dialect of Quectel, without.
func TestConformance(t *testing.T) {
	for name, o := range map[string]options{
		"Checksums": {},
		"Quectel":   {terminal: idpterm.Options{Quectel: true}, driver: idpmodem.Config{Dialect: "quectel"}},
	} {
		t.Run(name, func(t *testing.T) {
			caps := transporttest.Capabilities{Redelivers: true, ConfirmsRejected: true}
			transporttest.Run(t, caps, func(t *testing.T) transporttest.Harness {
				t.Helper()
				o.terminal.Up = idpterm.Span{Least: time.Hour, Most: time.Hour} // the harness says when
				return &harness{site: newSite(t, o)}
			})
		})
	}
}

func (h *harness) Transport() transports.Transport { return h.tr }

// Address: all are behind the peer.
func (*harness) Address(int) transports.Address { return address() }

func (h *harness) Inject(tb testing.TB, _ int, payload []byte) string {
	tb.Helper()
	return strconv.FormatUint(h.deliver(tb, message(string(payload))), 10)
}

func (h *harness) Confirmed(ctx context.Context, id string) bool {
	n, err := strconv.ParseUint(id, 10, 64)
	return err == nil && h.mu.Await(ctx, func() bool { return h.ended[n] })
}

func (*harness) Redeliver(testing.TB, string) {} // the driver asks for it by itself

func (*harness) Target() transports.Address { return address() }

// Sent has the network take the messages that wait.
func (h *harness) Sent(ctx context.Context) (payload []byte, ok bool) {
	for _, name := range h.terminal.Waiting() {
		h.terminal.Finish(name, idpterm.FateDelivered)
	}
	ok = h.mu.Await(ctx, func() bool {
		if h.heard == len(h.out) {
			return false
		}
		payload = h.out[h.heard].Message[2:]
		h.heard++
		return true
	})
	return payload, ok
}

func (h *harness) Report(tb testing.TB, ref string, state transports.ReportState) {
	tb.Helper()
	fate := idpterm.FateDelivered
	if state != transports.ReportDelivered {
		fate = idpterm.FateCancelled // one that failed would be queued again
	}
	if !h.terminal.Finish(ref, fate) {
		tb.Errorf("the terminal has no message %s", ref)
	}
}

func (h *harness) Refuse(tb testing.TB) {
	tb.Helper()
	h.inject(tb, idpterm.Step{Command: "MGT", Do: idpterm.ActError, Code: 105})
	h.inject(tb, idpterm.Step{Command: "MGRT", Do: idpterm.ActError, Code: 105})
}

// Mute cannot be had: whether the terminal has a message it says when it is asked for the state of it.
func (*harness) Mute(testing.TB) bool { return false }

func (h *harness) inject(tb testing.TB, step idpterm.Step) {
	tb.Helper()
	if err := h.terminal.Inject(step); err != nil {
		tb.Error(err)
	}
}

func (h *harness) Cut(testing.TB) { h.terminal.Unplug() }

func (h *harness) Mend(tb testing.TB) {
	tb.Helper()
	if err := h.terminal.Plug(); err != nil {
		tb.Error(err)
	}
}
