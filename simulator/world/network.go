package world

import (
	"context"
	"errors"

	"github.com/godwit-gateway/godwit/transports"
)

// What a network says of a downlink that it did not take.
var (
	errNobody = errors.New("no such subscriber")
	errBusy   = errors.New("network is busy")
	errSilent = errors.New("network did not answer")
)

// outlet is a link as the hub sees it: it hands downlinks to the network.
type outlet struct {
	g    *gateway
	link *Link
}

// Name implements transports.Transport.
func (o *outlet) Name() string { return o.link.Name }

// Bearer implements transports.Transport.
func (o *outlet) Bearer() transports.Bearer { return o.link.Bearer }

// Limits implements transports.Transport.
func (o *outlet) Limits() transports.Limits {
	return o.link.Limits
}

// Run implements transports.Transport. The world hands uplinks to the hub by itself.
func (o *outlet) Run(ctx context.Context, _ transports.Sink) error { <-ctx.Done(); return nil }

// Send implements transports.Transport.
func (o *outlet) Send(_ context.Context, d transports.Downlink) (transports.Receipt, error) {
	return o.g.w.downlink(o, &d)
}

// downlink is the network: it takes what the hub sends, or does not, or does not say.
func (w *world) downlink(o *outlet, d *transports.Downlink) (transports.Receipt, error) {
	m := w.bySIM[d.To.ID]
	if !o.link.Keeps {
		m = w.byNumber[uint32(d.Window.ID)] //nolint:gosec // as uplink gave it
	}
	if m == nil || m.link != o.link {
		return transports.Receipt{}, &transports.SendError{Outcome: transports.Refused, Err: errNobody}
	}
	w.fail(m.sealedDown(d.Payload))
	luck := w.gateway.rng.IntN(100)
	if w.healing {
		luck = 100
	}
	if luck < 5 {
		return transports.Receipt{}, &transports.SendError{Outcome: transports.NotSent, Err: errBusy}
	}
	if luck >= 8 {
		m.carry(append([]byte(nil), d.Payload...))
	}
	if luck < 12 {
		return transports.Receipt{}, &transports.SendError{Outcome: transports.MaybeSent, Err: errSilent}
	}
	return transports.Receipt{Parts: 1, At: w.now}, nil
}
