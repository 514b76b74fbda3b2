package world_test

import (
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/simulator/world"
)

// Intervals that are told reach devices, they keep to them, and the gateway knows from their receipts that they do.
func TestScheduleIsObeyed(t *testing.T) {
	worlds, agreed, wrong := 0, 0, 0
	for seed := uint64(1); worlds < 2; seed++ {
		s, err := world.Draw(world.Options{Seed: seed, Faults: 5 * 24 * time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		if !s.Schedule.Send {
			continue
		}
		worlds++
		s.Chaos = false
		w := &intervals{versions: versions{seen: map[uint32]string{}}, made: make(map[uint32]time.Duration)}
		s.Watch, s.Sample = w, 6*time.Hour
		play(t, s)
		agreed, wrong = agreed+w.agreed, wrong+w.wrong
	}
	if agreed == 0 || wrong > 0 {
		t.Errorf("%d devices run another interval and the gateway knows which, of %d it does not", agreed, wrong)
	}
}

// intervals counts devices that run what they were told, as they were when they were looked at last.
type intervals struct {
	versions

	made          map[uint32]time.Duration
	agreed, wrong int
}

func (v *intervals) Sampled(_ time.Time, view world.View) {
	v.agreed, v.wrong = 0, 0
	for g := range view.Devices {
		if v.made[g.Number] == 0 {
			v.made[g.Number] = g.Every
		}
		switch known := time.Duration(g.Taken.Every) * time.Second; {
		case !g.Taken.Told || g.Taken.Pending > 0: // it may have taken what was offered since
		case known != g.Every:
			v.wrong++
		case g.Every != v.made[g.Number]:
			v.agreed++
		}
	}
}
