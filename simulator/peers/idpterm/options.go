package idpterm

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/pty"
)

// Options configure a terminal. The zero value of a field gives its default.
type Options struct {
	Path        string        // symbolic link to the pseudo-terminal, replaced at each plugging in; "": none, see Terminal.Path
	MobileID    string        // "": 00000000SKY0000
	Quectel     bool          // the dialect of Quectel, which has neither checksums nor removal of messages that are done
	NoChecksums bool          // refuses %CRC
	Battery     bool          // a low-power mode: short transmit lifetime, shorter forward messages
	Lifetime    time.Duration // of a message in the return queue; 0: 3 h, with Battery 3 min
	ReturnSlots int           // messages that the return queue holds; 0: 10
	Slots       int           // messages that the forward queue holds; 0: 16
	Queue       int           // messages that it and the network hold, Deliver waits for room; 0: 4096
	Up, Down    Span          // from the sky being seen to a return message, or a forward message, being through
	Boot        time.Duration // from power to the first word; 0: 100 ms
	Seed        uint64
	Sky         func(now time.Time) bool // whether the satellite is seen; nil: always, see Terminal.SetSky
	Now         func() time.Time         // what %UTC says; nil: time.Now
	Faults      Faults

	// The callbacks run one at a time on Run's goroutine and must not block.
	OnReturn  func(Return)           // the network has a return message
	OnSettled func(Forward, Outcome) // a forward message has come to its end
}

// A Return is a message that left the terminal.
type Return struct {
	Name     string
	Priority int
	Message  []byte // with SIN and MIN
}

// A Forward is a message for the terminal.
type Forward struct {
	ID      uint64 // the caller's
	Message []byte // with SIN and MIN
}

// An Outcome is how a forward message ended.
type Outcome uint8

// Outcomes.
const (
	OutcomeRead Outcome = iota // the program marked it as read
)

// A Fate is how a return message ends.
type Fate uint8

// Fates.
const (
	FateDelivered Fate = iota // the network has it
	FateFailed                // the terminal gave up
	FateCancelled             // somebody cancelled it
)

// A Span is a duration drawn evenly between two.
type Span = pty.Span

const (
	returnMax       = 6400 // bytes of a return message
	forwardMax      = 10000
	forwardLowPower = 5000
	lifetimePowered = 3 * time.Hour
	lifetimeBattery = 3 * time.Minute
)

// ErrOptions is wrapped by the error for options that make no sense, ErrSize by that for a forward message that the network does not take.
var (
	ErrOptions = pty.ErrOptions
	ErrSize    = errors.New("size of the message")
)

func (o *Options) setDefaults() {
	o.MobileID = cmp.Or(o.MobileID, "00000000SKY0000")
	o.Lifetime = cmp.Or(o.Lifetime, lifetimePowered)
	if o.Battery && o.Lifetime == lifetimePowered {
		o.Lifetime = lifetimeBattery
	}
	o.ReturnSlots = cmp.Or(o.ReturnSlots, 10)
	o.Slots = cmp.Or(o.Slots, 16)
	o.Queue = cmp.Or(o.Queue, 4096)
	o.Boot = cmp.Or(o.Boot, 100*time.Millisecond)
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Faults.LateBy = cmp.Or(o.Faults.LateBy, time.Second)
}

func (o *Options) validate() error {
	var errs []error
	wrong := func(bad bool, name string, value any, want string) {
		if bad {
			errs = append(errs, fmt.Errorf("%w: %s is %v, want %s", ErrOptions, name, value, want))
		}
	}
	wrong(len(o.MobileID) != 15, "mobile ID", o.MobileID, "15 characters")
	wrong(o.ReturnSlots < 1 || o.Slots < 1 || o.Slots > 99, "slots", "out of range", "1 to 99")
	wrong(o.Queue < 1, "queue", o.Queue, "a positive number")
	wrong(o.Lifetime < 0 || o.Boot < 0, "a duration", "negative", "none below zero")
	return errors.Join(append(errs, o.Up.Validate(), o.Down.Validate(), o.Faults.validate())...)
}
