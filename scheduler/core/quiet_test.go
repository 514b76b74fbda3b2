package core_test

import (
	"encoding/hex"
	"slices"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/presence"
)

var night = presence.Hours{22 * 60, 5 * 60}

// stored is a row of a device that was told quiet hours, of which it has acknowledged the first.
func stored(t *testing.T) []byte {
	t.Helper()
	k, to := newCore(t, config(t)), newRows()
	know(k, 1)
	k.ToldQuiet(core.Order{At: t0}, 0, night, 5) // before it is heard
	k.Heard(t0, 0, core.Contact{Link: sms, Bytes: 20, Newest: true})
	k.Receipt(t0, 0, 5)
	k.ToldQuiet(core.Order{At: t0}, 0, presence.Hours{12 * 60, 13 * 60}, 6)
	k.Drain(to)
	return to.schedules[100]
}

// Quiet hours outlast a restart and a new configuration, those that are not acknowledged too.
func TestQuietHoursOutlastARestart(t *testing.T) {
	k := newCore(t, config(t))
	know(k, 1)
	if err := k.Load(&rows{schedules: map[uint32][]byte{100: stored(t)}}, t0, byNumber); err != nil {
		t.Fatal(err)
	}
	says := func(when, want string, longest time.Duration) {
		t.Helper()
		if st, _ := k.Standing(t0, 0); st.Hush != want || k.Quiet(0) != scheduler.Secs(longest.Seconds()) {
			t.Errorf("%s: %q, %d s at a time", when, st.Hush, k.Quiet(0))
		}
	}
	says("after the start", "00:00 to 05:00, 12:00 to 13:00, 22:00 to 00:00", 7*time.Hour)
	if err := k.Reconfigure(config(t), t0); err != nil {
		t.Fatal(err)
	}
	know(k, 1)
	says("with another configuration", "00:00 to 05:00, 12:00 to 13:00, 22:00 to 00:00", 7*time.Hour)
	k.Receipt(t0, 0, 5)
	says("after an old word", "00:00 to 05:00, 12:00 to 13:00, 22:00 to 00:00", 7*time.Hour)
	k.Receipt(t0, 0, 6)
	says("after its word", "12:00 to 13:00", time.Hour)
}

// A revision that named quiet hours names no interval after them: the device's word would be taken for another.
func TestRevisionOfQuietHoursIsTheirs(t *testing.T) {
	k := newCore(t, config(t))
	know(k, 1)
	k.Heard(t0, 0, core.Contact{Link: sms, Bytes: 20, Newest: true})
	for range 300 {
		r := k.NextRevision(0)
		k.ToldQuiet(core.Order{At: t0}, 0, night, r)
		next := k.NextRevision(0)
		if next == r || next == 0 {
			t.Fatalf("%d after %d", next, r)
		}
		k.ToldByHand(core.Order{At: t0}, 0, 3600, next)
		k.Receipt(t0, 0, next)
	}
}

// Quiet hours that are told one after the other have revisions that differ: a word that comes late is not taken for one of the newest.
func TestRevisionsOfQuietHoursDiffer(t *testing.T) {
	k := newCore(t, config(t))
	know(k, 1)
	k.Heard(t0, 0, core.Contact{Link: sms, Bytes: 20, Newest: true})
	told := make(map[uint8]bool)
	for n := range 250 {
		r := k.NextRevision(0)
		if told[r] || r == 0 {
			t.Fatalf("the %d. has the revision %d", n+1, r)
		}
		told[r] = true
		if k.ToldQuiet(core.Order{At: t0}, 0, night, r); n%50 == 0 {
			k.ToldByHand(core.Order{At: t0}, 0, 3600, r)
		}
	}
}

// Rows of version 2, in which nobody has quiet hours, are read; what no Core writes is not.
func TestRowsWithQuietHours(t *testing.T) {
	k, to := newCore(t, config(t)), newRows()
	know(k, 1)
	k.Heard(t0, 0, core.Contact{Link: sms, Bytes: 20, Newest: true})
	k.Drain(to)
	plain := slices.Clone(to.schedules[100])
	plain[0] = 2
	if err := core.CheckRow(plain); err != nil {
		t.Error(err)
	}
	row := stored(t)
	if err := core.CheckRow(row); err != nil {
		t.Error(err)
	}
	second := slices.Clone(row)
	second[0] = 2
	if core.CheckRow(second) == nil {
		t.Error("a row of version 2 has quiet hours")
	}
	for n := range row {
		if core.CheckRow(row[:n]) == nil {
			t.Errorf("%d of %d bytes are a row", n, len(row))
		}
	}
}

