package sbdterm

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/pty"
)

// Sizes of messages, in bytes.
const (
	MOMax = 340
	MTMax = 270
)

// Defaults.
const (
	imeiDefault     = "300234010753370"
	firmwareDefault = "TA16005"
	queueDefault    = 50
	leastDefault    = 500 * time.Millisecond
	mostDefault     = 2 * time.Second
	ringDefault     = time.Second
	entryDefault    = time.Minute
	registerDefault = 3 * time.Minute
	offDefault      = time.Second
	barsMax         = 5
)

// A Span is a duration drawn evenly between two.
type Span = pty.Span

// Options configure a modem. The zero value of a field gives its default.
type Options struct {
	Path     string // symbolic link to the terminal, replaced at each plugging in; "": none, see Modem.Path
	IMEI     string
	Firmware string // version, as +CGMR tells it
	MOMSN    uint16 // of the first session
	Seed     uint64 // of everything that is left to chance

	Session  Span          // that a session takes; 0: 0.5 to 2 s
	Fail     float64       // probability that one fails under a good sky
	Statuses []int         // with which it then does; nil: 10, 13, 18, 32
	Ring     time.Duration // from a message's arrival to its ring alert; 0: a second
	Register time.Duration // least time between two registrations; 0: 3 min
	Entry    time.Duration // that it waits for a message's bytes; 0: a minute
	Off      time.Duration // that it stays without power after a cut; 0: a second
	MOMost   int           // bytes that an MO message may have; 0: 340
	Queue    int           // messages that wait for it at most, Deliver waits for room; 0: 50
	EchoA    bool          // answers +SBDIXA under that name, as some firmware does
	Tight    bool          // answers without spaces between numbers, as some firmware does

	FlagStays bool // a ring alert's flag stays after its session

	// The callbacks run one at a time on Run's goroutine and must not block; of this package, only Stats may be called.
	OnMO      func(MO)          // the network took a message; nil: it vanishes
	OnSettled func(MT, Outcome) // a message to the modem has come to its end; nil: nobody cares
}

// An MO is a message that the network took.
type MO struct {
	Payload []byte
	MOMSN   uint16
	At      time.Time
}

// An MT is a message to the modem.
type MT struct {
	ID      uint64 // comes back in OnSettled; of no other use
	Payload []byte
}

// An Outcome is how the way of an MT ended.
type Outcome uint8

// Outcomes.
const (
	Cleared     Outcome = iota // by +SBDD1 or +SBDD2, after it was read
	Unread                     // by these, and nobody had read it
	Overwritten                // a session started while it lay there
	PowerLost                  // it went with the power
)

// String names the outcome.
func (o Outcome) String() string {
	return [...]string{"cleared", "unread", "overwritten", "lost with the power"}[o]
}

// Stats counts what happened so far.
type Stats struct {
	Commands     uint64 // command lines executed
	Errors       uint64 // of them those that ended with an error
	Sessions     uint64 // that were begun
	Failed       uint64 // of them those that ended with a failure
	Empty        uint64 // of them those that went well, sent nothing and brought nothing
	Checks       uint64 // of them those that went well and sent nothing
	MOs          uint64 // messages that the network took
	Detaching    uint64 // uses of +SBDI, after which no ring alert comes
	Rings        uint64 // ring alerts
	Deaf         uint64 // of them those that nobody heard
	Overwritten  uint64 // MT messages that were lost to a session
	PowerLost    uint64 // MT messages that were lost with the power
	Boots        uint64
	LineFeeds    uint64 // received outside messages: a real one takes them for the beginning of a message
	OutputLost   uint64 // bytes that nobody read
	Waiting      int    // messages in the network now
	MO, MT       bool   // the buffers hold something now
	MOMSN        uint16 // of the next session
	Registration int    // as +SBDREG? tells it
}

// ErrOptions is wrapped by the error for options that make no sense.
var ErrOptions = pty.ErrOptions

func (o *Options) setDefaults() {
	o.IMEI = cmp.Or(o.IMEI, imeiDefault)
	o.Firmware = cmp.Or(o.Firmware, firmwareDefault)
	if o.Session == (Span{}) {
		o.Session = Span{Least: leastDefault, Most: mostDefault}
	}
	if o.Statuses == nil {
		o.Statuses = []int{10, 13, 18, 32}
	}
	o.Ring = cmp.Or(o.Ring, ringDefault)
	o.Register = cmp.Or(o.Register, registerDefault)
	o.Entry = cmp.Or(o.Entry, entryDefault)
	o.Off = cmp.Or(o.Off, offDefault)
	o.MOMost = cmp.Or(o.MOMost, MOMax)
	o.Queue = cmp.Or(o.Queue, queueDefault)
}

func (o *Options) validate() error {
	var errs []error
	wrong := func(bad bool, name string, value any, want string) {
		if bad {
			errs = append(errs, fmt.Errorf("%w: %s is %v, want %s", ErrOptions, name, value, want))
		}
	}
	wrong(len(o.IMEI) != 15, "IMEI", o.IMEI, "15 digits")
	wrong(o.Fail < 0 || o.Fail > 1, "fail", o.Fail, "0 to 1")
	wrong(len(o.Statuses) == 0 || slices.ContainsFunc(o.Statuses, func(s int) bool { return s < 5 }), "statuses", o.Statuses, "failures, from 5 up")
	wrong(o.MOMost < 1 || o.MOMost > MOMax, "MO most", o.MOMost, "1 to 340")
	wrong(o.Queue < 1, "queue", o.Queue, "a positive number")
	wrong(o.Ring < 0 || o.Register < 0 || o.Entry < 0 || o.Off < 0, "a duration", "negative", "none below zero")
	return errors.Join(append(errs, o.Session.Validate())...)
}
