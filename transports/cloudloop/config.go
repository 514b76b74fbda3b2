package cloudloop

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/godwit-gateway/godwit/transports/webservice"
)

// Sizes.
const (
	UplinkMax   = 1960     // bytes that a 9522 sends; a 9602 or 9603 sends 340
	DownlinkMax = 270      // bytes that a 9602 or 9603 takes
	rawMax      = 8 << 10  // of a message that cannot be read: as much is kept. Modems of other kinds send a hundred times that
	answerMax   = 64 << 20 // of the web service: 200 messages and more, as archives have
	tokenMax    = 256
	modemsMax   = 16384 // of which ids and IMEIs are remembered
	repeatsMax  = 4096  // settled messages that are remembered
)

// Defaults of a Config.
const (
	APIDefault      = "https://api.cloudloop.com"
	PollDefault     = 55 * time.Second
	PollMost        = 60 * time.Second // the web service's own limit
	LookBackDefault = 24 * time.Hour
	SendTimeDefault = 30 * time.Second
)

// A Config configures a transport. What is zero stands for its default.
type Config struct {
	API      string // base of the web service's addresses
	Token    string // of a user of the account
	Mark     string // path of the file that says how far messages were read
	Poll     time.Duration
	LookBack time.Duration // how far back messages are read where there is no mark
	Flush    bool          // a message takes the place of those that wait for its modem
	SendTime time.Duration
}

// withDefaults replaces zeros.
func (c Config) withDefaults() Config {
	c.API = cmp.Or(c.API, APIDefault)
	c.Poll = cmp.Or(c.Poll, PollDefault)
	c.LookBack = cmp.Or(c.LookBack, LookBackDefault)
	c.SendTime = cmp.Or(c.SendTime, SendTimeDefault)
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
	errs = append(errs, webservice.CheckAddress("api", d.API, APIDefault))
	wrong(c.Token == "" || len(c.Token) > tokenMax, "token_file holds no token, want one of up to %d bytes", tokenMax)
	wrong(d.Poll < time.Second || d.Poll > PollMost, "poll is %s, want 1s to 1m", d.Poll)
	wrong(d.LookBack < time.Minute || d.LookBack > 30*24*time.Hour, "look_back is %s, want 1m to 720h", d.LookBack)
	wrong(d.SendTime < time.Second || d.SendTime > 5*time.Minute, "send_time is %s, want 1s to 5m", d.SendTime)
	return errors.Join(errs...)
}
