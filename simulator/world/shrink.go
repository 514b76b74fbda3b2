package world

import (
	"slices"
	"time"
)

// shortest is how long things have to fail at least in a world that is made smaller.
const shortest = time.Hour

// Shrink makes a world that fails smaller: it leaves out kinds of faults, then time, then devices, and keeps each step after which the world still
// fails. Another fault may be found on the way: what is left is a world that fails, not a cause.
func Shrink(o Options, fails func(Options) bool) Options {
	try := func(smaller Options) bool {
		if !fails(smaller) {
			return false
		}
		o = smaller
		return true
	}
	for _, k := range kinds() {
		if k.weight > 0 {
			smaller := o
			smaller.Without = append(slices.Clone(o.Without), k.name)
			try(smaller)
		}
	}
	o.Devices, o.Faults = o.size()
	for step := o.Faults / 2; step >= shortest; step /= 2 {
		for o.Faults-step >= shortest {
			smaller := o
			smaller.Faults -= step
			if !try(smaller) {
				break
			}
		}
	}
	for o.Devices > 1 {
		smaller := o
		smaller.Devices--
		if !try(smaller) {
			break
		}
	}
	return o
}
