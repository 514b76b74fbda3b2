package config_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec/manifest"
	"github.com/godwit-gateway/godwit/gateway/config"
	"github.com/godwit-gateway/godwit/gateway/hub"
)

// uncommented is the reference configuration with every commented key made real, so that nothing in it can be wrong unseen.
func uncommented(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	signer := write("releases.pub", "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAHa5UU3bDnqh05ZAonE3Dm17tuIwxPfXzS1bbScrkRFI=\n-----END PUBLIC KEY-----\n")
	key, pin := write("buoys.key", strings.Repeat("5a", 32)+"\n"), write("sim.pin", "1234\n")
	text := regexp.MustCompile(`(?m)^# (\[\[?[a-z]|[a-z_]+ = )`).ReplaceAllString(config.Default, "$1")
	return strings.NewReplacer(
		"/etc/godwit/buoys.key", key, "/etc/godwit/sim.pin", pin, "/etc/godwit/rockblock.password", pin, "/etc/godwit/cloudloop.token", pin, "/etc/godwit/idp.password", pin, "/etc/godwit/groundcontrol.pem", write("key.pem", publicKey(t)), "/etc/godwit/products", dir, "/etc/godwit/releases.pub", signer,
		`url = "tls`, `# url = "tls`, "credentials =", "# credentials =",
	).Replace(text)
}

// publicKey is one as a web service signs for.
func publicKey(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func TestDefaultParses(t *testing.T) {
	c, err := config.Load(config.Source{Text: config.Default, Set: []string{"link.udp0.kind=udp", "link.udp0.listen=127.0.0.1:0"}})
	if err != nil {
		t.Fatal(err)
	}
	empty, err := config.Load(config.Source{Text: "[link.udp0]\nkind=\"udp\"\nlisten=\"127.0.0.1:0\""})
	if err != nil {
		t.Fatal(err)
	}
	if c.NATS != empty.NATS || c.API != empty.API || c.Retention != empty.Retention || c.Store != empty.Store || c.Rollout != empty.Rollout || c.Gateway != empty.Gateway {
		t.Errorf("the reference configuration says other defaults than the code:\n%+v\n%+v", c, empty)
	}
}

func TestDefaultUncommented(t *testing.T) {
	c, err := config.Load(config.Source{Text: uncommented(t)})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Links) != 8 || c.Links["idp0"].IDPModem.Wake != 30*time.Second || c.Links["idp0"].IDPModem.Peer != "01234568SKYBCDE" || c.Links["orb0"].IDP.Password != "1234" || c.Links["orb0"].IDP.SIN != 128 || c.Links["sbd0"].SBDModem.Peer != "300234010753371" || c.Links["sbd0"].Ack != "asked" || c.Links["cloud0"].Cloudloop.Token != "1234" || c.Links["rock0"].RockBLOCK.Password != "1234" || c.Links["sat0"].DirectIP.MTMax != 270 || c.Links["sat0"].Ack != "asked" || c.Links["sms0"].Tariff != "my-sms" || len(c.Tariffs) != 1 || len(c.Tariffs[0].Terms) != 2 || c.Links["udp0"].UDP.Failures.Remember != 10*time.Minute || c.Links["sms0"].SMSModem.PIN != "1234" {
		t.Errorf("links %+v", c.Links)
	}
	if k := c.FleetKeys[0].Key; k.First != 1000 || k.Last != 1999 || k.Key[0] != 0x5a || k.Template == [8]byte{} {
		t.Errorf("fleet key %+v", k)
	}
	if keys := c.SignerKeys(); len(keys) != 1 || keys[0].Algorithm() != manifest.EdDSA || c.Signers[0].ID != "releases" {
		t.Errorf("signers %+v", c.Signers)
	}
	if l := c.Links["udp0"]; l.AckPolicy() != hub.AckAlways {
		t.Errorf("ack policy %v", l.AckPolicy())
	}
	// Every key of the types stands in the reference, so that `config default` is complete.
	for _, key := range []string{
		"products_dir", "level", "format", "kek_file", "commit_timeout", "mode", "listen", "url", "credentials", "replicas",
		"max_age", "outbox_keep", "token_file", "frames", "quarantine", "receive_buffer", "windows", "sources", "device", "baud", "pin_file", "smsc",
		"peer", "mo_max", "signal", "mailbox_check", "no_ring_alerts", "moving", "country_code", "sweep", "storages", "port", "register", "ctr_bits", "tag",
		"allow", "confirm", "mt", "mt_max", "priority", "flush", "connections", "per_source", "read_time", "send_time", "path", "key_file", "token_age", "username", "password_file", "api", "look_back",
		"dialect", "account", "sin", "min", "low_power", "mobile_id", "plain", "wake", "poll", "statuses", "since", "call_time",
	} {
		if !regexp.MustCompile(`(?m)^(# )?` + key + ` = `).MatchString(config.Default) {
			t.Errorf("config default does not show %s", key)
		}
	}
}

