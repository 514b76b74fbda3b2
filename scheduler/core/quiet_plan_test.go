package core_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/scheduler/presence"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// sleeper is a device that keeps its interval and says at the end of its quiet hours what fell due in them.
type sleeper struct {
	every time.Duration
	next  time.Time
	told  uint8 // the revision that it says back; 0: none
}

// nights is a fleet of which every other device keeps quiet hours, and all do as they are told, until a time. older is the mean age of what was known of them in
// the month before.
func nights(t *testing.T, devices int, hours presence.Hours, until time.Time) (k *core.Core, older float64) {
	t.Helper()
	k = newCore(t, core.Config{Links: config(t).Links[:1], Tariffs: prices(t), Currency: "EUR", Money: 100_000_000})
	know(k, devices)
	list := make([]sleeper, devices)
	for i := range list {
		list[i] = sleeper{every: 2 * time.Hour, next: t0.Add(time.Duration(i) * 4 * time.Minute)}
	}
	counts := until.AddDate(0, -1, 0)
	for now := t0; now.Before(until); now = now.Add(time.Minute) {
		for i := range list {
			d, at := &list[i], core.Place(i)
			if now.Before(d.next) {
				continue
			}
			k.Heard(now, at, core.Contact{Bytes: 30, Cause: ledger.CauseStatus, Newest: true})
			if d.told > 0 {
				k.Receipt(now, at, d.told)
			} else if i%2 == 0 {
				k.ToldQuiet(core.Order{At: now}, at, hours, 200)
				k.Receipt(now, at, 200)
			}
			if o, send := k.Decide(now, at, 16); send {
				k.Offered(now, at, o)
				d.every, d.told = time.Duration(o.Interval)*time.Second, o.Revision
			}
			d.next = now.Add(d.every)
			for i%2 == 0 && quiet(hours, d.next) {
				d.next = d.next.Truncate(time.Minute).Add(time.Minute)
			}
			if gap := d.next.Sub(now).Hours(); now.After(counts) {
				older += gap * gap / 2
			}
		}
		if now.Unix()%600 == 0 {
			k.Poll(now)
		}
	}
	return k, older / float64(devices) / until.Sub(counts).Hours()
}

// quiet reports whether a time is in quiet hours, which pass midnight.
func quiet(hours presence.Hours, at time.Time) bool {
	minute := uint16(at.UTC().Hour()*60 + at.Minute())
	return minute >= hours[0] || minute < hours[1]
}

// What a plan says that a month costs, and how old what is known gets, is what comes of it with devices that say nothing at night too; and people are told.
func TestPlansKnowQuietHours(t *testing.T) {
	until := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	const devices = 30
	k, older := nights(t, devices, presence.Hours{20 * 60, 6 * 60}, until)
	var spent scheduler.Micros
	for i := range devices {
		for _, d := range k.Ledger().Device(tariff.MonthOf(until)-1, uint32(100+i)) {
			spent += d.Up.Micros
		}
	}
	spent = spent * 3044 / 3100 // May is longer than a mean month
	s := k.Summary()
	if got := float64(s.Spend) / float64(spent); math.Abs(got-1) > .1 || s.Quiet != devices/2 {
		t.Errorf("planned are %s with %d devices that are quiet, spent were %s", s.Spend, s.Quiet, spent)
	}
	is, _, _, _, err := k.WhatIf(until, core.What{}, 0)
	if err != nil || math.Abs(is.Stale/older-1) > .15 {
		t.Errorf("planned is a mean age of %.2f h, it was %.2f h, %v", is.Stale, older, err)
	}
	for at, want := range []string{"; quiet 20:00 to 06:00 UTC: 3", "; kept"} {
		x, ok := k.Explain(until.Add(-3*time.Hour), core.Place(at))
		if !ok || !strings.Contains(x.String(), want) {
			t.Errorf("%s", x.String())
		}
		if due := time.Unix(int64(x.Due), 0).UTC(); (at == 0) != (due.Hour() == 6 && due.Minute() == 0) {
			t.Errorf("device %d is due at %s", at, due)
		}
	}
}
