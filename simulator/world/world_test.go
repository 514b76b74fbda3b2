package world_test

import (
	"testing"

	"github.com/godwit-gateway/godwit/simulator/world"
)

// Random worlds: nothing that was acknowledged is lost, nobody is let in, and everybody is heard again.
func TestSeeds(t *testing.T) {
	for seed := range uint64(40) {
		r, err := world.Run(t.Context(), world.Options{Seed: seed})
		if err != nil {
			t.Errorf("seed %d: %v\n%+v", seed, err, r)
			continue
		}
		t.Logf("%+v", *r)
	}
}
