package core

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/presence"
	"github.com/godwit-gateway/godwit/scheduler/row"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// rowVersion is the first byte of a schedule row. Rows of version 1, in which a battery is one reading of the hour in which the device was heard and networks
// say nothing, are read as well, those of version 2, in which nobody has quiet hours, and those of version 3, in which orders have no numbers.
const (
	rowVersion = 4
	rowThird   = 3
	rowSecond  = 2
	rowFirst   = 1
)

// Bits of a row's flags.
const (
	rowWatched = 1 << iota
	rowRetired
	rowSaid
	rowRegular
	rowHushed
	rowOrdered

	rowFlags = rowOrdered<<1 - 1
)

// ErrRow is wrapped by errors about a row that no Core wrote.
var ErrRow = errors.New("schedule row")

// appendDevice appends a device's row: the version, what it runs and was offered, the course of its battery, its
// links by name with what was learned of each, its meters, what networks said of it, its quiet hours, the order that its offer is of, and its presence. Links are named, since their places are those of one configuration.
func (k *Core) appendDevice(b []byte, at Place) []byte {
	d := k.record(at)
	s, q := k.said[at], k.hushed[at]
	order, ordered := k.ordered[at]
	flags := byte(0)
	for i, set := range [...]bool{d.watched, d.retired, s != nil, d.regular, q != nil, ordered} {
		if set {
			flags |= 1 << i
		}
	}
	b = append(b, rowVersion, flags, byte(d.silent), d.revision, d.gaps, d.via)
	for i, percent := range d.power.percent {
		b = binary.BigEndian.AppendUint16(append(b, percent), d.power.hour[i])
	}
	for _, v := range []uint32{
		d.current, d.heard, d.updated, d.boostEnds, math.Float32bits(d.boost), math.Float32bits(d.gap), uint32(d.status),
		d.offered.interval, d.offered.at, uint32(d.offered.revision), uint32(d.offered.via), uint32(d.offered.tries),
	} {
		b = binary.AppendUvarint(b, uint64(v))
	}
	for i, link := range d.links {
		if link == 0 {
			b = append(b, 0)
			continue
		}
		learned := k.records.learned(k.known[at].record, i)
		b = appendText(b, k.config.Links[link-1].Name)
		b = binary.BigEndian.AppendUint32(b, math.Float32bits(learned.Arrived))
		b = binary.BigEndian.AppendUint32(b, math.Float32bits(learned.Attempts))
		b = k.appendMeter(b, meterKey{at, link - 1})
	}
	if s != nil {
		b = appendText(binary.AppendUvarint(append(b, s.refused), uint64(s.delivered)), s.why)
	}
	if q != nil {
		b = q.append(b)
	}
	if ordered {
		b = binary.AppendUvarint(b, order)
	}
	if d.watched {
		b, _ = d.presence.AppendBinary(b)
	}
	return b
}

