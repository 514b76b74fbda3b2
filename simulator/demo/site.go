package demo

import (
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
)

// site is where the gateway of the demo lives: its folder, its configuration and its addresses.
type site struct {
	Dir    string
	State  string // folder of the gateway's state
	UDP    string // address of the UDP link
	Sat    string // address of the DirectIP link
	MT     string // of the Iridium gateway
	Rock   string // address of the RockBLOCK link
	RockMT string // of the web service that takes what goes to RockBLOCKs
	Cloud  string // of Cloudloop
	Orb    string // of the message gateway
	NATS   string
	API    string
	Modem  string // path of the symbolic link to the pty
	Seed   uint64
	Config string // path of the configuration file

	Transceiver, Terminal string // paths of symbolic links to ptys

	FleetKeys []fleetKey
}

// fleetKey is a fleet key, and what devices are that register with it.
type fleetKey struct{ ID, Numbers, Product, Name, File string }

// networks are the networks that keep messages, for a gateway with the site's configuration.
func (s *site) networks(o *Options) ServeOptions {
	return ServeOptions{
		Modem: s.Modem, DirectIP: s.Sat, MT: s.MT, Confirm: true, Webhook: "http://" + s.Rock + "/", RockMT: s.RockMT, Cloud: s.Cloud,
		SBDModem: s.Transceiver, IGWS: s.Orb, IDPModem: s.Terminal, Devices: o.Devices, State: s.Dir, Seed: o.Seed,
	}
}

// configText is the configuration that the demo's gateway runs with: an ordinary one, written to the state folder for people to read.
var configText = template.Must(template.New("godwit.toml").Parse(`# Written by godwit-sim demo. The gateway it describes listens on loopback only.

[gateway]
id = "demo"
state_dir = {{printf "%q" .State}}

[nats]
mode = "embedded"
listen = {{printf "%q" .NATS}}

[api]
listen = {{printf "%q" .API}}

[rollout]
by_hand = "alone"                 # there is nobody else here
contact_gap = "1s"                # what takes hours elsewhere takes seconds here
repeat = "4s"

[[signer]]
id = "developers"
file = {{printf "%q" .Signer}}

{{range .FleetKeys}}[[fleet_key]]
id = {{printf "%q" .ID}}
file = {{printf "%q" .File}}
numbers = {{printf "%q" .Numbers}}
product = {{printf "%q" .Product}}
customer = "acme"
name = "{{.Name}}-{number}"
ctr_bits = 16
tag = 8
register = "auto"

{{end}}[[tariff]]
name = "satellite"
currency = "EUR"
[[tariff.term]]
name = "SBD"
unit = "byte"
min = 10
price = "0.001"

[[tariff]]
name = "credits"
currency = "EUR"
[[tariff.term]]
name = "credits"
for = ["message", "mailbox_check"]
unit = "credit"
size = 50
min = 1
price = "0.05"

[[tariff]]
name = "isatdata"
currency = "EUR"
[[tariff.term]]
name = "IsatData Pro"
unit = "byte"
header = 2
min = 15
increment = 10
price = "0.001"

{{if .Budget}}# Text messages and satellites are dear and datagrams free: devices on them are told to speak more seldom, as the budget has it.
[schedule]
mode = "send"
currency = "EUR"
budget = {{printf "%q" .Budget}}          # a month
replan = "1m"

[[policy]]
name = "trucks"
product = "truck-demo"
shortest = {{printf "%q" .Shortest}}
longest = "5m"

[[policy]]
name = "buoys"
product = "buoy-demo"
shortest = {{printf "%q" .Shortest}}
longest = "5m"

{{end}}[link.udp0]
kind = "udp"
listen = {{printf "%q" .UDP}}
ack = "always"

[link.sms0]
kind = "smsmodem"
device = {{printf "%q" .Modem}}
sweep = "2s"                      # a message that the modem does not tell of is not to wait for long
tariff = "sms"
ack = "never"
country_code = "49"

[link.sat0]
kind = "directip"
listen = {{printf "%q" .Sat}}
allow = ["127.0.0.1"]
confirm = true
mt = [{{printf "%q" .MT}}]
tariff = "satellite"
ack = "never"

[link.rock0]
kind = "rockblock"
listen = {{printf "%q" .Rock}}
key_file = {{printf "%q" .RockKey}}
mt = "http://{{.RockMT}}/"
username = {{printf "%q" .RockUser}}
password_file = {{printf "%q" .RockPassword}}
tariff = "credits"
ack = "never"

[link.cloud0]
kind = "cloudloop"
api = "http://{{.Cloud}}"
token_file = {{printf "%q" .CloudToken}}
tariff = "satellite"
ack = "never"

[link.sbd0]
kind = "sbdmodem"
device = {{printf "%q" .Transceiver}}
tariff = "satellite"
ack = "never"

[link.orb0]
kind = "idp"
dialect = "v1"
url = "http://{{.Orb}}/v1/"
account = {{printf "%q" .OrbAccount}}
password_file = {{printf "%q" .RockPassword}}
poll = "1s"
tariff = "isatdata"
ack = "never"

[link.idp0]
kind = "idpmodem"
device = {{printf "%q" .Terminal}}
poll = "1s"
tariff = "isatdata"
ack = "never"
`))

