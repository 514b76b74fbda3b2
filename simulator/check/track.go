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

// pageLen is how many frames of a device lie together. Counters are dense, but for jumps after a loss.
const pageLen = 64

type page [pageLen]mark

// track holds the frames of one epoch of a device.
type track struct {
	pages map[uint64]*page // by counter/pageLen
	at    uint64           // of last
	last  *page            // the one that was used last
}

type tracks map[[2]uint32]*track // by number and epoch

// of finds the mark of a frame, and makes it.
func (t tracks) of(f Frame) *mark {
	key := [2]uint32{f.Number, f.Epoch}
	k := t[key]
	if k == nil {
		k = &track{pages: make(map[uint64]*page)}
		t[key] = k
	}
	if at := f.Counter / pageLen; k.last == nil || k.at != at {
		p := k.pages[at]
		if p == nil {
			p = new(page)
			k.pages[at] = p
		}
		k.at, k.last = at, p
	}
	return &k.last[f.Counter%pageLen]
}

// all shows the frames that anything is known of, in no order.
func (t tracks) all(yield func(Frame, mark) bool) {
	for key, k := range t {
		for at, p := range k.pages {
			for i, m := range p {
				if m != 0 && !yield(Frame{key[0], key[1], at*pageLen + uint64(i)}, m) {
					return
				}
			}
		}
	}
}
