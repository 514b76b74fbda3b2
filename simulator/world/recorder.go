package world

import (
	"fmt"
	"time"

	"github.com/godwit-gateway/godwit/transports"
)

// recorder is a provider that keeps what it carried, for as long as one of the incidents that are planned wants to hear it again.
type recorder struct {
	span    time.Duration // 0: nothing is kept
	carried []carried
}

type carried struct {
	at      time.Time
	m       *mobile
	link    string
	from    transports.Address
	payload []byte
}

// replaySpan is what a provider replays where nobody says how much.
const replaySpan = 24 * time.Hour

// record keeps what the gateway has taken.
func (r *recorder) record(now time.Time, m *mobile, a *air, payload []byte) {
	if r.span == 0 {
		return
	}
	r.carried = append(r.carried, carried{now, m, a.link.Name, a.from, payload})
	if first := r.carried[0].at; now.Sub(first) > 2*r.span { // half of it is old
		n := 0
		for n < len(r.carried) && now.Sub(r.carried[n].at) > r.span {
			n++
		}
		r.carried = append(r.carried[:0], r.carried[n:]...)
	}
}

// replayDay hands over everything of the last time once more. Nothing of it may be new.
func (w *world) replayDay(in *Incident) bool {
	if !w.gateway.up {
		return false
	}
	span := in.For
	if span == 0 {
		span = replaySpan
	}
	for i := range w.recorder.carried {
		c := &w.recorder.carried[i]
		if w.now.Sub(c.at) > span {
			continue
		}
		v, ok := w.gateway.take(transports.Uplink{Transport: c.link, ReceivedAt: w.now, Payload: c.payload, From: c.from})
		if !ok {
			break
		}
		w.noticed["payload that a provider handed over again"]++
		if v.Settlement == transports.Stored {
			w.fail(fmt.Errorf("%w: a payload of device %d that was replayed was stored a second time", ErrBroken, c.m.config.Number))
		}
	}
	return true
}
