package config

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/gateway/fleet"
)

func defaults() *Config {
	return &Config{
		Gateway:   Gateway{ID: "gw1", StateDir: "/var/lib/godwit"},
		Log:       Log{Level: "info", Format: "text"},
		Store:     Store{CommitTimeout: 5 * time.Second},
		NATS:      NATS{Mode: "embedded", Replicas: 1, MaxAge: 30 * 24 * time.Hour, OutboxKeep: 24 * time.Hour},
		API:       API{Listen: "127.0.0.1:8460"},
		Schedule:  Schedule{Mode: "watch", Replan: 6 * time.Hour},
		Rollout:   Rollout{ByHand: "second", ContactGap: time.Minute, Repeat: time.Hour},
		Retention: Retention{Frames: 400 * 24 * time.Hour, Quarantine: 30 * 24 * time.Hour},
	}
}

var (
	gatewayID   = regexp.MustCompile(`^[A-Za-z0-9-]{1,16}$`)
	linkName    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)
	numberRange = regexp.MustCompile(`^([0-9]{1,10})-([0-9]{1,10})$`)
)

// check looks at the values, and reads the files that they name.
func (ps *problems) check(c *Config) {
	if !gatewayID.MatchString(c.Gateway.ID) || slices.Contains([]string{"api", "EVENTS"}, c.Gateway.ID) {
		ps.add("gateway.id", "1 to 16 of A-Z a-z 0-9 -, and not api or EVENTS", "%q cannot name a gateway", c.Gateway.ID)
	}
	if c.Gateway.StateDir == "" {
		ps.add("gateway.state_dir", "a folder for all that the gateway keeps", "is empty")
	}
	if c.Store.KEKFile == "" {
		c.Store.KEKFile = filepath.Join(c.Gateway.StateDir, "kek")
	}
	if c.API.TokenFile == "" {
		c.API.TokenFile = filepath.Join(c.Gateway.StateDir, "api.token")
	}
	ps.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	ps.oneOf("log.format", c.Log.Format, "text", "json")
	ps.oneOf("rollout.by_hand", c.Rollout.ByHand, "second", "alone", "never")
	ps.within("rollout.contact_gap", c.Rollout.ContactGap, time.Second, time.Hour)
	ps.within("rollout.repeat", c.Rollout.Repeat, time.Second, 7*24*time.Hour)
	ps.within("store.commit_timeout", c.Store.CommitTimeout, 100*time.Millisecond, 5*time.Minute)
	ps.checkNATS(&c.NATS)
	ps.checkListen("api.listen", c.API.Listen, true)
	for key, d := range map[string]time.Duration{"retention.frames": c.Retention.Frames, "retention.quarantine": c.Retention.Quarantine} {
		if d != 0 && d < 24*time.Hour {
			ps.add(key, "0s keeps for ever", "%s is less than a day", d)
		}
	}
	ps.loadProducts(c)
	ps.loadTariffs(c)
	ps.checkFleetKeys(c)
	ps.checkSigners(c)
	if len(c.Links) == 0 {
		ps.add("link", "[link.udp0] with kind, listen", "there is no link: nothing could come in")
	}
	ps.checkLinks(c)
	ps.checkSchedule(c)
}

func (ps *problems) oneOf(key, value string, want ...string) {
	if !slices.Contains(want, value) {
		ps.add(key, "want "+strings.Join(want, ", "), "%q is not known", value)
	}
}

func (ps *problems) within(key string, d, low, high time.Duration) {
	if d < low || d > high {
		ps.add(key, fmt.Sprintf("want %s to %s", low, high), "%s is out of range", d)
	}
}

func (ps *problems) checkNATS(n *NATS) {
	ps.oneOf("nats.mode", n.Mode, "embedded", "external")
	if n.MaxAge != 0 && n.MaxAge < time.Hour {
		ps.add("nats.max_age", "0s keeps events for ever", "%s is less than an hour", n.MaxAge)
	}
	ps.within("nats.outbox_keep", n.OutboxKeep, time.Minute, 30*24*time.Hour)
	if n.Replicas < 1 || n.Replicas > 5 {
		ps.add("nats.replicas", "want 1 to 5", "%d is out of range", n.Replicas)
	}
	switch n.Mode {
	case "embedded":
		if n.Listen != "" {
			ps.checkListen("nats.listen", n.Listen, false)
		}
		if n.URL != "" {
			ps.add("nats.url", `nats.mode = "external"`, "is for an external server only")
		}
	case "external":
		if n.Listen != "" {
			ps.add("nats.listen", `nats.mode = "embedded"`, "is for the embedded server only")
		}
		for one := range strings.SplitSeq(n.URL, ",") {
			u, err := url.Parse(strings.TrimSpace(one))
			if err != nil || u.Host == "" || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme) {
				ps.add("nats.url", "nats://host:4222 or tls://host:4222", "%q is not the address of a NATS server", one)
			}
		}
		if n.Credentials != "" {
			ps.readable("nats.credentials", n.Credentials)
		}
	}
}

