package rollout

import (
	"encoding/binary"
	"encoding/json"
	"slices"

	"github.com/godwit-gateway/godwit/gateway/rollout/verdict"
)

// Rows is where a machine writes what changed: a batch that becomes durable as a whole. Keys lie below one prefix of the store.
type Rows interface {
	PutRollout(key, row []byte)
	DeleteRollouts(from, to []byte) // all keys from one up to, and without, another
}

// Kinds of rows: the first byte of a key. They are read in this order.
const (
	rowRelease     = 'a' // product, 0, version
	rowHead        = 'b' // rollout u32
	rowDevice      = 'c' // rollout u32, device u32
	rowJudge       = 'd' // rollout u32, part u8
	rowJudgeDevice = 'e' // rollout u32, device u32
)

// Parts of a verdict's rows.
const (
	partFixed = 0
	partState = 1
)

// deviceKey names a device of a rollout.
type deviceKey struct {
	id     ID
	number uint32
}

// dirty is what changed since the last Drain, in the order of its first change.
type dirty struct {
	must     bool
	releases []releaseKey
	heads    []ID
	judges   []ID
	dropped  []ID
	devices  []deviceKey
	marks    map[deviceKey]struct{}
	gone     []deviceKey // that are in a rollout no more
	unstaged []ID        // rows of devices were written ahead of a start that did not come to its end

	key, value []byte
	places     []verdict.Place
}

func (d *dirty) release(k releaseKey) {
	d.must = true
	if !slices.Contains(d.releases, k) {
		d.releases = append(d.releases, k)
	}
}

func (d *dirty) head(id ID) {
	d.must = true
	if !slices.Contains(d.heads, id) {
		d.heads = append(d.heads, id)
	}
}

// judge makes evidence be written with what comes next.
func (d *dirty) judge(id ID) {
	if !slices.Contains(d.judges, id) {
		d.judges = append(d.judges, id)
	}
}

func (d *dirty) drop(r *rollout) {
	d.dropped = append(d.dropped, r.ID)
	if i := slices.Index(d.judges, r.ID); i >= 0 {
		d.judges = slices.Delete(d.judges, i, i+1)
	}
}

// device makes a device's row one that must be written; mark, one that is written with what comes next.
func (d *dirty) device(id ID, number uint32) {
	d.must = true
	d.mark(id, number)
}

func (d *dirty) mark(id ID, number uint32) {
	k := deviceKey{id, number}
	if _, ok := d.marks[k]; ok {
		return
	}
	if d.marks == nil {
		d.marks = make(map[deviceKey]struct{})
	}
	d.marks[k] = struct{}{}
	d.devices = append(d.devices, k)
}

// Must reports whether something changed that is worth a write of its own. What is known by each contact is written with the frame.
func (m *Machine) Must() bool { return m.dirty.must || len(m.ripe) > 0 }

// Drain writes what changed since the last call.
func (m *Machine) Drain(to Rows) {
	m.ripen()
	d := &m.dirty
	d.must = false
	for _, k := range d.releases {
		d.put(to, releaseRow(k), m.releases[k])
	}
	for _, id := range d.heads {
		d.put(to, idKey(nil, rowHead, id), &m.rollouts[id].head)
	}
	for _, k := range d.gone {
		to.DeleteRollouts(deviceRow(nil, rowDevice, k.id, k.number), append(deviceRow(nil, rowDevice, k.id, k.number), 0))
	}
	for len(d.unstaged) > 0 {
		d.unstage(to, d.unstaged[0])
	}
	for _, k := range d.devices {
		if x := m.rollouts[k.id].find(k.number); x != nil {
			d.key = deviceRow(d.key[:0], rowDevice, k.id, k.number)
			d.value = x.append(d.value[:0])
			to.PutRollout(d.key, d.value)
		}
	}
	for _, id := range d.judges {
		m.drainJudge(to, m.rollouts[id])
	}
	for _, id := range d.dropped {
		to.DeleteRollouts(idKey(nil, rowJudge, id), idKey(nil, rowJudge, id+1))
		to.DeleteRollouts(idKey(nil, rowJudgeDevice, id), idKey(nil, rowJudgeDevice, id+1))
	}
	m.letGo(d.devices)
	d.releases, d.heads, d.judges, d.dropped, d.devices, d.gone = d.releases[:0], d.heads[:0], d.judges[:0], d.dropped[:0], d.devices[:0], d.gone[:0]
	clear(d.marks)
}

// unstage deletes the rows of devices that were written ahead of a start.
func (d *dirty) unstage(to Rows, id ID) {
	to.DeleteRollouts(idKey(nil, rowDevice, id), idKey(nil, rowDevice, id+1))
	d.unstaged = slices.DeleteFunc(d.unstaged, func(x ID) bool { return x == id })
}

// put writes a row that is seldom written, as JSON behind its version.
func (d *dirty) put(to Rows, key []byte, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic("rollout: " + err.Error()) // plain values, checked when they came in
	}
	d.value = append(append(d.value[:0], rowVersion), b...)
	to.PutRollout(key, d.value)
}

// drainJudge writes the evidence and what changed of its devices.
func (m *Machine) drainJudge(to Rows, r *rollout) {
	d, j := &m.dirty, r.judge
	if j == nil {
		return
	}
	if !r.fixed {
		r.fixed = true
		to.PutRollout(append(idKey(nil, rowJudge, r.ID), partFixed), j.AppendFixed(nil))
	}
	d.value = j.AppendState(d.value[:0])
	to.PutRollout(append(idKey(nil, rowJudge, r.ID), partState), d.value)
	d.places = j.Dirty(d.places[:0])
	for _, p := range d.places {
		if d.value = j.AppendDevice(d.value[:0], p); len(d.value) == 0 {
			continue
		}
		m.config.Fleet.Facts(Place(p), &m.facts)
		d.key = deviceRow(d.key[:0], rowJudgeDevice, r.ID, m.facts.Number)
		to.PutRollout(d.key, d.value)
	}
}

func releaseRow(k releaseKey) []byte {
	return append(append(append([]byte{rowRelease}, k.product...), 0), k.version...)
}

func idKey(b []byte, kind byte, id ID) []byte {
	return binary.BigEndian.AppendUint32(append(b, kind), uint32(id))
}

func deviceRow(b []byte, kind byte, id ID, number uint32) []byte {
	return binary.BigEndian.AppendUint32(idKey(b, kind, id), number)
}
