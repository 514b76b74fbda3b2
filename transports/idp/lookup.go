package idp

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/transports"
)

// lookUp finds a message to a terminal whose submission, begun at a time, was not answered: statuses since then name all messages of the account, and the gateway
// shows to whom those are that we do not know, and what is in them. nil if it is not among them, which does not say that the gateway will not have it.
// Called with a token in submits.
func (t *Transport) lookUp(ctx context.Context, d *transports.Downlink, since time.Time) *submission {
	p, err := t.gateway.ask(ctx, t.gateway.statuses(since.Add(-overAfter)))
	if err != nil {
		return nil
	}
	known := idsOf(t.state.under())
	var ids []uint64
	for i := range p.Statuses {
		if id := p.Statuses[i].id(); !slices.Contains(known, id) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	ids = ids[max(0, len(ids)-idsMax):] // the newest
	if p, err = t.gateway.ask(ctx, t.gateway.forwards(ids)); err != nil {
		return nil
	}
	want := t.header.Append(nil, d.Payload)
	for _, text := range slices.Backward(p.Messages) {
		var m struct {
			submission

			DestinationID string
			RawPayload    []byte // from a list of numbers as well as from base64
		}
		if json.Unmarshal(text, &m) != nil || m.id() == 0 || !slices.Contains(ids, m.id()) {
			continue
		}
		if m.DestinationID == d.To.ID && bytes.Equal(m.RawPayload, want) {
			return &m.submission
		}
	}
	return nil
}