func (k *Core) appendMeter(b []byte, key meterKey) []byte {
	meter := k.meters[key]
	if meter == nil {
		return append(b, 0)
	}
	raw, err := meter.AppendBinary(nil)
	if err != nil {
		return append(b, 0)
	}
	return append(binary.AppendUvarint(b, uint64(len(raw))), raw...)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// float takes a number that is not negative.
func float(r *row.Reader) float32 {
	f := math.Float32frombits(r.Uint32())
	r.Bad = r.Bad || !(f >= 0 && f <= math.MaxFloat32)
	return f
}

// saved is what a row says.
type saved struct {
	flags, silent, revision, gaps, via byte

	power power
	said  *said
	quiet *quiet
	order uint64

	numbers [12]uint32
	links   []savedLink
	watch   presence.Device
}

type savedLink struct {
	name    string
	learned scheduler.Delivery
	meter   *tariff.Meter
}

// CheckRow reports a schedule row that cannot be read.
func CheckRow(b []byte) error {
	_, err := parseRow(b)
	return err
}

func parseRow(b []byte) (s saved, err error) {
	r := row.Reader{Rest: b}
	version := r.Byte()
	if version < rowFirst || version > rowVersion {
		return s, fmt.Errorf("%w: version %d, want %d to %d", ErrRow, version, rowFirst, rowVersion)
	}
	s.head(&r, version)
	for range scheduler.MaxVias {
		l := savedLink{name: r.Text(255)}
		if l.name != "" {
			l.learned = scheduler.Delivery{Arrived: float(&r), Attempts: float(&r)}
			if raw := r.Take(r.Uvarint(1 << 16)); len(raw) > 0 {
				l.meter = new(tariff.Meter)
				if err := l.meter.UnmarshalBinary(raw); err != nil {
					return s, fmt.Errorf("%w: link %s: %w", ErrRow, l.name, err)
				}
			}
		}
		s.links = append(s.links, l)
	}
	if s.flags&rowSaid != 0 {
		s.said = &said{refused: r.Byte(), delivered: uint32(r.Uvarint(math.MaxUint32)), why: r.Text(whyMost)} //nolint:gosec // bounded
	}
	if s.flags&rowHushed != 0 {
		s.quiet = readQuiet(&r, version)
	}
	if s.flags&rowOrdered != 0 {
		s.order = r.Uvarint(math.MaxUint64)
	}
	if s.flags&rowWatched != 0 && !r.Bad {
		if err := s.watch.UnmarshalBinary(r.Rest); err != nil {
			return s, fmt.Errorf("%w: %w", ErrRow, err)
		}
		r.Rest = nil
	}
	boost, gap := math.Float32frombits(s.numbers[4]), math.Float32frombits(s.numbers[5])
	if !r.Done() || s.flags > rowFlags || s.silent > byte(presence.Retired) || s.via > scheduler.MaxVias ||
		!(boost >= 0 && boost <= math.MaxFloat32) || !(gap >= 0 && gap <= math.MaxFloat32) {
		return s, fmt.Errorf("%w: %d bytes do not parse", ErrRow, len(b))
	}
	return s, nil
}

// head reads what all rows have before their links.
func (s *saved) head(r *row.Reader, version byte) {
	for _, p := range []*byte{&s.flags, &s.silent, &s.revision, &s.gaps, &s.via} {
		*p = r.Byte()
	}
	if version == rowFirst {
		s.power.percent[0] = min(r.Byte(), 100)
		r.Bad = r.Bad || s.flags > rowWatched|rowRetired
	}
	if version == rowSecond {
		r.Bad = r.Bad || s.flags >= rowHushed
	}
	if version == rowThird {
		r.Bad = r.Bad || s.flags >= rowOrdered
	}
	for i := 0; i < readings && version > rowFirst; i++ {
		s.power.percent[i], s.power.hour[i] = r.Byte(), uint16(r.Byte())<<8|uint16(r.Byte())
		r.Bad = r.Bad || s.power.percent[i] > 100
	}
	for i := range s.numbers {
		s.numbers[i] = uint32(r.Uvarint(math.MaxUint32)) //nolint:gosec // bounded
	}
	if version == rowFirst && s.power.percent[0] > 0 {
		s.power.hour[0] = uint16(s.numbers[1] / secondsPerHour) //nolint:gosec // its lowest bits are meant
	}
}

// parseDevice takes over a device's row. Links that are configured no more are left out.
func (k *Core) parseDevice(at Place, b []byte) error {
	s, err := parseRow(b)
	if err != nil {
		return err
	}
	d := k.record(at)
	d.silent, d.revision, d.gaps, d.power = presence.Class(s.silent), s.revision, s.gaps, s.power
	d.watched, d.retired, d.regular, d.presence = s.flags&rowWatched != 0, s.flags&rowRetired != 0, s.flags&rowRegular != 0, s.watch
	if s.said != nil {
		k.hold(at, s.said)
	}
	if s.quiet != nil {
		k.hushed[at] = s.quiet
	}
	if s.flags&rowOrdered != 0 {
		k.ordered[at] = s.order
	}
	n := &s.numbers
	if n[1] > 0 {
		k.heard++
	}
	d.current, d.heard, d.updated, d.boostEnds, d.boost, d.gap = n[0], n[1], n[2], n[3], math.Float32frombits(n[4]), math.Float32frombits(n[5])
	d.status = uint16(min(n[6], math.MaxUint16))
	d.offered = offer{interval: n[7], at: n[8], revision: uint8(n[9]), via: uint8(n[10]), tries: uint8(min(n[11], math.MaxUint8))} //nolint:gosec // as written
	for i, l := range s.links {
		link := k.linkNamed(l.name)
		if link < 0 {
			continue
		}
		v := d.join(link)
		if v < 0 {
			continue
		}
		*k.records.learned(k.known[at].record, v) = l.learned
		if l.meter != nil {
			k.meters[meterKey{at, uint8(link)}] = l.meter //nolint:gosec // at most linksMax
		}
		if int(s.via) == i+1 {
			d.via = uint8(v) + 1 //nolint:gosec // at most MaxVias
		}
		if int(d.offered.via) == i+1 {
			d.offered.via = uint8(v) + 1 //nolint:gosec // as above
		}
	}
	return nil
}

func (k *Core) linkNamed(name string) int {
	for i := range k.config.Links {
		if k.config.Links[i].Name == name && name != "" {
			return i
		}
	}
	return -1
}
