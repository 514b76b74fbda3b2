package sbdmodem

import (
	"context"
	"errors"
	"log/slog"
	"strconv"

	"github.com/godwit-gateway/godwit/gateway/failpoint"
	"github.com/godwit-gateway/godwit/transports"
)

// garbledMax is how often a message is read again that came garbled over the line. After that it goes to the sink as it came.
const garbledMax = 5

// A message is one in the MT buffer that is not settled.
type message struct {
	waits   bool
	mtmsn   uint16
	garbled int // times that it was read so
	retry
}

// receive reads the message in the MT buffer, has it settled and clears it. From there on it is in hand: that is finished even if Run's context is done.
func (r *runner) receive(ctx context.Context) error {
	payload, err := r.cmd.readMessage(ctx)
	content := transports.ContentData
	switch {
	case errors.Is(err, errGarbled):
		r.t.counts.garbled.Add(1)
		if r.message.garbled++; r.message.garbled < garbledMax {
			r.t.log.Warn("a message is read again", slog.Any("error", err))
			return nil
		}
		content = transports.ContentRaw
	case err != nil:
		return err
	case len(payload) == 0: // it was cleared, and the answer to that got lost
		r.message = message{}
		return nil
	}
	u := transports.Uplink{
		Transport: r.t.name, From: transports.Address{Bearer: transports.SBD, ID: r.t.cfg.Peer}, Ref: strconv.Itoa(int(r.message.mtmsn)),
		ReceivedAt: r.t.cfg.Now(), Content: content, Payload: payload,
	}
	if !r.offer(u) {
		r.message.later(r.t.timing.backoff)
		return nil
	}
	failpoint.Pass(failpoint.Erasing)
	if err := r.erase(r.inHand, "+SBDD1"); err != nil {
		return err
	}
	failpoint.Pass(failpoint.Erased)
	r.message = message{}
	return nil
}

// offer hands a message to the sink and reports whether it is settled. Rejected too: it would hold up all others.
func (r *runner) offer(u transports.Uplink) bool {
	c := &r.t.counts
	c.received.Add(1)
	if u.Content == transports.ContentRaw {
		c.raw.Add(1)
	}
	failpoint.Pass(failpoint.Received)
	var out [1]transports.Verdict
	if err := r.sink.Uplinks(r.inHand, []transports.Uplink{u}, out[:]); err != nil {
		c.settled[transports.Unsettled].Add(1)
		r.t.log.Warn("a message stays in the transceiver: the sink does not take it", slog.Any("error", err))
		return false
	}
	as := out[0].Settlement
	if as > transports.Rejected {
		as = transports.Unsettled // not a verdict that we know
	}
	c.settled[as].Add(1)
	return as != transports.Unsettled
}
