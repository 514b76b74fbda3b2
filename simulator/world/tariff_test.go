package world_test

import (
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
	"github.com/godwit-gateway/godwit/simulator/radio"
	"github.com/godwit-gateway/godwit/simulator/world"
)

// The gateway's tariff asks what the network bills, for each network, size and direction, and beyond what is included.
func TestTariff(t *testing.T) {
	networks := map[string]radio.Network{"included": {
		Up: radio.Model{Tariff: radio.Tariff{Message: 5, Unit: 10, Price: 7, Least: 15, Overhead: 3, Included: 40}}, Down: radio.Model{Tariff: radio.Tariff{Unit: 1, Price: 2}},
	}}
	for _, name := range radio.Networks() {
		n, err := radio.FindNetwork(name)
		if err != nil {
			t.Fatal(err)
		}
		networks[name] = n
	}
	now := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	for name, n := range networks {
		ours := world.Tariff("t", "EUR", &n.Up.Tariff, &n.Down.Tariff)
		if err := ours.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for direction, theirs := range map[tariff.Direction]*radio.Tariff{tariff.MO: &n.Up.Tariff, tariff.MT: &n.Down.Tariff} {
			var meter tariff.Meter
			used := uint64(0)
			for size := 1; size <= 140; size++ {
				units := theirs.Units(size)
				free := min(units, theirs.Included-min(used, theirs.Included))
				used += units
				want := scheduler.Micros(theirs.Message) + scheduler.Micros(units-free)*scheduler.Micros(theirs.Price)
				if got := ours.Price(&meter, nil, tariff.Event{Time: now, Direction: direction, Bytes: int64(size)}).Micros; got != want {
					t.Fatalf("%s, %s: %d bytes cost %s, want %s", name, direction, size, got, want)
				}
			}
		}
	}
}
