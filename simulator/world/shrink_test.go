package world_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/godwit-gateway/godwit/simulator/world"
)

// What a failure needs stays, and nothing else.
func TestShrink(t *testing.T) {
	tries := 0
	got := world.Shrink(world.Options{Seed: 5}, func(o world.Options) bool {
		tries++
		days := o.Faults == 0 || o.Faults >= 30*time.Hour
		return days && (o.Devices == 0 || o.Devices >= 3) && !slices.Contains(o.Without, "outage") && !slices.Contains(o.Without, "power-cut")
	})
	for _, kind := range got.Without {
		if kind == "outage" || kind == "power-cut" {
			t.Errorf("%s was left out", kind)
		}
	}
	if len(got.Without) < 10 || got.Devices != 3 || got.Faults < 30*time.Hour || got.Faults > 32*time.Hour || tries > 100 {
		t.Errorf("%+v after %d tries", got, tries)
	}
}

// Kinds of faults that are left out do not happen, and the rest of a seed is as it was drawn.
func TestWithout(t *testing.T) {
	o := world.Options{Seed: 2, Faults: 10 * time.Hour}
	all, err := world.Random(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	o.Without = []string{"replay", "forgery"}
	some, err := world.Random(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if all.Faults["replay"]+all.Faults["forgery"] == 0 || some.Faults["replay"]+some.Faults["forgery"] != 0 {
		t.Errorf("%v, then %v", all.Faults, some.Faults)
	}
	if diff := cmp.Diff(all.Devices, some.Devices); diff != "" {
		t.Error(diff)
	}
}
