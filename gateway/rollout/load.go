package rollout

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/gateway/rollout/verdict"
)

// A Source is where a machine finds what was written, in the order of keys.
type Source interface {
	EachRollout(func(key, row []byte) error) error
}

// Load brings back what Drain wrote, once all devices are known. It is called once, before anything else. The verdict is brought back as well: what it
// was held against when the rollout started must not change with a restart.
func (m *Machine) Load(now time.Time, from Source) error {
	m.now = now
	fixed := make(map[ID][]byte)
	err := from.EachRollout(func(key, row []byte) error {
		if err := m.loadRow(key, row, fixed); err != nil {
			return fmt.Errorf("key %x: %w", key, err)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("load rollouts: %w", err)
	}
	for _, id := range m.ids {
		r := m.rollouts[id]
		if m.release(r) == nil {
			return fmt.Errorf("load rollout %d: the row of release %s %s is missing: %w", id, r.Spec.Product, r.Spec.Version, ErrRow)
		}
		if r.active() && r.judge == nil {
			return fmt.Errorf("load rollout %d that is %s: its verdict is missing: %w", id, r.State, ErrRow)
		}
	}
	m.watch()
	for _, r := range m.live {
		r.inviting = r.active() // a wave may not be open for all of its devices
		if r.judge != nil {
			m.dirty.places = r.judge.Dirty(m.dirty.places[:0]) // all of them are written
			r.loadAssigned()
		}
	}
	m.returned(now)
	return nil
}

func (m *Machine) loadRow(key, row []byte, fixed map[ID][]byte) error {
	if err := CheckRow(key, row); err != nil {
		return err
	}
	switch key[0] {
	case rowRelease:
		r := new(Release)
		_ = json.Unmarshal(row[1:], r) // it was checked
		m.putRelease(r)
		return nil
	case rowHead:
		r := new(rollout)
		_ = json.Unmarshal(row[1:], &r.head) // as above
		r.freeing.freed = r.ended() && m.config.Store != nil
		m.put(r)
		return nil
	}
	id := ID(binary.BigEndian.Uint32(key[1:]))
	r := m.rollouts[id]
	if r == nil {
		return fmt.Errorf("rollout %d: %w: its row is missing", id, ErrRow)
	}
	switch key[0] {
	case rowDevice:
		return m.loadDevice(r, binary.BigEndian.Uint32(key[5:]), row)
	case rowJudge:
		if key[5] == partFixed {
			fixed[id] = slices.Clone(row)
			return nil
		}
		j, err := verdict.Load(fixed[id], row)
		if err != nil {
			return fmt.Errorf("rollout %d: %w: %w", id, ErrRow, err)
		}
		r.judge, r.fixed = j, true
		m.mapLinks(r)
	case rowJudgeDevice:
		at, ok := m.config.Fleet.Find(binary.BigEndian.Uint32(key[5:]))
		if !ok || r.judge == nil {
			return nil
		}
		if err := r.judge.LoadDevice(uint32(at), row); err != nil {
			return fmt.Errorf("rollout %d: %w: %w", id, ErrRow, err)
		}
	}
	return nil
}

// loadDevice takes a device over. Rows that were written ahead of a start which never came to its end are left, to be deleted.
func (m *Machine) loadDevice(r *rollout, number uint32, row []byte) error {
	if r.Started.IsZero() {
		if !slices.Contains(m.dirty.unstaged, r.ID) {
			m.dirty.unstaged, m.dirty.must = append(m.dirty.unstaged, r.ID), true
		}
		return nil
	}
	d, err := m.readDevice(r, number, row)
	switch {
	case errors.Is(err, ErrUnknown):
		return nil
	case err != nil:
		return err
	}
	r.count(&d, 1)
	if !r.freeing.freed || d.follows() {
		r.devices = append(r.devices, d) // keys come in their order
	}
	return nil
}

// loadAssigned tells the verdict once more for which devices a wave is open.
func (r *rollout) loadAssigned() {
	for i := range r.devices {
		if d := &r.devices[i]; d.is(flagOpen) {
			r.judge.LoadAssigned(uint32(d.place))
		}
	}
}

// CheckRow reports a row that cannot be read.
func CheckRow(key, row []byte) error {
	if len(key) == 0 {
		return fmt.Errorf("%w: no key", ErrRow)
	}
	var err error
	var size int
	switch key[0] {
	case rowRelease:
		var r Release
		if err = parseJSON(row, &r); err == nil && string(releaseRow(r.key())) != string(key) {
			err = fmt.Errorf("%w: it is %s", ErrRow, r.subject())
		}
		return err
	case rowHead:
		var h head
		size = 5
		if err = parseJSON(row, &h); err == nil {
			err = h.check(key)
		}
	case rowDevice:
		size = 9
		_, err = parseDevice(row)
	case rowJudge:
		size = 6
	case rowJudgeDevice:
		size = 9
	default:
		return fmt.Errorf("%w: kind %q", ErrRow, key[0])
	}
	if len(key) != size {
		return fmt.Errorf("%w: key of %d bytes, want %d", ErrRow, len(key), size)
	}
	return err
}

func parseJSON(row []byte, v any) error {
	if len(row) == 0 || row[0] != rowVersion {
		return fmt.Errorf("%w: not of version %d", ErrRow, rowVersion)
	}
	if err := json.Unmarshal(row[1:], v); err != nil {
		return fmt.Errorf("%w: %w", ErrRow, err)
	}
	return nil
}

// check reports a row of a rollout with which nothing could go on.
func (h *head) check(key []byte) error {
	switch {
	case len(key) != 5 || binary.BigEndian.Uint32(key[1:]) != uint32(h.ID):
		return fmt.Errorf("%w: it is of rollout %d", ErrRow, h.ID)
	case len(h.Numbers) == 0 || h.Numbers[0] != uint32(h.ID) || len(h.Numbers) > triesMax:
		return fmt.Errorf("%w: rollout %d has the numbers %v", ErrRow, h.ID, h.Numbers)
	case len(h.Spec.Waves) == 0 || len(h.Spec.Waves) > wavesMax || len(h.Opened) > h.last()-h.first()+1 || len(h.Versions) > versionsMax:
		return fmt.Errorf("%w: rollout %d has %d waves, %d open, %d versions", ErrRow, h.ID, len(h.Spec.Waves), len(h.Opened), len(h.Versions))
	case h.State < Draft || h.State > Completed || h.active() && len(h.Opened) == 0:
		return fmt.Errorf("%w: rollout %d is %s and has %d waves open", ErrRow, h.ID, h.State, len(h.Opened))
	}
	return nil
}