// Every mistake of a file is reported at once, with its line.
func TestAllProblemsAtOnce(t *testing.T) {
	text := `[gateway]
id = "a b"
stat_dir = "/x"

[nats]
mode = "internal"
max_age = "3 days"

[api]
listen = "0.0.0.0:80"

[[fleet_key]]
id = "ok"
file = "/nowhere/key"
numbers = "9-1"
product = "unheard-of"
customer = "acme"

[link.udp0]
kind = "udp"
listen = "localhost:5"
windows = 3
[link.udp0.failures]
rate = "many"

[link.bad]
kind = "pigeon"

[link.sms0]
kind = "smsmodem"
country_code = 49
baudrate = 1
`
	_, err := config.Load(config.Source{Path: "godwit.toml", Text: text})
	var ps config.FileErrors
	if !errors.As(err, &ps) {
		t.Fatalf("want problems, not %v", err)
	}
	want := []struct {
		line int
		key  string
	}{
		{2, "gateway.id"},
		{3, "gateway.stat_dir"},
		{6, "nats.mode"},
		{7, "nats.max_age"},
		{10, "api.listen"},
		{14, "fleet_key[0].file"},
		{15, "fleet_key[0].numbers"},
		{16, "fleet_key[0].product"},
		{21, "link.udp0.listen"},
		{22, "link.udp0.windows"},
		{24, "link.udp0.failures.rate"},
		{27, "link.bad.kind"},
		{29, "link.sms0.device"},
		{31, "link.sms0.country_code"},
		{32, "link.sms0.baudrate"},
	}
	for _, w := range want {
		found := false
		for _, p := range ps {
			if p.Key == w.key {
				found = true
				if p.Line != w.line {
					t.Errorf("%s is said to be at line %d, want %d", w.key, p.Line, w.line)
				}
			}
		}
		if !found {
			t.Errorf("nothing is said about %s", w.key)
		}
	}
	for _, p := range ps {
		t.Log(p)
	}
	if !strings.Contains(err.Error(), `is it "state_dir"?`) {
		t.Error("no suggestion for stat_dir")
	}
}

