package udp

import "time"

// ways is the number of entries that a key may be in.
const ways = 8

// A table maps keys to entries in fixed memory. It is a cache of eight ways: a key has a set of eight entries to be in, and a new one takes
// the place of the entry there that means least. Its content is derived, and losing an entry is harmless by design.
type table struct {
	entries []entry
	mix     uint64 // random and odd: what falls into one set cannot be chosen from outside
	shift   uint8
}

// entry is the state of a prefix or a source. Times are since the transport was made. The zero entry is free; keys are not zero.
type entry struct {
	key      uint64
	full     time.Duration // when the bucket will be full again
	verified time.Duration // last time that a datagram from here verified, never 0 if one did
}

// newTable returns a table of at least size entries.
func newTable(size int, seed uint64) *table {
	sets, shift := 1, uint8(64)
	for sets*ways < size {
		sets *= 2
		shift--
	}
	return &table{entries: make([]entry, sets*ways), mix: seed | 1, shift: shift}
}

// set returns the entries that a key may be in. Multiply-shift hashing: the high bits of the product depend on all of the key.
func (t *table) set(key uint64) []entry {
	first := (key * t.mix) >> t.shift * ways
	return t.entries[first : first+ways : first+ways]
}

// find returns the entry of a key, nil if there is none.
func (t *table) find(key uint64) *entry {
	set := t.set(key)
	for i := range set {
		if set[i].key == key {
			return &set[i]
		}
	}
	return nil
}

// take returns the entry of a key, a fresh one if there is none.
func (t *table) take(key uint64) *entry {
	set := t.set(key)
	least := &set[0]
	for i := range set {
		if set[i].key == key {
			return &set[i]
		}
		if set[i].weight() < least.weight() {
			least = &set[i]
		}
	}
	*least = entry{key: key}
	return least
}

// weight orders entries by how much would be lost with them: the one whose bucket was full and whose verification was over first goes first.
func (e *entry) weight() time.Duration { return max(e.full, e.verified) }
