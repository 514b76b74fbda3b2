package fleet

import (
	"errors"
	"fmt"
	"time"

	"github.com/godwit-gateway/godwit/codec/session"
)

// Errors that callers branch on.
var (
	ErrUnknownDevice = errors.New("unknown device")
	ErrNumberTaken   = errors.New("number is taken")
	ErrNameTaken     = errors.New("name is taken")
	ErrState         = errors.New("not possible in the device's state")
)

// A State says what the gateway does with a device's frames.
type State uint8

// States of a device. The record of a rejected or retired device stays for ever, with its counters: without it an old capture could
// register the number anew.
const (
	Active   State = iota + 1 // frames become events
	Pending                   // verified under a fleet key, waits for approval; its frames are kept aside
	Rejected                  // an operator refused it; its frames are counted and dropped
	Retired                   // out of service; as Rejected
)

var stateNames = [...]string{Active: "active", Pending: "pending", Rejected: "rejected", Retired: "retired"}

// String names the state as the API does.
func (s State) String() string {
	if s >= Active && int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "invalid"
}

// Dismissed reports whether an operator wants nothing of the device any more.
func (s State) Dismissed() bool { return s == Rejected || s == Retired }

// ParseState reads what String writes.
func ParseState(s string) (State, error) {
	for i, n := range stateNames {
		if n == s && n != "" {
			return State(i), nil
		}
	}
	return 0, fmt.Errorf("unknown device state %q: want active, pending, rejected or retired", s)
}

// KeyOwn is the key source of a device with a factory key of its own; any other source is FleetKeyPrefix and the id of a fleet key.
const (
	KeyOwn         = "own"
	FleetKeyPrefix = "fleet:"
)

// TemplateSlots is the number of template slots that a frame's header can name.
const TemplateSlots = 7

// A TemplateHash names a template: the first 8 bytes of SHA-256 over its canonical CBOR. Zero means an empty slot.
type TemplateHash [8]byte

// A DeviceAddress is a name that a device is known by on a bearer. One that the device itself was heard from is recorded unaccepted:
// it serves to look the device up, and nothing that costs money goes there until an operator accepts it.
type DeviceAddress struct {
	Bearer    string
	ID        string
	Accepted  bool
	FirstSeen time.Time
}

// A Device is a snapshot of all that the fleet knows of one device. Changing it changes nothing in the fleet.
type Device struct {
	Number    uint32
	Name      string // 1 to 32 of [A-Za-z0-9_-], for subjects and people; never changes
	Product   string
	Customer  string
	State     State
	KeySource string // KeyOwn or "fleet:ID"
	CTRBits   uint8  // low bits of the counter on air: 8 or 16
	TagLen    uint8  // bytes of tag on SMS and satellite: 4 or 8; IP links always use 8

	Session session.Gateway // its epochs and their counters
	Slots   [TemplateSlots]TemplateHash

	Version    string // software version, "" if never told
	Build      string // build hash as lower-case hex
	Hardware   string
	BootCount  uint32
	ResetCause uint8
	FreeMemory uint64 // bytes

	FirstSeen  time.Time // zero if never heard
	LastSeen   time.Time
	Dismissed  time.Time // since when it is rejected or retired; zero if it is not, or was by a program that did not note it
	LastLink   string    // name of the transport
	Frames     uint64    // distinct frames stored
	Duplicates uint64
	Addresses  []DeviceAddress

	Suspensions []Suspension // of its lines, the oldest first
}

// NameMax is the longest device name, in bytes.
const NameMax = 32

// ValidToken reports whether s is 1 to NameMax characters of [A-Za-z0-9_-], as device, product and customer names are: each is one
// token of a NATS subject.
func ValidToken(s string) bool {
	if s == "" || len(s) > NameMax {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}

// Validate reports what makes d impossible as a new device.
func (d *Device) Validate() error {
	var errs []error
	if !ValidToken(d.Name) {
		errs = append(errs, fmt.Errorf("name %q: want 1 to %d of A-Z a-z 0-9 _ -", d.Name, NameMax))
	}
	if !ValidToken(d.Product) {
		errs = append(errs, fmt.Errorf("product %q: want 1 to %d of A-Z a-z 0-9 _ -", d.Product, NameMax))
	}
	if !ValidToken(d.Customer) {
		errs = append(errs, fmt.Errorf("customer %q: want 1 to %d of A-Z a-z 0-9 _ -", d.Customer, NameMax))
	}
	if d.CTRBits != 8 && d.CTRBits != 16 {
		errs = append(errs, fmt.Errorf("ctr_bits %d: want 8 or 16", d.CTRBits))
	}
	if d.TagLen != 4 && d.TagLen != 8 {
		errs = append(errs, fmt.Errorf("tag %d: want 4 or 8", d.TagLen))
	}
	if len(d.Addresses) > AddressesMax {
		errs = append(errs, fmt.Errorf("%d addresses: at most %d", len(d.Addresses), AddressesMax))
	}
	return errors.Join(errs...)
}
