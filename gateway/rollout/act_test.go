package rollout_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/gateway/rollout"
)

// The moves that are possible in each state, and where they lead.
func TestMoves(t *testing.T) {
	to := map[rollout.State][]rollout.Move{ // how to come to a state
		rollout.Draft: {}, rollout.Submitted: {rollout.Submit}, rollout.Approved: {rollout.Submit, rollout.Approve}, rollout.Denied: {rollout.Submit, rollout.Deny},
		rollout.Running: {rollout.Submit, rollout.Approve, rollout.Start}, rollout.Paused: {rollout.Submit, rollout.Approve, rollout.Start, rollout.Pause},
		rollout.Halted:  {rollout.Submit, rollout.Approve, rollout.Start, rollout.Halt},
		rollout.Stopped: {rollout.Submit, rollout.Stop},
	}
	want := map[rollout.State]map[rollout.Move]rollout.State{
		rollout.Draft:     {rollout.Submit: rollout.Submitted, rollout.Stop: rollout.Stopped},
		rollout.Submitted: {rollout.Approve: rollout.Approved, rollout.Deny: rollout.Denied, rollout.Stop: rollout.Stopped},
		rollout.Approved:  {rollout.Start: rollout.Running, rollout.Stop: rollout.Stopped},
		rollout.Denied:    {},
		rollout.Running:   {rollout.Pause: rollout.Paused, rollout.Halt: rollout.Halted, rollout.Stop: rollout.Stopped, rollout.Advance: rollout.Running},
		rollout.Paused:    {rollout.Resume: rollout.Running, rollout.Halt: rollout.Halted, rollout.Stop: rollout.Stopped},
		rollout.Halted:    {rollout.Override: rollout.Running, rollout.Stop: rollout.Stopped},
		rollout.Stopped:   {},
	}
	for from, path := range to {
		for move := rollout.Submit; move <= rollout.Stop; move++ {
			w := newWorld(t, 10)
			s := w.spec()
			s.Waves = []rollout.Wave{{Share: 0.5}, {Share: 1}}
			id := w.create(s)
			for _, m := range path {
				w.act(approver2(m), id, m)
			}
			w.commit()
			w.restart()
			a, err := w.m.Act(w.now, approver, id, move, "because")
			got, gotErr := w.m.Get(id)
			if gotErr != nil {
				t.Fatal(gotErr)
			}
			state, ok := want[from][move]
			switch {
			case ok && (err != nil || got.State != state || a.What != "rollout."+move.String() || a.Subject != "rollout 1" || a.Remark != "because" || a.Actor != approver):
				t.Errorf("%s %s: %v, it is %s, %+v", from, move, err, got.State, a)
			case !ok && (!errors.Is(err, rollout.ErrState) || got.State != from):
				t.Errorf("%s %s: %v, it is %s", from, move, err, got.State)
			}
		}
	}
}

// approver2 is who may make a move on what author created.
func approver2(m rollout.Move) rollout.Actor {
	if m == rollout.Submit {
		return author
	}
	return approver
}

