package rollout_test

import (
	"bytes"
	"encoding/binary"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/rollout"
)

// story is what the devices of a test do with the update: which of them are silenced by it, and which never call at all.
type story struct {
	bricked func(i int) bool
	fails   func(i int) bool
	asleep  func(i int) bool
}

func never(int) bool { return false }

// run lets a rollout go on until it ends, is halted, or so many hours are over. Devices follow the programme after their boot.
func (w *world) run(id rollout.ID, s story, hours int) rollout.Summary {
	w.t.Helper()
	n := len(w.f)
	if w.stage == nil {
		w.stage, w.boot = make([]int, n), make([]time.Time, n)
	}
	stage, boot := w.stage, w.boot
	burst := []time.Duration{12 * time.Minute, time.Hour, 4 * time.Hour, 12 * time.Hour}
	for step := range hours * 5 {
		for i := range n {
			due := step%5 == 0 || stage[i] == 2 || stage[i] == 3 && slices.Contains(burst, w.now.Sub(boot[i]))
			if !due || s.asleep(i) || stage[i] >= 2 && s.bricked(i) {
				continue
			}
			switch {
			case stage[i] == 1 && s.fails(i):
				w.says(i, uint32(id), did(codec.StepAccepted, 1, 2*time.Minute), did(codec.StepDownloaded, 1, time.Minute), did(codec.StepFailed, 8, 0))
				stage[i] = 4
			case stage[i] < 4:
				if w.update(i, uint32(id), &stage[i]); stage[i] == 3 && boot[i].IsZero() {
					boot[i] = w.now
				}
			default:
				w.heard(i)
			}
		}
		w.pass(12 * time.Minute)
		w.commit()
		sum, err := w.m.Get(id)
		if err != nil {
			w.t.Fatal(err)
		}
		if sum.State != rollout.Running {
			return sum
		}
	}
	sum, _ := w.m.Get(id)
	return sum
}

func (w *world) waves() rollout.Spec {
	s := w.spec()
	s.Waves = []rollout.Wave{{Share: 0.25, Least: 12 * time.Hour}, {Share: 0.5, Least: 12 * time.Hour}, {Share: 1}}
	s.HoldOut = 0.1
	return s
}

// An update that silences devices is halted in its first wave, with an entry for the chain of audit; an override goes on, against a higher threshold.
func TestHalts(t *testing.T) {
	w := newWorld(t, 400)
	id := w.start(w.waves())
	sum := w.run(id, story{func(i int) bool { return i%3 == 0 }, never, never}, 60)
	if sum.State != rollout.Halted || sum.Wave != 1 || w.count(rollout.ActHalted) != 1 {
		t.Fatalf("%+v", sum)
	}
	at := slices.IndexFunc(w.told, func(a rollout.Action) bool { return a.Kind == rollout.ActHalted })
	a := w.told[at]
	if a.Audit == nil || a.Audit.What != "rollout.halt" || a.Audit.Actor.Name != rollout.ByMachine || !strings.Contains(a.Reason, "from 1.0") {
		t.Errorf("%+v", a)
	}
	for i := range w.f {
		if _, ok := w.m.Offer(w.now, rollout.Place(i), 0); ok {
			t.Fatal("a halted rollout makes offers")
		}
	}
	views, err := w.m.Waves(w.now, id)
	if err != nil || !strings.Contains(views[1].Reason, "halted") {
		t.Errorf("%+v %v", views[1], err)
	}
	w.restart()
	if _, err := w.m.Act(w.now, author, id, rollout.Resume, ""); err == nil {
		t.Error("a halt was passed by without an override")
	}
	r, err := w.m.Report(w.now, id)
	if err != nil || r.Silent == 0 || len(r.Calls) == 0 || r.Calls[0].Device.Suspect < 0.9 || r.Calls[0].Device.Standing != rollout.Downloaded {
		t.Fatalf("%+v %v", r, err)
	}
	v := w.m.Device(w.now, rollout.Place(r.Calls[0].Device.Number-100))
	if len(v) != 1 || v[0].Rollout != id || v[0].Suspect != r.Calls[0].Device.Suspect || v[0].Step != "downloaded" {
		t.Errorf("%+v", v)
	}
	w.act(approver, id, rollout.Override)
	w.pass(10 * time.Second)
	if sum, _ = w.m.Get(id); sum.State != rollout.Running || sum.Notes[len(sum.Notes)-1].What != "rollout.override" {
		t.Errorf("%+v", sum)
	}
	if sum = w.run(id, story{func(i int) bool { return i%3 == 0 }, never, never}, 60); sum.State != rollout.Halted {
		t.Errorf("it goes on: %+v", sum)
	}
}

