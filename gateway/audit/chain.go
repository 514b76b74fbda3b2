package audit

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// A Head is where a chain ends: number and hash of its newest entry. The zero Head is that of an empty chain.
type Head struct {
	Seq  uint64 `json:"seq"`
	Hash Hash   `json:"hash"`
}

// A Chain grows by entries and checks those that are read back. The zero Chain is empty.
type Chain struct {
	head Head
	last time.Time
}

// Head is where the chain ends.
func (c *Chain) Head() Head { return c.head }

// Add makes the next entry. Times are in milliseconds and do not run backwards, whatever the clock does: texts that are too long are cut.
func (c *Chain) Add(at time.Time, who Actor, action, subject, remark string) Entry {
	if at.Before(c.last) {
		at = c.last
	}
	e := Entry{
		Seq: c.head.Seq + 1, At: at.UTC().Truncate(time.Millisecond), Who: who, Action: action, Subject: subject, Remark: remark, Prev: c.head.Hash,
	}
	for _, t := range e.texts() {
		*t.text = cut(*t.text, t.most)
	}
	c.head, c.last = Head{e.Seq, e.Hash()}, e.At
	return e
}

// Follow checks that a row is the next entry, and moves the head. After an error the chain is as it was.
func (c *Chain) Follow(seq uint64, row []byte) (Entry, error) {
	e, err := Parse(row)
	switch {
	case err != nil:
		return e, err
	case e.Seq != seq:
		return e, fmt.Errorf("%w %d is kept as %d", ErrEntry, e.Seq, seq)
	case e.Seq != c.head.Seq+1:
		return e, fmt.Errorf("%w %d follows %d: entries are missing", ErrEntry, e.Seq, c.head.Seq)
	case e.Prev != c.head.Hash:
		return e, fmt.Errorf("%w %d does not follow from entry %d: one of them was changed", ErrEntry, e.Seq, c.head.Seq)
	}
	c.head, c.last = Head{e.Seq, e.Hash()}, e.At
	return e, nil
}

// Check is Follow for who wants nothing but the error.
func (c *Chain) Check(seq uint64, row []byte) error {
	_, err := c.Follow(seq, row)
	return err
}

// cut makes a text valid UTF-8 of at most so many bytes.
func cut(s string, most int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

// Resume is the chain that an entry ends, on the entry's word.
func Resume(e *Entry) Chain { return Chain{head: Head{e.Seq, e.Hash()}, last: e.At} }

// Past is a chain that goes on after a row that cannot be read: the hash of an entry is that of its bytes, whatever they say.
func (c *Chain) Past(seq uint64, row []byte) Chain {
	return Chain{head: Head{seq, sha256.Sum256(row)}, last: c.last}
}
