package directip

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/godwit-gateway/godwit/transports"
)

// Sizes of payloads.
const (
	UplinkMax    = 1960 // of a 9522; a 9602 or 9603 sends 340
	DownlinkMost = 1890 // of a 9522
	rawMax       = 2048 // of a message that cannot be read: as much is kept
)

// Defaults of a Config.
const (
	MTMaxDefault       = 270 // bytes that a 9602 or 9603 takes
	ConnectionsDefault = 64
	PerSourceDefault   = 4
	ReadTimeDefault    = 10 * time.Second // for a whole message, however it dribbles in
	SendTimeDefault    = 30 * time.Second // from connecting to the answer
)

const listenExample = "0.0.0.0:10800 or :10800"

// A Config configures a transport. A number that is zero stands for its default.
type Config struct {
	Listen      string        `toml:"listen"`      // "address:port" or ":port"; port 0 takes a free one
	Allow       []string      `toml:"allow"`       // addresses and prefixes that the Iridium gateway connects from
	Confirm     bool          `toml:"confirm"`     // the account is set up for MO confirmations
	MT          []string      `toml:"mt"`          // "host:port" of the Iridium gateway for what goes to modems, tried in order; empty: nothing does
	MTMax       int           `toml:"mt_max"`      // bytes that the modems take at once
	Priority    int           `toml:"priority"`    // of what goes to modems, 1 (first) to 5; 0: the account's
	Flush       bool          `toml:"flush"`       // a message takes the place of those that wait for its modem
	Connections int           `toml:"connections"` // open at once
	PerSource   int           `toml:"per_source"`  // of these, from one address
	ReadTime    time.Duration `toml:"read_time"`   // for a message to come in
	SendTime    time.Duration `toml:"send_time"`   // for a message to be answered
}

// withDefaults replaces zeros.
func (c Config) withDefaults() Config {
	c.MTMax = cmp.Or(c.MTMax, MTMaxDefault)
	c.Connections = cmp.Or(c.Connections, ConnectionsDefault)
	c.PerSource = cmp.Or(c.PerSource, PerSourceDefault)
	c.ReadTime = cmp.Or(c.ReadTime, ReadTimeDefault)
	c.SendTime = cmp.Or(c.SendTime, SendTimeDefault)
	return c
}

// Validate reports everything that is wrong with a configuration.
func (c *Config) Validate() error {
	var errs []error
	if _, err := transports.ParseListen(c.Listen, listenExample); err != nil {
		errs = append(errs, err)
	}
	if _, err := parseAllow(c.Allow); err != nil {
		errs = append(errs, err)
	}
	for _, address := range c.MT {
		host, port, err := net.SplitHostPort(address)
		if n, perr := strconv.ParseUint(port, 10, 16); err != nil || perr != nil || n == 0 || host == "" {
			errs = append(errs, fmt.Errorf("mt has %q, want a host and a port, such as 192.0.2.1:10800", address))
		}
	}
	d := c.withDefaults()
	wrong := func(bad bool, key string, value any, want string) {
		if bad {
			errs = append(errs, fmt.Errorf("%s is %v, want %s", key, value, want))
		}
	}
	wrong(d.MTMax < 32 || d.MTMax > DownlinkMost, "mt_max", d.MTMax, "32 to 1890 bytes")
	wrong(d.Priority < 0 || d.Priority > 5, "priority", d.Priority, "1 to 5, or 0 for none")
	wrong(d.Connections < 1 || d.Connections > 4096, "connections", d.Connections, "1 to 4096")
	wrong(d.PerSource < 1 || d.PerSource > d.Connections, "per_source", d.PerSource, "1 to connections")
	wrong(d.ReadTime < 100*time.Millisecond || d.ReadTime > 5*time.Minute, "read_time", d.ReadTime, "100ms to 5m")
	wrong(d.SendTime < time.Second || d.SendTime > 5*time.Minute, "send_time", d.SendTime, "1s to 5m")
	return errors.Join(errs...)
}

// parseAllow reads addresses and prefixes. There is no default: whoever may connect can have things written to the disk.
func parseAllow(list []string) ([]netip.Prefix, error) {
	if len(list) == 0 {
		return nil, errors.New("allow is empty, want the addresses that the Iridium gateway connects from, such as 192.0.2.1 or 192.0.2.0/28")
	}
	var out []netip.Prefix
	var errs []error
	for _, s := range list {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			var a netip.Addr
			if a, err = netip.ParseAddr(s); err == nil {
				p = netip.PrefixFrom(a, a.BitLen())
			}
		}
		if err != nil || p.Addr().Zone() != "" || p.Addr().Is4In6() {
			errs = append(errs, fmt.Errorf("allow has %q, want an IP address or a prefix, such as 192.0.2.1 or 192.0.2.0/28", s))
			continue
		}
		out = append(out, p.Masked())
	}
	return out, errors.Join(errs...)
}
