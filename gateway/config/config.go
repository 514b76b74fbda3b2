package config

import (
	"time"

	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
	"github.com/godwit-gateway/godwit/transports/cloudloop"
	"github.com/godwit-gateway/godwit/transports/directip"
	"github.com/godwit-gateway/godwit/transports/idp"
	"github.com/godwit-gateway/godwit/transports/idpmodem"
	"github.com/godwit-gateway/godwit/transports/rockblock"
	"github.com/godwit-gateway/godwit/transports/sbdmodem"
	"github.com/godwit-gateway/godwit/transports/smsmodem"
	"github.com/godwit-gateway/godwit/transports/udp"
)

// A Config is a whole configuration, checked.
type Config struct {
	Gateway   Gateway         `toml:"gateway"`
	Log       Log             `toml:"log"`
	Store     Store           `toml:"store"`
	NATS      NATS            `toml:"nats"`
	API       API             `toml:"api"`
	Retention Retention       `toml:"retention"`
	FleetKeys []FleetKey      `toml:"fleet_key"`
	Signers   []Signer        `toml:"signer"`
	Links     map[string]Link `toml:"link"`
	Tariffs   []tariff.Tariff `toml:"tariff"`
	Schedule  Schedule        `toml:"schedule"`
	Rollout   Rollout         `toml:"rollout"`
	Policies  []Policy        `toml:"policy"`
	Budgets   []Budget        `toml:"budget"`
	Pools     []Pool          `toml:"pool"`
	Regions   []Region        `toml:"region"`

	Products []hub.Product `toml:"-"` // built in and from products_dir
	Book     *tariff.Book  `toml:"-"` // Tariffs, and the examples whose names they do not have
}

// Gateway names the gateway and its place.
type Gateway struct {
	ID          string `toml:"id"`           // 1 to 16 of [A-Za-z0-9-]: part of the stream's name and of every subject
	StateDir    string `toml:"state_dir"`    // everything the gateway writes
	ProductsDir string `toml:"products_dir"` // folder of further *.toml product files, "" for none
}

// Log says what the gateway writes to its error stream.
type Log struct {
	Level  string `toml:"level"`  // debug, info, warn, error
	Format string `toml:"format"` // text, json
}

// Store is about the Pebble store.
type Store struct {
	KEKFile       string        `toml:"kek_file"`       // of the key that wraps device keys, or credential:NAME, or env:NAME; "": state_dir/kek
	CommitTimeout time.Duration `toml:"commit_timeout"` // of one synced batch, before intake is refused
}

// NATS is where events go.
type NATS struct {
	Mode        string        `toml:"mode"`        // embedded or external
	Listen      string        `toml:"listen"`      // embedded: address for consumers, "" for none
	URL         string        `toml:"url"`         // external: nats://host:port, tls://…
	Credentials string        `toml:"credentials"` // external: file of NATS credentials, "" for none
	Replicas    int           `toml:"replicas"`    // external: of the stream
	MaxAge      time.Duration `toml:"max_age"`     // how long events stay on the stream; 0: for ever
	OutboxKeep  time.Duration `toml:"outbox_keep"` // how long a published event stays in the store as well
}

// API is the listener for commands, dashboards and metrics.
type API struct {
	Listen    string `toml:"listen"`     // "unix:/path" or "127.0.0.1:port"
	TokenFile string `toml:"token_file"` // of the first administrator's token; "": state_dir/api.token
}

// Rollout is about updates.
type Rollout struct {
	ByHand     string        `toml:"by_hand"`     // who may offer one to a single device: second, alone, never
	ContactGap time.Duration `toml:"contact_gap"` // between frames that are two contacts
	Repeat     time.Duration `toml:"repeat"`      // of an offer that is not answered
}

