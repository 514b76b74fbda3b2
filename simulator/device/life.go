package device

import "time"

// A State is whether a device is at work.
type State uint8

// States. The protocol has no goodbye: a device that ends just falls silent.
const (
	Working State = iota
	Flat          // its battery is; it starts again when that is charged
	Dead          // broken, or its battery is empty and nothing charges it
	Retired       // taken out of service as planned
	Away          // switched off for a while
)

// String names the state.
func (s State) String() string {
	switch s {
	case Working:
		return "working"
	case Flat:
		return "flat"
	case Dead:
		return "dead"
	case Retired:
		return "retired"
	case Away:
		return "away"
	}
	return "unknown"
}

// State is that of the last Poll.
func (d *Device) State() State { return d.state }

// Retried takes the energy for tries of a transmission that a modem made by itself, beyond the one that each transmission takes.
func (d *Device) Retried(tries, size int) { d.world.supply.consume(tries, size) }

// Reboot is the device after its power was cut, with what its permanent memory holds. What surrounds it, and its battery, go on as they were.
func (d *Device) Reboot(m Memory, now time.Time) (*Device, error) {
	d.pass(now)
	return boot(d.config, m, d.world, now)
}

// WithSIM is the device after it was given another card, and started again as it must be for that.
func (d *Device) WithSIM(sim string, now time.Time) (*Device, error) {
	m := d.Memory() // that of the card before
	d.config.SIM = sim
	return d.Reboot(m, now)
}

// pass lets the surroundings go on until now, and returns how long that was for them.
func (d *Device) pass(now time.Time) time.Duration {
	elapsed := time.Duration(float64(now.Sub(d.last)) * d.config.Speed)
	d.last = now
	d.world.Advance(elapsed)
	return elapsed
}

// lives reports whether the device is at work now, and if not when to look again; the zero time means never.
func (d *Device) lives(now time.Time) (again time.Time, alive bool, err error) {
	switch c := &d.config; {
	case d.state == Dead || d.state == Retired:
		return time.Time{}, false, nil
	case !c.Dies.IsZero() && !now.Before(c.Dies):
		d.end(Dead)
		return time.Time{}, false, nil
	case !c.Retires.IsZero() && !now.Before(c.Retires):
		d.end(Retired)
		return time.Time{}, false, nil
	case d.world.bricked:
		d.end(Dead)
		return time.Time{}, false, nil
	case d.doomed(now):
		return time.Time{}, false, nil
	case now.UnixMilli() < d.update.Away:
		d.end(Away)
		return time.UnixMilli(d.update.Away), false, nil
	case d.state == Flat || d.state == Away:
		d.pass(now)
	}
	switch {
	case !d.world.empty():
		return time.Time{}, true, d.revive(now)
	case d.world.supply.exhausted():
		d.end(Dead)
		return time.Time{}, false, nil
	case d.state == Working:
		d.end(Flat)
	}
	return now.Add(time.Duration(float64(lookAgain) / d.config.Speed)), false, nil
}

// end switches the device off. What was not in permanent memory is gone.
func (d *Device) end(s State) {
	d.state, d.world.supply.off = s, true
	d.pending, d.inbox, d.told, d.parcels, d.backlog, d.anew = nil, nil, nil, nil, nil, nil
}

// revive starts a device again that was off.
func (d *Device) revive(now time.Time) error {
	if d.state == Working {
		return nil
	}
	again, err := boot(d.config, d.Memory(), d.world, now)
	if err == nil {
		again.quiet = d.quiet
		*d = *again
	}
	return err
}
