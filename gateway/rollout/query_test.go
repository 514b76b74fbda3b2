package rollout_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/rollout"
)

// The bands of an adoption curve sum to the devices that were sent an offer by then, at each time and as of each time; what is known of a past moment as
// of a past moment does not change later, but for devices that were overdue then.
func TestAdoptionSums(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		const n = 8
		w := newWorld(t, n)
		s := w.waves()
		s.Waves[0].Least, s.Waves[1].Least = time.Hour, time.Hour
		id := w.start(s)
		offered := map[int]time.Time{}
		for range rapid.IntRange(1, 40).Draw(rt, "moves") {
			w.pass(time.Duration(rapid.IntRange(1, 300).Draw(rt, "minutes")) * time.Minute)
			i := rapid.IntRange(0, n-1).Draw(rt, "device")
			switch rapid.IntRange(0, 4).Draw(rt, "what") {
			case 0, 1:
				if w.heard(i); w.offer(i) != 0 {
					if _, ok := offered[i]; !ok {
						offered[i] = w.now
					}
				}
			case 2:
				w.says(i, uint32(id), did(codec.UpdateStep(rapid.IntRange(0, 11).Draw(rt, "step")), 1, time.Duration(rapid.IntRange(0, 100).Draw(rt, "age"))*time.Minute))
			case 3:
				w.updates(i, "2.0")
			case 4:
				w.runs(i, "1.0", nil)
			}
			if rapid.IntRange(0, 9).Draw(rt, "restart") == 0 {
				w.commit()
				w.restart()
			}
		}
		for range 2 {
			asOf := t0.Add(time.Duration(rapid.Int64Range(0, int64(w.now.Sub(t0))).Draw(rt, "as of")))
			points, err := w.m.Adoption(w.now, id, asOf, time.Hour)
			if err != nil {
				rt.Fatal(err)
			}
			if len(points) == 0 || !points[len(points)-1].Time.Equal(asOf) {
				rt.Fatalf("the curve ends at %+v, want %s", points, asOf)
			}
			finer, err := w.m.Adoption(w.now, id, asOf, 20*time.Minute)
			if err != nil {
				rt.Fatal(err)
			}
			for n, p := range points[:len(points)-1] {
				if finer[3*n] != p {
					rt.Fatalf("%+v, and among more points %+v", p, finer[3*n])
				}
			}
			for _, p := range points {
				want := 0
				for _, at := range offered {
					if !at.Truncate(time.Second).After(p.Time) {
						want++
					}
				}
				if p.Attempted != want || p.Confirmed+p.Progress+p.Ended+p.Unknown != p.Attempted || min(p.Confirmed, p.Progress, p.Ended, p.Unknown) < 0 {
					rt.Fatalf("%+v, want %d attempted", p, want)
				}
			}
		}
	})
}