// Nobody approves what the same token created or submitted, nor goes past a halt or a gate of it; roles and remarks are asked for.
func TestWhoMay(t *testing.T) {
	both := rollout.Actor{Name: "author", Role: rollout.Admin}
	submitter := rollout.Actor{Name: "submitter", Role: rollout.Admin}
	viewer := rollout.Actor{Name: "viewer", Role: rollout.Viewer}
	operator := rollout.Actor{Name: "operator", Role: rollout.Operator}
	for _, x := range []struct {
		name   string
		path   []rollout.Move
		by     rollout.Actor
		move   rollout.Move
		remark string
		want   error
	}{
		{"who created it approves", []rollout.Move{rollout.Submit}, both, rollout.Approve, "ok", rollout.ErrSameActor},
		{"who submitted it approves", []rollout.Move{rollout.Submit}, submitter, rollout.Approve, "ok", rollout.ErrSameActor},
		{"who created it denies", []rollout.Move{rollout.Submit}, both, rollout.Deny, "ok", rollout.ErrSameActor},
		{"an operator approves", []rollout.Move{rollout.Submit}, operator, rollout.Approve, "ok", rollout.ErrForbidden},
		{"no remark", []rollout.Move{rollout.Submit}, approver, rollout.Approve, "", rollout.ErrRemark},
		{"no remark to a denial", []rollout.Move{rollout.Submit}, approver, rollout.Deny, "", rollout.ErrRemark},
		{"a long remark", []rollout.Move{rollout.Submit}, approver, rollout.Deny, strings.Repeat("x", 1001), rollout.ErrInvalid},
		{"a second person", []rollout.Move{rollout.Submit}, approver, rollout.Approve, "ok", nil},
		{"a viewer submits", nil, viewer, rollout.Submit, "", rollout.ErrForbidden},
		{"nobody submits", nil, rollout.Actor{Role: rollout.Admin}, rollout.Submit, "", rollout.ErrForbidden},
		{"one who calls himself the machine", nil, rollout.Actor{Name: rollout.ByMachine, Role: rollout.Admin}, rollout.Submit, "", rollout.ErrForbidden},
		{"who created it overrides", []rollout.Move{rollout.Submit, rollout.Approve, rollout.Start, rollout.Halt}, both, rollout.Override, "ok", rollout.ErrSameActor},
		{"no remark to an override", []rollout.Move{rollout.Submit, rollout.Approve, rollout.Start, rollout.Halt}, approver, rollout.Override, "", rollout.ErrRemark},
		{"an unknown move", nil, both, rollout.Move(99), "", rollout.ErrUnknown},
	} {
		w := newWorld(t, 4)
		id := w.create(w.spec())
		for _, m := range x.path {
			by := approver
			if m == rollout.Submit {
				by = submitter
			}
			w.act(by, id, m)
		}
		before, _ := w.m.Get(id)
		_, err := w.m.Act(w.now, x.by, id, x.move, x.remark)
		if !errors.Is(err, x.want) {
			t.Errorf("%s: %v, want %v", x.name, err, x.want)
		}
		if after, _ := w.m.Get(id); x.want != nil && after.State != before.State {
			t.Errorf("%s: it was %s and is %s", x.name, before.State, after.State)
		}
	}
	w := newWorld(t, 1)
	if _, err := w.m.Act(w.now, approver, 7, rollout.Start, ""); !errors.Is(err, rollout.ErrUnknown) {
		t.Error(err)
	}
	if _, _, err := w.m.Create(w.now, viewer, w.spec()); !errors.Is(err, rollout.ErrForbidden) {
		t.Error(err)
	}
}

