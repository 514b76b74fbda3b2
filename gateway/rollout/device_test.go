package rollout_test

import (
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/rollout"
)

// A device that may not have the release is refused before anything is sent, with the reason; once it may, it is offered it.
func TestRefused(t *testing.T) {
	for name, x := range map[string]struct {
		change func(*rollout.Facts, *rollout.Release)
		want   rollout.Reason
		says   string
	}{
		"too little memory": {func(f *rollout.Facts, _ *rollout.Release) { f.FreeMemory = 2047 }, rollout.ReasonMemory, "2047 bytes, want 2048"},
		"just enough":       {func(f *rollout.Facts, _ *rollout.Release) { f.FreeMemory = 2048 }, rollout.NoReason, ""},
		"memory not known":  {func(f *rollout.Facts, _ *rollout.Release) { f.FreeMemory = 0 }, rollout.NoReason, ""},
		"in place":          {func(f *rollout.Facts, r *rollout.Release) { f.FreeMemory, r.InPlace = 1024, true }, rollout.NoReason, ""},
		"too old":           {func(f *rollout.Facts, r *rollout.Release) { r.Sequence, r.Minimum = 12, 11 }, rollout.ReasonVersion, "want 11 at least"},
		"no bridge":         {func(_ *rollout.Facts, r *rollout.Release) { r.From = []string{"1.9"} }, rollout.ReasonVersion, "1.9"},
		"a bridge":          {func(_ *rollout.Facts, r *rollout.Release) { r.From = []string{"1.9", "1.0"} }, rollout.NoReason, ""},
		"something newer":   {func(f *rollout.Facts, _ *rollout.Release) { f.Version = "3.0" }, rollout.ReasonNewer, "sequence"},
		"not valid any more": {
			func(_ *rollout.Facts, r *rollout.Release) { r.NotAfter = t0.Add(-time.Hour) }, rollout.ReasonOver, "2026-03-02",
		},
	} {
		w := newWorld(t, 1)
		r := release("2.5", 9)
		if name == "something newer" {
			r.Sequence = 3 - 1
			r = release("2.0", 2)
		}
		x.change(&w.f[0], &r)
		s := w.spec()
		if s.Version = r.Version; r.Version != "2.0" {
			if _, err := w.m.Register(w.now, author, r); err != nil {
				t.Fatal(name, err)
			}
		}
		id := w.start(s)
		w.heard(0)
		v := w.standing(id, 0)
		number := w.offer(0)
		if v.Refusal != x.want || (number == 0) != (x.want != rollout.NoReason) || !strings.Contains(v.Reason, x.says) {
			t.Errorf("%s: %s, %q, offered %d", name, v.Refusal, v.Reason, number)
		}
		if x.want == rollout.ReasonMemory {
			w.f[0].FreeMemory = 4096
			w.heard(0)
			if w.offer(0) == 0 {
				t.Errorf("%s: there is enough now, and it is %s", name, w.standing(id, 0).Standing)
			}
		}
	}
}

// How soon an offer is repeated is for the operator to say; each further one waits twice as long.
func TestOffersRepeated(t *testing.T) {
	w := newWorld(t, 1)
	w.config.Repeat = 5 * time.Minute
	w.commit()
	w.restart()
	id := w.start(w.spec())
	w.heard(0)
	w.offer(0)
	for n, pause := range []time.Duration{5 * time.Minute, 10 * time.Minute, 20 * time.Minute} {
		w.want(id, 0, rollout.Offered)
		w.pass(pause - time.Second)
		if w.heard(0); w.offer(0) != 0 {
			t.Errorf("offer %d is repeated before %s", n+1, pause)
		}
		w.pass(time.Second)
		if w.heard(0); w.offer(0) == 0 {
			t.Errorf("offer %d is not repeated after %s", n+1, pause)
		}
	}
}

