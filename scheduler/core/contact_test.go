package core_test

import (
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
)

// How often devices speak by themselves is learned from their statuses alone: a hello before the first of them, and what comes with an update, make nobody
// late, and no link seem to be out.
func TestGuessOfAnInterval(t *testing.T) {
	const devices, every = 60, 6 * time.Hour
	k := newCore(t, config(t))
	know(k, devices)
	type contact struct {
		at    time.Duration
		cause ledger.Cause
	}
	plan := make([][]contact, devices)
	for i := range plan {
		phase := every * time.Duration(i) / devices
		plan[i] = []contact{{phase / 2, ledger.CauseHello}}
		for n := range 40 {
			due := phase + every*time.Duration(n)
			plan[i] = append(plan[i], contact{due, ledger.CauseStatus})
			if n == 20 {
				for _, after := range []time.Duration{10 * time.Minute, 20 * time.Minute, 30 * time.Minute} { // steps, then a programme
					plan[i] = append(plan[i], contact{due + after, ledger.CauseUpdate}, contact{due + 40*time.Minute + after, ledger.CauseStatus})
				}
			}
		}
	}
	for now := t0; now.Before(t0.Add(39 * every)); now = now.Add(10 * time.Minute) {
		k.Poll(now)
		for i := range plan {
			for len(plan[i]) > 0 && !t0.Add(plan[i][0].at).After(now) {
				c := plan[i][0]
				plan[i] = plan[i][1:]
				k.Heard(now, core.Place(i), core.Contact{Link: sms, Bytes: 30, Cause: c.cause, Newest: true})
				if c.cause == ledger.CauseUpdate {
					k.Updated(now, core.Place(i))
				}
			}
			if st, ok := k.Standing(now, core.Place(i)); ok && st.Missed > 0 {
				t.Fatalf("%s: device %d: %+v", now.Sub(t0), i, st)
			}
		}
		if o := k.Outage(sms); o.Since != 0 {
			t.Fatalf("%s: %+v", now.Sub(t0), o)
		}
	}
}