// HubByHand is Rollout.ByHand as the hub takes it.
func (c *Config) HubByHand() hub.ByHand {
	return map[string]hub.ByHand{"second": hub.ByHandSecond, "alone": hub.ByHandAlone, "never": hub.ByHandNever}[c.Rollout.ByHand]
}

// Retention says how long things are kept. Zero keeps for ever.
type Retention struct {
	Frames     time.Duration `toml:"frames"`
	Quarantine time.Duration `toml:"quarantine"`
}

// FleetKey lets a range of devices in that share a secret.
type FleetKey struct {
	ID       string `toml:"id"`
	File     string `toml:"file"`    // 64 hexadecimal digits
	Numbers  string `toml:"numbers"` // "1000-1999"
	Product  string `toml:"product"`
	Customer string `toml:"customer"`
	Name     string `toml:"name"` // "{number}" stands for the number
	CTRBits  int    `toml:"ctr_bits"`
	Tag      int    `toml:"tag"`
	Register string `toml:"register"` // auto, pending, off

	Key fleet.FleetKey `toml:"-"` // what became of it
}

// A Link is one way to devices: exactly one of the drivers' parts is set, as Kind says.
type Link struct {
	Name    string  `toml:"-"`
	Kind    string  `toml:"kind"`    // udp, smsmodem, sbdmodem, directip, rockblock, cloudloop, idp or idpmodem
	Ack     string  `toml:"ack"`     // always, asked, never; "": as is usual for the kind
	Tariff  string  `toml:"tariff"`  // what it costs; "": nothing
	Contact Contact `toml:"contact"` // what contacts over it are like

	UDP       *udp.Config      `toml:"-"`
	SMSModem  *SMSModem        `toml:"-"`
	SBDModem  *sbdmodem.Config `toml:"-"`
	DirectIP  *directip.Config `toml:"-"`
	RockBLOCK *RockBLOCK       `toml:"-"`
	Cloudloop *Cloudloop       `toml:"-"`
	IDP       *IDP             `toml:"-"`
	IDPModem  *idpmodem.Config `toml:"-"`

	part any // of these the one that is set
}

// IDP is a link through a message gateway of ORBCOMM IsatData Pro or OGx. What is zero stands for the driver's default.
type IDP struct {
	Dialect      string        `toml:"dialect"`       // v1 or ogws
	URL          string        `toml:"url"`           // of the gateway
	Account      string        `toml:"account"`       // access id, or client id
	PasswordFile string        `toml:"password_file"` // of the account
	SIN          int           `toml:"sin"`           // of messages that hold frames
	MIN          int           `toml:"min"`           // of these
	LowPower     bool          `toml:"low_power"`     // terminals may be in a low-power mode
	Flush        bool          `toml:"flush"`         // a message takes the place of those that wait for its terminal
	Poll         time.Duration `toml:"poll"`          // between two looks for messages
	Statuses     time.Duration `toml:"statuses"`      // between two looks for what became of messages to terminals
	Since        time.Duration `toml:"since"`         // how far back the first look of all goes
	CallTime     time.Duration `toml:"call_time"`     // for a call to be answered

	Password string `toml:"-"` // content of the file
}

// Driver is the configuration as the driver takes it. file is where it keeps how far it has read.
func (i *IDP) Driver(file string) idp.Config {
	return idp.Config{
		Dialect: i.Dialect, URL: i.URL, Account: i.Account, Password: i.Password, File: file, SIN: i.SIN, MIN: i.MIN, LowPower: i.LowPower, Flush: i.Flush,
		Poll: i.Poll, Statuses: i.Statuses, Since: i.Since, CallTime: i.CallTime,
	}
}