// Specs that cannot be are refused, with what is wrong.
func TestSpecs(t *testing.T) {
	w := newWorld(t, 1)
	for name, change := range map[string]func(*rollout.Spec){
		"no name":                func(s *rollout.Spec) { s.Name = "" },
		"unknown release":        func(s *rollout.Spec) { s.Version = "9.9" },
		"no waves":               func(s *rollout.Spec) { s.Waves = nil },
		"waves that do not rise": func(s *rollout.Spec) { s.Waves = []rollout.Wave{{Share: 0.5}, {Share: 0.5}, {Share: 1}} },
		"waves that end early":   func(s *rollout.Spec) { s.Waves = []rollout.Wave{{Share: 0.5}} },
		"too much held out":      func(s *rollout.Spec) { s.HoldOut = 0.6 },
		"a negative soak":        func(s *rollout.Spec) { s.Soak = -1 },
		"a window at 25":         func(s *rollout.Spec) { s.Windows = []rollout.Window{{From: 0, To: 25}} },
		"an unknown link":        func(s *rollout.Spec) { s.Links = []string{"pigeon"} },
		"too many waves":         func(s *rollout.Spec) { s.Waves = make([]rollout.Wave, 17) },
		"a negative share":       func(s *rollout.Spec) { s.Waves = []rollout.Wave{{Share: 1, Reported: -0.1}} },
	} {
		s := w.spec()
		change(&s)
		if _, _, err := w.m.Create(w.now, author, s); !errors.Is(err, rollout.ErrInvalid) && !errors.Is(err, rollout.ErrUnknown) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Releases are registered once and never changed; one that was withdrawn is neither started nor offered any more.
func TestReleases(t *testing.T) {
	w := newWorld(t, 3)
	if _, err := w.m.Register(w.now, author, release("2.0", 9)); !errors.Is(err, rollout.ErrExists) {
		t.Error(err)
	}
	if _, err := w.m.Register(w.now, author, release("2.1", 2)); !errors.Is(err, rollout.ErrExists) {
		t.Error("two releases of one sequence:", err)
	}
	if _, err := w.m.Register(w.now, rollout.Actor{Name: "viewer"}, release("4.0", 4)); !errors.Is(err, rollout.ErrForbidden) {
		t.Error(err)
	}
	r := release("4.0", 4)
	r.Hash = r.Hash[:20]
	if _, err := w.m.Register(w.now, author, r); !errors.Is(err, rollout.ErrInvalid) {
		t.Error(err)
	}
	r = release("4.0", 4)
	r.Reference = strings.Repeat("x", 300)
	if _, err := w.m.Register(w.now, author, r); !errors.Is(err, rollout.ErrInvalid) {
		t.Error(err)
	}
	id := w.start(w.spec())
	w.heard(0)
	if w.offer(0) == 0 {
		t.Fatal("nothing is offered")
	}
	if _, err := w.m.Withdraw(w.now, author, "buoy", "2.0", ""); !errors.Is(err, rollout.ErrRemark) {
		t.Error(err)
	}
	if a, err := w.m.Withdraw(w.now, author, "buoy", "2.0", "it leaks"); err != nil || a.What != "release.withdraw" || a.Subject != "release buoy 2.0" {
		t.Errorf("%+v %v", a, err)
	}
	w.commit()
	w.restart()
	w.heard(1)
	if n := w.offer(1); n != 0 {
		t.Errorf("%d is offered", n)
	}
	if v := w.standing(id, 1); v.Reason != "the release is withdrawn" {
		t.Error(v.Reason)
	}
	if _, _, err := w.m.Create(w.now, author, w.spec()); !errors.Is(err, rollout.ErrInvalid) {
		t.Error(err)
	}
	got, err := w.m.Release("buoy", "2.0")
	if err != nil || got.Why != "it leaks" || !got.Withdrawn.Equal(w.now) || len(w.m.Releases()) != 3 {
		t.Errorf("%+v %v", got, err)
	}
}

func TestWindows(t *testing.T) {
	monday := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	for _, x := range []struct {
		w    rollout.Window
		hour int // after monday 0:00
		want bool
	}{
		{rollout.Window{From: 8, To: 17}, 8, true},
		{rollout.Window{From: 8, To: 17}, 17, false},
		{rollout.Window{From: 0, To: 24}, 23, true},
		{rollout.Window{From: 22, To: 4}, 23, true},
		{rollout.Window{From: 22, To: 4}, 3, true},
		{rollout.Window{From: 22, To: 4}, 4, false},
		{rollout.Window{Days: 1 << 1, From: 22, To: 4}, 3, false}, // the night to Monday is Sunday's
		{rollout.Window{Days: 1 << 1, From: 22, To: 4}, 24 + 3, true},
		{rollout.Window{Days: 1 << 1, From: 22, To: 4}, 24 + 23, false},
		{rollout.Window{Days: 1 << 6, From: 22, To: 4}, 6*24 + 3, true},
	} {
		if got := x.w.Open(monday.Add(time.Duration(x.hour) * time.Hour)); got != x.want {
			t.Errorf("%+v at %d h: %v", x.w, x.hour, got)
		}
	}
}

// Lots are what they always were, as another program reckons them too: a device keeps its wave, whatever the version of the gateway.
func TestLots(t *testing.T) {
	for _, x := range []struct {
		id     rollout.ID
		number uint32
		want   float64
	}{{1, 1, 0.4825165273468969}, {1, 2, 0.33532243692359964}, {2, 1, 0.20660911745407617}, {4294967295, 4294967295, 0.3662420901697574}} {
		if got := rollout.Lot(x.id, x.number); got != x.want {
			t.Errorf("%d of %d: %.17g", x.number, x.id, got)
		}
	}
	const n = 100_000
	sum, same := 0.0, 0
	for i := range uint32(n) {
		a, b := rollout.Lot(1, i), rollout.Lot(2, i)
		sum += a
		if (a < 0.1) && (b < 0.1) {
			same++
		}
	}
	if mean := sum / n; mean < 0.495 || mean > 0.505 || same < n/120 || same > n/80 {
		t.Errorf("the mean is %v, %d are in the first tenth of both", mean, same)
	}
}