// Offers go in windows and over links that are allowed, are repeated with growing pauses, and not any more once they were taken.
func TestOffers(t *testing.T) {
	w := newWorld(t, 2)
	s := w.spec()
	s.Windows, s.Links = []rollout.Window{{From: 10, To: 12}}, []string{"sms0"}
	id := w.start(s) // at 9:00
	try := func(i, link int) bool {
		_, ok := w.m.Offer(w.now, rollout.Place(i), link)
		return ok
	}
	w.heard(0)
	if try(0, 1) || w.standing(id, 0).Reason != "no window is open" {
		t.Error("outside of the window", w.standing(id, 0).Reason)
	}
	w.pass(time.Hour)
	w.heard(0)
	if try(0, 0) || !try(0, 1) || try(0, -1) || try(0, 2) {
		t.Error("links")
	}
	o, _ := w.m.Offer(w.now, 0, 1)
	if o.Version != "2.0" || o.Size != 1024 || o.Memory != 2048 || o.Consent || len(o.Hash) != 32 || len(o.Burst) != 4 || o.Reference != "https://images.example/2.0.cose" {
		t.Errorf("%+v", o)
	}
	if _, err := codec.AppendOffer(nil, &o); err != nil {
		t.Error(err)
	}
	w.m.Offered(w.now, 0, o.Rollout)
	w.want(id, 0, rollout.Offered)
	w.pass(59 * time.Minute)
	w.heard(0)
	if try(0, 1) {
		t.Error("repeated at once")
	}
	w.pass(30 * time.Second)
	w.pass(30 * time.Second)
	if w.m.Offered(w.now, 0, o.Rollout); try(0, 1) {
		t.Error("repeated at once")
	}
	w.pass(23*time.Hour + 30*time.Minute) // 10:30 of the next day
	if w.heard(0); !try(0, 1) {
		t.Error("not repeated")
	}
	w.m.Undelivered(w.now, 0, o.Rollout)
	if w.want(id, 0, rollout.Eligible); !try(0, 1) {
		t.Error("not repeated though it was lost")
	}
	w.m.Offered(w.now, 0, o.Rollout)
	w.m.Delivered(w.now, 0, o.Rollout)
	w.m.Undelivered(w.now, 0, o.Rollout) // what came first counts
	w.pass(24 * time.Hour)
	if w.heard(0); try(0, 1) {
		t.Error("repeated though it was taken")
	}
	w.act(author, id, rollout.Pause)
	if w.heard(1); try(1, 1) {
		t.Error("offered by one that is paused")
	}
}

// Who declined is not asked again but by a retry, which has a number of its own; who put it off is asked again after a day.
func TestConsent(t *testing.T) {
	w := newWorld(t, 2)
	s := w.spec()
	s.Consent = true
	id := w.start(s)
	w.heard(0)
	o, ok := w.m.Offer(w.now, 0, 0)
	if !ok || !o.Consent {
		t.Fatalf("%+v", o)
	}
	w.m.Offered(w.now, 0, o.Rollout)
	w.says(0, o.Rollout, did(codec.StepDeclined, codec.CodeSuccess, 0))
	w.heard(1)
	w.says(1, w.offer(1), did(codec.StepDeferred, 11, 0))
	w.want(id, 0, rollout.Declined)
	if v := w.standing(id, 0); v.Reason != "" { // that it is done is none
		t.Errorf("declined: %q", v.Reason)
	}
	w.want(id, 1, rollout.Deferred)
	for range 30 {
		w.pass(time.Hour)
		w.heard(0)
		if n := w.offer(0); n != 0 {
			t.Fatalf("who declined was offered %d", n)
		}
	}
	w.heard(1)
	if n := w.offer(1); n != o.Rollout {
		t.Errorf("who put it off was offered %d", n)
	}
	w.commit()
	n, a, err := w.m.Retry(w.now, author, id, []uint32{100}, "asked again by phone")
	if err != nil || n != 1 || a.What != "rollout.retry" || a.Remark != "asked again by phone" {
		t.Fatal(n, a, err)
	}
	w.commit()
	w.restart()
	w.heard(0)
	again := w.offer(0)
	if again == 0 || again == o.Rollout {
		t.Fatalf("after a retry it was offered %d", again)
	}
	if got, ok := w.m.Of(again); !ok || got != id {
		t.Errorf("%d is of rollout %d, %v", again, got, ok)
	}
	w.says(0, o.Rollout, did(codec.StepDeclined, codec.CodeSuccess, 30*time.Hour)) // the old log once more
	w.want(id, 0, rollout.Offered)
	w.says(0, again, did(codec.StepAccepted, codec.CodeSuccess, 0))
	w.want(id, 0, rollout.Accepted)
	if h := w.standing(id, 0).History; len(h) != 2 || h[0].Attempt != 1 || h[0].Step != "declined" || h[1].Attempt != 2 {
		t.Errorf("%+v", h)
	}
	if next := w.create(w.spec()); uint32(next) <= again {
		t.Errorf("the next rollout has the number %d", next)
	}
}