// RockBLOCK is a link through Ground Control's web service. What is zero stands for the driver's default.
type RockBLOCK struct {
	Listen       string        `toml:"listen"`        // where webhooks come in
	Path         string        `toml:"path"`          // of the webhook
	KeyFile      string        `toml:"key_file"`      // PEM of the public key that webhooks are signed for
	TokenAge     time.Duration `toml:"token_age"`     // that the signature of a webhook may have
	MT           string        `toml:"mt"`            // URL that takes what goes to modems
	Username     string        `toml:"username"`      // of the account; "": nothing goes to modems
	PasswordFile string        `toml:"password_file"` // of the account
	Flush        bool          `toml:"flush"`         // a message takes the place of those that wait for its modem
	SendTime     time.Duration `toml:"send_time"`     // for a message to a modem to be answered

	Key, Password string `toml:"-"` // contents of the files
}

// Driver is the configuration as the driver takes it.
func (r *RockBLOCK) Driver() rockblock.Config {
	return rockblock.Config{
		Listen: r.Listen, Path: r.Path, Key: r.Key, TokenAge: r.TokenAge, MT: r.MT, Username: r.Username, Password: r.Password, Flush: r.Flush,
		SendTime: r.SendTime,
	}
}

// Cloudloop is a link through Ground Control's platform, which keeps messages until they are asked for. What is zero stands for the driver's default.
type Cloudloop struct {
	API       string        `toml:"api"`        // base of the web service's addresses
	TokenFile string        `toml:"token_file"` // of a user of the account
	Poll      time.Duration `toml:"poll"`       // that the web service waits for new messages before it says that there are none
	LookBack  time.Duration `toml:"look_back"`  // how far back messages are read where nobody knows how far they were
	Flush     bool          `toml:"flush"`      // a message takes the place of those that wait for its modem
	SendTime  time.Duration `toml:"send_time"`  // for a message to a modem to be answered

	Token string `toml:"-"` // content of TokenFile
}

// Driver is the configuration as the driver takes it. mark is the file that says how far messages were read.
func (c *Cloudloop) Driver(mark string) cloudloop.Config {
	return cloudloop.Config{API: c.API, Token: c.Token, Mark: mark, Poll: c.Poll, LookBack: c.LookBack, Flush: c.Flush, SendTime: c.SendTime}
}

// SMSModem is a link through a GSM modem on a serial line. What is zero stands for the driver's default.
type SMSModem struct {
	Device      string        `toml:"device"`       // /dev/serial/by-id/…
	Baud        int           `toml:"baud"`         // USB modems do not care
	IMEI        string        `toml:"imei"`         // that is expected behind the line, "" for any
	PINFile     string        `toml:"pin_file"`     // of the SIM, "" for none
	SMSC        string        `toml:"smsc"`         // service centre, "": as the SIM has it
	CountryCode string        `toml:"country_code"` // completes national numbers: "49"
	Sweep       time.Duration `toml:"sweep"`        // between two looks at the storages without a doorbell
	Storages    []string      `toml:"storages"`     // "SM", "ME"
	Port        int           `toml:"port"`         // application port of frames, 0 for any

	PIN string `toml:"-"` // content of PINFile
}

// Driver is the configuration as the driver takes it.
func (m *SMSModem) Driver(name string) smsmodem.Config {
	return smsmodem.Config{
		Name: name, Device: m.Device, Baud: m.Baud, IMEI: m.IMEI, PIN: m.PIN, SMSC: m.SMSC, CountryCode: m.CountryCode, Sweep: m.Sweep,
		Storages: m.Storages, Port: uint16(m.Port), //nolint:gosec // checked
	}
}

// AckPolicy is the link's policy as the hub takes it.
func (l *Link) AckPolicy() hub.AckPolicy {
	switch l.Ack {
	case "always":
		return hub.AckAlways
	case "asked":
		return hub.AckAsked
	default:
		return hub.AckNever
	}
}

// HubKeys are the fleet keys as the hub takes them.
func (c *Config) HubKeys() []fleet.FleetKey {
	keys := make([]fleet.FleetKey, len(c.FleetKeys))
	for i := range c.FleetKeys {
		keys[i] = c.FleetKeys[i].Key
	}
	return keys
}
