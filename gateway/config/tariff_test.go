package config_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/godwit-gateway/godwit/gateway/config"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

const udpLink = "[link.udp0]\nkind=\"udp\"\nlisten=\"127.0.0.1:0\"\n"

// TestExamples: each kind of link has an example that says where it is from, and prices what its source does.
func TestExamples(t *testing.T) {
	book, err := config.Examples()
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name  string
		bytes int64
		want  string
	}{
		{"sms", 141, "0.20"},
		{"sbd", 9, "0.01"},
		{"sbd", 11, "0.011"},
		{"rockblock", 0, "0.11"},
		{"rockblock", 51, "0.22"},
		{"idp", 7, "0.00"}, // of the allowance
		{"idp", 2000, "7.575"},
		{"cellular-session", 1, "0.00002"},
		{"cellular-mb", 1_000_000, "0.078078"},
		{"cellular-mib", 2 << 20, "0.080157"},
		{"ntn", 8, "0.045"},
		{"ntn", 50, "0.0702"},
		{"notehub", 50, "0.00"},
	} {
		tt := book.At(c.name, at)
		if tt == nil {
			t.Errorf("there is no example %s", c.name)
			continue
		}
		if got := tt.Price(&tariff.Meter{}, nil, tariff.Event{Time: at, Direction: tariff.MO, Bytes: c.bytes}); got.Micros.String() != c.want {
			t.Errorf("%s: %d bytes cost %s, want %s", c.name, c.bytes, got.Micros, c.want)
		}
	}
	for _, name := range book.Names() {
		for _, tt := range book.Versions(name) {
			if tt.AsOf == 0 || tt.Source == "" || tt.Provider == "" || !strings.Contains(tt.Note, "check with your provider") {
				t.Errorf("%s does not say where it is from: %+v", name, tt)
			}
		}
	}
}

func TestTariffs(t *testing.T) {
	c, err := config.Load(config.Source{Text: udpLink + "tariff = \"mine\"\n" + `
[[tariff]]
name = "mine"
currency = "EUR"
time_zone = "Europe/Berlin"
valid_until = 2026-12-31
[[tariff.term]]
for = ["message", "mailbox_check"]
unit = "MB"
price = "0.03"
[tariff.term.allowance]
amount = 2
unit = "KiB"
period = "lifetime"
valid = "365d"
[[tariff.term]]
unit = "message"
direction = "mt"
price = "0.5"

[[tariff]]
name = "mine"
currency = "EUR"
time_zone = "Europe/Berlin"
valid_from = "2027-01-01"

[[tariff]]
name = "sms"
currency = "CHF"
`})
	if err != nil {
		t.Fatal(err)
	}
	mine := c.Book.At("mine", time.Date(2026, 12, 31, 22, 59, 0, 0, time.UTC))
	if mine == nil || c.Book.At("mine", time.Date(2026, 12, 31, 23, 0, 0, 0, time.UTC)) == mine {
		t.Fatalf("the version until the end of the year in Berlin is %+v", mine)
	}
	kib := tariff.KiB
	want := []tariff.Term{
		{For: []tariff.Kind{tariff.Message, tariff.MailboxCheck}, Unit: tariff.MB, Price: 30_000, Allowance: &tariff.Allowance{Amount: 2, Unit: &kib, Period: tariff.Lifetime, Valid: 365 * 24 * time.Hour}},
		{Unit: tariff.PerMessage, Direction: tariff.MT, Price: 500_000},
	}
	if d := cmp.Diff(want, mine.Terms); d != "" {
		t.Errorf("terms (-want +got):\n%s", d)
	}
	if sms := c.Book.Versions("sms"); len(sms) != 1 || sms[0].Currency != "CHF" || c.Links["udp0"].Tariff != "mine" {
		t.Errorf("the example of the same name stays: %+v", sms)
	}
}

// TestTariffMistakes: all are told, at their lines.
func TestTariffMistakes(t *testing.T) {
	_, err := config.Load(config.Source{Path: "godwit.toml", Text: udpLink + `tariff = "ghost"
[[tariff]]
name = "a"
currency = "EUR"
time_zone = "Mars/Olympus"
valid_from = "2026-02-30"
[[tariff.term]]
unit = "song"
price = 0.03
colour = "red"
[[tariff.term]]
unit = "message"
direction = "mt"
price = "-1"
[[tariff]]
name = "sbd"
currency = "EUR"
time_zone = "Local"
[[tariff]]
name = "sbd"
currency = "EUR"
`})
	var ps config.FileErrors
	if !errors.As(err, &ps) {
		t.Fatalf("%v", err)
	}
	got := make(map[string]int)
	for _, p := range ps {
		got[p.Key] = p.Line
	}
	want := map[string]int{
		"link.udp0.tariff": 4, "tariff[0].time_zone": 8, "tariff[0].valid_from": 9, "tariff[0].term[0].unit": 11, "tariff[0].term[0].price": 12,
		"tariff[0].term[0].colour": 13, "tariff[0].term[1].price": 17, "tariff[1].time_zone": 21, "tariff": 5,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("mistakes (-want +got):\n%s\n%v", d, err)
	}
}

// TestMixedCurrencies: plans compare prices, so links are priced in one currency; the mistake names both tariffs.
func TestMixedCurrencies(t *testing.T) {
	_, err := config.Load(config.Source{Text: udpLink + "tariff = \"ntn\"\n[link.udp1]\nkind = \"udp\"\nlisten = \"127.0.0.1:1\"\ntariff = \"rockblock\"\n"})
	if err == nil || !strings.Contains(err.Error(), "link.udp1.tariff: the tariff rockblock is in GBP, but the tariff ntn of link udp0 is in USD") {
		t.Errorf("%v", err)
	}
	_, err = config.Load(config.Source{Text: udpLink + "tariff = \"ntn\"\n[schedule]\ncurrency = \"EUR\"\n"})
	if err == nil || !strings.Contains(err.Error(), "the tariff ntn is in USD, but schedule.currency is EUR") {
		t.Errorf("%v", err)
	}
}
