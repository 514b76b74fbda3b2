package store

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"
)

// A Downlink is a payload for a device, and what became of it so far. An attempt to send it is written down before it is made.
type Downlink struct {
	Ref      uint64 // names it; the caller's to choose
	Number   uint32
	Kind     string
	Link     string
	Counter  uint64
	Payload  []byte
	State    string
	Attempts int
	Parts    int    // billed by the network
	Error    string // of the last attempt
	Receipt  string // by which the network will report
	QueuedAt time.Time
	Due      time.Time // not to be tried before
	Expires  time.Time // not to be tried after
	Changed  time.Time
	Billed   int64 // bytes, at a tariff, by all attempts so far
	Micros   int64 // that they cost, in millionths of the tariff's currency

	InHand     int       // bytes of payload of an attempt of which it is not known yet what came of it; 0: there is none
	HandedAt   time.Time // when that was made
	Superseded bool      // it is not to be repeated, whatever comes of that: another downlink has said the same since

	Unfunded bool // no budget had the money when it was to be tried last; what is in hand has been paid for
}

// Versions of the row of a downlink that has cost something, of one that is in the hands of its network besides, of one that has cost something or not
// and is unfunded, and of one that is in hand and superseded; others are as they were before there were tariffs.
const (
	downlinkCharged    = rowVersion + 1
	downlinkInHand     = rowVersion + 2
	downlinkUnfunded   = rowVersion + 3
	downlinkSuperseded = rowVersion + 4
)

func appendDownlink(dst []byte, d *Downlink) []byte {
	version := byte(rowVersion)
	if d.Billed > 0 || d.Micros != 0 {
		version = downlinkCharged
	}
	switch {
	case d.InHand > 0 && d.Superseded:
		version = downlinkSuperseded
	case d.InHand > 0:
		version = downlinkInHand
	case d.Unfunded:
		version = downlinkUnfunded
	}
	dst = binary.AppendUvarint(append(dst, version), uint64(d.Number))
	dst = appendString(dst, d.Kind)
	dst = appendString(dst, d.Link)
	dst = binary.AppendUvarint(dst, d.Counter)
	dst = appendString(dst, d.State)
	dst = binary.AppendUvarint(dst, uint64(max(0, d.Attempts)))
	dst = binary.AppendUvarint(dst, uint64(max(0, d.Parts)))
	dst = appendString(dst, d.Error)
	dst = appendString(dst, d.Receipt)
	for _, t := range []time.Time{d.QueuedAt, d.Due, d.Expires, d.Changed} {
		dst = appendTime(dst, t)
	}
	if version >= downlinkCharged {
		dst = binary.AppendUvarint(dst, uint64(max(0, d.Billed)))
		dst = binary.AppendUvarint(dst, zigzag(d.Micros))
	}
	if d.InHand > 0 {
		dst = binary.AppendUvarint(dst, uint64(d.InHand))
		dst = appendTime(dst, d.HandedAt)
	}
	return append(dst, d.Payload...)
}

// decodeDownlink reads a downlink row. Payload aliases it.
func decodeDownlink(ref uint64, b []byte) (Downlink, error) {
	version := byte(rowVersion)
	if len(b) > 0 && b[0] > rowVersion && b[0] <= downlinkSuperseded {
		version = b[0]
	}
	r := newRow("downlink", b)
	if version > rowVersion {
		r = row{b: b[1:]}
	}
	d := Downlink{Ref: ref, Number: uint32(r.limited(math.MaxUint32)), Kind: r.string(), Link: r.string(), Counter: r.uvarint(), State: r.string()} //nolint:gosec // limited
	d.Attempts, d.Parts = int(r.limited(math.MaxInt32)), int(r.limited(math.MaxInt32))                                                              //nolint:gosec // limited
	d.Error, d.Receipt = r.string(), r.string()
	d.QueuedAt, d.Due, d.Expires, d.Changed = r.time(), r.time(), r.time(), r.time()
	if version >= downlinkCharged {
		d.Billed, d.Micros = int64(r.limited(math.MaxInt64)), r.signed() //nolint:gosec // limited
		if version == downlinkCharged && d.Billed == 0 && d.Micros == 0 {
			r.fail("charged nothing")
		}
	}
	if version == downlinkInHand || version == downlinkSuperseded {
		if d.InHand, d.HandedAt = int(r.limited(math.MaxInt32)), r.time(); d.InHand == 0 { //nolint:gosec // limited
			r.fail("nothing is in hand")
		}
	}
	d.Unfunded, d.Superseded = version == downlinkUnfunded, version == downlinkSuperseded
	d.Payload = r.rest()
	return d, r.end("downlink")
}

// PutDownlink writes a downlink as it stands.
func (b *Batch) PutDownlink(d *Downlink) {
	b.key = appendSequenced(b.key[:0], prefixDownlink, d.Ref)
	b.value = appendDownlink(b.value[:0], d)
	b.set(b.key, b.value)
}

// DeleteDownlink forgets a downlink.
func (b *Batch) DeleteDownlink(ref uint64) {
	b.key = appendSequenced(b.key[:0], prefixDownlink, ref)
	b.delete(b.key)
}

// EachDownlink calls f with every downlink, by Ref. The downlink is f's to keep. An error of f ends the walk.
func (s *Store) EachDownlink(f func(d *Downlink) error) error {
	return s.each(prefixDownlink, func(key, value []byte) error {
		d, err := downlinkRow(key, value)
		if err != nil {
			return err
		}
		return f(&d)
	})
}

func downlinkRow(key, value []byte) (Downlink, error) {
	ref, ok := parseSequenced(key)
	if !ok {
		return Downlink{}, fmt.Errorf("%w: downlink key %x", ErrRow, key)
	}
	d, err := decodeDownlink(ref, append([]byte(nil), value...))
	if err != nil {
		return Downlink{}, fmt.Errorf("downlink %d: %w", ref, err)
	}
	return d, nil
}
