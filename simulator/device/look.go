package device

import "time"

// Version is that of the firmware that runs.
func (d *Device) Version() string { return d.version }

// Charge is that of its battery, 0 to 1.
func (d *Device) Charge() float64 { return d.world.supply.charge }

// Interval is the time between two statuses, as the device was made or told.
func (d *Device) Interval() time.Duration { return d.config.Interval }

// Exhausted says that its battery is empty for good.
func (d *Device) Exhausted() bool { return d.world.supply.exhausted() }
