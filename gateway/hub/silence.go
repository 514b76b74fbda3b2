package hub

import (
	"errors"
	"time"

	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/rollout"
	"github.com/godwit-gateway/godwit/gateway/rollout/silence"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/transports"
)

// Quiet implements rollout.Fleet: all that is known of a silence but for updates.
func (f updatable) Quiet(now time.Time, at rollout.Place, q *silence.Quiet) {
	h, state := f.h, f.h.fleet.Head(fleet.Index(at)).State
	*q = silence.Quiet{
		Now: now.Unix(), Retired: state.Dismissed(), Power: silence.Power{Levels: q.Power.Levels[:0]}, Outages: q.Outages[:0],
	}
	q.Standing, q.Heard = h.core.Standing(now, core.Place(at))
	w := h.core.Witness(core.Place(at), h.scratch.levels)
	h.scratch.levels = w.Levels
	for _, l := range w.Levels {
		q.Power.Levels = append(q.Power.Levels, silence.Level{At: l.At.Unix(), Value: l.Percent})
	}
	q.Power.Empty, q.Power.Full, q.Power.Unit = 1, 100, "%" // gauges tell no less than 1
	q.Card = silence.Card{Refused: w.Refused, Code: w.Why}
	if !w.Delivered.IsZero() {
		q.Card.Delivered = w.Delivered.Unix()
	}
	if l := h.links[q.Standing.Link]; q.Heard && l != nil && q.Standing.Missed > 0 {
		// Of a device that was heard while its link is said to be out, presence counts how much of what it missed that covers.
		o, region, _ := h.core.OutageOf(core.Place(at))
		if o.Since != 0 && q.Standing.Last < o.Since+int64(time.Hour/time.Second) {
			where := "link " + l.Name
			if region != "" {
				where = region + " on " + where
			}
			q.Outages = append(q.Outages, silence.Disturbance{Where: where, Since: o.Since, Until: o.Until, Probability: o.Probability})
		}
	}
}

// why is what the silence of a device is put down to. mu is held for writing: rollouts may reckon.
func (h *Hub) why(now time.Time, i fleet.Index) silence.Finding {
	return h.rollouts.Why(now, rollout.Place(i))
}

// Silence is what the silence of a device is put down to.
func (h *Hub) Silence(ref string) (silence.Finding, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i, err := h.find(ref)
	if err != nil {
		return silence.Finding{}, err
	}
	return h.why(h.clock.Now(), i), nil
}

// said notes what a network says of a device: why it will never take a downlink to it, or, without a reason, that one arrived. Where each message is paid
// for networks know whether there is somebody.
func (h *Hub) said(d *store.Downlink, now time.Time, refused string) {
	i, ok := h.fleet.ByNumber(d.Number)
	if l := h.links[d.Link]; !ok || l == nil || !l.Metered {
		return
	}
	if refused != "" {
		h.core.Refused(core.Place(i), refused)
		return
	}
	h.core.Delivered(now, core.Place(i))
}

// refusedByNumber reports whether a network refused a downlink for good with an error number of its own. Without one, or where the message was too large, that
// says nothing of the subscriber.
func refusedByNumber(err error) bool {
	var se *transports.SendError
	return errors.As(err, &se) && se.Outcome == transports.Refused && se.Code != 0 && !errors.Is(err, transports.ErrTooLarge)
}

// noSubscriber reports whether a status of a report (3GPP TS 23.040 §9.2.3.15) says that nobody can be reached under the number: a message that expired
// (0x46) or was deleted says so of nobody.
func noSubscriber(status int) bool { return status >= 0x41 && status <= 0x45 }

// A Cause is what the silence of a device is put down to.
type Cause struct {
	Cause       string   `json:"cause" enum:"not_due,late,outage,contract,battery,update,retired,unknown"`
	Probability float64  `json:"cause_probability"`
	Why         []string `json:"cause_evidence"` // the weightiest first
}

// CauseOf is a finding as it is shown.
func CauseOf(f *silence.Finding) Cause {
	return Cause{f.Class.Label(), f.Probability, append([]string{}, f.Evidence...)}
}
