package world_test

import (
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/simulator/device"
	"github.com/godwit-gateway/godwit/simulator/radio"
	"github.com/godwit-gateway/godwit/simulator/world"
	"github.com/godwit-gateway/godwit/transports"
)

// calm is a world of a few devices over one link, in which nothing happens by chance.
func calm(t *testing.T, link string, incidents ...world.Incident) world.Setup {
	t.Helper()
	s, err := world.Draw(world.Options{Seed: 5, Devices: 40, Faults: 10 * 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	s.Chaos, s.Incidents, s.Releases, s.Rollouts = false, incidents, nil, nil
	groups := s.Groups[:0]
	for _, g := range s.Groups {
		if g.Link != link || len(groups) == 4 {
			continue
		}
		g.Up = radio.Model{Delay: radio.Delay{Least: time.Second, Mean: time.Second, Most: time.Second}}
		g.Down, g.Attrition = g.Up, 0
		g.Device.Power, g.Device.Retires, g.Device.NoClock, g.Device.Interval = nil, time.Time{}, false, time.Hour
		groups = append(groups, g)
	}
	s.Groups = groups
	return s
}

func play(t *testing.T, s world.Setup) *world.Result {
	t.Helper()
	r, err := world.Run(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if r.Frames == 0 || r.Events < r.Frames {
		t.Fatalf("%+v", r)
	}
	return r
}

// A clone that uses the counters of the genuine device for what it says itself overwrites nothing, and the gateway raises an alarm.
func TestClone(t *testing.T) {
	s := calm(t, "udp", world.Incident{Kind: "device-cloned", At: 24 * time.Hour})
	r := play(t, s)
	if r.Faults["device-cloned"] == 0 || r.Devices <= len(s.Groups) || r.Noticed["alarm of a counter that was used twice"] == 0 {
		t.Errorf("%+v", r)
	}
}

// A device with another card is heard at once, and downlinks reach it once an operator has accepted its number.
func TestChangedCard(t *testing.T) {
	s := calm(t, "sms", world.Incident{Kind: "card-changed", At: 48 * time.Hour}, world.Incident{Kind: "offer", At: 96 * time.Hour, Version: "9.0.0"})
	versions := &versions{seen: map[uint32]string{}}
	s.Watch, s.Sample = versions, time.Hour
	r := play(t, s)
	if r.Faults["card-changed"] == 0 || r.Faults["offer"] == 0 {
		t.Errorf("%+v", r)
	}
	updated := 0
	for _, v := range versions.seen {
		if v == "9.0.0" {
			updated++
		}
	}
	if updated != len(s.Groups) {
		t.Errorf("%d of %d devices were reached: %v", updated, len(s.Groups), versions.seen)
	}
}

// versions keeps what each device ran last, and how many are off.
type versions struct {
	seen map[uint32]string
	off  int
}

func (v *versions) Sampled(_ time.Time, view world.View) {
	v.off = 0
	for g := range view.Devices {
		v.seen[g.Number] = g.Version
		if g.State != device.Working {
			v.off++
		}
	}
}

func (*versions) Sent(time.Time, world.Line, int, int, bool)                         {}
func (*versions) Taken(time.Time, world.Line, time.Time, int, transports.Settlement) {}
func (*versions) Billed(time.Time, world.Line, bool, radio.Micros)                   {}
func (*versions) Told(time.Time, world.Line, int)                                    {}
func (*versions) Acknowledged(time.Time, int, uint32, int)                           {}
func (*versions) Failed(time.Time, time.Time, string)                                {}

// Devices whose batteries end, that break and that are retired fall silent, and all that they had said is there.
func TestDevicesEnd(t *testing.T) {
	for name, change := range map[string]func(*world.Group){
		"battery":   func(g *world.Group) { p := device.Primary(); p.Capacity = 0.2; g.Device.Power = &p },
		"attrition": func(g *world.Group) { g.Attrition = 3650 },
		"planned":   func(g *world.Group) { g.Device.Retires = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC) },
	} {
		t.Run(name, func(t *testing.T) {
			s := calm(t, "udp")
			v := &versions{seen: map[uint32]string{}}
			s.Watch, s.Sample = v, time.Hour
			for i := range s.Groups {
				change(&s.Groups[i])
			}
			if play(t, s); v.off != len(s.Groups) {
				t.Errorf("%d of %d devices are off", v.off, len(s.Groups))
			}
		})
	}
}
