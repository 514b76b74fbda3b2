package core

import (
	"math"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/presence"
)

// known is a device that the caller named: 12 bytes, since many of them are never heard.
type known struct {
	number   uint32
	record   uint32 // place of its device, plus 1; 0: it was never heard, and nothing was said of it
	customer uint16
	rule     uint8 // place in Config.Rules; len: none matches
	known    bool
}

// device is what is remembered of one that was heard: 104 bytes without pointers. What its rule says is not among them, and the second and further
// links of those that have them are beside it.
type device struct {
	presence  presence.Device
	offered   offer
	learned   scheduler.Delivery // of its first link
	heard     uint32             // as of scheduler.Device
	updated   uint32
	boostEnds uint32
	current   uint32
	boost     float32
	gap       float32 // seconds between contacts of a device that was told nothing, smoothed
	status    uint16
	power     power
	links     [scheduler.MaxVias]uint8 // places in Config.Links, plus 1
	via       uint8                    // place in links, plus 1
	gaps      uint8                    // of which gap was learned, 255 at most
	revision  uint8                    // of the policy that it acknowledged last, or was offered before
	silent    presence.Class
	watched   bool // presence has been told of it
	retired   bool
	regular   bool // it was a status that was heard last
	marked    bool // its row is to be written
}

// offer is a policy that a device was told and has not acknowledged.
type offer struct {
	interval uint32 // seconds; 0: none
	at       uint32 // Unix seconds of the last time
	revision uint8
	via      uint8 // place in links, plus 1
	tries    uint8
}

// further is what was learned of the links of a device but the first.
type further [scheduler.MaxVias - 1]scheduler.Delivery

// slab is how many devices are allocated at once: a list that grew would hold more than it needs, and its devices would move.
const slab = 256

// records are the devices that were heard, in the order in which they were.
type records struct {
	slabs   []*[slab]device
	n       uint32
	further map[uint32]*further // by record
}

func (r *records) at(record uint32) *device { return &r.slabs[(record-1)/slab][(record-1)%slab] }

// add makes a device, and returns its record.
func (r *records) add() uint32 {
	if r.n%slab == 0 {
		r.slabs = append(r.slabs, new([slab]device))
	}
	r.n++
	r.at(r.n).status = statusDefault
	return r.n
}

// learned is what was learned of a link of a device, by its place among them.
func (r *records) learned(record uint32, via int) *scheduler.Delivery {
	if via == 0 {
		return &r.at(record).learned
	}
	f := r.further[record]
	if f == nil {
		f = new(further)
		if r.further == nil {
			r.further = make(map[uint32]*further)
		}
		r.further[record] = f
	}
	return &f[via-1]
}

// at is a device that is known, else nil.
func (k *Core) at(at Place) *known {
	if int(at) >= len(k.known) || !k.known[at].known {
		return nil
	}
	return &k.known[at]
}

// find is the record of a device, nil if there is none.
func (k *Core) find(at Place) *device {
	if m := k.at(at); m != nil && m.record > 0 {
		return k.records.at(m.record)
	}
	return nil
}

// record is the record of a device that is known, which is made if there is none.
func (k *Core) record(at Place) *device {
	m := &k.known[at]
	if m.record == 0 {
		m.record = k.records.add()
	}
	return k.records.at(m.record)
}

// join is the place of a link among those of a device, which it joins if it is new and there is room; -1 if there is none.
func (d *device) join(link int) int {
	for i := range d.links {
		switch d.links[i] {
		case uint8(link) + 1: //nolint:gosec // at most linksMax
			return i
		case 0:
			d.links[i] = uint8(link) + 1 //nolint:gosec // as above
			return i
		}
	}
	return -1
}

// link is the place of the link that a device uses in Config.Links.
func (d *device) link() uint8 {
	if d.via == 0 {
		return 0
	}
	return d.links[d.via-1] - 1
}

// planning is a device as planning sees it.
func (k *Core) planning(m *known, d *device) scheduler.Device {
	r := &k.ruled[m.rule]
	s := scheduler.Device{
		Number: m.number, Weight: r.weight, Power: r.power, Boost: d.boost, Heard: d.heard, Updated: d.updated, BoostEnds: d.boostEnds, Current: d.current,
		Status: d.status, Policy: m.rule, Hazard: r.hazard, Via: d.via, Battery: d.power.percent[0], Cap: r.limit,
	}
	for i, l := range d.links {
		if l == 0 {
			break
		}
		s.Links[i] = scheduler.Via{Link: l, Deliver: k.records.learned(m.record, i).Via(k.fleet.Links[l-1].Deliver)}
	}
	if share, age := k.model.Slows(&d.presence, int64(d.interval())); age > 0 {
		s.Quiet = uint16(math.Round((1 - share) * math.MaxUint16))
		s.Rest = uint16(math.Ceil(age / 60))
	}
	return s
}

// ruled is what a rule makes of devices.
type ruled struct {
	weight, power float32
	hazard        uint8
	limit         scheduler.Micros
}

// ruled are those of the configuration, and that of devices that none matches.
func (c *Config) ruled() []ruled {
	list := make([]ruled, len(c.Rules)+1)
	list[len(c.Rules)].weight = 1
	for i := range c.Rules {
		r, d := &c.Rules[i], &list[i]
		d.weight, d.limit = 1, r.Cap
		if r.Weight > 0 {
			d.weight = float32(r.Weight)
		}
		if r.Hazard != nil {
			d.hazard = uint8(i) + 1
		}
		if r.Energy > 0 {
			if power, err := scheduler.SparePower(r.Energy, secs(r.Life), r.Idle); err == nil {
				d.power = power
			}
		}
	}
	return list
}
