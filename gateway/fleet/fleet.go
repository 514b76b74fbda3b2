package fleet

import (
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
)

// An Index is a device's place in a Fleet. It is stable for the life of the Fleet and means nothing outside it.
type Index uint32

// A Fleet is all devices in memory. Not safe for concurrent use: its owner guards it.
type Fleet struct {
	slabs     []*[slabLen]record
	len       int
	byNumber  map[uint32]Index
	byName    map[uint32]Index // FNV-1a of the name; a colliding second name is in clash
	clash     map[string]Index
	strings   interned
	templates templateTable

	// Side tables, for what only some devices have.
	up4       map[Index]codec.SealKey
	second    map[Index]*second
	dismissed map[Index]int64 // since when it is rejected or retired, Unix milliseconds
	suspended map[Index][]Suspension
	addresses map[Index][]DeviceAddress
	byAddress map[uint64]candidates
	states    [Retired + 1]int
	sorted    []uint32 // numbers; shorter than len when stale
}

// New returns an empty fleet.
func New() *Fleet {
	return &Fleet{
		byNumber:  make(map[uint32]Index),
		byName:    make(map[uint32]Index),
		clash:     make(map[string]Index),
		strings:   newInterned(),
		templates: newTemplateTable(),
		up4:       make(map[Index]codec.SealKey),
		second:    make(map[Index]*second),
		dismissed: make(map[Index]int64),
		suspended: make(map[Index][]Suspension),
		addresses: make(map[Index][]DeviceAddress),
		byAddress: make(map[uint64]candidates),
	}
}

// Len is the number of devices, whatever their state.
func (f *Fleet) Len() int { return f.len }

// Count is the number of devices in a state.
func (f *Fleet) Count(s State) int {
	if int(s) >= len(f.states) {
		return 0
	}
	return f.states[s]
}

func (f *Fleet) at(i Index) *record { return &f.slabs[i/slabLen][i%slabLen] }

// ByNumber finds a device by its number.
func (f *Fleet) ByNumber(number uint32) (Index, bool) {
	i, ok := f.byNumber[number]
	return i, ok
}

func hashName(name string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	return h.Sum32()
}

// ByName finds a device by its name.
func (f *Fleet) ByName(name string) (Index, bool) {
	if i, ok := f.byName[hashName(name)]; ok && string(f.at(i).nameBytes()) == name {
		return i, true
	}
	i, ok := f.clash[name]
	return i, ok
}

// Add takes a new device in. The error is ErrNumberTaken, ErrNameTaken or says what is wrong with d.
func (f *Fleet) Add(d Device) (Index, error) {
	if err := d.Validate(); err != nil {
		return 0, err
	}
	if _, ok := f.byNumber[d.Number]; ok {
		return 0, fmt.Errorf("device %d: %w", d.Number, ErrNumberTaken)
	}
	if _, ok := f.ByName(d.Name); ok {
		return 0, fmt.Errorf("device %q: %w", d.Name, ErrNameTaken)
	}
	return f.put(&d), nil
}

// put appends a record for d, whose number and name are free.
func (f *Fleet) put(d *Device) Index {
	if f.len%slabLen == 0 {
		f.slabs = append(f.slabs, new([slabLen]record))
	}
	i := Index(f.len) //nolint:gosec // at most 2^32 numbers exist
	f.len++
	r := f.at(i)
	*r = record{
		frames: d.Frames, duplicates: d.Duplicates, freeMemory: d.FreeMemory,
		firstSeen: milli(d.FirstSeen), lastSeen: milli(d.LastSeen), number: d.Number, bootCount: d.BootCount,
		product: f.strings.id(d.Product), customer: f.strings.id(d.Customer), keySource: f.strings.id(d.KeySource),
		version: f.strings.id(d.Version), build: f.strings.id(d.Build), hardware: f.strings.id(d.Hardware),
		lastLink: f.strings.id(d.LastLink), nameLen: uint8(len(d.Name)), //nolint:gosec // Validate bounds it
		state: d.State, ctrBits: d.CTRBits, tagLen: d.TagLen, resetCause: d.ResetCause,
	}
	copy(r.name[:], d.Name)
	for s, h := range d.Slots {
		r.slots[s] = f.templates.id(h)
	}
	f.SetSession(i, &d.Session, nil)
	f.byNumber[d.Number] = i
	if h := hashName(d.Name); !has(f.byName, h) {
		f.byName[h] = i
	} else {
		f.clash[d.Name] = i
	}
	for _, a := range d.Addresses {
		f.addAddress(i, a)
	}
	f.states[r.state]++
	f.setDismissed(i, d.Dismissed)
	f.setSuspensions(i, slices.Clone(d.Suspensions))
	return i
}

func has[K comparable, V any](m map[K]V, k K) bool {
	_, ok := m[k]
	return ok
}

