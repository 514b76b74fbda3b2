package gss

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"
)

// Options configure a gateway. The zero value of a field gives its default.
type Options struct {
	Destinations []string       // "host:port" of MO servers, up to 5: each gets every message
	Listen       string         // of the MT server; "": a free port of 127.0.0.1
	Confirm      bool           // the account is set up for MO confirmations
	Modems       []string       // IMEIs of the account; others can be added later
	Allow        []netip.Prefix // who may send MT messages; empty: anybody
	MTMax        int            // bytes that the modems take; 0: 270

	Second  time.Duration // how long a second of the pauses between tries lasts; 0: a second
	Answer  time.Duration // for a destination to connect, read and confirm; 0: 10 s
	Life    time.Duration // of a message to a destination; 0: 12 h
	Queue   int           // of a destination; 0: 10,000
	MTLife  time.Duration // of a message to a modem; 0: 5 days
	MTQueue int           // of a modem; 0: 50

	Forget func() bool      // asked for each confirmation whether it is lost on its way: the message comes again; nil: none is
	Now    func() time.Time // nil: time.Now
	Log    *slog.Logger     // nil: discards

	// The callbacks must not block, and may call anything of this package but Run.
	OnSettled func(Message, Outcome) // a message has come to its end at a destination; nil: nobody cares
	OnRing    func(imei string)      // a modem is rung since a message waits for it; nil: none listens
}

// Defaults and limits.
const (
	destinationsMax = 5
	mtMaxDefault    = 270
	mtMost          = 1890
	moMost          = 1960
	answerDefault   = 10 * time.Second
	lifeDefault     = 12 * time.Hour
	queueDefault    = 10_000
	mtLifeDefault   = 5 * 24 * time.Hour
	mtQueueDefault  = 50
	ringEvery       = 10 * time.Second // a modem is not rung again within
)

// pauses between tries, in seconds; the last one holds for ever.
var pauses = [...]int{1, 5, 10, 20, 30, 60, 120, 240, 360}

// ErrOptions is wrapped by the error for options that make no sense.
var ErrOptions = errors.New("options")

func (o *Options) setDefaults() {
	o.Listen = cmp.Or(o.Listen, "127.0.0.1:0")
	o.MTMax = cmp.Or(o.MTMax, mtMaxDefault)
	o.Second = cmp.Or(o.Second, time.Second)
	o.Answer = cmp.Or(o.Answer, answerDefault)
	o.Life = cmp.Or(o.Life, lifeDefault)
	o.Queue = cmp.Or(o.Queue, queueDefault)
	o.MTLife = cmp.Or(o.MTLife, mtLifeDefault)
	o.MTQueue = cmp.Or(o.MTQueue, mtQueueDefault)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
}

func (o *Options) validate() error {
	var errs []error
	if len(o.Destinations) > destinationsMax {
		errs = append(errs, fmt.Errorf("%w: %d destinations, want %d at most", ErrOptions, len(o.Destinations), destinationsMax))
	}
	for _, d := range o.Destinations {
		if _, _, err := net.SplitHostPort(d); err != nil {
			errs = append(errs, fmt.Errorf("%w: destination: %w", ErrOptions, err))
		}
	}
	for _, imei := range o.Modems {
		if !validIMEI(imei) {
			errs = append(errs, fmt.Errorf("%w: IMEI %q, want 15 digits", ErrOptions, imei))
		}
	}
	if o.MTMax < 1 || o.MTMax > mtMost || o.Queue < 1 || o.MTQueue < 1 || o.Second < 0 || o.Answer < 0 || o.Life < 0 || o.MTLife < 0 {
		errs = append(errs, fmt.Errorf("%w: sizes and durations must not be negative, and MT messages have up to %d bytes", ErrOptions, mtMost))
	}
	return errors.Join(errs...)
}

func validIMEI(s string) bool {
	if len(s) != imeiLen {
		return false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
