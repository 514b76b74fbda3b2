package verdict

// Power is how likely an update that silences a share of devices is halted within so many devices of one group that have got it, exactly: null is the
// probability that a living device is silent through the burst, weight the group's share in what is tested, 1 if it is alone.
func Power(devices int, null, share, weight, alpha float64) float64 { return 0 }

// Size is the smallest number of devices from which on Power is at least as wanted, or 0 if that needs more than limit.
func Size(power, null, share, weight, alpha float64, limit int) int { return 0 }
