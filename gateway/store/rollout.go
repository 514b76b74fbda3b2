package store

import "fmt"

// PutRollout writes a row of the rollouts. The encodings of key and row belong to the caller.
func (b *Batch) PutRollout(key, row []byte) {
	b.key = append(append(b.key[:0], prefixRollout), key...)
	b.set(b.key, row)
}

// DeleteRollouts forgets all rows of the rollouts from one key up to, and without, another.
func (b *Batch) DeleteRollouts(from, to []byte) {
	low, high := append([]byte{prefixRollout}, from...), append([]byte{prefixRollout}, to...)
	if err := b.b.DeleteRange(low, high, nil); err != nil && b.err == nil {
		b.err = err
	}
}

// EachRollout calls f with every row of the rollouts, by key. Both are valid until f returns. An error of f ends the walk.
func (s *Store) EachRollout(f func(key, row []byte) error) error {
	return s.each(prefixRollout, func(key, value []byte) error { return f(key[1:], value) })
}

// RolloutRow is a row of the rollouts; ok is false if there is none.
func (s *Store) RolloutRow(key []byte) (row []byte, ok bool, err error) {
	return s.get(append([]byte{prefixRollout}, key...))
}

// RolloutRows is EachRollout for keys from one up to, and without, another.
func (s *Store) RolloutRows(from, to []byte, f func(key, row []byte) error) error {
	return s.walk(append([]byte{prefixRollout}, from...), append([]byte{prefixRollout}, to...), func(key, value []byte) error { return f(key[1:], value) })
}

// PutAudit writes an authorisation. The encoding of the row belongs to the caller.
func (b *Batch) PutAudit(seq uint64, row []byte) {
	b.key = appendSequenced(b.key[:0], prefixAudit, seq)
	b.set(b.key, row)
}

// EachAudit calls f with every authorisation from number from on, in order. The row is valid until f returns. An error of f ends the walk.
func (s *Store) EachAudit(from uint64, f func(seq uint64, row []byte) error) error {
	return s.walk(appendSequenced(nil, prefixAudit, from), []byte{prefixAudit + 1}, func(key, value []byte) error {
		seq, ok := parseSequenced(key)
		if !ok {
			return fmt.Errorf("%w: audit key %x", ErrRow, key)
		}
		return f(seq, value)
	})
}
