package hub_test

import (
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/hub"
)

// bindsTo has an operator tell meter-1 a policy, and the gateway send it. It returns the revision that the device got.
func (b *bench) bindsTo(d *device, p codec.Policy) uint8 {
	b.t.Helper()
	rec, err := b.hub.SendCommand(b.t.Context(), "meter-1", hub.Command{Policy: &p, Link: "sms"})
	if err != nil {
		b.t.Fatal(err)
	}
	b.rests("sms")
	_, body := d.opened(b.sms.sent[len(b.sms.sent)-1].Payload, rec.Counter)
	got, err := codec.DecodePolicy(body)
	if err != nil {
		b.t.Fatal(err)
	}
	return uint8(got.Revision)
}

// class is what the gateway thinks of meter-1.
func (b *bench) class() string {
	b.t.Helper()
	b.poll()
	return b.explained("meter-1").Class
}

// A device that was told to say nothing at night is not late for that, from when it was told on, over restarts, until it says that it may speak again. What it
// owes by day it owes.
func TestQuietHoursAreNoSilence(t *testing.T) {
	b := newBench(t)
	d := b.importOne(8)
	at := func(day, hour int) { b.clock.t = time.Date(2026, 3, day, hour, 30, 0, 0, time.UTC) }
	speaks := func(day, from, to int, receipt uint8) {
		for hour := from; hour <= to; hour++ {
			at(day, hour)
			frame := d.receipt(receipt)
			b.settled(b.smsFrom(msisdn, frame), 1)
			b.poll()
		}
	}
	at(1, 12)
	first := b.bindsTo(d, codec.Policy{Interval: 3600})
	speaks(1, 12, 21, first)
	night := b.bindsTo(d, codec.Policy{Quiet: []uint16{22 * 60, 5 * 60}})
	if night == 0 || night == first {
		t.Fatalf("revisions %d and %d", first, night)
	}
	at(2, 4)
	if c := b.class(); c != "due" {
		t.Errorf("in the first night it is %s", c)
	}
	speaks(2, 5, 21, night)
	b.crash()
	at(3, 4)
	if c := b.class(); c != "due" {
		t.Errorf("in the second night it is %s", c)
	}
	if lines := strings.Join(b.explained("meter-1").Evidence, "\n"); !strings.Contains(lines, "22:00 to 05:00 UTC") {
		t.Errorf("nobody is told of quiet hours: %s", lines)
	}
	at(3, 9)
	if c := b.class(); c != "silent" {
		t.Errorf("not heard in the morning it is %s", c)
	}
	speaks(3, 10, 20, night)
	none := b.bindsTo(d, codec.Policy{Quiet: []uint16{}})
	speaks(3, 21, 21, night)
	at(4, 4)
	if c := b.class(); c != "due" {
		t.Errorf("without its word that it may speak it is %s", c)
	}
	speaks(4, 5, 21, none)
	at(5, 4)
	if c := b.class(); c != "silent" {
		t.Errorf("that it may speak again it is %s", c)
	}
}

// Quiet hours that never left are not kept.
func TestQuietHoursThatNeverLeft(t *testing.T) {
	b := newBench(t)
	d := b.importOne(8)
	first := b.bindsTo(d, codec.Policy{Interval: 3600})
	for range 5 {
		b.settled(b.smsFrom(msisdn, d.receipt(first)), 1)
		b.clock.t = b.clock.t.Add(time.Hour)
	}
	b.sms.err = errLineDown
	if _, err := b.hub.SendCommand(t.Context(), "meter-1", hub.Command{Policy: &codec.Policy{Quiet: []uint16{16*60 + 30, 12 * 60}}, Link: "sms", TTL: time.Minute}); err != nil {
		t.Fatal(err)
	}
	b.rests("sms")
	b.clock.t = b.clock.t.Add(5 * time.Hour)
	if c := b.class(); c != "due" {
		t.Errorf("while they wait it is %s", c)
	}
	b.rests("sms")
	if c := b.class(); c != "silent" {
		t.Errorf("it is %s", c)
	}
}

// Of two policies that are queued in one second the first may expire before it leaves: what the second told is expected of the device all the same.
func TestPoliciesOfOneSecond(t *testing.T) {
	b := newBench(t)
	d := b.importOne(8)
	first := b.bindsTo(d, codec.Policy{Interval: 3600})
	b.settled(b.smsFrom(msisdn, d.receipt(first)), 1)
	b.sms.err = errLineDown
	tell := func(p codec.Policy, ttl time.Duration) {
		if _, err := b.hub.SendCommand(t.Context(), "meter-1", hub.Command{Policy: &p, Link: "sms", TTL: ttl}); err != nil {
			t.Fatal(err)
		}
	}
	tell(codec.Policy{Interval: 7200, Quiet: []uint16{1, 2}}, time.Minute)
	tell(codec.Policy{Interval: 14_400, Quiet: []uint16{14 * 60, 20 * 60}}, 48*time.Hour)
	b.rests("sms")
	b.clock.t = b.clock.t.Add(time.Hour) // the first has expired
	b.rests("sms")
	b.crash()
	if p, _ := b.hub.Prospects("meter-1"); p.Pending != 14_400 || !strings.Contains(p.Standing.Hush, "14:00 to 20:00") {
		t.Errorf("pending are %d s, quiet are %q", p.Pending, p.Standing.Hush)
	}
	b.clock.t = b.clock.t.Add(48 * time.Hour) // and the second
	b.attempt("sms")
	if p, _ := b.hub.Prospects("meter-1"); p.Pending != 0 || strings.Contains(p.Standing.Hush, "14:00 to 20:00") {
		t.Errorf("both never left: pending are %d s, quiet are %q", p.Pending, p.Standing.Hush)
	}
}

// People see what quiet hours take from a device, and the plan how many such devices there are.
func TestQuietHoursInThePlan(t *testing.T) {
	b := newBench(t)
	d := b.importOne(8)
	revision := b.bindsTo(d, codec.Policy{Interval: 3600})
	b.settled(b.smsFrom(msisdn, d.receipt(revision)), 1)
	b.poll()
	if s, p := b.explained("meter-1").Sentence, b.hub.Plan(); strings.Contains(s, "quiet") || p.Quiet != 0 || p.Devices != 1 {
		t.Errorf("without any: %+v, %s", p, s)
	}
	revision = b.bindsTo(d, codec.Policy{Quiet: []uint16{22 * 60, 5 * 60}})
	b.settled(b.smsFrom(msisdn, d.receipt(revision)), 1)
	b.clock.t = b.clock.t.Add(7 * time.Hour) // another plan is due
	b.poll()
	if s, p := b.explained("meter-1").Sentence, b.hub.Plan(); !strings.Contains(s, "quiet 22:00 to 05:00 UTC: 27 % fewer contacts") || p.Quiet != 1 {
		t.Errorf("with some: %+v, %s", p, s)
	}
}
