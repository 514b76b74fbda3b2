// Package trial puts policies of contact to the test: a year of a mixed fleet in virtual time, with what each policy spends and how old what is known
// of the devices is, beside the least that any policy could reach for the same money.
//
//	fleet := trial.NewFleet(trial.Setup{Devices: 10000, Spread: 0.8, Seed: 1})
//	result, err := trial.Run(ctx, fleet, trial.Fixed(24*trial.Hour))
//
// A device speaks when its interval is over, pays for it whether it arrives or not, and learns of a new interval only right after an uplink of its
// that arrived, by a downlink that is paid for and may be lost as well. Losses of the fleet are independent of each other; bursts are what
// [Calibrate] is for. Staleness is an integral over all time, not a sample: what is known of a device is as old as its last uplink that arrived.
//
// Everything is drawn from seeds: the same fleet and policy give the same result, and a device meets the same fate under each policy.
package trial
