package fleet_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// A line is suspended and resumed in turns, each link for itself; what makes no sense changes nothing.
func TestSuspensions(t *testing.T) {
	f := fleet.New()
	i, err := f.Add(buoy(7))
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		what string
		link string
		day  tariff.Date
		err  string
		want string
	}{
		{"resume", "sbd0", 20261101, "not suspended", "[]"},
		{"suspend", "sbd0", 20261101, "", "[{sbd0 {2026-11-01 }}]"},
		{"suspend", "sbd0", 20261201, "suspended from 2026-11-01 on", "[{sbd0 {2026-11-01 }}]"},
		{"suspend", "sms0", 20261105, "", "[{sbd0 {2026-11-01 }} {sms0 {2026-11-05 }}]"},
		{"resume", "sms0", 20261104, "from 2026-11-04 on that is not suspended on that day", "[{sbd0 {2026-11-01 }} {sms0 {2026-11-05 }}]"},
		{"resume", "sms0", 20261105, "", "[{sbd0 {2026-11-01 }}]"},
		{"resume", "sbd0", 20261120, "", "[{sbd0 {2026-11-01 2026-11-20}}]"},
		{"resume", "sbd0", 20261121, "not suspended", "[{sbd0 {2026-11-01 2026-11-20}}]"},
		{"resume", "sbd0", 20261120, "not suspended", "[{sbd0 {2026-11-01 2026-11-20}}]"},
		{"suspend", "sbd0", 20261119, "until 2026-11-20", "[{sbd0 {2026-11-01 2026-11-20}}]"},
		{"suspend", "sbd0", 20261120, "", "[{sbd0 {2026-11-01 }}]"}, // it stays suspended
		{"resume", "sbd0", 20261120, "", "[{sbd0 {2026-11-01 2026-11-20}}]"},
		{"resume", "sbd0", 20261115, "", "[{sbd0 {2026-11-01 2026-11-15}}]"}, // earlier than was said
		{"suspend", "sbd0", 20261120, "", "[{sbd0 {2026-11-01 2026-11-15}} {sbd0 {2026-11-20 }}]"},
		{"resume", "sbd0", 20261125, "", "[{sbd0 {2026-11-01 2026-11-15}} {sbd0 {2026-11-20 2026-11-25}}]"},
		{"suspend", "sbd0", 20261115, "until 2026-11-25", "[{sbd0 {2026-11-01 2026-11-15}} {sbd0 {2026-11-20 2026-11-25}}]"},
		{"resume", "sbd0", 20261101, "", "[{sbd0 {2026-11-20 2026-11-25}}]"}, // it never was
		{"suspend", "sms0", 20261125, "", "[{sbd0 {2026-11-20 2026-11-25}} {sms0 {2026-11-25 }}]"},
		{"resume", "sms0", 20261125, "", "[{sbd0 {2026-11-20 2026-11-25}}]"},
	} {
		if step.what == "suspend" {
			err = f.Suspend(i, step.link, step.day, 20261101)
		} else {
			err = f.Resume(i, step.link, step.day)
		}
		if (err != nil) != (step.err != "") || err != nil && (!errors.Is(err, fleet.ErrState) || !strings.Contains(err.Error(), step.err)) {
			t.Errorf("%s %s from %s on: %v, want %q", step.what, step.link, step.day, err, step.err)
		}
		if got := fmt.Sprint(f.Device(i).Suspensions); got != step.want {
			t.Fatalf("%s %s from %s on: %s, want %s", step.what, step.link, step.day, got, step.want)
		}
	}
	day := tariff.Date(20261201)
	for n := range fleet.SuspensionsMax { // one stands already
		err = f.Suspend(i, "sbd0", day, 20261101)
		if full := n == fleet.SuspensionsMax-1; (err != nil) != full || !full && f.Resume(i, "sbd0", day+1) != nil {
			t.Fatalf("the %d. suspension: %v", n+2, err)
		}
		day += 2
	}
	if err := f.Suspend(i, "sbd0", 20270101, 20261210); err != nil { // some are over now
		t.Fatal(err)
	}
	if list := f.Suspensions(i); len(list) != fleet.SuspensionsMax-5 || list[0].From != 20261211 {
		t.Errorf("%v", list)
	}
}

// Suspensions that are brought back replace those that a device has; such as nobody can say change nothing.
func TestRestoreSuspensions(t *testing.T) {
	f := fleet.New()
	i, err := f.Add(buoy(7))
	if err != nil {
		t.Fatal(err)
	}
	one := fleet.Suspension{Link: "sbd0", Days: tariff.Days{From: 20261101}}
	if err := f.RestoreSuspensions(i, []fleet.Suspension{one}); err != nil {
		t.Fatal(err)
	}
	for _, bad := range [][]fleet.Suspension{
		{one, {Days: one.Days}}, {one, {Link: "sbd0"}}, {{Link: "sbd0", Days: tariff.Days{From: 20261102, Until: 20261102}}}, make([]fleet.Suspension, fleet.SuspensionsMax+1),
	} {
		if err := f.RestoreSuspensions(i, bad); !errors.Is(err, fleet.ErrState) {
			t.Errorf("%v: %v", bad, err)
		}
		if got := f.Suspensions(i); len(got) != 1 || got[0] != one {
			t.Errorf("after %v: %v", bad, got)
		}
	}
	if err := f.RestoreSuspensions(i, nil); err != nil || len(f.Suspensions(i)) != 0 {
		t.Errorf("%v, %v", err, f.Suspensions(i))
	}
}
