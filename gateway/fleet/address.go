package fleet

import (
	"hash/fnv"
	"strconv"
	"time"
)

// Limits of the address index.
const (
	AddressesMax  = 8 // addresses kept per device
	CandidatesMax = 4 // devices tried per address: each costs a verification
)

func utoa(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// candidates are the devices behind one address.
type candidates struct {
	n   uint8
	idx [CandidatesMax]Index
}

// hashAddress names an address in the index. A collision only adds a candidate, and a candidate is believed only when the frame's tag verifies.
func hashAddress(bearer, id string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(bearer))
	_, _ = h.Write([]byte{0})
	_, _ = h.Write([]byte(id))
	return h.Sum64()
}

// ByAddress appends the devices known by an address to dst, at most CandidatesMax.
func (f *Fleet) ByAddress(dst []Index, bearer, id string) []Index {
	c := f.byAddress[hashAddress(bearer, id)]
	return append(dst, c.idx[:c.n]...)
}

// HasAddress reports whether the device is known by the address.
func (f *Fleet) HasAddress(i Index, bearer, id string) bool {
	for _, a := range f.addresses[i] {
		if a.Bearer == bearer && a.ID == id {
			return true
		}
	}
	return false
}

// NoteAddress records that the device was heard from an address. It reports whether the address is new to it. Of more than
// AddressesMax addresses the oldest that nobody accepted gives way; if all are accepted the new one is not kept.
func (f *Fleet) NoteAddress(i Index, bearer, id string, now time.Time) bool {
	if f.HasAddress(i, bearer, id) {
		return false
	}
	if len(f.addresses[i]) >= AddressesMax && !f.dropOldestAddress(i) {
		return false
	}
	f.addAddress(i, DeviceAddress{Bearer: bearer, ID: id, FirstSeen: now.UTC().Truncate(time.Millisecond)})
	return true
}

// GiveAddress makes an accepted address one of the device's, whether it was heard from there or not. It reports false if there is no room: the device
// has AddressesMax accepted ones, or CandidatesMax others are known by this one.
func (f *Fleet) GiveAddress(i Index, bearer, id string, now time.Time) bool {
	if !f.HasAddress(i, bearer, id) && f.byAddress[hashAddress(bearer, id)].n >= CandidatesMax {
		return false
	}
	f.NoteAddress(i, bearer, id, now)
	return f.AcceptAddress(i, bearer, id)
}

func (f *Fleet) addAddress(i Index, a DeviceAddress) {
	f.addresses[i] = append(f.addresses[i], a)
	h := hashAddress(a.Bearer, a.ID)
	c := f.byAddress[h]
	if c.n < CandidatesMax {
		c.idx[c.n] = i
		c.n++
		f.byAddress[h] = c
	}
}

func (f *Fleet) dropOldestAddress(i Index) bool {
	list := f.addresses[i]
	oldest := -1
	for k, a := range list {
		if !a.Accepted && (oldest < 0 || a.FirstSeen.Before(list[oldest].FirstSeen)) {
			oldest = k
		}
	}
	if oldest < 0 {
		return false
	}
	f.unindex(i, list[oldest])
	f.addresses[i] = append(list[:oldest], list[oldest+1:]...)
	return true
}

func (f *Fleet) unindex(i Index, a DeviceAddress) {
	h := hashAddress(a.Bearer, a.ID)
	c := f.byAddress[h]
	for k := range c.n {
		if c.idx[k] == i {
			c.n--
			c.idx[k] = c.idx[c.n]
			break
		}
	}
	if c.n == 0 {
		delete(f.byAddress, h)
		return
	}
	f.byAddress[h] = c
}

// AcceptedAddress returns the address of the device on a bearer that was accepted last, which stands first: the only one that paid downlinks go to.
func (f *Fleet) AcceptedAddress(i Index, bearer string) (string, bool) {
	return accepted(f.addresses[i], bearer)
}

// Accepted is Fleet.AcceptedAddress of a snapshot; "" if there is none.
func (d *Device) Accepted(bearer string) string {
	id, _ := accepted(d.Addresses, bearer)
	return id
}

func accepted(list []DeviceAddress, bearer string) (string, bool) {
	for _, a := range list {
		if a.Bearer == bearer && a.Accepted {
			return a.ID, true
		}
	}
	return "", false
}
