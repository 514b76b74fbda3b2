package world_test

import (
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/simulator/world"
)

// A gateway alone stores what the gateway of a world stored, call by call.
func TestRecording(t *testing.T) {
	s, err := world.Fleet(100, 3*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	r, err := world.Record(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	var ticks time.Duration
	c, err := r.Compare(t.Context(), func() time.Duration { ticks++; return ticks })
	if err != nil {
		t.Fatal(err)
	}
	if c.Frames < 500 || c.World != 1 || c.Bare != 1 {
		t.Errorf("%+v", c)
	}
}