func TestOverrides(t *testing.T) {
	text := "[nats]\nmax_age = \"1h\"\n[link.udp0]\nkind = \"udp\"\nlisten = \":5688\"\n"
	c, err := config.Load(config.Source{
		Text: text, Environ: []string{"GODWIT_NATS__MAX_AGE=48h", "GODWIT_GATEWAY__ID=env", "GODWIT_TOKEN=x", "PATH=/bin"},
		Set: []string{"gateway.id=opt", "link.udp0.windows=2048", "link.udp0.failures.burst = 7"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if c.Gateway.ID != "opt" || c.NATS.MaxAge != 48*time.Hour || c.Links["udp0"].UDP.Windows != 2048 || c.Links["udp0"].UDP.Failures.Burst != 7 {
		t.Errorf("%+v %+v", c, c.Links["udp0"].UDP)
	}
	for _, set := range []string{"nothing", "gateway.=1", "gateway.id.x=1", "unknown=1"} {
		if _, err := config.Load(config.Source{Text: text, Set: []string{set}}); err == nil {
			t.Errorf("--set %s is taken", set)
		}
	}
}

// What is a number without quotes is a text where the key wants one, with its last zeros.
func TestNumbersAsTexts(t *testing.T) {
	c, err := config.Load(config.Source{
		Text:    "[link.sms0]\nkind = \"smsmodem\"\ndevice = \"/dev/null\"\n",
		Environ: []string{"GODWIT_LINK__SMS0__COUNTRY_CODE=49", "GODWIT_GATEWAY__ID=7"},
		Set:     []string{"schedule.budget=120.50", `schedule.cap="130.00"`, "schedule.currency=EUR"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Links["sms0"].SMSModem.CountryCode; got != "49" || c.Gateway.ID != "7" {
		t.Errorf("country code %q, gateway %q", got, c.Gateway.ID)
	}
	if c.Schedule.Budget.String() != "120.50" || c.Schedule.Cap.String() != "130.00" {
		t.Errorf("budget %s, cap %s", c.Schedule.Budget, c.Schedule.Cap)
	}
	for set, want := range map[string]string{
		"nats.max_age=30":     `option --set nats.max_age: nats.max_age: want a duration in quotes, such as "36h", not 30`,
		"link.sms0.baud=fast": "want a whole number, not fast",
		"nats.mode":           "option --set nats.mode: it has no value",
	} {
		_, err := config.Load(config.Source{Text: "[link.sms0]\nkind = \"smsmodem\"\ndevice = \"/dev/null\"\n", Set: []string{set}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("--set %s: %v, want %q", set, err, want)
		}
	}
}

// A variable that nothing reads is a mistake as an unknown key is; what is wrong is told of the variable, not of the file.
func TestVariablesAreHeldToTheKeys(t *testing.T) {
	text := "[link.udp0]\nkind = \"udp\"\nlisten = \":5688\"\n"
	for variable, want := range map[string]string{
		"GODWIT_BOGUS=1":               "GODWIT_BOGUS: the variable is not known",
		"GODWIT_NATS__MOOD=good":       "variable GODWIT_NATS__MOOD: nats.mood: is not a known key",
		"GODWIT_NATS__MODE=pigeon":     "variable GODWIT_NATS__MODE: nats.mode:",
		"GODWIT_LINK__UDP0__WINDOWS=1": "link.udp0.windows",
	} {
		_, err := config.Load(config.Source{Path: "x.toml", Text: text, Environ: []string{variable, "GODWIT_TOKEN=x"}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", variable, err, want)
		}
	}
}

func TestFormatDuration(t *testing.T) {
	for _, s := range []string{"400d", "1d", "36h", "90m", "1m30s", "5s", "100ms", "0s"} {
		d, err := config.ParseDuration(s)
		if err != nil {
			t.Fatal(err)
		}
		got, err := config.ParseDuration(config.FormatDuration(d))
		if err != nil || got != d {
			t.Errorf("%s is written as %s", s, config.FormatDuration(d))
		}
	}
	if got := config.FormatDuration(400 * 24 * 60 * 60 * 1e9); got != "400d" {
		t.Errorf("400 days are written as %s", got)
	}
}

func TestSyntaxError(t *testing.T) {
	_, err := config.Load(config.Source{Path: "x.toml", Text: "[gateway]\nid = \n"})
	if err == nil || !strings.Contains(err.Error(), "x.toml:2") {
		t.Errorf("%v", err)
	}
	_, err = config.Load(config.Source{Path: filepath.Join(t.TempDir(), "none.toml")})
	if err == nil || !strings.Contains(err.Error(), "config default") {
		t.Errorf("%v", err)
	}
}

func TestProductProblems(t *testing.T) {
	for name, text := range map[string]string{
		"name":    "name = \"a b\"\n[[field]]\nid=1\nname=\"x\"\nbits=3",
		"field":   "name = \"a\"",
		"scale":   "name = \"a\"\n[[field]]\nid=1\nname=\"x\"\nbits=3\nscale=\"-1\"",
		"min":     "name = \"a\"\n[[field]]\nid=1\nname=\"x\"\nbits=3\nscale=\"0.1\"\nmin=\"0.05\"",
		"bits":    "name = \"a\"\n[[field]]\nid=1\nname=\"x\"\nbits=300",
		"unknown": "name = \"a\"\n[[field]]\nid=1\nname=\"x\"\nbits=3\nwidth=3",
	} {
		if _, ps := config.ParseProduct(name+".toml", text); len(ps) == 0 {
			t.Errorf("%s: no problem found", name)
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(config.Default)
	f.Add("[link.a]\nkind=\"udp\"\n[[fleet_key]]\nnumbers=\"1-2\"")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "/dev") || strings.Contains(text, "/proc") {
			t.Skip("reads the files that it names")
		}
		_, err := config.Load(config.Source{Text: text})
		_ = err // no panic is what counts; any text may be refused
	})
}

// Lines are found below arrays of tables, and texts of several lines are none of the document's own.
func TestDocument(t *testing.T) {
	text := `story = """
a = 1
[link]
"""
[[link]]
name = "a"
[link.up]
loss = 1
[[link]]
name = "b"
[link.up]
lose = 1
[[product]]
name = "p"
[[product.field]]
id = 1
bits = 8
scale = "x"
`
	type model struct {
		Loss float64 `toml:"loss"`
	}
	var into struct {
		Story string `toml:"story"`
		Link  []struct {
			Name string `toml:"name"`
			Up   model  `toml:"up"`
		} `toml:"link"`
	}
	d, err := config.ParseDocument("f.toml", text, "look it up")
	if err != nil {
		t.Fatal(err)
	}
	products, ok := d.Tree["product"].([]map[string]any)
	if !ok {
		t.Fatalf("products are %T", d.Tree["product"])
	}
	delete(d.Tree, "product")
	d.Bind("", d.Tree, &into)
	d.Product("product[0]", products[0])
	d.Add("link[0].up.loss", "", "too much")
	d.AddAll("story", errors.New("one\ntwo"))
	want := `f.toml:1: story: one
f.toml:1: story: two
f.toml:8: link[0].up.loss: too much
f.toml:12: link[1].up.lose: is not a known key; is it "loss"? (look it up)
f.toml:18: product[0].field[0].scale: "x" is not a positive decimal number ("0.01")`
	if err := d.Err(); err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if _, err := config.ParseDocument("f.toml", "a = ", ""); err == nil {
		t.Error("no error for a file that is not TOML")
	}
}
