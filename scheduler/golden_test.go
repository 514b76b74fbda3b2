package scheduler_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"testing"

	"github.com/godwit-gateway/godwit/scheduler"
)

// Plans and decisions over a fixed fleet have the same bits on every processor, and after a plan has been stored and read. What the fleet is made
// of is integers here: the compiler may fuse what a test computes, and math.Exp does not promise its last bit.
func TestGoldenDecisions(t *testing.T) {
	f, b := pooledFleet(1000)
	f.Policies = []scheduler.Policy{{}, {Tail: 2}, {Tail: 3, Stale: 5 * day}, {Law: scheduler.LawBands, Every: day, Bands: []scheduler.Band{{Below: 40, Every: 3 * day}}}}
	f.Hazards = []scheduler.Hazard{{Chance: .03, Tau: day, Loss: 500}}
	for i := range f.Devices {
		d := &f.Devices[i]
		n := d.Number * 2654435761
		d.Weight = float32(math.Ldexp(1+float64(n>>24)/256, int(n>>8%5)-2))
		d.Policy, d.Battery, d.Growth = uint8(n>>4%4), uint8(n%101), float32(n>>12%4)
		d.Links[0].Deliver, d.Power = uint16(n>>5)|3<<14, float32(n>>7%3)
		d.Links[1] = scheduler.Via{Link: uint8(n>>6%4) + 1, Deliver: uint16(n>>3) | 1<<14}
		d.Links[0].Tries = uint8(n >> 20 % 3)
		if n>>16%7 == 0 {
			d.Hazard, d.Updated = 1, uint32(somewhen)-n>>9%100_000
		}
		if n>>18%5 == 0 {
			d.Cap = scheduler.Micros(n>>2%4_000_000) + 100_000
		}
	}
	p := solve(t, f, b)
	stored, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var again scheduler.Plan
	if err := json.Unmarshal(stored, &again); err != nil {
		t.Fatal(err)
	}
	h := sha256.New()
	h.Write(stored)
	for i := range f.Devices {
		o := scheduler.Occasion{Now: somewhen, Ack: i % 2 * 20}
		d := scheduler.Decide(p, f, &f.Devices[i], o)
		if other := scheduler.Decide(&again, f, &f.Devices[i], o); other != d {
			t.Fatalf("device %d: %+v, after the plan was stored %+v", i, d, other)
		}
		if err := binary.Write(h, binary.BigEndian, []int64{int64(d.Interval), int64(d.Code), int64(d.Via), int64(d.Link), int64(d.Send), int64(d.Due)}); err != nil {
			t.Fatal(err)
		}
		h.Write([]byte(scheduler.Explain(p, f, b, &f.Devices[i], o).String()))
	}
	segments := []scheduler.Segment{{Hours: 700, Weight: 1.3, Cost: .12}, {Hours: 90, Weight: 7, Cost: .001, Lo: 1}}
	if err := binary.Write(h, binary.BigEndian, []float64{scheduler.Bound(segments, 1_000_000), scheduler.BoundAt(segments, 1_000_000, 3)}); err != nil {
		t.Fatal(err)
	}
	const want = "0bba9384635d6306a9f8ab993eab562619b977af8bbccdc25f155ee8cec8bf2a"
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		t.Errorf("decisions have the hash %s, want %s", got, want)
	}
}
