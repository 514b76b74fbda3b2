package world

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/godwit-gateway/godwit/transports"
)

// What a network says of a downlink that it did not take.
var (
	errNobody = errors.New("no such subscriber")
	errBusy   = errors.New("network is busy")
	errSilent = errors.New("network did not answer")
)

// unknownSubscriber is the error number of a network that knows nobody by a number (3GPP TS 24.011, annex E-2).
const unknownSubscriber = 30

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
		m = w.fleet[d.Window.ID-1] // as uplink gave it
	}
	var a *air
	if m != nil {
		a = m.over(o.link)
	}
	if a == nil || m.barred && o.link.Keeps {
		return transports.Receipt{}, &transports.SendError{Outcome: transports.Refused, Code: unknownSubscriber, Err: errNobody}
	}
	w.fail(m.sealedDown(d.Payload))
	if o.link.Metered {
		w.fail(m.expected(d.To.ID))
	}
	w.fail(m.current(d.Ref))
	w.fail(w.affordable(o.link, len(d.Payload)))
	luck := w.gateway.rng.IntN(100)
	if w.healing {
		luck = 100
	}
	if luck < 5 {
		return transports.Receipt{}, &transports.SendError{Outcome: transports.NotSent, Err: errBusy}
	}
	w.spent(o.link, len(d.Payload))
	ref := ""
	if d.WantReport {
		w.receipts++
		ref = strconv.FormatUint(w.receipts, 10)
	}
	if luck >= 8 {
		m.carry(a, told{append([]byte(nil), d.Payload...), ref})
	}
	if luck < 12 {
		return transports.Receipt{}, &transports.SendError{Outcome: transports.MaybeSent, Err: errSilent}
	}
	return transports.Receipt{Ref: ref, Parts: 1, At: w.now}, nil
}

// current requires that nothing leads a device to an epoch that was queued before the gateway found that its disk is an older copy: the device may have another one
// since.
func (m *mobile) current(ref uint64) error {
	list, err := m.w.gateway.hub.Downlinks(m.name())
	for i := range list {
		if d := &list[i]; d.Ref == ref && (d.Kind == "rekey" || d.Kind == "join") && d.QueuedAt.Before(m.w.gateway.older) {
			return fmt.Errorf("%w: a %s for device %d was sent that waited in an older copy of the disk", ErrBroken, d.Kind, m.config.Number)
		}
	}
	return err //nolint:wrapcheck // it says all
}

// expected requires that somebody accepted the address of a device before a downlink that costs money goes there.
func (m *mobile) expected(id string) error {
	d, err := m.w.gateway.hub.Device(m.name())
	if err != nil {
		return fmt.Errorf("%w: a downlink for device %d, which is not known: %w", ErrBroken, m.config.Number, err)
	}
	if !accepted(&d, id) {
		return fmt.Errorf("%w: a downlink for device %d went to an address that nobody accepted", ErrBroken, m.config.Number)
	}
	if m.clone {
		return fmt.Errorf("%w: a downlink for device %d went to the card of its clone", ErrBroken, m.config.Number)
	}
	return nil
}
