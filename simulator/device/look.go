package device

// Version is that of the firmware that runs.
func (d *Device) Version() string { return d.version }

// Charge is that of its battery, 0 to 1.
func (d *Device) Charge() float64 { return d.world.supply.charge }
