package config_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/godwit-gateway/godwit/gateway/config"
)

// What cannot be of schedules, policies, budgets and contacts is refused, each mistake at its key.
func TestScheduleMistakes(t *testing.T) {
	policy, budget := "[[policy]]\nname = \"p\"\n", "[schedule]\ncurrency = \"EUR\"\n[[budget]]\nscope = \"fleet\"\namount = \"5.00\"\n"
	for _, c := range []struct{ name, text, key, says string }{
		{"mode", "[schedule]\nmode = \"tell\"\n", "schedule.mode", "tell"},
		{"currency", "[schedule]\ncurrency = \"euro\"\n", "schedule.currency", "ISO 4217"},
		{"no currency", "[schedule]\nbudget = \"5.00\"\n", "schedule.currency", "is missing"},
		{"budget as a number", "[schedule]\nbudget = 5.0\n", "schedule.budget", "quotes"},
		{"negative budget", "[schedule]\ncurrency = \"EUR\"\nbudget = \"-5.00\"\n", "schedule.budget", "less than nothing"},
		{"cap below the budget", "[schedule]\ncurrency = \"EUR\"\nbudget = \"5.00\"\ncap = \"4.00\"\n", "schedule.cap", "less than the budget"},
		{"replan", "[schedule]\nreplan = \"1s\"\n", "schedule.replan", "1s"},

		{"policy without a name", "[[policy]]\nweight = 1.0\n", "policy[0].name", "cannot name"},
		{"product", policy + "product = \"boy-demo\"\n", "policy[0].product", `no product "boy-demo"`},
		{"field", policy + "product = \"buoy-demo\"\n[policy.battery]\nfield = \"volts\"\nempty = 1.0\nfull = 2.0\n", "policy[0].battery.field", `no field "volts"`},
		{"for nobody", policy + "[[policy]]\nname = \"q\"\nproduct = \"buoy-demo\"\n", "policy[1].name", "policy[0] has all of its devices"},
		{"law", policy + "law = \"cheap\"\n", "policy[0].law", "cheap"},
		{"law without an interval", policy + "law = \"fixed\"\n", "policy[0].interval", "is missing"},
		{"weight", policy + "weight = -1.0\n", "policy[0].weight", "out of range"},
		{"tail", policy + "tail = 5\n", "policy[0].tail", "out of range"},
		{"limits", policy + "shortest = \"2h\"\nlongest = \"1h\"\n", "policy[0].longest", "shorter than the shortest"},
		{"class of another law", policy + "[policy.class]\nudp0 = \"1h\"\n", "policy[0].class", "law class only"},
		{"link of a class", policy + "law = \"class\"\ninterval = \"1h\"\n[policy.class]\nsat9 = \"1h\"\n", "policy[0].class.sat9", `no link "sat9"`},
		{"bands without a gauge", policy + "law = \"bands\"\ninterval = \"1h\"\n", "policy[0].battery.field", "is missing"},
		{"bands that fall", policy + "law = \"bands\"\ninterval = \"1h\"\n[[policy.band]]\nbelow = 60\ninterval = \"1h\"\n[[policy.band]]\nbelow = 20\ninterval = \"2h\"\n[policy.battery]\nfield = \"x\"\nfull = 1.0\n", "policy[0].band[1].below", "20"},
		{"gauge", policy + "[policy.battery]\nfield = \"x\"\nempty = 4.0\nfull = 3.0\n", "policy[0].battery.full", "not above"},
		{"battery that cannot last", policy + "[policy.battery]\nenergy_mj = 10.0\nidle_mw = 5.0\nlife = \"100d\"\n", "policy[0].battery.life", "nothing is left"},
		{"burst", policy + "burst_minutes = [10, 5]\n", "policy[0].burst_minutes", "rise"},
		{"hazard", policy + "[policy.hazard]\nchance = 2.0\nmean = \"1h\"\n", "policy[0].hazard.chance", "out of range"},
		{"poll for nothing", policy + "[policy.poll]\ndeath_hour = \"5.00\"\n", "policy[0].poll.false_alarm", "what is at stake"},

		{"alarm", policy + "[policy.alarm]\nfactor = 0.5\nfor = \"1d\"\n", "policy[0].alarm.factor", "out of range"},
		{"alarm without an end", policy + "[policy.alarm]\nfactor = 5.0\n", "policy[0].alarm.for", "0s"},

		{"scope", strings.Replace(budget, "fleet", "planet", 1), "budget[0].scope", "planet"},
		{"name of the fleet", budget + "name = \"all\"\n", "budget[0].name", "has no name"},
		{"link", strings.Replace(budget, "fleet", "link", 1) + "name = \"sat9\"\n", "budget[0].name", `no link "sat9"`},
		{"pool", strings.Replace(budget, "fleet", "pool", 1) + "name = \"contract\"\n", "budget[0].name", `no tariff has a pool "contract"`},
		{"device", strings.Replace(budget, "fleet", "device", 1) + "name = \"buoy-1\"\n", "budget[0].name", "not the number of a device"},
		{"customer", strings.Replace(budget, "fleet", "customer", 1), "budget[0].name", "which customer?"},
		{"twice", budget + "[[budget]]\nscope = \"fleet\"\namount = \"6.00\"\n", "budget[1].scope", "stands twice"},
		{"amount", strings.Replace(budget, "5.00", "1e3", 1), "budget[0].amount", "1e3"},

		{"delivery", "[link.udp0.contact]\ndeliver = 1.5\n", "link.udp0.contact.deliver", "out of range"},
		{"gaps", "[link.udp0.contact]\nleast = \"2h\"\nmost = \"1h\"\n", "link.udp0.contact.most", "less than the least"},
		{"wakes", "[link.udp0.contact]\nwakes = true\n", "link.udp0.contact.wakes", "in answer to"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := config.Load(config.Source{Text: udpLink + c.text})
			var ps config.FileErrors
			if !errors.As(err, &ps) {
				t.Fatalf("taken: %v", err)
			}
			for _, p := range ps {
				if p.Key == c.key && strings.Contains(p.String(), c.says) {
					return
				}
			}
			t.Errorf("%v\nwant %s: … %s", err, c.key, c.says)
		})
	}
}

// Devices on SMS can be asked to speak, and those that a link's contacts say it of; a transceiver beside the gateway is a mobile among mobiles.
func TestWhatLinksAre(t *testing.T) {
	c, err := config.Load(config.Source{Text: udpLink + `
[link.sms0]
kind = "smsmodem"
device = "/dev/ttyUSB0"
[link.sat0]
kind = "directip"
listen = "127.0.0.1:0"
allow = ["127.0.0.1"]
[link.sat0.contact]
wakes = true
[link.sat1]
kind = "directip"
listen = "127.0.0.1:0"
allow = ["127.0.0.1"]
[link.sbd0]
kind = "sbdmodem"
device = "/dev/ttyUSB1"
`})
	if err != nil {
		t.Fatal(err)
	}
	var wakes, relays []string
	for _, l := range c.HubSchedule().Core.Links {
		if l.Wakes {
			wakes = append(wakes, l.Name)
		}
		if l.Relays {
			relays = append(relays, l.Name)
		}
	}
	if got := strings.Join(wakes, " ") + ", " + strings.Join(relays, " "); got != "sat0 sms0, sbd0" {
		t.Errorf("%s", got)
	}
}