// checkListen takes "unix:/path" where a socket of a file is possible, or an IP address and a port.
func (ps *problems) checkListen(key, listen string, unix bool) {
	if path, ok := strings.CutPrefix(listen, "unix:"); ok && unix {
		if !filepath.IsAbs(path) || len(path) > 100 {
			ps.add(key, "unix:/run/godwit/api.sock", "want an absolute path of at most 100 bytes")
		}
		return
	}
	ap, err := netip.ParseAddrPort(listen)
	if err != nil {
		ps.add(key, "127.0.0.1:4222", "%q is not an IP address and a port", listen)
		return
	}
	if unix && !ap.Addr().IsLoopback() {
		ps.add(key, "put a proxy that speaks TLS in front", "%s is not an address of the loopback interface, and the API speaks plain HTTP", listen)
	}
}

func (ps *problems) readable(key, path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		ps.add(key, "it must be there and readable by the gateway's user", "%v", err)
	}
	return strings.TrimSpace(string(b))
}

func (ps *problems) checkLinks(c *Config) {
	for name, l := range c.Links {
		path := join("link", name)
		if !linkName.MatchString(name) {
			ps.add(path, "1 to 32 of A-Z a-z 0-9 _ -", "%q cannot name a link", name)
		}
		if l.part != nil {
			ps.oneOf(path+".ack", l.Ack, "always", "asked", "never")
		}
		ps.checkLinkTariff(c, path, l.Tariff)
		ps.checkContact(path+".contact", &l.Contact)
		if l.UDP != nil && l.Contact.Wakes {
			ps.add(path+".contact.wakes", "false", "devices on UDP are heard in answer to what they send only")
		}
		ps.checkPart(path, name, l.part)
	}
}

// checkPart looks at what the kind of a link has, and reads the secrets that it names.
func (ps *problems) checkPart(path, name string, part any) {
	switch part := part.(type) {
	case *SMSModem:
		part.PIN = ps.secret(path+".pin_file", part.PINFile)
		if part.Port < 0 || part.Port > 65535 {
			ps.add(path+".port", "0 to 65535", "%d is not a port", part.Port)
		}
		c := part.Driver(name)
		ps.addAll(path, c.Validate())
	case *RockBLOCK:
		part.Key = ps.secret(path+".key_file", part.KeyFile)
		part.Password = ps.secret(path+".password_file", part.PasswordFile)
		c := part.Driver()
		ps.addAll(path, c.Validate())
	case *Cloudloop:
		part.Token = ps.secret(path+".token_file", part.TokenFile)
		c := part.Driver("")
		ps.addAll(path, c.Validate())
	case *IDP:
		part.Password = ps.secret(path+".password_file", part.PasswordFile)
		c := part.Driver("")
		ps.addAll(path, c.Validate())
	case interface{ Validate() error }: // the driver's own
		ps.addAll(path, part.Validate())
	}
}

// secret is the content of a file, "" if none is named.
func (ps *problems) secret(key, path string) string {
	if path == "" {
		return ""
	}
	return ps.readable(key, path)
}

// addAll adds the errors of a driver's configuration, which begin with the key.
func (ps *problems) addAll(path string, err error) {
	if err == nil {
		return
	}
	for one := range strings.SplitSeq(err.Error(), "\n") {
		key, text, _ := strings.Cut(one, " ")
		if key == "pin" {
			key = "pin_file"
		}
		ps.add(path+"."+key, "", "%s", text)
	}
}

