package tariff

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrWord is wrapped by errors about a word that is none of those that a key takes.
var ErrWord = errors.New("not known")

// wordOf is the place of a word in a list.
func wordOf(text []byte, words ...string) (uint8, error) {
	if i := slices.Index(words, string(text)); i >= 0 && len(text) > 0 {
		return uint8(i), nil //nolint:gosec // the lists are short
	}
	return 0, fmt.Errorf("%q is %w: want %s", text, ErrWord, strings.TrimPrefix(strings.Join(words, ", "), ", "))
}

// A Direction is the way of a transmission, seen from the device.
type Direction uint8

// Directions.
const (
	Both  Direction = iota // of a term: it is for both ways
	MO                     // mobile originated: uplink
	MT                     // mobile terminated: downlink
	Relay                  // of an event: from a device to another by way of the network alone
)

var directions = []string{"both", "mo", "mt", "relay"}

// String is the direction as files have it: both, mo, mt, relay.
func (d Direction) String() string { return nameOf(directions, uint8(d)) }

// MarshalText writes what String does.
func (d Direction) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what String writes.
func (d *Direction) UnmarshalText(text []byte) error {
	n, err := wordOf(text, directions...)
	*d = Direction(n)
	return err
}

// A Kind is what an event is.
type Kind uint8

// Kinds.
const (
	Message      Kind = iota // a transmission with something in it, or an empty session
	MailboxCheck             // a look for messages that waits for no answer
	StatusReport             // that a message arrived, or did not
	SessionEnd               // nothing was sent: a session that was open has ended
)

var kinds = []string{"message", "mailbox_check", "status_report", "session_end"}

// String is the kind as files have it: message, mailbox_check, status_report, session_end.
func (k Kind) String() string { return nameOf(kinds, uint8(k)) }

// MarshalText writes what String does.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads what String writes.
func (k *Kind) UnmarshalText(text []byte) error {
	n, err := wordOf(text, kinds...)
	*k = Kind(n)
	return err
}

// A Unit is what a price is for.
type Unit uint8

// Units. Those up to Credit are sizes, the others are counted.
const (
	Byte   Unit = iota
	KB          // 1000 bytes
	KiB         // 1024 bytes
	MB          // 1000 kB
	MiB         // 1024 KiB
	Credit      // Size bytes, or a part of them
	PerMessage
	Part    // of a long message: Size bytes, less PartHeader if there are several
	Session // however long it is
	Item    // an event, as some providers name a piece of data, however large
)

var units = []string{"byte", "kB", "KiB", "MB", "MiB", "credit", "message", "part", "session", "event"}

// String is the unit as files have it: byte, kB, KiB, MB, MiB, credit, message, part, session, event.
func (u Unit) String() string { return nameOf(units, uint8(u)) }

// MarshalText writes what String does.
func (u Unit) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// UnmarshalText reads what String writes.
func (u *Unit) UnmarshalText(text []byte) error {
	n, err := wordOf(text, units...)
	*u = Unit(n)
	return err
}

// sized reports whether the unit is one of size, not of number.
func (u Unit) sized() bool { return u <= Credit }

// bytes is how many the unit has; size is of a credit. What is counted has 1.
func (u Unit) bytes(size int64) int64 {
	switch u {
	case KB:
		return 1000
	case KiB:
		return 1 << 10
	case MB:
		return 1_000_000
	case MiB:
		return 1 << 20
	case Credit:
		return max(size, 1)
	default:
		return 1
	}
}

// A Scope is what a size is summed over before minimum and increment are applied.
type Scope uint8

// Scopes.
const (
	OfMessage  Scope = iota
	OfSession        // all of a session
	OfInterval       // a session's record of call data, which the network closes every so often and opens anew, empty or not
	OfDay            // a day of a device in the tariff's time zone
	OfMonth          // a month of a device
)

var scopes = []string{"message", "session", "interval", "day", "month"}

// String is the scope as files have it: message, session, interval, day, month.
func (s Scope) String() string { return nameOf(scopes, uint8(s)) }

// MarshalText writes what String does.
func (s Scope) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what String writes.
func (s *Scope) UnmarshalText(text []byte) error {
	n, err := wordOf(text, scopes...)
	*s = Scope(n)
	return err
}

// An Order says which of minimum and increment comes first. It matters where the minimum is no multiple of the increment.
type Order uint8

// Orders.
const (
	MinimumFirst   Order = iota // 7 bytes, minimum 15, increment 10: 20
	IncrementFirst              // the same: 15
)

var orders = []string{"minimum", "increment"}

// String is what comes first: minimum, increment.
func (o Order) String() string { return nameOf(orders, uint8(o)) }

// MarshalText writes what String does.
func (o Order) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads what String writes.
func (o *Order) UnmarshalText(text []byte) error {
	n, err := wordOf(text, orders...)
	*o = Order(n)
	return err
}

// A Period is how long an allowance lasts.
type Period uint8

// Periods.
const (
	Monthly  Period = iota // it begins anew with each month
	Lifetime               // it is there once; Valid may end it
	Bundle                 // paid beforehand with the first use, for Valid; Renew buys the next one
)

var periods = []string{"month", "lifetime", "bundle"}

// String is the period as files have it: month, lifetime, bundle.
func (p Period) String() string { return nameOf(periods, uint8(p)) }

// MarshalText writes what String does.
func (p Period) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what String writes.
func (p *Period) UnmarshalText(text []byte) error {
	n, err := wordOf(text, periods...)
	*p = Period(n)
	return err
}

func nameOf(names []string, n uint8) string {
	if int(n) < len(names) {
		return names[n]
	}
	return fmt.Sprintf("unknown(%d)", n)
}
