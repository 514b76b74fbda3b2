package store

import (
	"encoding/binary"
	"fmt"
)

// PutSchedule writes what is known of when a device speaks and what it runs. The encoding of the row belongs to the caller.
func (b *Batch) PutSchedule(number uint32, row []byte) {
	b.key = appendScheduleKey(b.key[:0], number)
	b.set(b.key, row)
}

// EachSchedule calls f with every schedule row, by number. The row is valid until f returns. An error of f ends the walk.
func (s *Store) EachSchedule(f func(number uint32, row []byte) error) error {
	return s.each(prefixSchedule, func(key, value []byte) error {
		number, ok := parseScheduleKey(key)
		if !ok {
			return fmt.Errorf("%w: schedule key %x", ErrRow, key)
		}
		return f(number, value)
	})
}

// PutAccount writes what an account of the ledger has been charged. The encodings of key and row belong to the caller.
func (b *Batch) PutAccount(account, row []byte) {
	b.key = append(append(b.key[:0], prefixAccount), account...)
	b.set(b.key, row)
}

// DeleteAccount forgets an account.
func (b *Batch) DeleteAccount(account []byte) {
	b.key = append(append(b.key[:0], prefixAccount), account...)
	b.delete(b.key)
}

// EachAccount calls f with every account, by key. Both are valid until f returns. An error of f ends the walk.
func (s *Store) EachAccount(f func(account, row []byte) error) error {
	return s.each(prefixAccount, func(key, value []byte) error { return f(key[1:], value) })
}

func appendScheduleKey(dst []byte, number uint32) []byte {
	return binary.BigEndian.AppendUint32(append(dst, prefixSchedule), number)
}

func parseScheduleKey(key []byte) (number uint32, ok bool) {
	if len(key) != deviceKeySize || key[0] != prefixSchedule {
		return 0, false
	}
	return binary.BigEndian.Uint32(key[1:]), true
}
