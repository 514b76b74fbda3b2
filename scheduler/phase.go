package scheduler

// mix is a hash of two numbers.
func mix(a, b uint32) uint32 {
	x := uint64(a)<<32 | uint64(b)
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return uint32((x ^ x>>31) >> 32)
}

// Phase is how long after a common start a device makes its first contact, so that a fleet with one interval does not speak at once.
func Phase(number uint32, every Secs) Secs {
	return Secs(uint64(mix(number, 0)) * uint64(every) >> 32) //nolint:gosec // below every, which is positive
}

// NextDue is when a device that runs an interval is expected after now: it was heard, or never, which is 0, and then it starts at its phase.
func NextDue(number uint32, every, heard, now Secs) Secs {
	if every <= 0 {
		return 0
	}
	if heard == 0 {
		return now + Phase(number, every)
	}
	if due := heard + every; due > now {
		return due
	}
	return now + every - (now-heard)%every
}