func (ps *problems) checkFleetKeys(c *Config) {
	ids := make(map[string]bool)
	for i := range c.FleetKeys {
		k := &c.FleetKeys[i]
		path := fmt.Sprintf("fleet_key[%d]", i)
		if !fleet.ValidToken(k.ID) {
			ps.add(path+".id", "1 to 32 of A-Z a-z 0-9 _ -", "%q cannot name a fleet key", k.ID)
		}
		if ids[k.ID] {
			ps.add(path+".id", "", "%q stands twice", k.ID)
		}
		ids[k.ID] = true
		ps.checkFleetKey(c, path, k)
		for j := range i {
			if o := &c.FleetKeys[j].Key; k.Key.First <= o.Last && o.First <= k.Key.Last && o.Last > 0 && k.Key.Last > 0 {
				ps.add(path+".numbers", "each number has one key", "%s overlaps with %s of %q", k.Numbers, c.FleetKeys[j].Numbers, c.FleetKeys[j].ID)
			}
		}
	}
}

func (ps *problems) checkFleetKey(c *Config, path string, k *FleetKey) {
	k.CTRBits, k.Tag = cmp.Or(k.CTRBits, 16), cmp.Or(k.Tag, 8)
	k.Name, k.Register = cmp.Or(k.Name, "dev-{number}"), cmp.Or(k.Register, "pending")
	if k.CTRBits != 8 && k.CTRBits != 16 {
		ps.add(path+".ctr_bits", "want 8 or 16", "%d is not possible", k.CTRBits)
	}
	if k.Tag != 4 && k.Tag != 8 {
		ps.add(path+".tag", "want 4 or 8", "%d is not possible", k.Tag)
	}
	if !strings.Contains(k.Name, "{number}") || !fleet.ValidToken(strings.Replace(k.Name, "{number}", "4294967295", 1)) {
		ps.add(path+".name", `"buoy-{number}"`, "%q gives no name for each device", k.Name)
	}
	for key, v := range map[string]string{"product": k.Product, "customer": k.Customer} {
		if !fleet.ValidToken(v) {
			ps.add(path+"."+key, "1 to 32 of A-Z a-z 0-9 _ -", "%q is not a name", v)
		}
	}
	register := map[string]fleet.Registration{"auto": fleet.RegisterAuto, "pending": fleet.RegisterPending, "off": fleet.RegisterOff}
	ps.oneOf(path+".register", k.Register, "auto", "pending", "off")
	k.Key = fleet.FleetKey{
		ID: k.ID, Product: k.Product, Customer: k.Customer, Name: k.Name, CTRBits: uint8(k.CTRBits), //nolint:gosec // 8 or 16
		TagLen: uint8(k.Tag), Register: register[k.Register], //nolint:gosec // 4 or 8
	}
	if k.Key.First, k.Key.Last = parseNumbers(k.Numbers); k.Key.Last == 0 {
		ps.add(path+".numbers", `"1000-1999", within 1 to 4294967295`, "%q is not a range of device numbers", k.Numbers)
	}
	for i := range c.Products {
		if c.Products[i].Name == k.Product {
			k.Key.Template = fleet.TemplateHash(c.Products[i].Template.Hash())
		}
	}
	if k.Key.Template == (fleet.TemplateHash{}) && fleet.ValidToken(k.Product) {
		ps.add(path+".product", "known are "+productNames(c), "there is no product %q", k.Product)
	}
	ps.loadFleetKey(path, k)
}

// parseNumbers reads a range as "1000-1999"; it is 0, 0 if it is none.
func parseNumbers(s string) (first, last uint32) {
	m := numberRange.FindStringSubmatch(s)
	if m == nil {
		return 0, 0
	}
	a, err1 := strconv.ParseUint(m[1], 10, 32)
	b, err2 := strconv.ParseUint(m[2], 10, 32)
	if err1 != nil || err2 != nil || a < 1 || a > b {
		return 0, 0
	}
	return uint32(a), uint32(b)
}

func (ps *problems) loadFleetKey(path string, k *FleetKey) {
	if k.File == "" {
		ps.add(path+".file", "openssl rand -hex 32 > FILE; chmod 600 FILE", "is missing")
		return
	}
	raw, err := hex.DecodeString(ps.readable(path+".file", k.File))
	switch {
	case err == nil && len(raw) == 32:
		k.Key.Key = [32]byte(raw)
	case err != nil || len(raw) != 0:
		ps.add(path+".file", "openssl rand -hex 32", "%s does not hold 64 hexadecimal digits", k.File)
	}
}
