package fleet

import "github.com/godwit-gateway/godwit/codec/session"

// record is one device in memory. It holds no pointer, so that the garbage collector never walks a fleet.
type record struct {
	counters   session.Counters
	down       uint64
	frames     uint64
	duplicates uint64
	freeMemory uint64
	firstSeen  int64 // Unix milliseconds, 0 never
	lastSeen   int64
	since      int64 // Unix milliseconds of the first frame of the epoch
	number     uint32
	epoch      uint32
	bootCount  uint32

	salt      [session.SaltLen]byte
	allocated uint32 // what follows is of session.Gateway
	joinBoot  uint32
	guard     uint32
	least     uint32
	failures  uint32

	product, customer, keySource, version, build, hardware, lastLink uint32 // into Fleet.strings

	name  [NameMax]byte
	slots [TemplateSlots]uint16 // into Fleet.templates

	keys epochKeys // of the current epoch
	join [32]byte

	nameLen    uint8
	state      State
	ctrBits    uint8
	tagLen     uint8
	resetCause uint8
	keyed      bool
	role       session.Role
}

func (r *record) nameBytes() []byte { return r.name[:r.nameLen] }

// slabLen records are allocated at a time: a growing slice would hold up to twice what it needs, and copy it.
const slabLen = 1024

// interned gives equal strings one small number. It only grows; what goes in is bounded by the limits on hello and configuration.
type interned struct {
	ids  map[string]uint32
	list []string
}

func newInterned() interned { return interned{ids: map[string]uint32{"": 0}, list: []string{""}} }

func (t *interned) id(s string) uint32 {
	if id, ok := t.ids[s]; ok {
		return id
	}
	id := uint32(len(t.list)) //nolint:gosec // bounded far below 2^32 by memory
	t.ids[s] = id
	t.list = append(t.list, s)
	return id
}
