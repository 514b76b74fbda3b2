package rollout

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

// A Store gives back the rows of devices that Drain wrote. It need not show those of the last Drain yet.
type Store interface {
	RolloutRow(key []byte) (row []byte, ok bool, err error)
	RolloutRows(from, to []byte, f func(key, row []byte) error) error // in the order of keys; an error of f ends it, and is returned
}

// Of a rollout that has ended only the counts, and the devices that are still busy with it, stay in memory. The others are read back when somebody asks, or
// when such a device tells of another version: what it says of the version that it is known to run is not written any more. What was read or changed stays
// until two Drains later, for the store may not show it before.

// freeing is how far a rollout has come on its way out of memory.
type freeing struct {
	freed   bool
	written bool // all its rows were, but what the last Drain wrote may not be to be seen yet
	aside   map[uint32]*aside
}

// aside is a device that was read back.
type aside struct {
	device
	drain uint32 // in which it was written last, or after which it was read
}

// ended reports whether nothing will be done in a rollout any more.
func (h *head) ended() bool { return h.State == Denied || h.State == Stopped || h.State == Completed }

// Failed is the first error in reading something back; what was done since may lack it.
func (m *Machine) Failed() error { return m.failed }

func (m *Machine) fail(err error) {
	if m.failed == nil {
		m.failed = fmt.Errorf("read devices of a rollout back: %w", err)
	}
}

// device finds a device of a rollout, wherever it is; nil if there is none. It may read the store, so it is not for each frame, nor for a look at many devices:
// see following.
func (m *Machine) device(r *rollout, number uint32) *device {
	if d := r.find(number); d != nil || !r.freeing.freed {
		return d
	}
	row, ok, err := m.config.Store.RolloutRow(deviceRow(nil, rowDevice, r.ID, number))
	if err != nil {
		m.fail(err)
	}
	if err != nil || !ok {
		return nil
	}
	x := &aside{drain: m.drains}
	if x.device, err = m.readDevice(r, number, row); err != nil {
		if !errors.Is(err, ErrUnknown) {
			m.fail(err)
		}
		return nil
	}
	return r.keep(number, x)
}

// following finds a device that frames may change: of a rollout that has left memory one that is still busy with it, whoever else was read back meanwhile.
func (r *rollout) following(number uint32) *device {
	if d := r.find(number); d != nil && (!r.freeing.freed || d.follows()) {
		return d
	}
	return nil
}

func (r *rollout) keep(number uint32, x *aside) *device {
	if r.freeing.aside == nil {
		r.freeing.aside = make(map[uint32]*aside)
	}
	r.freeing.aside[number] = x
	return &x.device
}

// readDevice reads a device's row; the error wraps ErrUnknown if nobody knows the device any more.
func (m *Machine) readDevice(r *rollout, number uint32, row []byte) (d device, err error) {
	if d, err = parseDevice(row); err != nil {
		return d, err
	}
	at, ok := m.config.Fleet.Find(number)
	if !ok {
		return d, fmt.Errorf("device %d: %w", number, ErrUnknown)
	}
	if int(d.round) > len(r.Numbers) {
		return d, fmt.Errorf("rollout %d: try %d of %d: %w", r.ID, d.round, len(r.Numbers), ErrRow)
	}
	d.place, d.number = at, number
	return d, nil
}

// some calls f with devices of a rollout from a number on, by number, until it has had enough. next is from where to go on, more that there are others.
func (m *Machine) some(r *rollout, from uint64, most int, f func(*device) (enough bool)) (next uint64, more bool, err error) {
	if r.freeing.freed {
		return m.someRead(r, from, most, f)
	}
	i, _ := slices.BinarySearchFunc(r.devices, from, func(d device, number uint64) int { return int(int64(d.number) - int64(number)) }) //nolint:gosec // 32 bits
	for next = from; i < len(r.devices); i++ {
		if most--; most < 0 {
			return next, true, nil
		}
		d := &r.devices[i]
		next = uint64(d.number) + 1
		if f(d) {
			return next, i+1 < len(r.devices), nil
		}
	}
	return next, false, nil
}

// someRead is some of a rollout that has left memory.
func (m *Machine) someRead(r *rollout, from uint64, most int, f func(*device) (enough bool)) (next uint64, more bool, err error) {
	if next = from; from > math.MaxUint32 {
		return next, false, nil
	}
	err = m.config.Store.RolloutRows(deviceRow(nil, rowDevice, r.ID, uint32(from)), idKey(nil, rowDevice, r.ID+1), func(key, row []byte) error {
		number := binary.BigEndian.Uint32(key[5:])
		if most--; most < 0 {
			return errEnough
		}
		next = uint64(number) + 1
		d := r.find(number)
		if d == nil {
			read, err := m.readDevice(r, number, row)
			if errors.Is(err, ErrUnknown) {
				return nil
			}
			if err != nil {
				return err
			}
			d = &read
		}
		if f(d) {
			most = 0
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return next, true, nil
	}
	if err != nil {
		err = fmt.Errorf("rollout %d: read its devices back: %w", r.ID, err)
	}
	return next, false, err
}

// errEnough ends a walk through rows.
var errEnough = errors.New("enough")

// letGo lets go of what need not be in memory any more. It is called at the end of each Drain: dirty are the devices that were written in it.
func (m *Machine) letGo(dirty []deviceKey) {
	m.drains++
	for _, k := range dirty {
		r := m.rollouts[k.id]
		r.freeing.written = false
		if x := r.freeing.aside[k.number]; x != nil {
			x.drain = m.drains
		}
	}
	if m.config.Store == nil {
		return
	}
	for _, id := range m.ids {
		r := m.rollouts[id]
		switch {
		case !r.ended():
		case r.freeing.freed:
			r.forget(m.drains, slices.Contains(m.live, r))
		case r.freeing.written:
			r.free()
		default:
			r.freeing.written = true
		}
	}
}

// free leaves the devices that are still busy in memory.
func (r *rollout) free() {
	r.freeing = freeing{freed: true}
	var busy []device
	for i := range r.devices {
		if d := &r.devices[i]; d.follows() {
			busy = append(busy, *d)
		}
	}
	r.devices, r.cursor = busy, 0
}

// forget lets go of devices that were read back, and of those that were busy once nobody follows them any more.
func (r *rollout) forget(drains uint32, followed bool) {
	if !followed && len(r.devices) > 0 {
		for _, d := range r.devices {
			r.keep(d.number, &aside{d, drains})
		}
		r.devices = nil
	}
	for number, x := range r.freeing.aside { // the order does not matter: each goes to its place
		if drains-x.drain < 2 {
			continue
		}
		delete(r.freeing.aside, number)
		if followed && x.follows() {
			i, _ := slices.BinarySearchFunc(r.devices, number, compareNumber)
			r.devices = slices.Insert(r.devices, i, x.device)
		}
	}
}
