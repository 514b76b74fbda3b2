package core

import (
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
)

// Explain is why a device is to run an interval; ok is false if there is no plan yet, or the device was never heard.
func (k *Core) Explain(now time.Time, at Place) (x scheduler.Explanation, ok bool) {
	m := k.at(at)
	if m == nil || k.planned.IsZero() || k.devices[at].Heard == 0 {
		return x, false
	}
	b := k.budget(k.pace.Money(), now)
	d := k.devices[at]
	if d.Current == 0 {
		d.Current = m.interval(&d)
	}
	x = scheduler.Explain(&k.plan, &k.fleet, &b, &d, scheduler.Occasion{Now: scheduler.Secs(now.Unix())})
	x.Currency = k.config.Currency
	return x, true
}
