package scheduler_test

import (
	"errors"
	"math"
	"testing"
	"unsafe"

	"github.com/godwit-gateway/godwit/scheduler"
)

// What cannot be planned is refused with a reason.
func TestRefusals(t *testing.T) {
	for name, change := range map[string]func(f *scheduler.Fleet, b *scheduler.Budget){
		"order":                func(f *scheduler.Fleet, _ *scheduler.Budget) { f.Devices[1].Number = f.Devices[0].Number },
		"weight":               func(f *scheduler.Fleet, _ *scheduler.Budget) { f.Devices[1].Weight = float32(math.NaN()) },
		"negative weight":      func(f *scheduler.Fleet, _ *scheduler.Budget) { f.Devices[1].Weight = -1 },
		"link of a device":     func(f *scheduler.Fleet, _ *scheduler.Budget) { f.Devices[1].Links[3].Link = 9 },
		"policy of a device":   func(f *scheduler.Fleet, _ *scheduler.Budget) { f.Devices[1].Policy = 1 },
		"hazard of a device":   func(f *scheduler.Fleet, _ *scheduler.Budget) { f.Devices[1].Hazard = 1 },
		"cap":                  func(f *scheduler.Fleet, _ *scheduler.Budget) { f.Devices[1].Cap = -1 },
		"delivery":             func(f *scheduler.Fleet, _ *scheduler.Budget) { f.Links[0].Deliver = 0 },
		"rate":                 func(f *scheduler.Fleet, _ *scheduler.Budget) { f.Links[0].Up.Price = -1 },
		"tail":                 func(f *scheduler.Fleet, _ *scheduler.Budget) { f.Policies[0].Tail = 5 },
		"limits":               func(f *scheduler.Fleet, _ *scheduler.Budget) { f.Policies[0].Min, f.Policies[0].Max = 2, 1 },
		"law without interval": func(f *scheduler.Fleet, _ *scheduler.Budget) { f.Policies[0].Law = scheduler.LawFixed },
		"law":                  func(f *scheduler.Fleet, _ *scheduler.Budget) { f.Policies[0].Law = 9 },
		"bands": func(f *scheduler.Fleet, _ *scheduler.Budget) {
			f.Policies[0].Bands = []scheduler.Band{{Below: 5, Every: 1}, {Below: 5, Every: 1}}
		},
		"hazard":          func(f *scheduler.Fleet, _ *scheduler.Budget) { f.Hazards = []scheduler.Hazard{{Chance: 2, Tau: 1}} },
		"negative budget": func(_ *scheduler.Fleet, b *scheduler.Budget) { b.Money = -1 },
		"allowance twice": func(_ *scheduler.Fleet, b *scheduler.Budget) {
			b.Pools = []scheduler.Allowance{{Pool: "a", Period: 1}, {Pool: "a", Period: 1}}
		},
		"allowance's period":     func(_ *scheduler.Fleet, b *scheduler.Budget) { b.Pools = []scheduler.Allowance{{Pool: "a"}} },
		"allowance with no name": func(_ *scheduler.Fleet, b *scheduler.Budget) { b.Pools = []scheduler.Allowance{{Period: 1}} },
	} {
		f, b := mixedFleet(2, 1), &scheduler.Budget{Money: 1_000_000}
		if _, err := scheduler.Solve(f, b, nil, somewhen); err != nil {
			t.Fatal(err)
		}
		change(f, b)
		if _, err := scheduler.Solve(f, b, nil, somewhen); !errors.Is(err, scheduler.ErrFleet) {
			t.Errorf("%s: %v, want ErrFleet", name, err)
		}
	}
	if _, err := scheduler.SparePower(1000, day, 5); !errors.Is(err, scheduler.ErrFleet) {
		t.Errorf("a battery that idling empties: %v", err)
	}
	if got, err := scheduler.SparePower(86_400_000, day, 400); err != nil || got != 600 {
		t.Errorf("%v mW, %v, want 600", got, err)
	}
}

// A plan of nobody, and of devices without links, is a plan.
func TestPlanOfNobody(t *testing.T) {
	f := mixedFleet(3, 1)
	for i := range f.Devices {
		f.Devices[i].Links = [scheduler.MaxVias]scheduler.Via{}
	}
	if p := solve(t, f, &scheduler.Budget{Money: 1000}); p.Spend != 0 || p.Stale != 0 || p.S != 0 {
		t.Errorf("devices without links: %+v", p)
	}
	if p := solve(t, &scheduler.Fleet{}, &scheduler.Budget{Unlimited: true}); p.S != 0 || p.Spend != 0 {
		t.Errorf("nobody: %+v", p)
	}
}

// The gateway builds a device for each of a million: it counts its bytes.
func TestDeviceIsCompact(t *testing.T) {
	if got := unsafe.Sizeof(scheduler.Device{}); got > 72 {
		t.Errorf("a device takes %d bytes", got)
	}
}

func TestLawNames(t *testing.T) {
	for _, law := range []scheduler.Law{scheduler.LawPrice, scheduler.LawFixed, scheduler.LawClass, scheduler.LawBands} {
		if got, ok := scheduler.ParseLaw(law.String()); !ok || got != law {
			t.Errorf("%v is read as %v, %v", law, got, ok)
		}
	}
	if _, ok := scheduler.ParseLaw("astrology"); ok {
		t.Error("a law that there is not is read")
	}
}
