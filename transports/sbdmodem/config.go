package sbdmodem

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/tty"
)

// Sizes of payloads.
const (
	UplinkMax = 270 // an MT message
	MOMost    = 340 // an MO message
)

// Defaults of a Config.
const (
	BaudDefault     = 19200
	MOMaxDefault    = 270 // what another transceiver of the kind takes: a longer one would be paid for, and dropped by the network
	SignalDefault   = 1
	SendTimeDefault = 10 * time.Minute
)

// A Config configures a transport. A number that is zero stands for its default.
type Config struct {
	Device       string        `toml:"device"`         // serial line, best by its name below /dev/serial/by-path; not needed with Open
	Baud         int           `toml:"baud"`           // of the line
	IMEI         string        `toml:"imei"`           // of the transceiver that is expected there; "": any
	Peer         string        `toml:"peer"`           // IMEI of the only modem that the provider connects ours with; "": there are several
	MOMax        int           `toml:"mo_max"`         // bytes that the modems at the other end take
	NoRings      bool          `toml:"no_ring_alerts"` // the transceiver does not listen for ring alerts
	Moving       bool          `toml:"moving"`         // the transceiver registers anew by itself when it has moved far
	MailboxCheck time.Duration `toml:"mailbox_check"`  // between two sessions of which none was asked for; 0: there are none
	Signal       int           `toml:"signal"`         // bars of 5 that a session needs
	SendTime     time.Duration `toml:"send_time"`      // that a message is tried before it goes back to the queue

	State string                                                `toml:"-"` // file of what must survive a crash; "": nothing does
	Open  func(ctx context.Context) (io.ReadWriteCloser, error) `toml:"-"` // nil: opens Device. Close has to end a Read that waits
	Now   func() time.Time                                      `toml:"-"` // nil: time.Now
}

// Validate reports everything that is wrong with a configuration.
func (c *Config) Validate() error {
	var errs []error
	wrong := func(bad bool, key string, value any, want string) {
		if bad {
			errs = append(errs, fmt.Errorf("%s is %v, want %s", key, value, want))
		}
	}
	d := c.withDefaults()
	wrong(c.Device == "" && c.Open == nil, "device", `""`, "a serial line, such as /dev/serial/by-path/…")
	wrong(!tty.ValidBaud(d.Baud), "baud", d.Baud, "a standard rate from 1200 to 921600, mostly 19200")
	wrong(c.IMEI != "" && !transports.ValidIMEI(c.IMEI), "imei", c.IMEI, "15 digits")
	wrong(c.Peer != "" && !transports.ValidIMEI(c.Peer), "peer", c.Peer, "15 digits")
	wrong(d.MOMax < 32 || d.MOMax > MOMost, "mo_max", d.MOMax, "32 to 340 bytes")
	wrong(d.MailboxCheck != 0 && (d.MailboxCheck < time.Minute || d.MailboxCheck > 30*24*time.Hour), "mailbox_check", d.MailboxCheck, "1m to 720h, or 0s for never")
	wrong(d.Signal < 0 || d.Signal > 5, "signal", d.Signal, "1 to 5 bars")
	wrong(d.SendTime < time.Minute || d.SendTime > 24*time.Hour, "send_time", d.SendTime, "1m to 24h")
	return errors.Join(errs...)
}

// withDefaults replaces zeros.
func (c Config) withDefaults() Config {
	c.Baud = cmp.Or(c.Baud, BaudDefault)
	c.MOMax = cmp.Or(c.MOMax, MOMaxDefault)
	c.Signal = cmp.Or(c.Signal, SignalDefault)
	c.SendTime = cmp.Or(c.SendTime, SendTimeDefault)
	if c.Open == nil {
		device, baud := c.Device, c.Baud
		c.Open = func(context.Context) (io.ReadWriteCloser, error) { return tty.Open(device, baud) }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// timing is how long things may take.
type timing struct {
	command  time.Duration // an ordinary command
	signal   time.Duration // +CSQF, and -MSSTM
	session  time.Duration // +SBDIX and +SBDREG: under a poor sky the transceiver goes on for more than a minute
	tail     time.Duration // for the OK behind a block
	probe    time.Duration // AT, when it is open whether anyone is there
	write    time.Duration // the line's own time to take what is written, at 1,200 baud
	quiet    time.Duration // without a byte: the transceiver has said what it had to say
	drain    time.Duration // at most, until it is quiet
	check    time.Duration // between looks whether the transceiver is still as we set it up, and whether a ring alert was missed
	start    time.Duration // for a send to wait for a transceiver that is being set up
	poll     time.Duration // between questions while there is no signal
	short    time.Duration // pauses after failed sessions: up to this, twice,
	middle   time.Duration // up to this, twice,
	long     time.Duration // and then always
	register time.Duration // after status 36
	backoff  time.Duration // first pause after the sink failed; doubles up to a minute
	doubt    time.Duration // that the flag of ring alerts is not believed after it told of one in vain
	grace    time.Duration // for what is in hand, once Run's context is done
}

var timingDefault = timing{
	command: 10 * time.Second, signal: 20 * time.Second, session: 3 * time.Minute, tail: 2 * time.Second, probe: 2 * time.Second, write: 10 * time.Second,
	quiet: 200 * time.Millisecond, drain: 3 * time.Second, check: time.Minute, start: 5 * time.Second, poll: 10 * time.Second,
	short: 5 * time.Second, middle: 30 * time.Second, long: 5 * time.Minute, register: 3 * time.Minute, backoff: time.Second, doubt: time.Hour, grace: 10 * time.Second,
}

// backoffMax is the longest pause while the sink fails.
const backoffMax = time.Minute
