package check

// mark is what is known of one frame: a byte, for a fleet has millions of them.
type mark uint8

// The bits of a mark; the rest of it counts events.
const (
	wasSent  mark = 1 << iota
	wasAcked mark = 1 << iota
	oneEvent mark = 1 << iota
)

// event counts one more event, as far as a mark can count.
func (m *mark) event() {
	if *m <= ^mark(0)-oneEvent {
		*m += oneEvent
	}
}

// events is the number of events counted.
func (m mark) events() int { return int(m / oneEvent) }

// pageLen is how many values lie together.
const pageLen = 64

// Counters holds a small value for each counter of a device. Counters are dense, but for jumps after a loss, and a fleet has millions of them: a value
// costs little more than its own size. The zero Counters is empty.
type Counters[T comparable] struct {
	pages map[uint64]*[pageLen]T // by counter/pageLen
	at    uint64                 // of last
	last  *[pageLen]T            // the one that was used last
}

// Of is the value of a counter, for reading and writing: the zero value before something is written.
func (c *Counters[T]) Of(counter uint64) *T {
	if at := counter / pageLen; c.last == nil || c.at != at {
		p := c.pages[at]
		if p == nil {
			if c.pages == nil {
				c.pages = make(map[uint64]*[pageLen]T, 1)
			}
			p = new([pageLen]T)
			c.pages[at] = p
		}
		c.at, c.last = at, p
	}
	return &c.last[counter%pageLen]
}

// All shows the counters whose values are not zero, in no order.
func (c *Counters[T]) All(yield func(uint64, *T) bool) {
	var zero T
	for at, p := range c.pages {
		for i := range p {
			if p[i] != zero && !yield(at*pageLen+uint64(i), &p[i]) {
				return
			}
		}
	}
}

type tracks map[uint64]*Counters[mark] // by number and epoch, in this order of their bits: a map of plain numbers is the fastest there is

// of finds the mark of a frame, and makes it.
func (t tracks) of(f Frame) *mark {
	key := uint64(f.Number)<<32 | uint64(f.Epoch)
	k := t[key]
	if k == nil {
		k = new(Counters[mark])
		t[key] = k
	}
	return k.Of(f.Counter)
}

// all shows the frames that anything is known of, in no order.
func (t tracks) all(yield func(Frame, mark) bool) {
	for key, k := range t {
		for counter, m := range k.All {
			if !yield(Frame{uint32(key >> 32), uint32(key), counter}, *m) { //nolint:gosec // its two halves
				return
			}
		}
	}
}
