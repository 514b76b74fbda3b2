package hub_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
	"github.com/godwit-gateway/godwit/transports"
)

// What a line costs while it is suspended is what the tariff says of that, whatever dies meanwhile; months that are closed stay as they are, and what makes no
// sense is refused.
func TestSuspendedLines(t *testing.T) {
	b := rented(t, tariff.Rental{Price: 3_100_000, ByDay: true, Suspended: 310_000})
	d, march := b.newLine()
	b.clock.t = march.Begins(time.UTC).AddDate(0, 0, 10) // the 11th
	do := func(how func(context.Context, string, string, tariff.Date) (fleet.Device, error), link string, from tariff.Date, want error) {
		t.Helper()
		if _, err := how(t.Context(), "meter-1", link, from); !errors.Is(err, want) {
			t.Errorf("on %s from %s: %v, want %v", link, from, err, want)
		}
	}
	b.fees(march, 0, 3_100_000)
	do(b.hub.Suspend, "nowhere", 0, hub.ErrQuery)
	do(b.hub.Resume, "udp", 0, fleet.ErrState)
	do(b.hub.Suspend, "sms", 0, nil) // another line, which has no tariff
	b.fees(march, 0, 3_100_000)
	do(b.hub.Suspend, "udp", 0, nil) // today
	do(b.hub.Suspend, "udp", 0, fleet.ErrState)
	b.crash()
	b.fees(march, 0, 10*100_000+21*10_000)
	b.closes(march)
	b.fees(march, 10*100_000+21*10_000, 0)
	do(b.hub.Resume, "udp", march.Day(20), hub.ErrQuery) // it is closed
	b.settled(b.udp(d.to(d.status(3.7))), transports.Stored)
	april := march + 1
	do(b.hub.Resume, "udp", april.Day(30), nil)
	b.crash()
	b.fees(april, 0, 299_667+103_334) // 29 days of 30, and one; begun units are whole
	got, err := b.hub.Device("meter-1")
	want := []fleet.Suspension{{Link: "sms", Days: tariff.Days{From: march.Day(11)}}, {Link: "udp", Days: tariff.Days{From: march.Day(11), Until: april.Day(30)}}}
	if err != nil || len(got.Suspensions) != 2 || got.Suspensions[0] != want[0] || got.Suspensions[1] != want[1] {
		t.Errorf("%v, %v, want %v", got.Suspensions, err, want)
	}
	acts := b.acts()
	if want := "device.resume meter-1 udp from 2026-04-30"; len(acts) == 0 || !strings.HasSuffix(acts[len(acts)-1], want) {
		t.Errorf("the book has %q, want %q at its end", acts, want)
	}
	b.closes(april)
	may := april + 1
	b.fees(may, 0, 3_100_000)
	do(b.hub.Suspend, "udp", may.Day(1), nil) // what ended in April is forgotten
	b.fees(may, 0, 310_000)
	if got, err := b.hub.Device("meter-1"); err != nil || len(got.Suspensions) != 2 || got.Suspensions[1].From != may.Day(1) {
		t.Errorf("%v, %v", got.Suspensions, err)
	}
}

// A line that was suspended on a link that is configured no more costs nothing, and can be resumed; else it is suspended still once the link is back.
func TestSuspendedLinesOfLinksThatAreGone(t *testing.T) {
	b := rented(t, tariff.Rental{Price: 3_100_000, ByDay: true})
	_, march := b.newLine()
	b.clock.t = march.Begins(time.UTC).AddDate(0, 0, 10) // the 11th
	if _, err := b.hub.Suspend(t.Context(), "meter-1", "udp", 0); err != nil {
		t.Fatal(err)
	}
	links := func(schedule hub.Schedule, gone bool) {
		_ = b.store.Close()
		b.schedule, b.noUDP = schedule, gone
		b.open()
	}
	with := b.schedule
	links(hub.Schedule{}, true)
	b.clock.t = b.clock.t.AddDate(0, 0, 10) // the 21st
	b.fees(march, 0, 0)
	do := func(how func(context.Context, string, string, tariff.Date) (fleet.Device, error), link, want string) {
		t.Helper()
		if _, err := how(t.Context(), "meter-1", link, 0); want == "" && err != nil || want != "" && (!errors.Is(err, hub.ErrQuery) || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", link, err, want)
		}
	}
	do(b.hub.Suspend, "udp", `there is no link "udp"`)
	do(b.hub.Resume, "upd", `there is no link "upd", and`)
	links(with, false)
	b.fees(march, 0, 10*100_000)
	links(hub.Schedule{}, true)
	do(b.hub.Resume, "udp", "")
	if got, err := b.hub.Device("meter-1"); err != nil || len(got.Suspensions) != 1 || got.Suspensions[0].Until != march.Day(21) {
		t.Errorf("%v, %v, want it until the 21st", got.Suspensions, err)
	}
	links(with, false)
	b.fees(march, 0, (10+11)*100_000)
}

// Which lines are suspended outlasts the loss of the store, whether all of it is gone or it is brought back as it was before: the stream has it, and nothing is
// told anew. Resumed lines are not suspended again.
func TestSuspensionsOutlastTheStore(t *testing.T) {
	b := newBench(t)
	b.importOne(8)
	fs, end := b.fs.CrashClone(vfs.CrashCloneCfg{}), b.store.DurableEvents()
	said := func(how func(context.Context, string, string, tariff.Date) (fleet.Device, error), link string, from tariff.Date) {
		t.Helper()
		if _, err := how(t.Context(), "meter-1", link, from); err != nil {
			t.Fatal(err)
		}
	}
	said(b.hub.Suspend, "udp", 20260310)
	said(b.hub.Suspend, "sms", 20260312)
	said(b.hub.Resume, "sms", 20260401)
	events, want := b.told("suspensions"), "[{sms {2026-03-12 2026-04-01}} {udp {2026-03-10 }}]"
	if got := fmt.Sprint(events[2]["suspensions"]); got != "[map[from:2026-03-10 link:udp] map[from:2026-03-12 link:sms until:2026-04-01]]" || events[2]["link"] != "sms" {
		t.Errorf("told is %v", events[2])
	}
	suspended := func(when, want string) {
		t.Helper()
		d, err := b.hub.Device("meter-1")
		slices.SortFunc(d.Suspensions, func(x, y fleet.Suspension) int { return strings.Compare(x.Link, y.Link) })
		if got := fmt.Sprint(d.Suspensions); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", when, got, err, want)
		}
	}
	stream, lost := b.published(end), b.published(0)
	b.bringBack(fs, stream)
	b.crash()
	suspended("an older copy", want)
	b.bringBack(vfs.NewCrashableMem(), lost)
	if n := len(b.events()); n != 0 {
		t.Errorf("%d events were emitted", n)
	}
	b.crash()
	suspended("another store", want)
	said(b.hub.Resume, "udp", 20260310)
	said(b.hub.Resume, "sms", 20260312)
	b.bringBack(vfs.NewCrashableMem(), append(lost, b.published(0)...))
	suspended("none any more", "[]")
	p := hub.Published{ID: "x", Payload: []byte(`{"type":"io.godwit.suspensions","data":{"device":"meter-1","number":2001,"suspensions":[{"link":"sms"}]}}`)}
	if err := b.hub.Adopt(t.Context(), []hub.Published{p}, true); !errors.Is(err, fleet.ErrState) {
		t.Errorf("a suspension without days: %v", err)
	}
}