// Restarts change nothing: what is told and what is written is the same to the byte, the evidence too.
func TestRestartsChangeNothing(t *testing.T) {
	outcome := func(every int) *world {
		w := newWorld(t, 100)
		id := w.start(w.waves())
		s := story{func(i int) bool { return i%5 == 0 }, func(i int) bool { return i%7 == 0 }, func(i int) bool { return i%11 == 0 }}
		for h := range 20 {
			if every > 0 && h%every == 0 {
				w.restart()
			}
			if sum := w.run(id, s, 1); sum.State == rollout.Halted {
				w.act(approver, id, rollout.Override)
				w.commit()
			}
		}
		return w
	}
	want := outcome(0)
	if want.count(rollout.ActHalted) == 0 || want.count(rollout.ActFailed) == 0 {
		t.Fatalf("%d halts, %d failures", want.count(rollout.ActHalted), want.count(rollout.ActFailed))
	}
	for _, every := range []int{1, 7} {
		got := outcome(every)
		same(t, want.told, got.told)
		same(t, want.store, got.store)
	}
}

// Failures that devices report halt as well.
func TestFailuresHalt(t *testing.T) {
	w := newWorld(t, 400)
	id := w.start(w.waves())
	sum := w.run(id, story{never, func(i int) bool { return i%4 == 0 }, never}, 60)
	if sum.State != rollout.Halted || sum.Wave != 1 || sum.Standings[rollout.Failed] == 0 || w.count(rollout.ActFailed) != sum.Standings[rollout.Failed] {
		t.Fatalf("%+v", sum)
	}
}

// Sleepers are neither success nor failure: a wave of which only they are left does not open the next one, and one of which enough report does.
func TestSleepers(t *testing.T) {
	w := newWorld(t, 100)
	s := w.waves()
	s.Deadline = 20
	id := w.start(s)
	if sum := w.run(id, story{never, never, func(int) bool { return true }}, 100); sum.State != rollout.Running || sum.Wave != 1 || sum.Standings[rollout.Expired] == 0 {
		t.Fatalf("all sleep: %+v", sum)
	}
	views, err := w.m.Waves(w.now, id)
	if err != nil || !strings.HasPrefix(views[1].Reason, "closed: reported") {
		t.Errorf("%+v %v", views[1], err)
	}
	w = newWorld(t, 100)
	id = w.start(s)
	sum := w.run(id, story{never, never, func(i int) bool { return i%2 == 0 }}, 200)
	if sum.State != rollout.Completed || sum.Standings[rollout.Expired] == 0 || sum.Standings[rollout.Confirmed]+sum.Standings[rollout.Expired]+sum.Standings[rollout.HeldOut] != 100 {
		t.Fatalf("half sleep: %+v", sum)
	}
	if w.count(rollout.ActHalted)+w.count(rollout.ActFailed) != 0 {
		t.Error("a sleeper counts as a failure")
	}
}

