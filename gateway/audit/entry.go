package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// An Actor is who allowed something: a token of the API by its name, with its role at the time.
type Actor struct {
	Name string `json:"name"`
	Role string `json:"role"`
}

// Gateway is the actor of what the gateway did by itself, on the ground of what it was told before.
var Gateway = Actor{Name: "(gateway)", Role: "gateway"} // no token can have this name

// A Hash is what an entry is chained by. The entry before the first has the zero Hash.
type Hash [sha256.Size]byte

// String is the hash in hexadecimal.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText is the hash in hexadecimal.
func (h Hash) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h[:]), nil }

// UnmarshalText reads a hash in hexadecimal.
func (h *Hash) UnmarshalText(text []byte) error {
	if len(text) != 2*len(h) {
		return fmt.Errorf("%w: hash of %d characters: want %d", ErrEntry, len(text), 2*len(h))
	}
	if _, err := hex.Decode(h[:], text); err != nil {
		return fmt.Errorf("%w: hash: %w", ErrEntry, err)
	}
	return nil
}

// An Entry is one authorisation.
type Entry struct {
	Seq     uint64 // from 1, without gaps
	At      time.Time
	Who     Actor
	Action  string // what was done, as rollout.approve
	Subject string // to what: a rollout, a device, a token
	Remark  string // why, in the words of who did it
	Prev    Hash   // of the entry before
}

// Limits of an entry's texts, in bytes. Longer ones are cut when an entry is made.
const (
	nameMax    = 255
	subjectMax = 255
	remarkMax  = 2000
)

// ErrEntry is wrapped by errors for rows that are no entries, and for entries that do not follow from those before.
var ErrEntry = errors.New("audit entry")

// version begins each encoded entry.
const version = 1

// fixedSize is what an entry takes besides its texts: version, number, time, hash.
const fixedSize = 1 + 8 + 8 + sha256.Size

// texts are the entry's texts in the order in which they are encoded, with the most that each may have.
func (e *Entry) texts() [5]struct {
	text *string
	most int
} {
	return [5]struct {
		text *string
		most int
	}{{&e.Who.Name, nameMax}, {&e.Who.Role, nameMax}, {&e.Action, nameMax}, {&e.Subject, subjectMax}, {&e.Remark, remarkMax}}
}

// Append appends the entry in its only encoding: version 1, number u64, time i64 in Unix milliseconds, hash of the entry before, then name, role,
// action, subject and remark, each as length u16 and UTF-8 bytes. Numbers are big-endian.
func (e *Entry) Append(dst []byte) []byte {
	dst = append(dst, version)
	dst = binary.BigEndian.AppendUint64(dst, e.Seq)
	dst = binary.BigEndian.AppendUint64(dst, uint64(e.At.UnixMilli()))
	dst = append(dst, e.Prev[:]...)
	for _, t := range e.texts() {
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(*t.text))) //nolint:gosec // cut when the entry was made
		dst = append(dst, *t.text...)
	}
	return dst
}

// Parse reads an encoded entry. What it takes, Append writes as the same bytes.
func Parse(row []byte) (Entry, error) {
	var e Entry
	if len(row) < fixedSize {
		return e, fmt.Errorf("%w: %d bytes: want %d at least", ErrEntry, len(row), fixedSize)
	}
	if row[0] != version {
		return e, fmt.Errorf("%w of version %d: this build knows %d", ErrEntry, row[0], version)
	}
	e.Seq = binary.BigEndian.Uint64(row[1:])
	e.At = time.UnixMilli(int64(binary.BigEndian.Uint64(row[9:]))).UTC() //nolint:gosec // two's complement
	copy(e.Prev[:], row[17:])
	rest := row[fixedSize:]
	for _, t := range e.texts() {
		if len(rest) < 2 {
			return Entry{}, fmt.Errorf("%w: it ends within its texts", ErrEntry)
		}
		n := int(binary.BigEndian.Uint16(rest))
		if rest = rest[2:]; n > len(rest) || n > t.most || !utf8.Valid(rest[:n]) {
			return Entry{}, fmt.Errorf("%w: a text of %d bytes is too long or no UTF-8", ErrEntry, n)
		}
		*t.text, rest = string(rest[:n]), rest[n:]
	}
	if len(rest) > 0 {
		return Entry{}, fmt.Errorf("%w: %d bytes follow it", ErrEntry, len(rest))
	}
	return e, nil
}

// Hash is the hash of the entry.
func (e *Entry) Hash() Hash { return sha256.Sum256(e.Append(make([]byte, 0, 256))) }