// newSite makes the folder and writes the fleet keys and the configuration. Ports that are free now are chosen for all listeners.
func newSite(dir string, o *Options) (*site, error) {
	seed := o.Seed
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("state folder: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("state folder: %w", err)
	}
	s := &site{
		Dir: dir, State: filepath.Join(dir, "state"), Seed: seed, Modem: filepath.Join(dir, "modem0"), Transceiver: filepath.Join(dir, "transceiver0"), Terminal: filepath.Join(dir, "terminal0"),
		Config: filepath.Join(dir, "godwit.toml"),
		FleetKeys: []fleetKey{
			{"trucks", "1000-1999", "truck-demo", "truck", filepath.Join(dir, "trucks.key")},
			{"buoys", "2000-2999", "buoy-demo", "buoy", filepath.Join(dir, "buoys.key")},
			{"drifters", "3000-3999", "buoy-demo", "drifter", filepath.Join(dir, "drifters.key")},
		},
	}
	for _, a := range []struct {
		network string
		address *string
	}{{"udp", &s.UDP}, {"tcp", &s.NATS}, {"tcp", &s.API}, {"tcp", &s.Sat}, {"tcp", &s.MT}, {"tcp", &s.Rock}, {"tcp", &s.RockMT}, {"tcp", &s.Cloud}, {"tcp", &s.Orb}} {
		if *a.address, err = freeAddress(a.network); err != nil {
			return nil, err
		}
	}
	for _, k := range s.FleetKeys {
		key := secret(seed, k.ID)
		if err := os.WriteFile(k.File, []byte(hex.EncodeToString(key[:])+"\n"), 0o600); err != nil {
			return nil, fmt.Errorf("fleet key: %w", err)
		}
	}
	_, public, err := rockKey(dir)
	if err != nil {
		return nil, err
	}
	_, signer, err := developerKey(dir, seed)
	if err != nil {
		return nil, err
	}
	password, token := filepath.Join(dir, "rockblock.password"), filepath.Join(dir, "cloudloop.token")
	for path, secret := range map[string]string{password: rockPassword, token: cloudToken} {
		if err := os.WriteFile(path, []byte(secret+"\n"), 0o600); err != nil {
			return nil, fmt.Errorf("secret: %w", err)
		}
	}
	var text strings.Builder
	err = configText.Execute(&text, struct {
		*site
		Budget, Shortest, Signer                                string
		RockKey, RockUser, RockPassword, CloudToken, OrbAccount string
	}{s, o.budget(), o.Interval.String(), signer, public, rockUser, password, token, orbAccount})
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	if err := os.WriteFile(s.Config, []byte(text.String()), 0o600); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return s, nil
}

// Prices of a message over the demo's networks, in millionths, where satellites bill bytes; and how much more seldom devices on them are to speak.
const (
	smsPrice = 100_000
	satPrice = 50_000
	slower   = 2
)

// budget is what a month may cost, so that devices on SMS and satellites have to speak more seldom than they did when they were made; "" where devices speak more
// often than an interval can be told.
func (o *Options) budget() string {
	if o.Interval < time.Second {
		return ""
	}
	month := time.Duration(scheduler.MonthHours * float64(time.Hour))
	each := scheduler.Micros(max(1, o.Devices/smsOneIn))*smsPrice + scheduler.Micros(o.Devices/satOneIn)*satPrice
	return (each * scheduler.Micros(month/(slower*o.SMSInterval))).String()
}

// freeAddress finds an address of the loopback interface that nobody listens on now.
func freeAddress(network string) (string, error) {
	if network == "udp" {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			return "", fmt.Errorf("find a free UDP port: %w", err)
		}
		defer func() { _ = c.Close() }() // it was only asked for its number
		return c.LocalAddr().String(), nil
	}
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return "", fmt.Errorf("find a free TCP port: %w", err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), nil
}

// importFile is the list of the devices with factory keys, as an operator would bring it.
func importFile(members []member) (string, error) {
	var text strings.Builder
	w := csv.NewWriter(&text)
	rows := [][]string{{"number", "name", "product", "customer", "key", "msisdn", "imei", "ctr_bits", "tag"}}
	for i := range members {
		m := &members[i]
		if m.imported {
			msisdn, imei := "", ""
			switch m.link {
			case linkSMS:
				msisdn = m.address
			case linkSat, linkRock, linkCloud:
				imei = m.address
			}
			rows = append(rows, []string{
				strconv.FormatUint(uint64(m.Number), 10), m.name, m.Product, m.customer, hex.EncodeToString(m.Key[:]), msisdn, imei,
				strconv.Itoa(int(m.CTRBits)), strconv.Itoa(int(m.TagLen)),
			})
		}
	}
	if err := w.WriteAll(rows); err != nil {
		return "", fmt.Errorf("write the import: %w", err)
	}
	return text.String(), nil
}
