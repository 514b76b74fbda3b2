package store

import (
	"github.com/cockroachdb/pebble/v2"
)

// What tests look at from outside.
var (
	LowSpace         = lowSpace
	AppendFrame      = appendFrame
	DecodeFrame      = decodeFrame
	AppendParked     = appendParked
	DecodeParked     = decodeParked
	AppendPart       = appendPart
	DecodePart       = decodePart
	AppendFragment   = appendFragment
	FragmentRow      = fragmentRow
	AppendDownlink   = appendDownlink
	DecodeDownlink   = decodeDownlink
	AppendQuarantine = appendQuarantine
	DecodeQuarantine = decodeQuarantine
	AppendFrameKey   = appendFrameKey
	ParseFrameKey    = parseFrameKey
	AppendTimeKey    = appendTimeKey
	ParseTimeKey     = parseTimeKey
	ParseAddressKey  = parseAddressKey
	AppendAddress    = appendAddressPrefix
	Bearers          = bearers
	After            = after
	ManifestWhole    = manifestWhole
)

// AppendEvent encodes an outbox row as a batch does.
func AppendEvent(e *Event) []byte {
	b := Batch{at: e.At}
	return b.appendEvent(nil, e.Chain, []byte(e.ID), []byte(e.Subject), []byte(e.Frame), e.Payload)
}

// DecodeEvent reads an outbox row.
func DecodeEvent(seq uint64, b []byte) (Event, error) { return decodeEvent(seq, b, new(arena)) }

// RoundTripMarker encodes and decodes a marker's and a base's row.
func RoundTripMarker(b []byte) (again []byte, err error) {
	m, err := decodeMarker(b)
	if err != nil {
		return nil, err
	}
	return appendMarker(nil, m), nil
}

// RoundTripBase decodes and encodes the row of the outbox's base.
func RoundTripBase(b []byte) (again []byte, err error) {
	o, err := decodeBase(b)
	if err != nil {
		return nil, err
	}
	return appendBase(nil, o), nil
}

// RawSet writes a row past all rules, for damage.
func (s *Store) RawSet(key, value []byte) error { return s.db.Set(key, value, pebble.Sync) }

// RawDelete deletes a row past all rules, for damage.
func (s *Store) RawDelete(key []byte) error { return s.db.Delete(key, pebble.Sync) }

// RawEach calls f with every row.
func (s *Store) RawEach(f func(key, value []byte) error) error {
	return s.walk([]byte{0}, []byte{0xff}, f)
}

// Metrics are Pebble's own.
func (s *Store) Metrics() *pebble.Metrics { return s.db.Metrics() }

// Flush writes the memory table to disk, and CompactAll brings all tables to the last level.
func (s *Store) Flush() error { return s.db.Flush() }
