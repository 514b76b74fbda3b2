package presence

import (
	"encoding/binary"
	"fmt"
)

// modelVersion is the first byte of a model's snapshot. Version 1, which does not know who came back from an outage, is read as well: one that goes on is
// over as soon as no more is missed than usual, but for those that it hits from then on.
const (
	modelVersion = 2
	modelFirst   = 1
)

// learned is all that a model of a version has learned, in the order in which it is written: pointers to values of fixed size.
func (m *Model) learned(version byte) []any {
	w := []any{&m.day}
	for i := range m.rows {
		w = append(w, &m.rows[i].tested, &m.rows[i].missed)
	}
	for i := range m.products {
		w = append(w, &m.products[i].deaths, &m.products[i].exposure)
	}
	for i := range m.polls {
		w = append(w, &m.polls[i].asked, &m.polls[i].heard)
	}
	for _, group := range [2][]attempts{m.links, m.cells} {
		for i := range group {
			a := &group[i]
			w = append(w, &a.hour, &a.n, &a.missed, &a.since, &a.until)
			for h := range a.ring {
				w = append(w, &a.ring[h].n, &a.ring[h].missed)
			}
			if version == modelFirst {
				continue
			}
			for h := range a.ring {
				w = append(w, &a.ring[h].back)
			}
			w = append(w, &a.during.n, &a.during.missed, &a.during.back, &a.most)
		}
	}
	return w
}

// shape is what a snapshot and the model that reads it must agree upon.
func (m *Model) shape() [4]uint32 {
	return [4]uint32{uint32(len(m.links)), uint32(len(m.cells)), uint32(len(m.products)), bins} //nolint:gosec // New bounds them
}

// AppendBinary appends the model's snapshot, big-endian: a version, its shape, and what it has learned; about 9 kB for each link.
func (m *Model) AppendBinary(b []byte) ([]byte, error) {
	b, err := binary.Append(append(b, modelVersion), binary.BigEndian, m.shape())
	for _, v := range m.learned(modelVersion) {
		if err == nil {
			b, err = binary.Append(b, binary.BigEndian, v)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("write a snapshot of presence: %w", err)
	}
	return b, nil
}

// UnmarshalBinary reads what AppendBinary wrote into a model of New with the same numbers of links and products, and as many cells or more. After an error
// the model is as it was.
func (m *Model) UnmarshalBinary(b []byte) error {
	config, shape := m.config, m.shape()
	if len(b) < 1+binary.Size(shape) || b[0] < modelFirst || b[0] > modelVersion {
		return fmt.Errorf("model of %d bytes, want version %d to %d: %w", len(b), modelFirst, modelVersion, ErrSnapshot)
	}
	if cells := int(binary.BigEndian.Uint32(b[5:])) - 1; cells >= 0 && cells < config.Cells {
		config.Cells = cells
	}
	read, err := New(config)
	if err != nil {
		return err
	}
	shape = read.shape()
	version := b[0]
	for i, v := range append([]any{&shape}, read.learned(version)...) {
		n := binary.Size(v)
		if len(b) < 1+n {
			return fmt.Errorf("model ends early: %w", ErrSnapshot)
		}
		if _, err := binary.Decode(b[1:], binary.BigEndian, v); err != nil {
			return fmt.Errorf("read a snapshot of presence: %w", err)
		}
		if b = b[n:]; i == 0 && shape != read.shape() {
			return fmt.Errorf("model of %v links, cells, products and bins, want %v: %w", shape, read.shape(), ErrSnapshot)
		}
	}
	if len(b) != 1 {
		return fmt.Errorf("model with %d bytes too many: %w", len(b)-1, ErrSnapshot)
	}
	if err := read.valid(); err != nil {
		return err
	}
	for _, group := range [2][]attempts{read.links, read.cells} {
		for i := 0; i < len(group) && version == modelFirst; i++ {
			group[i].revive()
		}
	}
	read.Grow(m.config.Cells)
	read.hushes = m.hushes
	*m = *read
	return nil
}

// valid refuses counts that no traffic leads to.
func (m *Model) valid() error {
	for i := range m.rows {
		for j, n := range m.rows[i].tested {
			if missed := m.rows[i].missed[j]; !(missed >= 0 && missed <= n && n < 1e15) {
				return fmt.Errorf("row %d: %g of %g missed: %w", i, missed, n, ErrSnapshot)
			}
		}
	}
	for _, group := range [2][]attempts{m.links, m.cells} {
		for i := range group {
			a := &group[i]
			if !(a.missed >= 0 && a.missed <= a.n && a.n < 1e15 && a.hour >= 0) {
				return fmt.Errorf("usual attempts: %g of %g missed: %w", a.missed, a.n, ErrSnapshot)
			}
			for _, t := range append(a.ring[:], a.during) {
				if t.back > t.missed || t.missed > t.n {
					return fmt.Errorf("attempts: %d of %d missed, %d back: %w", t.missed, t.n, t.back, ErrSnapshot)
				}
			}
			if a.most < a.during.away() {
				return fmt.Errorf("an outage with %d away, at most %d: %w", a.during.away(), a.most, ErrSnapshot)
			}
		}
	}
	return nil
}
