package ledger

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/bits"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/row"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// rowVersion is the form of all values of rows; it is their first byte.
const rowVersion = 1

// ErrRow is wrapped by errors about rows that no ledger wrote.
var ErrRow = errors.New("row of the ledger")

// AppendRow appends an account's key and its value, for a store.
//
// A key is the row's kind, the month as 4 bytes, and what the account is of: rows of a month and kind lie together. Names have their length
// before them. A value is a byte for its form, then variable-length integers.
func (l *Ledger) AppendRow(key, value []byte, a Account) ([]byte, []byte) {
	key = binary.BigEndian.AppendUint32(append(key, byte(a.kind)), uint32(a.month)) //nolint:gosec // the same bits
	value = append(value, rowVersion)
	m := l.months[a.month]
	switch a.kind {
	case deviceRow:
		d := m.devices.at(a.place)
		return appendDevice(key, value, d, l.links[d.link])
	case groupRow:
		return appendGroup(key, value, m.groups[a.place])
	case scopeRow:
		return appendScope(key, value, m.scopes[a.place])
	default:
		return key, value
	}
}

func appendNames(b []byte, names ...string) []byte {
	for _, s := range names {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	return b
}

func appendDevice(key, value []byte, a *deviceAccount, name linkName) (k, v []byte) {
	key = appendNames(binary.BigEndian.AppendUint32(key, a.device), name.name, name.currency)
	for i := range a.micros {
		value = binary.AppendVarint(value, a.micros[i])
		value = binary.AppendUvarint(value, uint64(a.count[i]))
		value = binary.AppendVarint(value, a.payload[i])
		value = binary.AppendVarint(value, a.billed[i])
	}
	return key, append(value, a.warned)
}

func appendGroup(key, value []byte, g *group) (k, v []byte) {
	correction := byte(0)
	if g.Correction {
		correction = 1
	}
	key = append(appendNames(key, g.Customer, g.Link, g.Pool, g.Campaign, g.Currency), byte(g.Cause), byte(g.Direction), correction)
	value = binary.AppendVarint(value, int64(g.sums.Micros))
	for _, n := range []int64{g.sums.Count, g.sums.Payload, g.sums.Billed} {
		value = binary.AppendVarint(value, n)
	}
	var set uint64
	for i, d := range g.days {
		if d != 0 {
			set |= 1 << i
		}
	}
	value = binary.AppendUvarint(value, set)
	for ; set != 0; set &= set - 1 {
		value = binary.AppendVarint(value, int64(g.days[bits.TrailingZeros64(set)]))
	}
	return key, value
}

func appendScope(key, value []byte, s *scope) (k, v []byte) {
	return appendNames(append(key, byte(s.Level)), s.Currency, s.Name), append(value, s.warned)
}

// Accounts are all accounts of a month, for a store that is to have all their rows.
func (l *Ledger) Accounts(at tariff.Month) iter.Seq[Account] {
	return func(yield func(Account) bool) {
		m := l.months[at]
		if m == nil {
			return
		}
		for i := range m.devices.n {
			if !yield(Account{at, deviceRow, i}) {
				return
			}
		}
		for i := range m.groups {
			if !yield(Account{at, groupRow, uint32(i)}) {
				return
			}
		}
		for i, s := range m.scopes {
			if s.warned != 0 && !yield(Account{at, scopeRow, uint32(i)}) {
				return
			}
		}
	}
}

// Load puts a row back that AppendRow wrote. All rows are loaded, in any order, before Revise and the first entry that is added; a row that is no row, or is
// there already, is refused and changes nothing.
func (l *Ledger) Load(key, value []byte) error {
	k, v := &row.Reader{Rest: key}, &row.Reader{Rest: value}
	kind, at := kind(k.Byte()), tariff.Month(k.Uint32()) //nolint:gosec // the same bits
	if form := v.Byte(); form != rowVersion {
		return fmt.Errorf("%w: form %d, want %d", ErrRow, form, rowVersion)
	}
	if k.Bad || at < 1970*12 || at >= 10000*12 {
		return fmt.Errorf("%w: it has no month", ErrRow)
	}
	var err error
	switch kind {
	case deviceRow:
		err = l.loadDevice(at, k, v, key, value)
	case groupRow:
		err = l.loadGroup(at, k, v, key, value)
	case scopeRow:
		err = l.loadScope(at, k, v, key, value)
	case closedRow:
		if err = finished(k, v); err == nil {
			l.closed = max(l.closed, at)
		}
	default:
		err = fmt.Errorf("%w: kind %q", ErrRow, byte(kind))
	}
	return err
}

// finished is an error if there was too little to read, or too much.
func finished(k, v *row.Reader) error {
	if !k.Done() || !v.Done() {
		return fmt.Errorf("%w: it is cut off, or too long", ErrRow)
	}
	return nil
}

// written is an error if a row reads back as other bytes: each account has one form only.
func written(key, value, k, v []byte) error {
	if !bytes.Equal(k, key[5:]) || !bytes.Equal(v, value[1:]) {
		return fmt.Errorf("%w: not as the ledger writes it", ErrRow)
	}
	return nil
}

func (l *Ledger) loadDevice(at tariff.Month, k, v *row.Reader, key, value []byte) error {
	a := deviceAccount{deviceKey: deviceKey{device: k.Uint32()}}
	name := linkName{k.Text(nameMost), k.Text(nameMost)}
	for i := range a.micros {
		a.micros[i] = v.Varint()
		a.count[i] = uint32(v.Uvarint(math.MaxUint32)) //nolint:gosec // bounded
		a.payload[i], a.billed[i] = v.Varint(), v.Varint()
		v.Bad = v.Bad || a.payload[i] < 0 || a.billed[i] < 0
	}
	a.warned = v.Byte()
	v.Bad = v.Bad || a.warned >= 1<<len(warnAt) || a.device == 0
	if err := finished(k, v); err != nil {
		return err
	}
	again, values := appendDevice(nil, nil, &a, name)
	if err := written(key, value, again, values); err != nil {
		return err
	}
	m := l.month(at)
	if link, ok := l.linkPlace[name]; ok {
		if _, ok := m.devicePlace[deviceKey{a.device, link}]; ok {
			return fmt.Errorf("%w: device %d has it already", ErrRow, a.device)
		}
	}
	place, err := l.device(m, a.deviceKey, name)
	if err != nil {
		return err
	}
	into := m.devices.at(place)
	a.link = into.link
	*into = a
	return nil
}

func (l *Ledger) loadGroup(at tariff.Month, k, v *row.Reader, key, value []byte) error {
	g := group{Group: Group{Customer: k.Text(nameMost), Link: k.Text(nameMost), Pool: k.Text(nameMost), Campaign: k.Text(nameMost), Currency: k.Text(nameMost)}}
	g.Cause, g.Direction = Cause(k.Byte()), tariff.Direction(k.Byte())
	correction := k.Byte()
	g.Correction = correction == 1
	k.Bad = k.Bad || correction > 1 || g.Cause >= causes || g.Direction != tariff.MO && g.Direction != tariff.MT
	g.sums = Sums{scheduler.Micros(v.Varint()), v.Varint(), v.Varint(), v.Varint()}
	v.Bad = v.Bad || g.sums.Count < 0 || g.sums.Payload < 0 || g.sums.Billed < 0
	set := v.Uvarint(1<<31 - 1)
	for rest := set; rest != 0 && !v.Bad; rest &= rest - 1 {
		g.days[bits.TrailingZeros64(rest)] = scheduler.Micros(v.Varint())
	}
	if err := finished(k, v); err != nil {
		return err
	}
	again, values := appendGroup(nil, nil, &g)
	if err := written(key, value, again, values); err != nil {
		return err
	}
	m := l.month(at)
	if _, ok := m.groupPlace[g.Group]; ok {
		return fmt.Errorf("%w: the group of customer %q and link %q is there already", ErrRow, g.Customer, g.Link)
	}
	into := m.groups[l.group(m, g.Group)]
	into.sums, into.days = g.sums, g.days
	for _, s := range into.scopes {
		s.spent.add(!ours(g.Cause, g.Direction), g.sums.Micros)
	}
	return nil
}

func (l *Ledger) loadScope(at tariff.Month, k, v *row.Reader, key, value []byte) error {
	s := scope{Scope: Scope{Level: Level(k.Byte()), Currency: k.Text(nameMost), Name: k.Text(nameMost)}, warned: v.Byte()}
	k.Bad = k.Bad || s.Level >= OfDevice || (s.Level == Fleet) != (s.Name == "") || s.warned == 0 || s.warned >= 1<<len(warnAt)
	if err := finished(k, v); err != nil {
		return err
	}
	again, values := appendScope(nil, nil, &s)
	if err := written(key, value, again, values); err != nil {
		return err
	}
	into := l.scope(l.month(at), s.Scope)
	if into.warned != 0 {
		return fmt.Errorf("%w: the warnings about %s are there already", ErrRow, s.Scope)
	}
	into.warned = s.warned
	return nil
}