// In safe mode one device goes first, alone; another one if it will not; and nobody follows one that failed.
func TestSafeMode(t *testing.T) {
	w := newWorld(t, 100)
	s := w.waves()
	s.Safe = true
	id := w.start(s)
	sum, _ := w.m.Get(id)
	if sum.Wave != 0 || sum.Standings[rollout.Eligible] != 1 || sum.Alone < 100 {
		t.Fatalf("%+v", sum)
	}
	first := int(sum.Alone - 100)
	w.heard(first)
	w.says(first, w.offer(first), did(codec.StepDeclined, 1, 0))
	w.pass(time.Minute)
	w.commit()
	w.restart()
	sum, _ = w.m.Get(id)
	if int(sum.Alone) == first+100 || sum.Standings[rollout.Eligible] != 1 {
		t.Fatalf("%+v", sum)
	}
	second := int(sum.Alone - 100)
	w.heard(second)
	w.says(second, w.offer(second), did(codec.StepFailed, 8, 0))
	for range 48 {
		w.pass(time.Hour)
	}
	views, _ := w.m.Waves(w.now, id)
	if views[0].Wave != 0 || views[0].Devices != 2 || views[1].Reason[:len("closed: alone")] != "closed: alone" {
		t.Errorf("%+v", views)
	}
	w.act(approver, id, rollout.Advance)
	if sum, _ = w.m.Get(id); sum.Wave != 1 {
		t.Errorf("%+v", sum)
	}
	w = newWorld(t, 100)
	id = w.start(s)
	if sum := w.run(id, story{never, never, never}, 200); sum.State != rollout.Completed || sum.Wave != 3 {
		t.Errorf("%+v", sum)
	}
}

// A wave by hand opens by hand alone; one with proof waits until the verdict speaks for it.
func TestGates(t *testing.T) {
	w := newWorld(t, 60)
	s := w.waves()
	s.Waves[1].ByHand = true
	s.Waves[2].Proof = true
	id := w.start(s)
	if sum := w.run(id, story{never, never, never}, 60); sum.Wave != 1 {
		t.Fatalf("%+v", sum)
	}
	views, _ := w.m.Waves(w.now, id)
	if views[1].Reason != "closed: hand: nobody opened it, wanted is advance" || views[2].Reason != "wave 2 is not open" {
		t.Errorf("%+v", views)
	}
	w.act(approver, id, rollout.Advance)
	if sum := w.run(id, story{never, never, never}, 60); sum.Wave != 2 {
		t.Fatalf("%+v", sum)
	}
	views, _ = w.m.Waves(w.now, id)
	if views[1].Reason != "open: approver opened it" || !strings.HasPrefix(views[2].Reason, "closed: verdict: continue") {
		t.Errorf("%+v", views)
	}
}

// A rollout is watched for a week after its last device came to its end: harm that comes late is seen, and told.
func TestWatched(t *testing.T) {
	for _, bad := range []bool{false, true} {
		w := newWorld(t, 200)
		s := w.spec()
		s.Watch, s.HoldOut = 0, 0.1
		id := w.start(s)
		s2 := story{never, never, never}
		if sum := w.run(id, s2, 30); sum.State != rollout.Running || sum.Until.Sub(w.now) < 5*24*time.Hour || sum.Standings[rollout.Confirmed]+sum.Standings[rollout.HeldOut] != 200 {
			t.Fatalf("%+v", sum)
		}
		w.commit()
		w.restart()
		if bad {
			s2.asleep = func(i int) bool { return i%4 == 0 && w.standing(id, i).Wave == 1 }
		}
		sum := w.run(id, s2, 24*8)
		switch {
		case !bad && (sum.State != rollout.Completed || w.count(rollout.ActHalted)+w.count(rollout.ActSilence) != 0):
			t.Errorf("nothing happens: %+v", sum)
		case bad && (sum.State != rollout.Halted || w.count(rollout.ActHalted) != 1):
			t.Errorf("a quarter goes silent: %+v", sum)
		}
	}
}

