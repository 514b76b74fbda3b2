package demo

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
	"github.com/godwit-gateway/godwit/simulator/device"
	"github.com/godwit-gateway/godwit/simulator/peers/sbdterm"
)

// Names of the links, as in the configuration.
const (
	linkUDP = "udp0"
	linkSMS = "sms0"
	linkSat = "sat0"

	linkRock  = "rock0"
	linkCloud = "cloud0"
	linkSBD   = "sbd0" // the transceiver beside the gateway
	linkOrb   = "orb0"
	linkIDP   = "idp0" // the IsatData Pro terminal beside the gateway
)

// satLinks are those of Iridium modems that their network names.
var satLinks = []string{linkSat, linkRock, linkCloud}

// farLinks are those of the demo's devices at sea, in the order in which they get them.
var farLinks = append(slices.Clone(satLinks), linkSBD, linkOrb, linkIDP)

// Numbers of the devices: a range of each fleet key, from which devices register by themselves, and those that are imported.
const (
	truckFleet      = 1000
	buoyFleet       = 2000
	drifterFleet    = 3000
	truckImported   = 7000
	buoyImported    = 8000
	drifterImported = 9000
	perKind         = 1000 // numbers in each range
)

// What all devices run.
const (
	firmware = "2.4.0"
	hardware = "rev-c"
	seedStep = 1_000_003 // between the seeds of two runs, so that their devices differ
)

var build = []byte{0x5e, 0xed, 0x00, 0x01}

// msisdn is the number of the n-th SIM.
func msisdn(n int) string { return fmt.Sprintf("+4917000%05d", n) }

// imei is that of the n-th satellite modem.
func imei(n int) string { return fmt.Sprintf("3002340107%05d", n) }

// mobileID is that of the n-th terminal of IsatData Pro.
func mobileID(n int) string { return fmt.Sprintf("%08dSKY%04X", 1_000_000+n, n) }

// Shares of the devices.
const (
	smsOneIn      = 3 // one in three devices has SMS
	satOneIn      = 4 // one in four is out at sea, the others have UDP
	readingsEach  = 4 // that a buoy takes from one status to the next
	importedOneIn = 4 // one in four of each is imported, the others register by themselves
)

// DevicesMax is the largest fleet: each range of numbers holds perKind.
const DevicesMax = 2 * perKind

// secret derives a key of the demo from its seed: a demo has no secrets, and the same seed must give the same bytes on air.
func secret(seed uint64, what string) [32]byte {
	return sha256.Sum256(binary.BigEndian.AppendUint64([]byte("godwit demo "+what+" "), seed))
}

// member is one device of the fleet and what the gateway is told of it.
type member struct {
	device.Config
	name     string
	customer string
	link     string
	address  string // of the device on its network: MSISDN, IMEI
	imported bool
	offered  bool              // the operator has an update for it by hand
	bands    map[string]uint32 // deadbands by the name of a field
}

// plan lays out the fleet.
func plan(o Options, templates map[string]*codec.Template) ([]member, error) {
	var members []member
	var sms, sat, udp, offers int
	for i := range o.Devices {
		m := member{customer: "acme", imported: i%importedOneIn == importedOneIn-1}
		m.CTRBits, m.TagLen, m.Seed, m.Speed = 16, 8, o.Seed*seedStep+uint64(i), o.Speed
		m.Version, m.Hardware, m.Build = firmware, hardware, build
		switch {
		case i%smsOneIn == smsOneIn-1:
			sms++
			m.asBuoy(sms, o.SMSInterval)
		case i%smsOneIn == 1 && i%(smsOneIn*satOneIn) < smsOneIn*(satOneIn-1):
			sat++
			m.asDrifter(sat, o.SMSInterval)
		default:
			udp++
			m.asTruck(udp, o.Interval)
		}
		m.Key = codec.FleetDeviceKey(secret(o.Seed, m.fleetKey()), m.Number)
		if m.imported {
			m.Key = secret(o.Seed, fmt.Sprintf("device %d", m.Number))
		}
		if m.link != linkUDP && m.imported {
			m.fates(offers)
			offers++
		}
		if m.Template = templates[m.Product]; m.Template == nil {
			return nil, fmt.Errorf("the gateway has no product %q", m.Product)
		}
		m.Deadbands = deadbands(m.Template, m.bands)
		members = append(members, m)
	}
	return members, nil
}

// deadbands finds the fields that they are named by.
func deadbands(t *codec.Template, named map[string]uint32) session.Deadbands {
	bands := make(session.Deadbands, len(named))
	for _, f := range t.Fields() {
		if steps, ok := named[f.Name]; ok {
			bands[f.ID] = steps
		}
	}
	return bands
}

