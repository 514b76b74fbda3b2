package scheduler_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/godwit-gateway/godwit/scheduler"
)

func TestExplanation(t *testing.T) {
	f, p := one(func(f *scheduler.Fleet, d *scheduler.Device) {
		d.Links[1] = scheduler.Via{Link: 1, Deliver: 1}
		d.Links[2] = scheduler.Via{Link: 4}
		f.Links[3].Up.Price *= 3
		d.Power = 15_000. / 3600 / 6
		d.Current = 27 * 3600
		f.Policies[0].Stale, f.Policies[0].Min = 14*day, 3600
	})
	explain := func(o scheduler.Occasion) string {
		o.Now = somewhen
		x := scheduler.Explain(p, f, &scheduler.Budget{Money: 1e9}, &f.Devices[0], o)
		x.Currency = "USD"
		if _, err := json.Marshal(x); err != nil {
			t.Error(err)
		}
		return x.String()
	}
	for name, c := range map[string]struct {
		change func()
		o      scheduler.Occasion
		want   []string
	}{
		"kept": {func() {}, scheduler.Occasion{}, []string{
			"= s 79.8 x sqrt(cost 0.12 USD / (weight 1.3 x loss factor 0.61)) = 31 h -> grid 32 h", "not clamped (policy floor 1 h, battery floor 6 h, policy cap 7 d, link cap 7 d, service level cap 7 d)",
			"link sbd beats cell (no coverage) and idp (", "price: 1 weighted stale-hour = 0.000157 USD", "at 24 h: +", "USD/month, -", "kept (was 27 h, change worth 0.", "next contact expected Sat 16 Jan 10:00 UTC ±1.35 h",
			"after an update: +5 min, +10 min, +20 min, +30 min, +45 min, +1 h, +4 h, +12 h.",
		}},
		"free":    {func() {}, scheduler.Occasion{Ack: 20}, []string{"changed within the next ack (was 27 h, telling is free)"}},
		"own":     {func() { f.Devices[0].Current = 3600 * 7 }, scheduler.Occasion{}, []string{"changed by a downlink (was 7 h, change worth "}},
		"clamped": {func() { f.Policies[0].Max = 10 * 3600 }, scheduler.Occasion{}, []string{"9.51 h = s ", "clamped by policy cap 10 h (policy floor 1 h, battery floor 6 h, link cap 7 d"}},
		"beyond":  {func() { f.Devices[0].Current = 3600 }, scheduler.Occasion{}, []string{"changed by a downlink (was 1 h, which is beyond a limit)"}},
		"fixed":   {func() { f.Policies[0] = scheduler.Policy{Law: scheduler.LawFixed, Every: day} }, scheduler.Occasion{}, []string{"24 h by the law fixed; "}},
		"tail":    {func() { f.Policies[0] = scheduler.Policy{Tail: 2} }, scheduler.Occasion{}, []string{"x the root of degree 3 of(cost 0.12 USD / ("}},
		"boost":   {func() { f.Devices[0].Boost, f.Devices[0].BoostEnds = 2, uint32(somewhen)+9 }, scheduler.Occasion{}, []string{"(weight 2.6 (1.3 in itself) x "}},
		"plenty":  {func() { p.S = 0 }, scheduler.Occasion{}, []string{"6 h, since money is not scarce", "the budget suffices"}},
		"nothing": {func() { f.Devices[0].Links = [scheduler.MaxVias]scheduler.Via{} }, scheduler.Occasion{}, []string{"the device has no link; it keeps "}},
	} {
		device, policy, price := f.Devices[0], f.Policies[0], p.S
		c.change()
		got := explain(c.o)
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %s\nlacks %q", name, got, want)
			}
		}
		f.Devices[0], f.Policies[0], p.S = device, policy, price
	}
	pooled, b := pooledFleet(200)
	x := scheduler.Explain(solve(t, pooled, b), pooled, b, &pooled.Devices[3], scheduler.Occasion{Now: somewhen})
	for i := range pooled.Devices {
		if x = scheduler.Explain(solve(t, pooled, b), pooled, b, &pooled.Devices[i], scheduler.Occasion{Now: somewhen}); x.Pool == "iridium" {
			break
		}
	}
	if got := x.String(); !strings.Contains(got, "reserve 17 % of iridium") {
		t.Error(got)
	}
}
