package natsstream_test

import (
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/simulator/world"
	"github.com/godwit-gateway/godwit/simulator/world/natsstream"
)

// A world on a real server, whose stream is lost in part and as a whole: nothing that was acknowledged is missing.
func TestWorld(t *testing.T) {
	s, err := world.Draw(world.Options{Seed: 3, Devices: 3, Faults: 30 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	s.Chaos = false
	for i := range s.Groups {
		s.Groups[i].Device.Interval = time.Hour
	}
	for i, kind := range []string{"stream-tail-lost", "power-cut", "stream-deleted", "stream-down", "disk-lost"} {
		s.Incidents = append(s.Incidents, world.Incident{Kind: kind, At: time.Duration(5*i+1) * time.Hour})
	}
	server, err := natsstream.New(t.TempDir(), world.Gateway)
	if err != nil {
		t.Fatal(err)
	}
	s.Server = server
	r, err := world.Run(t.Context(), s)
	if err != nil {
		t.Error(err)
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	if r == nil || r.Frames == 0 || r.Events < r.Frames || r.Faults["stream-tail-lost"] != 1 || r.Faults["stream-deleted"] != 1 || r.Faults["disk-lost"] != 1 {
		t.Errorf("%+v", r)
	}
}