// Steps are merged whatever the order and however often their logs come.
func TestStepsMerge(t *testing.T) {
	logs := []codec.StepLog{
		{Steps: []codec.StepEntry{did(codec.StepOffered, 1, time.Hour), did(codec.StepAccepted, 1, 59*time.Minute)}},
		{Steps: []codec.StepEntry{did(codec.StepAccepted, 1, 59*time.Minute), did(codec.StepDownloading, 0, 50*time.Minute), did(codec.StepDownloaded, 1, 40*time.Minute)}},
		{Steps: []codec.StepEntry{did(codec.StepDownloaded, 1, 40*time.Minute), did(codec.StepVerified, 1, 39*time.Minute), did(codec.StepInstalling, 0, 38*time.Minute)}},
		{Steps: []codec.StepEntry{did(codec.StepFailed, 8, 20*time.Minute)}},
	}
	var want string
	for _, order := range [][]int{{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 0, 3, 1}, {1, 1, 3, 0, 2, 2, 3, 0}} {
		w := newWorld(t, 1)
		id := w.start(w.spec())
		w.heard(0)
		n := w.offer(0)
		w.pass(2 * time.Hour)
		for _, k := range order {
			l := logs[k]
			l.Rollout = n
			w.m.Steps(w.now, w.now, 0, &l)
			w.commit()
		}
		v := w.standing(id, 0)
		got := v.Standing.String() + " " + v.Reason
		for _, h := range v.History {
			got += " " + h.Step + h.At.Format("@15:04:05")
		}
		if want == "" {
			want = got
		}
		if got != want || v.Standing != rollout.Failed || v.Code != 8 || len(v.History) != 7 || w.count(rollout.ActFailed) == 0 || w.count(rollout.ActStep) != 7 {
			t.Errorf("%v: %s, want %s; %d steps told", order, got, want, w.count(rollout.ActStep))
		}
	}
}

// What is not this machine's is passed over: unknown numbers, devices that were never offered anything.
func TestStrangers(t *testing.T) {
	w := newWorld(t, 2)
	id := w.start(w.spec())
	w.says(0, 77, did(codec.StepFailed, 8, 0))
	w.says(0, uint32(id), did(codec.StepFailed, 8, 0))
	w.m.Offered(w.now, 0, 77)
	w.m.Delivered(w.now, 0, 77)
	w.m.Undelivered(w.now, 0, 77)
	w.want(id, 0, rollout.Eligible)
}

// A newer rollout takes devices over that the older one has not begun with, and waits for those that are busy.
func TestSupersedes(t *testing.T) {
	w := newWorld(t, 3)
	first := w.start(w.spec())
	w.heard(0)
	n := w.offer(0)
	w.says(0, n, did(codec.StepAccepted, 1, 0))
	w.heard(1)
	w.offer(1)
	s := w.spec()
	s.Version = "3.0"
	second := w.start(s)
	w.want(first, 0, rollout.Accepted)
	w.want(first, 1, rollout.Superseded)
	w.want(first, 2, rollout.Superseded)
	w.heard(0)
	if got := w.offer(0); got != 0 {
		t.Errorf("a busy device was offered %d", got)
	}
	for _, i := range []int{1, 2} {
		w.heard(i)
		if got := w.offer(i); got != uint32(second) {
			t.Errorf("device %d was offered %d", i, got)
		}
	}
	w.pass(time.Hour)
	w.updates(0, "2.0")
	w.pass(time.Hour)
	w.heard(0)
	if got := w.offer(0); got != uint32(second) {
		t.Errorf("a device that is done was offered %d", got)
	}
	w.pass(time.Hour)
	w.updates(0, "3.0")
	w.commit()
	w.want(second, 0, rollout.Soaking)
	if w.count(rollout.ActRolledBack)+w.count(rollout.ActOutside) != 0 {
		t.Error("an update was taken for a roll-back")
	}
	if v := w.standing(first, 0); v.Standing == rollout.RolledBack {
		t.Errorf("%+v", v)
	}
}

// A device that is refused is looked at again at each contact, until the deadline; then the rollout does not wait for it any more.
func TestRefusedForGood(t *testing.T) {
	w := newWorld(t, 1)
	w.f[0].FreeMemory = 1
	s := w.spec()
	s.Deadline = 10
	id := w.start(s)
	for range 9 {
		w.pass(time.Hour)
		w.heard(0)
	}
	if sum, _ := w.m.Get(id); sum.State != rollout.Running {
		t.Fatalf("%+v", sum)
	}
	w.pass(time.Hour)
	w.pass(time.Minute)
	w.want(id, 0, rollout.Refused)
	if sum, _ := w.m.Get(id); sum.State != rollout.Completed {
		t.Fatalf("%+v", sum)
	}
}

// A newer rollout that refuses a device leaves it to the older one, which may be the bridge that it needs; once it has that, it may have the newer one.
func TestBridge(t *testing.T) {
	w := newWorld(t, 1)
	r := release("4.0", 4)
	r.Minimum = 2
	if _, err := w.m.Register(w.now, author, r); err != nil {
		t.Fatal(err)
	}
	first := w.start(w.spec())
	s := w.spec()
	s.Version = "4.0"
	second := w.start(s)
	w.want(first, 0, rollout.Eligible)
	w.want(second, 0, rollout.Refused)
	w.heard(0)
	if n := w.offer(0); n != uint32(first) {
		t.Fatalf("%d is offered", n)
	}
	w.says(0, uint32(first), did(codec.StepDownloaded, 1, 0))
	w.pass(time.Hour)
	w.updates(0, "2.0")
	w.pass(time.Hour)
	w.heard(0)
	if n := w.offer(0); n != uint32(second) {
		t.Fatalf("%d is offered, it is %+v", n, w.standing(second, 0))
	}
}

