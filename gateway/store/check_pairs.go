package store

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// pairs finds the rows of one kind that belong to rows of another, where both are in the order of devices: it reads them along, a device at a time,
// instead of looking each of them up.
type pairs struct {
	s      *Store
	prefix byte             // of the rows that are read along: prefixFrame or prefixTime
	it     *pebble.Iterator // nil: none is open
	known  bool             // the fields below are of a device
	number uint32
	places []place // its rows, sorted
	err    error   // why they are not all of them
}

// place names a row of a device: a frame, or with its time an entry of the time index.
type place struct {
	epoch   uint32
	counter uint64
	millis  uint64
}

func (a place) compare(b place) int {
	return cmp.Or(cmp.Compare(a.epoch, b.epoch), cmp.Compare(a.counter, b.counter), cmp.Compare(a.millis, b.millis))
}

// has reports whether there is a row of a frame, at a time if it is of the time index. An error says that it is not known, as the device's rows
// cannot all be read.
func (p *pairs) has(k FrameKey, millis uint64) (bool, error) {
	if !p.known || p.number != k.Number {
		p.known, p.number, p.places = true, k.Number, p.places[:0]
		p.err = p.read()
	}
	if p.err != nil {
		return false, p.err
	}
	_, ok := slices.BinarySearchFunc(p.places, place{k.Epoch, k.Counter, millis}, place.compare)
	return ok, nil
}

// read reads the rows of the device. Those that cannot be parsed are for those to report who look at them.
func (p *pairs) read() (err error) {
	if p.it == nil {
		if p.it, err = p.s.iter([]byte{p.prefix}, []byte{p.prefix + 1}); err != nil {
			return err
		}
	}
	for ok := p.it.SeekGE(binary.BigEndian.AppendUint32([]byte{p.prefix}, p.number)); ok; ok = p.it.Next() {
		k, millis, good := parseTimeKey(p.it.Key())
		if p.prefix == prefixFrame {
			k, good = parseFrameKey(p.it.Key())
		}
		if good && k.Number != p.number {
			break
		}
		if good {
			p.places = append(p.places, place{k.Epoch, k.Counter, millis})
		}
	}
	slices.SortFunc(p.places, place.compare)
	if err = p.it.Error(); err != nil {
		p.close() // the next device gets one that goes on
	}
	return err
}

// close ends the reading. has reported the errors on its way.
func (p *pairs) close() {
	if p.it != nil {
		_ = p.it.Close()
		p.it = nil
	}
}
