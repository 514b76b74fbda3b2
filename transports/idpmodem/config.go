package idpmodem

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/godwit-gateway/godwit/transports/isatdata"
	"github.com/godwit-gateway/godwit/transports/tty"
)

// Defaults of a Config.
const (
	BaudDefault     = 9600
	PollDefault     = 5 * time.Second
	PriorityDefault = 4 // the lowest
)

// A Config configures a transport. What is zero stands for its default.
type Config struct {
	Device   string        `toml:"device"`    // serial line, best by its name below /dev/serial/by-path; not needed with Open
	Baud     int           `toml:"baud"`      // of the line
	MobileID string        `toml:"mobile_id"` // of the terminal that is expected there; "": any
	Peer     string        `toml:"peer"`      // mobile ID of the only terminal that the application relays for; "": there are several
	Dialect  string        `toml:"dialect"`   // idp (ST2100, IDP-680) or quectel (CC200A)
	SIN      int           `toml:"sin"`       // of the messages that are frames
	MIN      int           `toml:"min"`       // of these
	Priority int           `toml:"priority"`  // of return messages, 1 (first) to 4
	Plain    bool          `toml:"plain"`     // no checksums on the line
	Wake     time.Duration `toml:"wake"`      // the terminal listens so often, see isatdata.WakePeriods; 0: as it is set
	Poll     time.Duration `toml:"poll"`      // between looks at the queues

	Open func(ctx context.Context) (io.ReadWriteCloser, error) `toml:"-"` // nil: opens Device. Close has to end a Read or Write that waits
	Now  func() time.Time                                      `toml:"-"` // nil: time.Now
}

// Validate reports everything that is wrong with a configuration.
func (c *Config) Validate() error {
	var errs []error
	wrong := func(bad bool, key string, value any, want string) {
		if bad {
			errs = append(errs, fmt.Errorf("%s is %v, want %s", key, value, want))
		}
	}
	wrong(c.Device == "" && c.Open == nil, "device", `""`, "a serial line, such as /dev/serial/by-path/…")
	wrong(c.Baud != 0 && !tty.ValidBaud(c.Baud), "baud", c.Baud, "a standard rate from 1200 to 921600")
	wrong(c.MobileID != "" && !isatdata.ValidMobileID(c.MobileID), "mobile_id", c.MobileID, "15 characters such as 01234567SKYABCD")
	wrong(c.Peer != "" && !isatdata.ValidMobileID(c.Peer), "peer", c.Peer, "15 characters such as 01234567SKYABCD")
	wrong(c.Peer != "" && c.Peer == c.MobileID, "peer", c.Peer, "another terminal than mobile_id")
	d, known := dialects[cmp.Or(c.Dialect, dialectDefault)]
	wrong(!known, "dialect", c.Dialect, "idp or quectel")
	if _, err := isatdata.NewHeader(c.SIN, c.MIN); err != nil {
		errs = append(errs, err)
	}
	wrong(c.Priority < 0 || c.Priority > 4, "priority", c.Priority, "1 (first) to 4")
	_, period := isatdata.WakeCode(c.Wake)
	wrong(c.Wake != 0 && !period, "wake", c.Wake, fmt.Sprintf("one of %v", isatdata.WakePeriods()))
	wrong(c.Wake != 0 && known && d.wake == "", "wake", c.Wake, "nothing: it is not known how this dialect sets it")
	wrong(c.Poll != 0 && (c.Poll < time.Second || c.Poll > time.Hour), "poll", c.Poll, "1s to 1h")
	return errors.Join(errs...)
}

// withDefaults replaces what is zero.
func (c Config) withDefaults() Config {
	c.Baud = cmp.Or(c.Baud, BaudDefault)
	c.Dialect = cmp.Or(c.Dialect, dialectDefault)
	c.Priority = cmp.Or(c.Priority, PriorityDefault)
	c.Poll = cmp.Or(c.Poll, PollDefault)
	if c.Open == nil {
		c.Open = func(context.Context) (io.ReadWriteCloser, error) { return tty.Open(c.Device, c.Baud) }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// timing is how long things may take, beside what bytes need on the line.
type timing struct {
	command time.Duration // a command
	probe   time.Duration // AT, when it is open whether anyone is there
	write   time.Duration // the line to take a command
	quiet   time.Duration // without a byte: the terminal has said what it had to say
	drain   time.Duration // at most, until it is quiet
	check   time.Duration // between looks at the network
	start   time.Duration // for a send to wait for a terminal that is being set up
	queue   time.Duration // for a send to wait for its turn
	backoff time.Duration // first pause after the sink failed; doubles up to backoffMax
	settle  time.Duration // that a report is held back after its send, so that the receipt is filed before it
	keep    time.Duration // that a message without a time of its own is queued again
	grace   time.Duration // for what is in hand, once Run's context is done
}

const backoffMax = time.Minute

var timingDefault = timing{
	command: 5 * time.Second, probe: 2 * time.Second, write: 30 * time.Second, quiet: 200 * time.Millisecond, drain: 3 * time.Second, check: 30 * time.Second,
	start: 5 * time.Second, queue: time.Minute, backoff: 2 * time.Second, settle: 250 * time.Millisecond, keep: 3 * time.Hour, grace: 4 * time.Second,
}