// Adoption goes by the time of the event, as far as was known.
func TestAdoption(t *testing.T) {
	w := newWorld(t, 3)
	id := w.start(w.spec())
	for i := range 3 {
		w.heard(i)
		w.says(i, w.offer(i), did(codec.StepAccepted, 1, 0))
	}
	w.pass(10 * time.Hour)
	w.heard(0)
	o := rollout.Order{Counter: 1000}
	w.m.Reported(w.now, 0, rollout.Software{Version: "2.0", Build: buildOf("2.0"), Was: "1.0", Order: o, At: t0.Add(2 * time.Hour), Newest: true})
	w.says(1, uint32(id), did(codec.StepDeclined, 1, 8*time.Hour))
	at := func(asOf time.Duration, hour int) rollout.AdoptionPoint {
		t.Helper()
		list, err := w.m.Adoption(w.now, id, t0.Add(asOf), time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return list[hour]
	}
	want := func(p rollout.AdoptionPoint, confirmed, progress, ended, unknown int) {
		t.Helper()
		if p.Confirmed != confirmed || p.Progress != progress || p.Ended != ended || p.Unknown != unknown || p.Attempted != 3 {
			t.Errorf("%+v", p)
		}
	}
	want(at(10*time.Hour, 1), 0, 3, 0, 0)
	want(at(10*time.Hour, 2), 1, 1, 1, 0)
	want(at(10*time.Hour, 9), 1, 0, 1, 1) // nobody knows of the third one
	want(at(5*time.Hour, 1), 0, 3, 0, 0)
	want(at(5*time.Hour, 4), 0, 0, 0, 3) // none had called again by then
	w.heard(2)
	want(at(10*time.Hour, 9), 1, 1, 1, 0)
	if list, err := w.m.Adoption(w.now, id, w.now, time.Second); err != nil || len(list) > 2000 || len(list) < 1900 {
		t.Errorf("%d points of a second: %v", len(list), err)
	}
	if _, err := w.m.Adoption(w.now, 9, w.now, time.Hour); !errors.Is(err, rollout.ErrUnknown) {
		t.Error(err)
	}
}

// What is said of a rollout in which most devices go silent at a step: the line, the funnel, who is behind, whom to call.
func TestReport(t *testing.T) {
	const n = 120
	w := newWorld(t, n)
	id := w.start(w.spec())
	for i := range n {
		w.heard(i)
		w.says(i, w.offer(i), did(codec.StepAccepted, 1, time.Minute), did(codec.StepInstalling, 0, 0))
		w.commit()
	}
	for range 60 {
		w.pass(time.Hour)
		for i := range n {
			if i%4 == 0 {
				if w.f[i].Version == "1.0" {
					w.updates(i, "2.0")
				}
				w.heard(i)
			}
		}
		w.commit()
	}
	r, err := w.m.Report(w.now, id)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(r.Line, "120 of 120 on day 1, 30 of 120 on day 3; 90 of 120 that were sent an offer are silent: 90 suspected update; ") || r.Silent != 90 || r.Events < 80 || r.High > 10 {
		t.Errorf("%+v", r)
	}
	if len(r.Calls) != 90 || r.Calls[0].Device.Suspect < 0.9 || !strings.Contains(r.Calls[0].Why, "since it told of installing: the update is the reason") {
		t.Errorf("%d calls, %+v", len(r.Calls), r.Calls[0])
	}
	if w.count(rollout.ActSilence) != 1 || w.count(rollout.ActHalted) != 1 {
		t.Errorf("%d silences, %d halts", w.count(rollout.ActSilence), w.count(rollout.ActHalted))
	}
	for _, a := range w.told {
		if a.Kind == rollout.ActSilence && (!a.Warned || !strings.Contains(a.Reason, "120 of 120 on day 1")) {
			t.Errorf("%+v", a)
		}
	}
	if len(r.Behind) != 3 || r.Behind[0].Behind+r.Behind[1].Behind+r.Behind[2].Behind != 90 || r.Behind[0].Devices != 40 || r.Behind[0].Silent != 30 {
		t.Errorf("%+v", r.Behind)
	}
	if len(r.Groups) != 1 || r.Groups[0].From != "1.0" || r.Groups[0].Started != n || r.Groups[0].Harm < 0.2 || !strings.Contains(r.Verdict, "from 1.0") {
		t.Errorf("%+v %s", r.Groups, r.Verdict)
	}
	funnel, err := w.m.Funnel(w.now, id)
	if err != nil {
		t.Fatal(err)
	}
	f := map[string]rollout.FunnelStep{}
	for _, x := range funnel {
		f[x.Step] = x
	}
	if x := f["installing"]; x.Here != 90 || x.Silent != 90 || x.Reached != n || len(x.Devices) != 90 || x.Median != 60*time.Hour || x.Codes[0] != 90 {
		t.Errorf("%+v", x)
	}
	if x := f["confirmed"]; x.Here != 30 || x.Reached != 30 || x.Silent != 0 || f["offered"].Reached != n || f["downloaded"].Reached != n || f["declined"].Reached != 0 {
		t.Errorf("%+v", f)
	}
	if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
	list, err := w.m.Devices(w.now, id, func(d *rollout.DeviceView) bool {
		return d.Standing == rollout.Installing && d.Customer == "customer-1"
	})
	if err != nil || len(list) != 30 || list[0].Step != "installing" || len(list[0].History) != 2 {
		t.Errorf("%d devices, %v", len(list), err)
	}
}

// A forecast says how many devices each wave has, what it costs, what it can see, and what stands in the way; it changes nothing.
func TestPlan(t *testing.T) {
	w := newWorld(t, 300)
	w.f[0].Version, w.f[1].FreeMemory, w.f[2].Product = "2.0", 10, "other"
	s := w.waves()
	p, err := w.m.Plan(w.now, s, func(rollout.Place) (int64, string) { return 1500, "EUR" })
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for i, x := range p.Waves {
		total += x.Devices
		if x.Total != total || x.Cost["EUR"] != int64(1500*x.Devices) || x.Strata["udp0"] != x.Devices || x.Reports != 2*time.Hour || len(x.Power) != 3 {
			t.Errorf("%+v", x)
		}
		if i > 0 && x.Power[1].Power < p.Waves[i-1].Power[1].Power {
			t.Errorf("less is seen in a larger wave: %+v", p.Waves)
		}
	}
	if p.Devices != 298 || p.Already != 1 || p.Refused["memory"]+p.HeldOut+total != 298 || p.HeldOut < 10 || p.HeldOut > 60 {
		t.Errorf("%+v", p)
	}
	if len(p.Remarks) != 1 || !strings.Contains(p.Remarks[0], "to see within it that 3 % are silenced takes") {
		t.Errorf("%q", p.Remarks)
	}
	id := w.start(s)
	sum, _ := w.m.Get(id)
	if sum.Devices != p.Devices || sum.Standings[rollout.HeldOut] != p.HeldOut {
		t.Errorf("%+v, planned was %+v", sum, p)
	}
	if len(w.m.List()) != 1 || w.m.List()[0].ID != id {
		t.Error("a plan is a rollout")
	}
	s.Waves = nil
	if _, err := w.m.Plan(w.now, s, nil); !errors.Is(err, rollout.ErrInvalid) {
		t.Error(err)
	}
}