func (m *member) asBuoy(n int, interval time.Duration) {
	m.Product, m.link, m.Stored, m.Links, m.Interval = "buoy-demo", linkSMS, true, []string{"sms"}, interval
	m.Thresholds = []device.Threshold{{Field: "wave_height", Code: 11, Limit: 2.5, Clear: 0.5, Text: "high sea"}}
	m.Chatter, m.Report, m.ReportBytes = 4*interval, 5*interval, 400
	m.Sample = interval / readingsEach
	m.bands = map[string]uint32{"battery": 2, "air_temperature": 3, "water_temperature": 2, "wind_direction": 5}
	m.Number = buoyFleet + uint32(n) //nolint:gosec // at most perKind
	m.name = fmt.Sprintf("buoy-%d", m.Number)
	m.address = msisdn(n)
	if m.imported {
		m.Number += buoyImported - buoyFleet
		m.name = fmt.Sprintf("harbour-%d", m.Number)
		m.customer = "port"
	}
}

// asDrifter makes a buoy without a mooring: each byte counts on a satellite, so nothing rides along. An import file has no column for what a network does not
// name, so devices on such links, and with them those of IsatData Pro, register by themselves.
func (m *member) asDrifter(n int, interval time.Duration) {
	m.Product, m.link, m.Stored, m.Links, m.Interval = "buoy-demo", farLinks[(n-1)%len(farLinks)], true, []string{"sbd"}, interval
	m.atSea(n)
	if m.link == linkOrb || m.link == linkIDP {
		m.Links = []string{"idp"}
	}
	m.imported = m.imported && slices.Contains(satLinks, m.link)
	m.Retry, m.RetryMax = time.Second, 4*time.Second // the sky is never hidden for long
	m.Thresholds = []device.Threshold{{Field: "wave_height", Code: 11, Limit: 2.5, Clear: 0.5, Text: "high sea"}}
	m.Chatter, m.Report, m.ReportBytes = 4*interval, 5*interval, 600
	m.bands = map[string]uint32{"battery": 2, "air_temperature": 3, "water_temperature": 2, "wind_direction": 5}
	m.Number = drifterFleet + uint32(n) //nolint:gosec // at most perKind
	m.name = fmt.Sprintf("drifter-%d", m.Number)
	if m.imported {
		m.Number += drifterImported - drifterFleet
		m.name = fmt.Sprintf("glider-%d", m.Number)
		m.customer = "port"
	}
}

// sbdMax is what a 9602 or 9603 sends at once.
const sbdMax = 340

// atSea makes the n-th device of a satellite network, with what its link makes of that.
func (m *member) atSea(n int) {
	m.address, m.UplinkMax = imei(n), sbdMax
	switch m.link {
	case linkSBD:
		m.UplinkMax, m.Unnamed = sbdterm.MTMax, true
	case linkOrb:
		m.address, m.UplinkMax = mobileID(n), orbMax
	case linkIDP:
		m.address, m.UplinkMax, m.Unnamed = mobileID(n), idpMax, true
	}
	m.Bearer = session.Bearer{Maximum: m.UplinkMax}
}

func (m *member) asTruck(n int, interval time.Duration) {
	m.Product, m.link, m.Links, m.Interval = truckProduct, linkUDP, []string{"udp"}, interval
	m.Thresholds = []device.Threshold{
		{Field: "speed", Code: 1, Limit: 100, Clear: 15, Text: "speeding"}, {Field: "fuel", Code: 2, Limit: 15, Below: true, Clear: 5, Text: "fuel is low"},
	}
	m.Chatter, m.Report, m.ReportBytes = 5*interval, 8*interval, 3000
	m.bands = map[string]uint32{"battery": 2, "cargo_temperature": 3, "heading": 4}
	m.Number = truckFleet + uint32(n) //nolint:gosec // at most perKind
	m.name = fmt.Sprintf("truck-%d", m.Number)
	if m.imported {
		m.Number += truckImported - truckFleet
		m.name = fmt.Sprintf("lorry-%d", m.Number)
		m.customer = "haul"
	}
}

// fleetKey is the id of the fleet key that the device's key would come from.
func (m *member) fleetKey() string {
	switch m.link {
	case linkSMS:
		return "buoys"
	case linkSat, linkRock, linkCloud, linkSBD, linkOrb, linkIDP:
		return "drifters"
	default:
		return "trucks"
	}
}
