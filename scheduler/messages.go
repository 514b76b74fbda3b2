package scheduler

import "container/heap"

// A Share is a device that is to get a whole number of messages in a period.
type Share struct {
	Weight float64 // times the gain by its losses
	Cost   int64   // units of the allowance for a message; at least 1
}

// Messages shares an allowance so small that messages must be counted: how many each device gets in a period of so many hours. With k messages a
// device's ages cost weight hours²/(2(k+1)); giving the next message where a unit saves most is exactly best for what is given out (Fox 1966),
// and stops at the first message that no longer fits.
func Messages(devices []Share, hours float64, units int64) []int {
	counts := make([]int, len(devices))
	q := make(savings, 0, len(devices))
	saved := func(i int) float64 {
		k := float64(counts[i])
		return devices[i].Weight * hours * hours / (2 * (k + 1) * (k + 2)) / float64(max(devices[i].Cost, 1))
	}
	for i := range devices {
		q = append(q, saving{saved(i), i})
	}
	heap.Init(&q)
	for len(q) > 0 {
		best := &q[0]
		cost := max(devices[best.device].Cost, 1)
		if cost > units || best.worth <= 0 {
			break
		}
		units -= cost
		counts[best.device]++
		best.worth = saved(best.device)
		heap.Fix(&q, 0)
	}
	return counts
}

type saving struct {
	worth  float64
	device int
}

// savings is a heap: the largest first, of equals the first device.
type savings []saving

func (s savings) Len() int      { return len(s) }
func (s savings) Swap(i, j int) { s[i], s[j] = s[j], s[i] }
func (s savings) Less(i, j int) bool {
	return s[i].worth > s[j].worth || s[i].worth == s[j].worth && s[i].device < s[j].device
}

// Push is for container/heap, and is not used: the heap never grows.
func (s *savings) Push(x any) { *s = append(*s, x.(saving)) } //nolint:errcheck,forcetypeassert // only heap calls it

// Pop is for container/heap.
func (s *savings) Pop() any {
	last := (*s)[len(*s)-1]
	*s = (*s)[:len(*s)-1]
	return last
}
