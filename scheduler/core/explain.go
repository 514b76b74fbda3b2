package core

import (
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
)

// Explain is why a device is to run an interval; ok is false if there is no plan yet, or the device was never heard.
func (k *Core) Explain(now time.Time, at Place) (x scheduler.Explanation, ok bool) {
	d := k.find(at)
	if d == nil || k.planned.IsZero() || d.heard == 0 {
		return x, false
	}
	b := k.budget(k.pace.Money(), now)
	planned := k.planning(&k.known[at], d)
	planned.Current = d.interval()
	x = scheduler.Explain(&k.plan, &k.fleet, &b, &planned, scheduler.Occasion{Now: scheduler.Secs(now.Unix())})
	x.Currency, x.Burst = k.config.Currency, k.Burst(at) // what an update would carry, of which the verdict knows; a hazard of the policy does not change it
	if hours := k.model.Said(&d.presence); hours != "" {
		x.Hours, x.Due = hours+" UTC", scheduler.Secs(k.model.Speaks(&d.presence, int64(x.Due)))
	}
	return x, true
}
