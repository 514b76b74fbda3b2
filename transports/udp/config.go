package udp

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/godwit-gateway/godwit/transports"
)

// Sizes of payloads.
const (
	UplinkMax   = 1280 // larger datagrams are dropped and counted
	DownlinkMax = 1232 // 1280, the least MTU of IPv6 (RFC 8200 section 5), without the headers of IPv6 and UDP
	ReplySlack  = 8    // a reply may be this much longer than what it answers: an acknowledgement fits under the shortest frame
)

// Defaults of a Config.
const (
	ReceiveBufferDefault = 8 << 20          // bytes: about 20,000 small datagrams as the kernel counts them, a second of a full fleet
	FailureRateDefault   = 20               // failures a second that a source may cause for good
	FailureBurstDefault  = 100              // failures at once: a device that searches its counter after a restore needs a few
	FailureTotalDefault  = 20_000           // failures a second of all sources: a few percent of a core
	RememberDefault      = 10 * time.Minute // that a source verified
	SourcesDefault       = 1 << 16          // entries of each table of the limiter
	WindowsDefault       = 1 << 16          // exchanges that can be answered: 30 s at 2,000 datagrams a second
)

const listenExample = "0.0.0.0:5688 or :5688"

// A Config configures a transport. A number that is zero stands for its default.
type Config struct {
	Listen        string   `toml:"listen"`         // "address:port" or ":port"; port 0 takes a free one
	ReceiveBuffer int      `toml:"receive_buffer"` // bytes that the socket asks the kernel for
	Windows       int      `toml:"windows"`        // exchanges that are held for answers
	Failures      Failures `toml:"failures"`
}

// Failures limit how many datagrams that fail to verify (verdict Rejected) may reach the sink. A datagram that verifies costs nothing,
// so a whole fleet behind one address of a carrier's NAT is no trouble.
//
// Each source prefix (/24 in IPv4, /56 in IPv6) has a token bucket, and so has each source (address and port) that verified of late,
// so that a flood from a shared prefix does not shut out who is known there. A failure takes a token from the source's bucket or else from
// the prefix's, and one from the bucket of all. A datagram whose bucket is empty is dropped before the sink. Failures in flight when a
// bucket runs dry put it into debt, so the rates hold exactly in the long run. Of the bucket of all, sources that did not verify have the
// use of one half: a flood from everywhere does not shut out who is known.
type Failures struct {
	Rate     float64       `toml:"rate"`     // tokens a second of a source's or prefix's bucket
	Burst    int           `toml:"burst"`    // tokens that it holds
	Total    float64       `toml:"total"`    // tokens a second of the bucket of all, which holds those of one second
	Remember time.Duration `toml:"remember"` // how long a source counts as one that verified
	Sources  int           `toml:"sources"`  // entries of the table of prefixes, and of that of sources
}

// withDefaults replaces zeros.
func (c Config) withDefaults() Config {
	c.ReceiveBuffer = cmp.Or(c.ReceiveBuffer, ReceiveBufferDefault)
	c.Windows = cmp.Or(c.Windows, WindowsDefault)
	c.Failures.Rate = cmp.Or(c.Failures.Rate, FailureRateDefault)
	c.Failures.Burst = cmp.Or(c.Failures.Burst, FailureBurstDefault)
	c.Failures.Total = cmp.Or(c.Failures.Total, FailureTotalDefault)
	c.Failures.Remember = cmp.Or(c.Failures.Remember, RememberDefault)
	c.Failures.Sources = cmp.Or(c.Failures.Sources, SourcesDefault)
	return c
}

// Validate reports everything that is wrong with a configuration.
func (c *Config) Validate() error {
	var errs []error
	if _, err := transports.ParseListen(c.Listen, listenExample); err != nil {
		errs = append(errs, err)
	}
	d := c.withDefaults()
	wrong := func(bad bool, key string, value any, want string) {
		if bad {
			errs = append(errs, fmt.Errorf("%s is %v, want %s", key, value, want))
		}
	}
	wrong(d.ReceiveBuffer < 64<<10 || d.ReceiveBuffer > 1<<30, "receive_buffer", d.ReceiveBuffer, "64 KiB to 1 GiB")
	wrong(d.Windows < 1024 || d.Windows > 1<<22, "windows", d.Windows, "1024 to 4194304")
	f := d.Failures
	wrong(!(f.Rate >= 0.1 && f.Rate <= 1e6), "failures.rate", f.Rate, "0.1 to 1000000 a second")
	wrong(f.Burst < 1 || f.Burst > 1e6, "failures.burst", f.Burst, "1 to 1000000")
	wrong(!(f.Total >= f.Rate && f.Total >= 2 && f.Total <= 1e7), "failures.total", f.Total, "2 to 10000000 a second and no less than failures.rate")
	wrong(f.Remember < time.Second || f.Remember > 24*time.Hour, "failures.remember", f.Remember, "1s to 24h")
	wrong(f.Sources < 1024 || f.Sources > 1<<24, "failures.sources", f.Sources, "1024 to 16777216")
	return errors.Join(errs...)
}