// rowVersion3 is what stored was written as when orders had no numbers.
const rowVersion3 = "03110000000100000000000000000000000000c0d490cd060000000020000000000004736d73303f8000003f8000000000000002a80aac0202d0058c06c0d490cd0606010000" +
	"000069a42a4000000000000000000000000000000000000000000000000000"

// Rows of version 3, whose orders have no numbers, are read.
func TestRowOfVersion3(t *testing.T) {
	old, err := hex.DecodeString(rowVersion3)
	if err != nil {
		t.Fatal(err)
	}
	k, to := newCore(t, config(t)), newRows()
	know(k, 1)
	if err := k.Load(&rows{schedules: map[uint32][]byte{100: old}}, t0, byNumber); err != nil {
		t.Fatal(err)
	}
	if st, _ := k.Standing(t0, 0); st.Hush != "00:00 to 05:00, 12:00 to 13:00, 22:00 to 00:00" {
		t.Errorf("%q", st.Hush)
	}
	k.Heard(t0, 0, core.Contact{Link: sms, Again: true}) // so that it is written
	k.Retire(0)
	if k.Drain(to); to.schedules[100][0] != 4 {
		t.Errorf("it is written as version %d", to.schedules[100][0])
	}
	old[1] |= 1 << 5
	if core.CheckRow(old) == nil {
		t.Error("a row of version 3 has an order")
	}
}

// Of two policies of one second each is itself: that one of them never left says nothing of the other, over restarts too.
func TestOrdersOfOneSecond(t *testing.T) {
	first, second := core.Order{At: t0, Number: 7}, core.Order{At: t0, Number: 300}
	noon := presence.Hours{12 * 60, 13 * 60}
	for _, withdrawn := range []core.Order{first, second} {
		k, to := newCore(t, config(t)), newRows()
		know(k, 1)
		k.Heard(t0, 0, core.Contact{Link: sms, Bytes: 20, Newest: true})
		k.ToldQuiet(first, 0, night, 1)
		k.ToldQuiet(second, 0, noon, 2)
		k.ToldByHand(first, 0, 3600, 3)
		k.ToldByHand(second, 0, 7200, 4)
		k.Drain(to)
		k = newCore(t, config(t))
		know(k, 1)
		if err := k.Load(to, t0, byNumber); err != nil {
			t.Fatal(err)
		}
		k.Unsent(0) // a planned one, before
		k.Withdrawn(t0.Add(time.Minute), 0, withdrawn)
		k.Receipt(t0.Add(time.Hour), 0, 2)
		news := k.Receipt(t0.Add(time.Hour), 0, 4)
		every, _, _ := k.Running(0)
		st, _ := k.Standing(t0, 0)
		if keeps := st.Hush == noon.String(); news != (withdrawn == first) || keeps != news || news && every != 7200 {
			t.Errorf("order %d never left: it runs %d s and keeps %s", withdrawn.Number, every, st.Hush)
		}
	}
}

// An order ends with the offer that it made: one that is planned after it is not withdrawn with it.
func TestOrderBeforeAPlan(t *testing.T) {
	k := newCore(t, config(t))
	know(k, 1)
	k.Heard(t0, 0, core.Contact{Link: sms, Bytes: 20, Newest: true})
	by := core.Order{At: t0, Number: 7}
	k.ToldByHand(by, 0, 7200, 1)
	o := core.Offer{Revision: 1}
	o.Interval, o.Link = 7200, sms
	k.Offered(t0, 0, o) // in the same second, and the same
	k.Withdrawn(t0.Add(time.Minute), 0, by)
	if !k.Receipt(t0.Add(time.Hour), 0, 1) {
		t.Error("what was planned is withdrawn")
	}
}

// What a device was told before it was ever heard counts once it is.
func TestQuietHoursBeforeTheFirstWord(t *testing.T) {
	k := newCore(t, config(t))
	k.ToldQuiet(core.Order{At: t0}, 0, night, 5) // nobody knows the device, and nothing happens
	know(k, 1)
	k.ToldQuiet(core.Order{At: t0}, 0, night, 5)
	k.Heard(t0, 0, core.Contact{Link: sms, Bytes: 20, Newest: true})
	if st, _ := k.Standing(t0, 0); st.Hush == "" || k.Quiet(0) == 0 || k.Quiet(1) != 0 {
		t.Errorf("%+v", st)
	}
}
