package world

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/godwit-gateway/godwit/codec/manifest"
	"github.com/godwit-gateway/godwit/gateway/rollout"
	"github.com/godwit-gateway/godwit/simulator/device"
)

// drawSoftware is the purpose of random numbers for releases and rollouts, beyond those of all devices and of the schedule.
const drawSoftware = 1 << 41

// drawUpdates makes up releases and rollouts: in every other world there are one or two.
func (s *Setup) drawUpdates() {
	rng := s.stream(drawSoftware)
	if rng.IntN(2) == 0 {
		return
	}
	for n := range 1 + rng.IntN(2) {
		at := time.Duration(rng.Float64() * 0.7 * float64(s.Length)).Truncate(time.Minute)
		r := Release{
			Manifest: manifest.Manifest{Product: s.Products[0].Name, Version: fmt.Sprintf("3.%d.0", n), Size: uint64(10+rng.IntN(290)) << 10, InPlace: rng.IntN(3) == 0}, //nolint:gosec // above 0
			Mishaps:  drawMishaps(rng),
		}
		s.Releases = append(s.Releases, r)
		s.Rollouts = append(s.Rollouts, drawRollout(rng, &r, at))
	}
	for i := range s.Groups {
		s.Groups[i].Device.Owner = device.OwnerDrawn
	}
}

// drawMishaps makes up what a release does: half of them are good, others are bad in one way or in several.
func drawMishaps(rng *rand.Rand) (m device.Mishaps) {
	if rng.IntN(2) == 0 {
		return m
	}
	kinds := []*float64{
		&m.Memory, &m.Download, &m.Verify, &m.Install, &m.Start, &m.BrickDownload, &m.BrickInstall, &m.BrickReboot, &m.BrickLater, &m.Loop, &m.RollBack, &m.Drain, &m.Late, &m.LoseLog,
	}
	for range 1 + rng.IntN(3) {
		*kinds[rng.IntN(len(kinds))] = rng.Float64() * 0.6
	}
	m.InstallCode = []uint8{0, 3, 128, 255}[rng.IntN(4)]
	m.BrickAfter = time.Duration(1+rng.IntN(48)) * time.Hour
	return m
}

// drawRollout makes up a rollout of a release, and what operators do to it besides.
func drawRollout(rng *rand.Rand, r *Release, at time.Duration) Rollout {
	o := Rollout{At: at, Halted: []string{HaltedLeave, HaltedStop, HaltedOverride}[rng.IntN(3)]}
	o.Name, o.Product, o.Version = "to "+r.Version, r.Product, r.Version
	for share := 0.2 + 0.4*rng.Float64(); share < 1 && len(o.Waves) < 2; share *= 1.5 {
		o.Waves = append(o.Waves, rollout.Wave{Share: share, Least: time.Duration(1+rng.IntN(24)) * time.Hour, Reported: 0.1 + 0.8*rng.Float64()})
	}
	o.Waves = append(o.Waves, rollout.Wave{Share: 1, Least: time.Hour})
	if rng.IntN(3) == 0 {
		o.HoldOut = 0.4 * rng.Float64()
	}
	o.Consent, o.Safe, o.Soak, o.Deadline = rng.IntN(3) == 0, rng.IntN(4) == 0, 1+rng.IntN(4), 3+rng.IntN(60)
	if rng.IntN(4) == 0 {
		o.Windows = []rollout.Window{{From: uint8(rng.IntN(24)), To: uint8(1 + rng.IntN(24))}} //nolint:gosec // hours
	}
	moves := []rollout.Move{0, 0, rollout.Pause, rollout.Resume, rollout.Halt, rollout.Override, rollout.Advance, rollout.Stop}
	for range rng.IntN(4) {
		m := Move{After: time.Duration(rng.IntN(72)) * time.Hour, Move: moves[rng.IntN(len(moves))]}
		if o.Moves = append(o.Moves, m); m.Move == rollout.Pause {
			o.Moves = append(o.Moves, Move{After: m.After + 6*time.Hour, Move: rollout.Resume})
		}
	}
	return o
}
