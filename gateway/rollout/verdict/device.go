package verdict

// flags of a device.
type flags uint16

const (
	known    flags = 1 << iota
	assigned       // a wave has opened that it is in: no control any more
	started        // the update was delivered
	resolved       // and it was heard since
	burning        // it owes the burst: not heard since the update was delivered
	cycling        // a contact of the week after the update is awaited
	out            // it was silent through its window; a new one begins when it is heard
	early          // its window began soon after the update
	missed         // its first attempt as a control has been counted
	soaked         // it was heard long after the update, or is not waited for
	reported       // it has said how the update ended
	gone           // it takes part in nothing any more
	fell           // it was silent through a window after the update, and counts in Judge.falls

	allFlags = fell<<1 - 1
)

// A device is what is kept of one, in 52 bytes. Times are seconds since Judge.base; 0 is none.
type device struct {
	origin   uint32 // from which contacts are owed: the last one, or the boot that it announced
	began    uint32 // start of its window
	until    uint32 // end of its window; 0: none is open
	started  uint32
	interval uint32
	armed    uint32 // tick of its timer; 0: none
	prev     uint32 // in the list of the tick: place + 1; 0: none
	next     uint32
	alive    float32 // probability that a living device had missed what this one has, more than it is by all experience
	dead     float32 // probability that it died by itself meanwhile
	usual    float32 // as alive, by experience
	stratum  uint16  // index in Judge.strata
	checks   uint8   // contacts missed in the run
	burst    uint8   // 1 + index in Config.Bursts; 0: none
	flags    flags
}

func (d *device) is(f flags) bool { return d.flags&f == f }

// last is when the device was heard last.
func (d *device) last() uint32 {
	if d.is(burning) {
		return d.started
	}
	return d.origin
}

// control reports whether the device is compared with those that have the update.
func (d *device) control() bool { return d.flags&(known|assigned|gone) == known }

// treated reports whether what the device misses may be the update's.
func (d *device) treated() bool { return d.flags&(started|gone) == started }

// pageSize is how many devices are kept together. Devices of a rollout often have neighbouring numbers, so that most pages are full or absent.
const pageSize = 256

type page struct {
	devices [pageSize]device
	dirty   [pageSize / 64]uint64
}

// at is the device at a place, made if there is none, and marked as changed.
func (j *Judge) at(p Place) *device {
	for int(p/pageSize) >= len(j.pages) {
		j.pages = append(j.pages, nil)
	}
	g := j.pages[p/pageSize]
	if g == nil {
		g = new(page)
		j.pages[p/pageSize] = g
	}
	g.dirty[p%pageSize/64] |= 1 << (p % 64)
	return &g.devices[p%pageSize]
}

// find is the device at a place, nil if none is known.
func (j *Judge) find(p Place) *device {
	if d := j.kept(p); d != nil && d.is(known) {
		return d
	}
	return nil
}

// kept is the device at a place of which anything is to be remembered, if only that a wave has opened for it; nil if there is none.
func (j *Judge) kept(p Place) *device {
	if int(p/pageSize) >= len(j.pages) || j.pages[p/pageSize] == nil {
		return nil
	}
	if d := j.peek(p); d.flags != 0 {
		return d
	}
	return nil
}
