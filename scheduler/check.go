package scheduler

import (
	"fmt"
	"math"
)

func fleetError(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, ErrFleet)...)
}

// Check reports the first thing in a fleet that cannot be planned.
func (f *Fleet) Check() error {
	if err := f.checkTables(); err != nil {
		return err
	}
	for i := range f.Devices {
		if err := f.checkAt(i); err != nil {
			return err
		}
	}
	return nil
}

func (f *Fleet) checkTables() error {
	if len(f.Links) > 255 || len(f.Policies) > 256 || len(f.Hazards) > 255 {
		return fleetError("%d links, %d policies, %d hazards: at most 255, 256 and 255", len(f.Links), len(f.Policies), len(f.Hazards))
	}
	for i := range f.Links {
		if err := f.Links[i].check(); err != nil {
			return err
		}
	}
	for i := range f.Policies {
		if err := f.Policies[i].check(); err != nil {
			return err
		}
	}
	for i := range f.Hazards {
		if h := &f.Hazards[i]; !(h.Chance >= 0 && h.Chance <= 1) || h.Tau <= 0 || !(h.Loss >= 0) || math.IsInf(h.Loss, 1) {
			return fleetError("hazard %d: chance %v, mean time %d s, loss %v", i, h.Chance, h.Tau, h.Loss)
		}
	}
	return nil
}

// checkAt reports the i-th device if it cannot be planned.
func (f *Fleet) checkAt(i int) error {
	if i > 0 && f.Devices[i].Number <= f.Devices[i-1].Number {
		return fleetError("device %d after device %d: want ascending numbers", f.Devices[i].Number, f.Devices[i-1].Number)
	}
	if f.sound(&f.Devices[i]) {
		return nil
	}
	return f.CheckDevice(&f.Devices[i])
}

func (l *Link) check() error {
	up := &l.Up
	if !(l.Deliver > 0 && l.Deliver <= 1) || !(l.Energy >= 0) || math.IsInf(l.Energy, 1) || l.MinGap < 0 || l.MaxGap < 0 {
		return fleetError("link %q: delivery %v, want (0, 1]; energy %v mJ; gaps %d and %d s", l.Name, l.Deliver, l.Energy, l.MinGap, l.MaxGap)
	}
	if up.Fixed < 0 || up.Header < 0 || up.Min < 0 || up.Inc < 0 || up.Price < 0 {
		return fleetError("link %q: rate %+v has a negative part", l.Name, *up)
	}
	return nil
}

func (pol *Policy) check() error {
	if pol.Law > LawBands || pol.Min < 0 || pol.Max < 0 || pol.Max > 0 && pol.Max < pol.Min || pol.Stale < 0 || pol.Horizon < 0 || !(pol.Miss >= 0 && pol.Miss < 1) || pol.Tail > MaxTail {
		return fleetError("policy %q: law %d, tail %d, limits %d and %d s, service level %d s but for %v, horizon %d s", pol.Name, pol.Law, pol.Tail, pol.Min, pol.Max, pol.Stale, pol.Miss, pol.Horizon)
	}
	if pol.Law != LawPrice && pol.Every <= 0 {
		return fleetError("policy %q: the law %v wants an interval", pol.Name, pol.Law)
	}
	for i, band := range pol.Bands {
		if band.Every <= 0 || i > 0 && band.Below <= pol.Bands[i-1].Below {
			return fleetError("policy %q: band below %d %%: want a positive interval and ascending levels", pol.Name, band.Below)
		}
	}
	return nil
}

// sound is what CheckDevice checks, without telling what is wrong.
func (f *Fleet) sound(d *Device) bool {
	const most = math.MaxFloat32
	ok := d.Weight >= 0 && d.Weight <= most && d.Growth >= 0 && d.Growth <= 1e6 && d.Power >= 0 && d.Power <= most && d.Boost >= 0 && d.Boost <= most &&
		d.Cap >= 0 && int(d.Policy) < len(f.Policies) && int(d.Hazard) <= len(f.Hazards) && d.Via <= MaxVias
	for i := range d.Links {
		ok = ok && int(d.Links[i].Link) <= len(f.Links)
	}
	return ok
}

// CheckDevice reports a device that cannot be planned, for those who decide for one at a time.
func (f *Fleet) CheckDevice(d *Device) error {
	if f.sound(d) {
		return nil
	}
	return fleetError("device %d: weight %v, growth %v bytes an hour, spare power %v mW, boost %v, cap %v, policy %d of %d, hazard %d of %d, links %v of %d", d.Number,
		d.Weight, d.Growth, d.Power, d.Boost, d.Cap, d.Policy, len(f.Policies), d.Hazard, len(f.Hazards), d.Links, len(f.Links))
}
