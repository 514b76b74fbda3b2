package world_test

import (
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec/manifest"
	"github.com/godwit-gateway/godwit/gateway/rollout"
	"github.com/godwit-gateway/godwit/simulator/device"
	"github.com/godwit-gateway/godwit/simulator/world"
)

// campaign is a world with a release and a rollout of it, of devices that a random world draws.
func campaign(t *testing.T, devices int, bad device.Mishaps) world.Setup {
	t.Helper()
	s, err := world.Draw(world.Options{Seed: 3, Devices: devices, Faults: 10 * 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	s.Chaos = false
	s.Releases = []world.Release{{Manifest: manifest.Manifest{Product: "buoy", Version: "3.0.0", Size: 100 << 10}, Mishaps: bad}}
	s.Rollouts = []world.Rollout{{At: 24 * time.Hour, Spec: rollout.Spec{
		Name: "three", Product: "buoy", Version: "3.0.0", HoldOut: 0.1,
		Waves: []rollout.Wave{{Share: 0.3, Least: 12 * time.Hour, Reported: 0.5}, {Share: 1, Least: 12 * time.Hour}},
	}}}
	return s
}

// standings are how the devices of the rollouts stand, when they were looked at last.
type standings struct {
	versions

	of    map[rollout.Standing]int
	state rollout.State
	notes []rollout.Note
	views []rollout.DeviceView
	truth map[uint32]world.Glance
}

func (v *standings) Sampled(_ time.Time, view world.View) {
	view.Rollouts(func(now time.Time, m *rollout.Machine) {
		for _, s := range m.List() {
			v.of, v.state, v.notes = s.Standings, s.State, s.Notes
			v.views, _ = m.Devices(now, s.ID, func(*rollout.DeviceView) bool { return true })
		}
	})
	v.look(view)
}

func (v *standings) look(view world.View) {
	v.truth = make(map[uint32]world.Glance)
	for g := range view.Devices {
		v.truth[g.Number] = g
	}
}

func TestEachFailure(t *testing.T) {
	s := campaign(t, 80, device.Mishaps{BrickInstall: 0.1, Install: 0.1, InstallCode: 200, Late: 0.1, LoseLog: 0.1, Start: 0.1, Loop: 0.1, RollBack: 0.1, Drain: 0.1})
	s.Rollouts[0].Waves = []rollout.Wave{{Share: 1}}
	for i := range s.Groups {
		s.Groups[i].Attrition, s.Groups[i].Device.Power, s.Groups[i].Device.Retires = 0, nil, time.Time{}
	}
	w := &standings{versions: versions{seen: map[uint32]string{}}}
	s.Watch, s.Sample = w, 6*time.Hour
	play(t, s)
	t.Log(w.of, w.state, w.notes)
	for _, v := range w.views {
		words := ""
		for _, h := range w.truth[v.Number].Happened {
			words += h.What.String() + " " + h.Step.String() + ", "
		}
		t.Log(v.Number, v.Standing, v.Step, v.Code, v.Missed, v.Suspect, v.Version, w.truth[v.Number].Version, "|", words)
	}
}

// A good release reaches nearly all devices that still work, and nothing of it is halted.
func TestGoodRollout(t *testing.T) {
	s := campaign(t, 60, device.Mishaps{})
	w := &standings{versions: versions{seen: map[uint32]string{}}}
	s.Watch, s.Sample = w, 6*time.Hour
	play(t, s)
	t.Log(w.of, w.state, w.notes)
}
