package rollout

import (
	"slices"
)

// A Look is a look at all devices of a rollout, some at a time, so that frames need not wait until it has come to an end. Each device is seen once, as it is
// then: what is counted of devices agrees with itself, and is as old as the look at most. What is said of the rollout as a whole is as of the end.
type Look[T any] struct {
	m     *Machine
	r     *rollout
	from  uint64 // number
	visit func(d *device, f *Facts)
	end   func() T
	facts Facts
}

// Some looks at the next devices, so many at most. It reports whether there are more.
func (l *Look[T]) Some(most int) (more bool) {
	i, _ := slices.BinarySearchFunc(l.r.devices, l.from, func(d device, number uint64) int { return int(int64(d.number) - int64(number)) }) //nolint:gosec // 32 bits
	upto := min(i+most, len(l.r.devices))
	for ; i < upto; i++ {
		d := &l.r.devices[i]
		l.m.config.Fleet.Facts(d.place, &l.facts)
		l.visit(d, &l.facts)
		l.from = uint64(d.number) + 1
	}
	return upto < len(l.r.devices)
}

// Result is what was found.
func (l *Look[T]) Result() T { return l.end() }

// whole is a look at all devices at once.
func whole[T any](l *Look[T], err error) (T, error) {
	if err != nil {
		var none T
		return none, err
	}
	for l.Some(lookAll) {
	}
	return l.Result(), nil
}

const lookAll = 1 << 16
