package ledger

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// A Cause is why something was spent.
type Cause uint8

// Causes. The numbers are stored: none is ever given another meaning.
const (
	CauseOther   Cause = iota
	CauseStatus        // a status that was due
	CauseHello         // a device introduces itself
	CauseAck           // what acknowledges others
	CauseMessage       // a message that somebody sends
	CausePoll          // a device was asked to speak, or answers
	CausePolicy        // interval, links
	CauseUpdate        // offers, steps and confirmations of updates
	CauseSession       // keys, counters, time, templates
	CauseRepeat        // sent again since it was lost
	CauseUnknown       // not understood, or not of a device
	CauseFee           // rental, activation: no traffic
	CauseCheck         // a session of our own transceiver that sent nothing, to look for messages
	CauseEmpty         // the same of a device
	causes
)

var causeNames = [causes]string{"other", "status", "hello", "ack", "message", "poll", "policy", "update", "session", "repeat", "unknown", "fee", "check", "empty"}

// String is the cause in a word.
func (c Cause) String() string {
	if c < causes {
		return causeNames[c]
	}
	return fmt.Sprintf("unknown(%d)", uint8(c))
}

// ParseCause reads what String writes.
func ParseCause(text string) (Cause, error) {
	if i := slices.Index(causeNames[:], text); i >= 0 {
		return Cause(i), nil //nolint:gosec // one of few
	}
	return 0, fmt.Errorf("there is no cause %q: want one of %s", text, strings.Join(causeNames[:], ", "))
}

// MarshalText writes what String does.
func (c Cause) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// An Entry is something that was spent.
type Entry struct {
	Time      time.Time // in the zone in which it is billed: its year, month and day are those of the accounts
	Device    uint32    // 0: none
	Customer  string
	Link      string
	Pool      string // whose allowance it came from, "" for none
	Campaign  string // rollout, "" for none
	Cause     Cause
	Direction tariff.Direction // MO or MT
	Currency  string           // of Micros, ISO 4217
	Count     int64            // transmissions: 1, or 0 for a fee
	Payload   int64            // bytes that were given to the link
	Billed    int64            // bytes that are billed
	Micros    scheduler.Micros // below 0 for what is given back
}

// Ours reports whether it was the gateway that spent it: downlinks, answers that it asked for, and mailbox checks. Devices spend the rest by themselves.
func (e *Entry) Ours() bool { return ours(e.Cause, e.Direction) }

func ours(c Cause, d tariff.Direction) bool {
	return c != CauseFee && (d == tariff.MT || c == CausePoll || c == CauseCheck)
}

// ErrEntry is wrapped by errors about entries that no account can take.
var ErrEntry = errors.New("entry")

const (
	amountMost = 1 << 53 // of one entry, in micros and in bytes
	nameMost   = 255     // bytes of a name
)

func (e *Entry) validate() error {
	switch {
	case e.Time.Year() < 1970 || e.Time.Year() > 9999:
		return fmt.Errorf("%w: the year %d", ErrEntry, e.Time.Year())
	case e.Direction != tariff.MO && e.Direction != tariff.MT:
		return fmt.Errorf("%w: direction %s, want mo or mt", ErrEntry, e.Direction)
	case e.Cause >= causes:
		return fmt.Errorf("%w: cause %s", ErrEntry, e.Cause)
	case e.Micros > amountMost || e.Micros < -amountMost:
		return fmt.Errorf("%w: %s is too much", ErrEntry, e.Micros)
	}
	for _, n := range []int64{e.Count, e.Payload, e.Billed} {
		if n < 0 || n > amountMost {
			return fmt.Errorf("%w: a number of %d", ErrEntry, n)
		}
	}
	for _, s := range []string{e.Customer, e.Link, e.Pool, e.Campaign, e.Currency} {
		if len(s) > nameMost {
			return fmt.Errorf("%w: a name of %d bytes, %d is the most", ErrEntry, len(s), nameMost)
		}
	}
	return nil
}