// A device that takes an older offer up although a newer rollout has it is let finish.
func TestBusyWithOlder(t *testing.T) {
	w := newWorld(t, 1)
	first := w.start(w.spec())
	w.heard(0)
	n := w.offer(0)
	s := w.spec()
	s.Version = "3.0"
	second := w.start(s)
	w.want(first, 0, rollout.Superseded)
	w.says(0, n, did(codec.StepAccepted, 1, 0))
	w.want(first, 0, rollout.Accepted)
	if got := w.offer(0); got != 0 {
		t.Errorf("%d is offered to a busy device", got)
	}
	w.says(0, n, did(codec.StepFailed, 4, 0))
	w.want(first, 0, rollout.Superseded)
	w.pass(time.Hour)
	w.heard(0)
	if got := w.offer(0); got != uint32(second) {
		t.Errorf("%d is offered", got)
	}
}

// Who does not call for as many contacts as the deadline has is given up, counts for nothing, and is offered the release when it returns. What it said
// last stays to be seen.
func TestDeadline(t *testing.T) {
	w := newWorld(t, 3)
	s := w.spec()
	s.Deadline = 10
	id := w.start(s)
	w.heard(0)
	w.says(0, w.offer(0), did(codec.StepAccepted, 1, 0), did(codec.StepInstalling, 0, 0))
	w.act(author, id, rollout.Pause)
	w.pass(100 * time.Hour)
	w.want(id, 1, rollout.Eligible) // no time passes for one that is paused
	w.act(author, id, rollout.Resume)
	w.pass(9 * time.Hour)
	w.want(id, 1, rollout.Eligible)
	w.heard(2)
	w.pass(2 * time.Hour)
	w.want(id, 0, rollout.Installing)
	w.want(id, 1, rollout.Expired)
	w.want(id, 2, rollout.Eligible)
	if v := w.standing(id, 0); !v.GivenUp || v.Step != "installing" || v.Missed < 100 {
		t.Errorf("%+v", v)
	}
	w.commit()
	w.restart()
	w.heard(1)
	if w.want(id, 1, rollout.Eligible); w.offer(1) == 0 {
		t.Error("it is back, and not offered anything")
	}
	w.pass(11 * time.Hour)
	w.want(id, 1, rollout.Expired)
	if sum, _ := w.m.Get(id); sum.State != rollout.Completed && sum.Standings[rollout.Expired] != 2 {
		t.Errorf("%+v", sum)
	}
}

// Devices that come later are in the wave that their lot has.
func TestLateDevices(t *testing.T) {
	w := newWorld(t, 5)
	w.f[4].Active = false
	id := w.start(w.spec())
	if sum, _ := w.m.Get(id); sum.Devices != 4 {
		t.Fatalf("%+v", sum)
	}
	w.f[4].Active = true
	w.m.Know(w.now, 4)
	w.m.Know(w.now, 4)
	w.commit()
	w.restart()
	w.want(id, 4, rollout.Eligible)
	w.f[3].Active = false
	w.m.Know(w.now, 3)
	w.heard(3)
	if w.offer(3) != 0 {
		t.Error("a device out of service was offered something")
	}
}

// What a device says of its software is written to the rollouts for which it is news, not to all that it ever was in.
func TestNoNewsIsNotWritten(t *testing.T) {
	w := newWorld(t, 1)
	w.commit()
	w.config.Store = nil // all stays in memory
	w.restart()
	for _, version := range []string{"2.0", "3.0"} {
		s := w.spec()
		s.Version = version
		id := w.start(s)
		w.heard(0)
		w.says(0, w.offer(0), did(codec.StepAccepted, 1, time.Minute), did(codec.StepDownloaded, 1, 0))
		for range 5 {
			w.pass(time.Hour)
			w.updates(0, version)
		}
		w.commit()
		w.want(id, 0, rollout.Confirmed)
		w.pass(time.Hour)
		w.pass(time.Hour)
	}
	w.commit()
	w.store = rows{}
	w.updates(0, "3.0")
	w.commit()
	row := func(id rollout.ID) bool {
		_, ok := w.store[string(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32([]byte("c"), uint32(id)), 100))]
		return ok
	}
	if row(1) || !row(2) {
		t.Errorf("rollout 1 is written %t, rollout 2 %t", row(1), row(2))
	}
}
