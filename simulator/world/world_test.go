package world_test

import (
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/simulator/world"
)

// Random worlds: nothing that was acknowledged is lost, nobody is let in, everybody is heard again, and the same seed gives the same history.
func TestSeeds(t *testing.T) {
	for seed := range uint64(2) { // `make seeds` plays many
		first, err := world.Random(t.Context(), world.Options{Seed: seed})
		if err != nil {
			t.Errorf("seed %d: %v", seed, err)
			continue
		}
		if first.Frames == 0 || first.Events < first.Frames || first.Sent == 0 {
			t.Errorf("seed %d: %+v", seed, first)
		}
		second, err := world.Random(t.Context(), world.Options{Seed: seed})
		if err != nil || first.Trace != second.Trace {
			t.Errorf("seed %d: trace %s, then %s, %v", seed, first.Trace, second.Trace, err)
		}
	}
}

// Another seed is another world, and what is asked for is what is played.
func TestOptions(t *testing.T) {
	a, err := world.Random(t.Context(), world.Options{Seed: 1, Devices: 3, Faults: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	b, err := world.Random(t.Context(), world.Options{Seed: 2, Devices: 3, Faults: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if a.Devices != 3 || b.Devices != 3 || a.Trace == b.Trace {
		t.Errorf("%+v and %+v", a, b)
	}
}
