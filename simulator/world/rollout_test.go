package world_test

import (
	"slices"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec/manifest"
	"github.com/godwit-gateway/godwit/gateway/rollout"
	"github.com/godwit-gateway/godwit/gateway/rollout/silence"
	"github.com/godwit-gateway/godwit/simulator/device"
	"github.com/godwit-gateway/godwit/simulator/world"
)

// campaign is a world of devices that live on, with a release and a rollout of it.
func campaign(t *testing.T, devices int, bad device.Mishaps) (world.Setup, *standings) {
	t.Helper()
	s, err := world.Draw(world.Options{Seed: 3, Devices: devices, Faults: 5 * 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	s.Chaos = false
	for i := range s.Groups {
		s.Groups[i].Attrition, s.Groups[i].Device.Power, s.Groups[i].Device.Retires, s.Groups[i].Device.Interval = 0, nil, time.Time{}, 2*time.Hour
	}
	s.Releases = []world.Release{{Manifest: manifest.Manifest{Product: "buoy", Version: "3.0.0", Size: 100 << 10}, Mishaps: bad}}
	s.Rollouts = []world.Rollout{{At: 12 * time.Hour, Spec: rollout.Spec{
		Name: "three", Product: "buoy", Version: "3.0.0", HoldOut: 0.1, Waves: []rollout.Wave{{Share: 0.3, Least: 6 * time.Hour, Reported: 0.5}, {Share: 1}},
	}}}
	w := &standings{versions: versions{seen: map[uint32]string{}}, truth: make(map[uint32]world.Glance)}
	s.Watch, s.Sample = w, 6*time.Hour
	return s, w
}

// standings are how a rollout and its devices stand, when they were looked at last.
type standings struct {
	versions

	last  rollout.Summary
	views []rollout.DeviceView
	truth map[uint32]world.Glance
}

func (v *standings) Sampled(_ time.Time, view world.View) {
	view.Rollouts(func(now time.Time, m *rollout.Machine) {
		for _, s := range m.List() {
			v.last = s
			v.views, _ = m.Devices(now, s.ID, func(*rollout.DeviceView) bool { return true })
		}
	})
	for g := range view.Devices {
		v.truth[g.Number] = g
	}
}

func (v *standings) halted() bool {
	return slices.ContainsFunc(v.last.Notes, func(n rollout.Note) bool { return n.What == "rollout.halt" })
}

// A good release reaches the devices, a wave at a time, and nothing of it is halted; who is held out gets nothing.
func TestGoodRollout(t *testing.T) {
	s, w := campaign(t, 24, device.Mishaps{})
	play(t, s)
	held, all := w.last.Standings[rollout.HeldOut], w.last.Devices
	if confirmed := w.last.Standings[rollout.Confirmed]; w.halted() || held == 0 || confirmed*10 < (all-held)*8 {
		t.Errorf("%d of %d devices are confirmed, %v, %v", confirmed, all, w.last.Standings, w.last.Notes)
	}
	for _, v := range w.views {
		if g := w.truth[v.Number]; v.Standing == rollout.HeldOut && (g.Version == "3.0.0" || len(g.Happened) > 0) {
			t.Errorf("device %d is held out and runs %s", v.Number, g.Version)
		}
	}
}

// Each way to fail is seen where it happened. The operators go on whatever the gateway says.
func TestEachFailureIsSeen(t *testing.T) {
	s, w := campaign(t, 48, device.Mishaps{
		BrickInstall: 0.15, Install: 0.1, InstallCode: 200, BrickReboot: 0.1, Late: 0.1, LoseLog: 0.1, Start: 0.15, Loop: 0.1, RollBack: 0.15,
	})
	s.Rollouts[0].Waves, s.Rollouts[0].Halted = []rollout.Wave{{Share: 1}}, world.HaltedOverride
	play(t, s)
	seen, blamed := make(map[device.What]int), 0
	for _, v := range w.views {
		g := w.truth[v.Number]
		if len(g.Happened) == 0 {
			continue
		}
		h := g.Happened[len(g.Happened)-1]
		if h.At.After(w.last.Started.Add(4 * 24 * time.Hour)) {
			continue // too late to be known
		}
		seen[h.What]++
		right := true
		switch h.What {
		case device.Updated:
			right = v.Standing == rollout.Confirmed || v.Standing == rollout.Soaking
		case device.Failed:
			right = v.Standing == rollout.Failed && v.Code == 200
		case device.Bricked:
			if g.Silence.Class == silence.Update {
				blamed++
			}
			right = !slices.Contains([]rollout.Standing{rollout.Confirmed, rollout.Soaking, rollout.Failed, rollout.RolledBack, rollout.Declined}, v.Standing)
		case device.RolledBack:
			right = v.Standing == rollout.RolledBack
		default: // on its way
		}
		if !right {
			t.Errorf("device %d %s, and is said to be %s with code %d, last step %q", v.Number, h.What, v.Standing, v.Code, v.Step)
		}
	}
	for _, what := range []device.What{device.Updated, device.Failed, device.Bricked, device.RolledBack, device.Looping} {
		if seen[what] == 0 {
			t.Errorf("no device was %s: %v", what, seen)
		}
	}
	if n := seen[device.Bricked]; blamed*2 < n {
		t.Errorf("the silence of %d devices of %d is put down to the update that bricked them", blamed, n)
	}
	if !w.halted() {
		t.Errorf("it was never halted: %v", w.last.Notes)
	}
}

// What cannot be rolled out is refused before the world begins.
func TestRolloutsThatCannotBe(t *testing.T) {
	for name, change := range map[string]func(s *world.Setup){
		"no release":        func(s *world.Setup) { s.Rollouts[0].Version = "4.0.0" },
		"no name":           func(s *world.Setup) { s.Rollouts[0].Name = "" },
		"after the end":     func(s *world.Setup) { s.Rollouts[0].At = 1000 * time.Hour },
		"halted how":        func(s *world.Setup) { s.Rollouts[0].Halted = "shout" },
		"two of one name":   func(s *world.Setup) { s.Rollouts = append(s.Rollouts, s.Rollouts[0]) },
		"no image":          func(s *world.Setup) { s.Releases[0].Size = 0 },
		"the release twice": func(s *world.Setup) { s.Releases = append(s.Releases, s.Releases[0]) },
		"half a rollout":    func(s *world.Setup) { s.Rollouts[0].Waves = s.Rollouts[0].Waves[:1] },
	} {
		s, _ := campaign(t, 2, device.Mishaps{})
		change(&s)
		if s.Rehearse() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
