package rollout_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/rollout"
	"github.com/godwit-gateway/godwit/gateway/rollout/silence"
)

// A look in steps finds what a look at once does, and counts each device once while devices come and move on between its steps.
func TestLookInSteps(t *testing.T) {
	w := newWorld(t, 90)
	for i := range w.f {
		if i%10 == 9 {
			w.f[i].Active = false // joins later, between others
		}
	}
	id := w.start(w.spec())
	for i := range w.f {
		if i%3 == 0 && i%10 != 9 {
			w.heard(i)
			w.says(i, w.offer(i), did(codec.StepAccepted, 1, 0))
		}
	}
	w.pass(26 * time.Hour)
	look := func(step int, between func()) (r rollout.Report, f []rollout.FunnelStep, b []rollout.Behind, a []rollout.AdoptionPoint) {
		t.Helper()
		lr, err1 := w.m.LookReport(w.now, id)
		lf, err2 := w.m.LookFunnel(w.now, id)
		lb, err3 := w.m.LookBehind(w.now, id)
		la, err4 := w.m.LookAdoption(w.now, id, time.Time{}, time.Hour)
		if err1 != nil || err2 != nil || err3 != nil || err4 != nil {
			t.Fatal(err1, err2, err3, err4)
		}
		for more := true; more; {
			x, y, z, u := lr.Some(step), lf.Some(step), lb.Some(step), la.Some(step)
			if x != y || y != z || z != u {
				t.Fatal("some looks have ended, others have not")
			}
			more = x
			between()
		}
		r, err1 = lr.Result()
		f, err2 = lf.Result()
		b, err3 = lb.Result()
		a, err4 = la.Result()
		if err1 != nil || err2 != nil || err3 != nil || err4 != nil {
			t.Fatal(err1, err2, err3, err4)
		}
		return r, f, b, a
	}
	r, f, b, a := look(1000, func() {})
	for _, step := range []int{1, 7, 80, 81, 82} {
		r2, f2, b2, a2 := look(step, func() {})
		for what, d := range map[string]string{"report": cmp.Diff(r, r2), "funnel": cmp.Diff(f, f2), "behind": cmp.Diff(b, b2), "adoption": cmp.Diff(a, a2)} {
			if d != "" {
				t.Errorf("in steps of %d: %s: %s", step, what, d)
			}
		}
	}
	whole, err := w.m.Report(w.now, id)
	if d := cmp.Diff(r, whole); d != "" || err != nil {
		t.Errorf("at once: %s %v", d, err)
	}
	next := 9
	r, f, b, _ = look(7, func() {
		if next < len(w.f) {
			w.f[next].Active = true
			w.m.Know(w.now, rollout.Place(next))
			next += 10
		}
	})
	devices, reached := 0, f[0].Reached
	for _, x := range b {
		devices += x.Devices
	}
	if devices < 81 || devices > 90 || reached != 27 || r.Summary.Devices != 90 || r.Causes[silence.Late.Label()]+r.Causes[silence.Unknown.Label()]+r.Causes[silence.Update.Label()] != r.Silent {
		t.Errorf("%d devices, %d reached, %+v", devices, reached, r)
	}
}

// A look goes on while its rollout ends and leaves memory: each device is counted once, and all bands come to those that were attempted.
func TestLookWhileItEnds(t *testing.T) {
	const n = 50
	w := newWorld(t, n)
	id := w.start(w.spec())
	for i := range n - 5 {
		w.heard(i)
		number := w.offer(i)
		switch i % 5 {
		case 0:
			w.says(i, number, did(codec.StepDeclined, 1, 0))
		case 1:
			w.says(i, number, did(codec.StepInstalling, 0, 0))
		case 2:
			for range 4 {
				w.now = w.now.Add(2 * time.Minute)
				w.updates(i, "2.0")
			}
		}
	}
	w.pass(30 * time.Hour)
	w.commit()
	lr, err1 := w.m.LookReport(w.now, id)
	la, err2 := w.m.LookAdoption(w.now, id, time.Time{}, time.Hour)
	lb, err3 := w.m.LookBehind(w.now, id)
	lf, err4 := w.m.LookFunnel(w.now, id)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	for step := 0; ; step++ {
		more := lr.Some(7)
		if la.Some(7) != more || lb.Some(7) != more || lf.Some(7) != more {
			t.Fatal("some looks have ended, others have not")
		}
		if !more {
			break
		}
		w.now = w.now.Add(time.Minute)
		switch step {
		case 1:
			w.act(author, id, rollout.Stop)
		case 3:
			w.says(1, uint32(id), did(codec.StepFailed, 8, 0)) // behind the look
			w.says(41, uint32(id), did(codec.StepFailed, 8, 0))
		}
		w.pass(time.Minute)
		w.commit()
	}
	if w.m.Pending() > n*2/3 {
		t.Fatalf("%d devices are in memory", w.m.Pending())
	}
	r, err1 := lr.Result()
	a, err2 := la.Result()
	b, err3 := lb.Result()
	f, err4 := lf.Result()
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	for i, p := range a {
		if p.Confirmed+p.Progress+p.Ended+p.Unknown != p.Attempted || i == len(a)-1 && p.Attempted != n-5 {
			t.Errorf("%+v", p)
		}
	}
	devices, here, causes := 0, 0, 0
	for _, x := range b {
		devices += x.Devices
		if x.Confirmed+x.Behind != x.Devices {
			t.Errorf("%+v", x)
		}
	}
	for _, x := range f {
		here += x.Here
		if x.Median < 0 {
			t.Errorf("%+v", x)
		}
	}
	for _, c := range r.Causes {
		causes += c
	}
	last := r.Days[len(r.Days)-1]
	if devices != n || here != n-5 || causes != r.Silent || last.Of != n-5 || r.Summary.State != rollout.Stopped || r.Summary.Attempted != n-5 {
		t.Errorf("%d devices, %d of the funnel, %d causes: %+v", devices, here, causes, r)
	}
}
