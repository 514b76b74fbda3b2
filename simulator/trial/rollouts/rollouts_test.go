package rollouts_test

import (
	"reflect"
	"testing"

	"github.com/godwit-gateway/godwit/gateway/rollout/verdict"
	"github.com/godwit-gateway/godwit/simulator/trial"
	"github.com/godwit-gateway/godwit/simulator/trial/rollouts"
)

const devices = 2000

func fleet(t *testing.T) *rollouts.Fleet {
	t.Helper()
	f, err := rollouts.NewFleet(devices, 11, rollouts.Programme())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func play(t *testing.T, r rollouts.Run) rollouts.Result {
	t.Helper()
	result, err := r.Play()
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// TestGood: rollouts of good updates come to their end, and leave no evidence of harm.
func TestGood(t *testing.T) {
	f := fleet(t)
	for _, s := range []rollouts.Scenario{rollouts.Good[0], rollouts.Good[2]} {
		r := play(t, rollouts.Run{Fleet: f, Scenario: s, Seed: 5, Hold: true})
		if r.Ours.Hours >= 0 || r.Complete < 96 || r.Ours.Bricked != 0 || r.Ours.Exposed < devices/4*9/10 {
			t.Errorf("%s: %+v", s.Name, r.Ours)
		}
		for c, e := range r.Evidence {
			if e > 10 {
				t.Errorf("%s: evidence of %g in the end from %s", s.Name, e, verdict.Component(c))
			}
		}
	}
}

// TestBad: one device in ten of a product is silenced, which is seen soon; a rule about reported errors never sees it. The same seeds give the same.
func TestBad(t *testing.T) {
	run := rollouts.Run{Fleet: fleet(t), Scenario: rollouts.Scenario{Bad: 0.1}, Seed: 5}
	r := play(t, run)
	if r.Ours.Hours < 0 || r.Ours.Hours > 5*24 || r.Ours.Bricked == 0 || r.Ours.Bricked > r.Ours.Exposed {
		t.Errorf("verdict: %+v", r.Ours)
	}
	late := run
	late.Scenario.Delay = 40 * trial.Day
	if r := play(t, late); r.Ours.Hours >= 0 && r.Ours.Hours < 24 {
		t.Errorf("halted %g h after the first wave, before anything was silenced", r.Ours.Hours)
	}
	for _, j := range rollouts.Judgements() {
		s := rollouts.Summarise([]rollouts.Result{r}, j)
		if never := j.Name == "hawkBit, more than 1 % report errors" || j.Name == "alone: failures that devices report"; never != (s.Halted == 0) && never {
			t.Errorf("%s has halted", j.Name)
		}
	}
	if again := play(t, run); !reflect.DeepEqual(r, again) {
		t.Errorf("the same seed gives %+v and %+v", r.Ours, again.Ours)
	}
}

// TestDetect: most silenced devices are known within hours, and hardly any other is held to be silenced.
func TestDetect(t *testing.T) {
	d, err := rollouts.Detect(fleet(t), 5)
	if err != nil {
		t.Fatal(err)
	}
	var all rollouts.Detection
	all.Add(d)
	if all.Updates < devices*9/10 || all.Bricks < devices*2/100 || all.Found < all.Bricks*8/10 || all.Median > 1.5 || all.Median <= 0 || all.False > 5 {
		t.Errorf("detection: %d updates, %d bricks, %d found, median %g h, %g false in 1000", all.Updates, all.Bricks, all.Found, all.Median, all.False)
	}
}

// TestBlocks: the work is cut without loss.
func TestBlocks(t *testing.T) {
	for _, runs := range []int{5, 100, 2000} {
		blocks := rollouts.Plan{Runs: runs, Devices: 400, Seed: 1, Burst: []uint{10}}.Blocks()
		if len(blocks) == 0 || runs == 2000 && len(blocks) != 16 {
			t.Errorf("%d blocks of %d runs", len(blocks), runs)
		}
	}
	blocks := rollouts.Plan{Runs: 5, Devices: 400, Seed: 1, Burst: []uint{10, 60}}.Blocks()
	r, err := blocks[0].Play(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := rollouts.NewRecord()
	all.Add(r)
	f := all.Figures()
	if f.GoodRuns != 5 || len(all.Bad[0]) != 1 || len(all.Held[8]) != 1 || f.DetectMedian == 0 {
		t.Errorf("figures %+v", f)
	}
}
