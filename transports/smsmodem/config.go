package smsmodem

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/transports/tty"
)

// SweepDefault is how often storages are listed without being told to: indications get lost, and a SIM holds as few as ten messages.
const SweepDefault = time.Minute

// StoragesDefault are the storages that are listed. Modems put messages into SM while ME is selected and the other way round.
var storagesDefault = []string{"SM", "ME"}

// storagesKnown are the message storages of 3GPP TS 27.005 §3.2.2.
var storagesKnown = []string{"SM", "ME", "MT", "SR", "BM", "TA"}

// A Config configures a transport. Fields without a comment on zero have to be set.
type Config struct {
	Name        string        // of the transport
	Device      string        // serial line, best by its name below /dev/serial/by-path; not needed with Open
	Baud        int           // 0: tty.BaudDefault
	IMEI        string        // the modem that is expected behind Device; "": any
	PIN         string        // of the SIM; "": it needs none. It is tried once; a refused one is not tried again
	SMSC        string        // service centre, "+" and digits; "": the one on the SIM
	CountryCode string        // digits that complete national numbers, such as "49"; "": they stay as "nat:…"
	Sweep       time.Duration // between listings of the storages, 0: SweepDefault
	Storages    []string      // that are listed, the first being asked to take new messages; nil: SM and ME
	Port        uint16        // application port (3GPP TS 23.040 §9.2.3.24.4) that is sent to, and the only one whose data is read; 0: none, any

	Open func(ctx context.Context) (io.ReadWriteCloser, error) // nil: opens Device. Close has to end a Read that waits
	Log  *slog.Logger                                          // nil: discards
	Now  func() time.Time                                      // nil: time.Now
}

var (
	imeiPattern    = regexp.MustCompile(`^[0-9]{14,16}$`)
	pinPattern     = regexp.MustCompile(`^[0-9]{4,8}$`)
	smscPattern    = regexp.MustCompile(`^\+[0-9]{5,15}$`)
	countryPattern = regexp.MustCompile(`^[1-9][0-9]{0,2}$`)
)

// Validate reports everything that is wrong with a configuration.
func (c *Config) Validate() error {
	var errs []error
	wrong := func(bad bool, key string, value any, want string) {
		if bad {
			errs = append(errs, fmt.Errorf("%s is %v, want %s", key, value, want))
		}
	}
	wrong(c.Name == "", "name", `""`, "a name")
	wrong(c.Device == "" && c.Open == nil, "device", `""`, "a serial line, such as /dev/serial/by-path/…")
	wrong(c.Baud != 0 && !tty.ValidBaud(c.Baud), "baud", c.Baud, "a standard rate from 1200 to 921600")
	wrong(c.IMEI != "" && !imeiPattern.MatchString(c.IMEI), "imei", c.IMEI, "14 to 16 digits")
	wrong(c.PIN != "" && !pinPattern.MatchString(c.PIN), "pin", "set", "4 to 8 digits") // its value is not for logs
	wrong(c.SMSC != "" && !smscPattern.MatchString(c.SMSC), "smsc", c.SMSC, `"+" and 5 to 15 digits`)
	wrong(c.CountryCode != "" && !countryPattern.MatchString(c.CountryCode), "country_code", c.CountryCode, "1 to 3 digits without + or 00")
	wrong(c.Sweep != 0 && (c.Sweep < time.Second || c.Sweep > time.Hour), "sweep", c.Sweep, "1s to 1h")
	wrong(len(c.Storages) > len(storagesKnown), "storages", c.Storages, "each once")
	for i, mem := range c.Storages {
		wrong(!slices.Contains(storagesKnown, mem), "storages", mem, fmt.Sprintf("some of %v", storagesKnown))
		wrong(slices.Contains(c.Storages[:i], mem), "storages", mem, "each once")
	}
	return errors.Join(errs...)
}

// withDefaults replaces what is zero.
func (c Config) withDefaults() Config {
	if c.Baud == 0 {
		c.Baud = tty.BaudDefault
	}
	if c.Sweep == 0 {
		c.Sweep = SweepDefault
	}
	if len(c.Storages) == 0 {
		c.Storages = storagesDefault
	}
	c.Storages = slices.Clone(c.Storages)
	if c.Open == nil {
		c.Open = func(context.Context) (io.ReadWriteCloser, error) { return tty.Open(c.Device, c.Baud) }
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// timing is how long things may take. Modems are slow: these follow the vendors' maxima.
type timing struct {
	command  time.Duration // an ordinary command
	list     time.Duration // +CMGL and +CMGD: a full SIM is read record by record
	send     time.Duration // +CMGS: the network may let the modem wait
	pin      time.Duration // +CPIN with a PIN: some answer when the SIM is ready
	probe    time.Duration // AT, when it is open whether anyone is there
	write    time.Duration // the line's own time to take a command, at 1,200 baud
	quiet    time.Duration // without a byte: the modem has said what it had to say
	drain    time.Duration // at most, until it is quiet
	check    time.Duration // between looks whether the modem is still as we set it up
	start    time.Duration // for a send to wait for a modem that is being set up
	queue    time.Duration // for a send to wait for its turn
	register time.Duration // for a send to wait for the network
	poll     time.Duration // between questions while waiting for SIM or network
	sim      time.Duration // for the SIM to become ready after power-up
	trust    time.Duration // in a storage being selected still: no modem starts over in less
	backoff  time.Duration // first pause after the sink or a storage failed; doubles up to the sweep period
	settle   time.Duration // that a report is held back after its send, so that the receipt is filed before it
	grace    time.Duration // for what is in hand, once Run's context is done
	persist  time.Duration // that the modem fails before it is started over
	resets   time.Duration // between two such starts at least
	boot     time.Duration // for a modem to say that it has started over
}

var timingDefault = timing{
	command: 10 * time.Second, list: 60 * time.Second, send: 60 * time.Second, pin: 30 * time.Second, probe: 2 * time.Second, write: 10 * time.Second,
	quiet: 200 * time.Millisecond, drain: 3 * time.Second, check: 30 * time.Second, start: 5 * time.Second, queue: time.Minute, register: 10 * time.Second, poll: 2 * time.Second,
	sim: 30 * time.Second, trust: time.Second, backoff: 2 * time.Second, settle: 250 * time.Millisecond, grace: 4 * time.Second,
	persist: time.Minute, resets: time.Hour, boot: 30 * time.Second,
}