// What devices said while the gateway was away is no evidence: an update is not halted for a night without it.
func TestAwayIsNoEvidence(t *testing.T) {
	w := newWorld(t, 200)
	s := w.spec()
	s.Waves = []rollout.Wave{{Share: 1}}
	id := w.start(s)
	good := story{never, never, never}
	if sum := w.run(id, good, 2); sum.State != rollout.Running {
		t.Fatalf("%+v", sum)
	}
	w.now = w.now.Add(14 * time.Hour)
	w.restart()
	w.pass(10 * time.Second)
	if sum := w.run(id, good, 30); sum.State == rollout.Halted {
		t.Errorf("%+v", sum)
	}
}

// After a reload of the rules a rollout that runs holds nobody against a programme that is another one in its own tables, nor ever a device that may be told to say
// nothing while it goes on.
func TestReloadedProgrammes(t *testing.T) {
	for name, reload := range map[string]func(*world) []uint16{
		"the same":          func(*world) []uint16 { return []uint16{12, 60, 240, 720} },
		"another programme": func(*world) []uint16 { return []uint16{600, 720} },
		"a new rule":        func(w *world) []uint16 { w.rule = 7; return []uint16{600, 720} },
		"quiet hours":       func(w *world) []uint16 { w.f[0].Hushed = true; return []uint16{12, 60, 240, 720} },
	} {
		w := newWorld(t, 2)
		said := []uint16{12, 60, 240, 720}
		w.config.Burst = func(rollout.Place) []uint16 { return said }
		w.config.Programme = func(rollout.Place) int { return w.rule }
		for i := range w.f {
			w.f[i].Interval = 24 * time.Hour
		}
		w.m = rollout.New(w.config)
		if _, err := w.m.Register(w.now, author, release("2.0", 2)); err != nil {
			t.Fatal(err)
		}
		id := w.start(w.spec())
		said = reload(w)
		w.heard(0)
		w.says(0, w.offer(0), did(codec.StepAccepted, 1, time.Minute), did(codec.StepDownloaded, 1, 0))
		w.heard(1) // by a rule that the verdict may not know
		for range 60 {
			w.pass(time.Minute)
		}
		for range 4 {
			w.pass(time.Hour)
		}
		if suspected := w.standing(id, 0).Suspect > 0; suspected != (name == "the same") {
			t.Errorf("%s: suspected %t after five hours", name, suspected)
		}
	}
}

// Links that are in another order after a restart, or new, are those that the verdict knows by their names; devices over one that it does not know are not
// judged.
func TestOtherLinks(t *testing.T) {
	w := newWorld(t, 3)
	before := config(t, w.f)
	id := w.start(w.spec())
	for i := range w.f {
		w.heard(i)
	}
	w.commit()
	for i := range w.f {
		w.counter[i]++
	}
	say := func(i, link int) {
		w.f[i].Last = w.now
		w.m.Heard(w.now, rollout.Place(i), rollout.Contact{Link: link, Order: rollout.Order{Counter: w.counter[i]}, Newest: true})
	}
	w.now = w.now.Add(time.Minute)
	say(0, 0)
	say(1, 1)
	w.commit()
	want, now := maps.Clone(w.store), w.now
	for name, names := range map[string][]string{"another order": {"sms0", "new", "udp0"}, "one less": {"new", "udp0"}} {
		w.store, w.now = maps.Clone(want), now
		w.config.Links, w.config.Presence.Links = names, nil
		for _, n := range names {
			l := before.Presence.Links[0]
			l.Name = n
			w.config.Presence.Links = append(w.config.Presence.Links, l)
		}
		w.restart()
		say(0, slices.Index(names, "udp0"))
		say(2, slices.Index(names, "new"))
		if at := slices.Index(names, "sms0"); at >= 0 {
			say(1, at)
		}
		w.commit()
		for i := range w.f {
			k := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32([]byte("e"), uint32(id)), w.f[i].Number)
			if !bytes.Equal(w.store[string(k)], want[string(k)]) {
				t.Errorf("%s: the verdict has another row of device %d", name, i)
			}
		}
		w.pass(2 * time.Hour)
		w.commit()
		w.config.Links, w.config.Presence.Links = before.Links, before.Presence.Links
		w.restart() // the links of before are back
		w.pass(10 * time.Second)
	}
}
