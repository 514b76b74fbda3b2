package rollout

import "math"

// A Look is a look at all devices of a rollout, some at a time, so that frames need not wait until it has come to an end. Each device is seen once, as it is
// then: what is counted of devices agrees with itself, and is as old as the look at most. What is said of the rollout as a whole is as of the end.
type Look[T any] struct {
	m     *Machine
	r     *rollout
	from  uint64 // number
	visit func(d *device, f *Facts)
	end   func() T
	facts Facts
	err   error
}

// Some looks at the next devices, so many at most. It reports whether there are more.
func (l *Look[T]) Some(most int) (more bool) {
	if l.err != nil {
		return false
	}
	l.from, more, l.err = l.m.some(l.r, l.from, most, func(d *device) bool {
		l.m.config.Fleet.Facts(d.place, &l.facts)
		l.visit(d, &l.facts)
		return false
	})
	return more
}

// Result is what was found, once there are no more.
func (l *Look[T]) Result() (T, error) {
	if l.err != nil {
		var none T
		return none, l.err
	}
	return l.end(), nil
}

// whole is a look at all devices at once.
func whole[T any](l *Look[T], err error) (T, error) {
	if err != nil {
		var none T
		return none, err
	}
	l.Some(math.MaxInt)
	return l.Result()
}
