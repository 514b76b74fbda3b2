package world_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/simulator/world"
)

// A gateway alone takes what a world's gateway took.
func TestRecording(t *testing.T) {
	s, err := world.Fleet(10000, 10*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	r, err := world.Record(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	c, err := r.Compare(t.Context(), func() time.Duration {
		var u syscall.Rusage
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d frames; world %s, bare %s, ratio %.2f; %s a frame", c.Frames, c.World, c.Bare, c.Ratio(), c.World/time.Duration(c.Frames))
}
