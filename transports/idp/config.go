package idp

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/transports/isatdata"
	"github.com/godwit-gateway/godwit/transports/webservice"
)

// Dialects of message gateways.
const (
	V1   = "v1"   // IGWS: account and password in each call
	OGWS = "ogws" // a token for them
)

// Defaults of a Config.
const (
	URLv1           = "https://api.inmarsat.com/v1/idp/gateway/rest/"
	URLogws         = "https://ogws.orbcomm.com/api/v1.0/"
	PollDefault     = 10 * time.Second
	StatusesDefault = 30 * time.Second
	SinceDefault    = 24 * time.Hour
	CallTimeDefault = 30 * time.Second
)

// Kept is how long a message gateway keeps messages.
const Kept = 5 * 24 * time.Hour

const secretMax = 256

// A Config configures a transport. What is zero stands for its default.
type Config struct {
	Dialect  string
	URL      string // of the gateway, below which its calls are
	Account  string // access id, or client id
	Password string
	File     string // keeps the mark, and which messages to terminals are under way

	SIN      int  // of messages that hold frames; 0 with MIN 0: 128 and 1
	MIN      int  // of these
	LowPower bool // terminals may be in a low-power mode: they take half as much
	Flush    bool // a message takes the place of those that wait for its terminal

	Poll     time.Duration // between two looks for messages
	Statuses time.Duration // between two looks for what became of messages to terminals
	Since    time.Duration // how far back the first look of all goes
	CallTime time.Duration // for a call to be answered
}

// withDefaults replaces zeros.
func (c Config) withDefaults() Config {
	byDialect := URLv1
	if c.Dialect == OGWS {
		byDialect = URLogws
	}
	c.URL = strings.TrimSuffix(cmp.Or(c.URL, byDialect), "/") + "/"
	c.Poll = cmp.Or(c.Poll, PollDefault)
	c.Statuses = cmp.Or(c.Statuses, StatusesDefault)
	c.Since = cmp.Or(c.Since, SinceDefault)
	c.CallTime = cmp.Or(c.CallTime, CallTimeDefault)
	return c
}

// Validate reports everything that is wrong with a configuration.
func (c *Config) Validate() error {
	d := c.withDefaults()
	var errs []error
	wrong := func(bad bool, text string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(text, args...))
		}
	}
	wrong(d.Dialect != V1 && d.Dialect != OGWS, "dialect is %q, want %s or %s", d.Dialect, V1, OGWS)
	errs = append(errs, webservice.CheckAddress("url", d.URL, URLv1))
	wrong(d.Account == "" || d.Password == "", "account and password_file are missing: the gateway wants both")
	wrong(len(d.Account) > secretMax || len(d.Password) > secretMax, "account or password_file is longer than %d bytes", secretMax)
	_, err := isatdata.NewHeader(d.SIN, d.MIN)
	wrong(err != nil, "%w", err)
	within := func(key string, v, low, high time.Duration) {
		wrong(v < low || v > high, "%s is %s, want %s to %s", key, v, low, high)
	}
	within("poll", d.Poll, time.Second, time.Hour)
	within("statuses", d.Statuses, time.Second, time.Hour)
	within("since", d.Since, time.Minute, Kept)
	within("call_time", d.CallTime, time.Second, 5*time.Minute)
	return errors.Join(errs...)
}