func milli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMilli(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// Device returns a snapshot of the device at i.
func (f *Fleet) Device(i Index) Device {
	r := f.at(i)
	d := Device{
		Number: r.number, Name: string(r.nameBytes()), Product: f.strings.list[r.product], Customer: f.strings.list[r.customer],
		State: r.state, KeySource: f.strings.list[r.keySource], CTRBits: r.ctrBits, TagLen: r.tagLen,
		Session: f.Session(i),
		Version: f.strings.list[r.version], Build: f.strings.list[r.build], Hardware: f.strings.list[r.hardware],
		BootCount: r.bootCount, ResetCause: r.resetCause, FreeMemory: r.freeMemory,
		FirstSeen: fromMilli(r.firstSeen), LastSeen: fromMilli(r.lastSeen), LastLink: f.strings.list[r.lastLink],
		Dismissed: fromMilli(f.dismissed[i]), Suspensions: f.Suspensions(i),
		Frames: r.frames, Duplicates: r.duplicates, Addresses: append([]DeviceAddress(nil), f.addresses[i]...),
	}
	for s := range d.Slots {
		d.Slots[s] = f.templates.list[r.slots[s]]
	}
	return d
}

// Head is what the data path needs to know of a device before and after it opens a frame, without a copy of the rest.
type Head struct {
	Number   uint32
	Epoch    uint32
	Least    uint32 // epochs below it are refused
	State    State
	CTRBits  uint8
	TagLen   uint8
	Keyed    bool // its keys are at hand
	Guarded  bool // a backup was restored, and the device was not heard in a new epoch since
	Product  string
	Customer string
}

// Head returns the device's head.
func (f *Fleet) Head(i Index) Head {
	r := f.at(i)
	return Head{
		Number: r.number, Epoch: r.epoch, Least: r.least, State: r.state, CTRBits: r.ctrBits, TagLen: r.tagLen, Keyed: r.keyed, Guarded: r.guard != 0,
		Product: f.strings.list[r.product], Customer: f.strings.list[r.customer],
	}
}

// A Profile is what is known of a device besides keys, counters and addresses.
type Profile struct {
	Number     uint32
	State      State
	Name       string
	Product    string
	Customer   string
	Version    string
	Build      string
	Hardware   string
	LastLink   string
	FreeMemory uint64
	FirstSeen  time.Time // zero if never heard
	LastSeen   time.Time
	Dismissed  time.Time // as of a Device
}

// Profile returns the device's profile.
func (f *Fleet) Profile(i Index) Profile {
	r := f.at(i)
	return Profile{
		Number: r.number, State: r.state, Name: string(r.nameBytes()), Product: f.strings.list[r.product], Customer: f.strings.list[r.customer],
		Version: f.strings.list[r.version], Build: f.strings.list[r.build], Hardware: f.strings.list[r.hardware], LastLink: f.strings.list[r.lastLink],
		FreeMemory: r.freeMemory, FirstSeen: fromMilli(r.firstSeen), LastSeen: fromMilli(r.lastSeen), Dismissed: fromMilli(f.dismissed[i]),
	}
}

// AppendName appends the device's name to dst.
func (f *Fleet) AppendName(dst []byte, i Index) []byte { return append(dst, f.at(i).nameBytes()...) }

// Version is the device's software version, "" if never told.
func (f *Fleet) Version(i Index) string { return f.strings.list[f.at(i).version] }

// Template is the hash in a template slot, zero if the slot is empty.
func (f *Fleet) Template(i Index, slot uint8) TemplateHash {
	if slot >= TemplateSlots {
		return TemplateHash{}
	}
	return f.templates.list[f.at(i).slots[slot]]
}

// Counters is the replay state of the device's current epoch. The caller may change it; it becomes durable with the device's row.
func (f *Fleet) Counters(i Index) *session.Counters { return &f.at(i).counters }

// templateTable gives each template hash a small number; 0 is the empty slot.
type templateTable struct {
	ids  map[TemplateHash]uint16
	list []TemplateHash
}

func newTemplateTable() templateTable {
	return templateTable{ids: map[TemplateHash]uint16{{}: 0}, list: []TemplateHash{{}}}
}

// templatesMax bounds the table: authenticated devices could name any hash.
const templatesMax = 1 << 15

func (t *templateTable) id(h TemplateHash) uint16 {
	if id, ok := t.ids[h]; ok {
		return id
	}
	if len(t.list) >= templatesMax {
		return 0
	}
	id := uint16(len(t.list)) //nolint:gosec // bounded by templatesMax
	t.ids[h] = id
	t.list = append(t.list, h)
	return id
}

// Numbers returns all device numbers in ascending order. It changes the fleet's memory (so it needs the owner's lock, not a reader's), but
// never a slice that it returned before.
func (f *Fleet) Numbers() []uint32 {
	if len(f.sorted) != f.len {
		f.sorted = slices.Sorted(maps.Keys(f.byNumber))
	}
	return f.sorted
}
