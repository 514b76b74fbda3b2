package world_test

import (
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
	"github.com/godwit-gateway/godwit/simulator/radio"
	"github.com/godwit-gateway/godwit/simulator/world"
	"github.com/godwit-gateway/godwit/transports"
)

// phases counts what the gateway stored by link: before, in and after an outage.
type phases struct {
	versions

	begin  time.Time
	from   time.Duration
	to     time.Duration
	stored [3][2]int
}

func (p *phases) Taken(at time.Time, on world.Line, _ time.Time, _ int, s transports.Settlement) {
	if s != transports.Stored {
		return
	}
	phase := 0
	switch since := at.Sub(p.begin); {
	case since >= p.to+time.Hour: // what was under way over the other link has arrived
		phase = 2
	case since >= p.to:
		return
	case since >= p.from:
		phase = 1
	}
	p.stored[phase][on.Link]++
}

// several are devices with datagrams and short messages, in that order, and a gateway that plans with both.
func several(t *testing.T, plans bool) world.Setup {
	t.Helper()
	s, err := world.Fleet(5, 6*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	s.Groups = s.Groups[:1]
	g := &s.Groups[0]
	g.Device.Interval, g.Device.UplinkMax, g.Device.RetryMax = time.Hour, 140, 10*time.Minute
	g.Others = []world.Bearer{{Link: "sms", Up: radio.ShortMessages(), Down: radio.ShortMessages()}}
	if plans {
		book, err := tariff.NewBook([]*tariff.Tariff{{Name: "text", Currency: "EUR", Terms: []tariff.Term{{Unit: tariff.PerMessage, Price: 50_000}}}})
		if err != nil {
			t.Fatal(err)
		}
		s.Schedule = hub.Schedule{Send: true, Core: core.Config{
			Links: []core.Link{{Name: "udp"}, {Name: "sms", Tariff: "text", Wakes: true}}, Tariffs: book, Currency: "EUR", Money: 200_000_000,
			Rules: []core.Rule{{Policy: scheduler.Policy{Min: 1800, Max: 7200}}},
		}}
	}
	return s
}

// Where the cheap link dies devices fall back on the other one, and return to it.
func TestFallBack(t *testing.T) {
	for name, plans := range map[string]bool{"by themselves": false, "with a schedule": true} {
		s := several(t, plans)
		p := &phases{versions: versions{seen: map[uint32]string{}}, begin: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), from: 48 * time.Hour, to: 96 * time.Hour}
		s.Watch = p
		s.Incidents = []world.Incident{{Kind: "outage", At: p.from, For: p.to - p.from, Link: "udp"}}
		play(t, s)
		udp, sms := 0, 1
		if p.stored[1][udp] > 0 || p.stored[1][sms] < p.stored[0][udp]/4 {
			t.Errorf("%s: in the outage %d over datagrams, %d over messages, after %d before it", name, p.stored[1][udp], p.stored[1][sms], p.stored[0][udp])
		}
		for _, phase := range []int{0, 2} {
			if n := p.stored[phase]; n[udp] < 10*n[sms] || n[udp] == 0 {
				t.Errorf("%s: phase %d: %d over datagrams, %d over messages: want the cheap link", name, phase, n[udp], n[sms])
			}
		}
	}
}

// A policy orders the links: where the first one costs money and the other does not, devices are told to try the other one first.
func TestPolicyOrdersLinks(t *testing.T) {
	s := several(t, true)
	g := &s.Groups[0]
	g.Link, g.Others = "sms", []world.Bearer{{Link: "udp", Up: g.Up, Down: g.Down}}
	g.Up, g.Down = radio.ShortMessages(), radio.ShortMessages()
	p := &phases{versions: versions{seen: map[uint32]string{}}, begin: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), from: 72 * time.Hour, to: 73 * time.Hour}
	s.Watch = p
	s.Incidents = []world.Incident{{Kind: "outage", At: 12 * time.Hour, For: 6 * time.Hour, Link: "sms"}} // the gateway sees the other link only then
	play(t, s)
	udp, sms := 0, 1
	if n := p.stored[2]; n[udp] < n[sms] {
		t.Errorf("in the end %d over datagrams, %d over messages: want the cheap link", n[udp], n[sms])
	}
}
