package tariff_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

func TestRate(t *testing.T) {
	for _, c := range []struct {
		name string
		term tariff.Term
		want scheduler.Rate
	}{
		{"SBD", tariff.Term{Min: 10, Price: 1300}, scheduler.Rate{Min: 10, Inc: 1, Price: 1300}},
		{"credits", tariff.Term{Unit: tariff.Credit, Size: 50, Min: 1, Price: 160_000}, scheduler.Rate{Min: 1, Inc: 50, Price: 160_000}},
		{"IDP", tariff.Term{Min: 15, Increment: 10, Price: 7000, Allowance: &tariff.Allowance{Amount: 1, Pooled: true}}, scheduler.Rate{Min: 15, Inc: 10, Price: 70_000, Pool: "t"}},
		{"NTN", tariff.Term{Header: 28, Min: 50, Price: 900}, scheduler.Rate{Header: 28, Min: 50, Inc: 1, Price: 900}},
		{"SMS", tariff.Term{Unit: tariff.Part, Size: 140, PartSize: 134, Price: 90_000, Failed: true}, scheduler.Rate{Min: 1, Inc: 140, Price: 90_000, Failed: true}},
		{"message", tariff.Term{Unit: tariff.PerMessage, Price: 70, Multiply: 2}, scheduler.Rate{Fixed: 140}},
		{"by the kB", tariff.Term{Unit: tariff.MB, Increment: 1000, Scope: tariff.OfSession, Price: 30_000}, scheduler.Rate{Inc: 1000, Price: 30}},
		{"by the day", tariff.Term{Unit: tariff.MB, Increment: 1000, Min: 5, Scope: tariff.OfDay, Price: 2_000_000}, scheduler.Rate{Inc: 1, Price: 2}},
		{"free", tariff.Term{Min: 4}, scheduler.Rate{Min: 4, Inc: 1}},
	} {
		tt := &tariff.Tariff{Name: "t", Currency: "EUR", Terms: []tariff.Term{c.term}}
		if d := cmp.Diff(c.want, tt.Rate(tariff.MO)); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		term := drawTerm(t)
		term.Price, term.Tiers, term.Step, term.Order, term.Allowance, term.Scope, term.Interval = max(term.Price, 1), nil, 0, tariff.MinimumFirst, nil, tariff.OfMessage, 0
		term.Price %= 1e9
		tt := sized(term)
		r := tt.Rate(tariff.MO)
		n := rapid.IntRange(0, 1<<20).Draw(t, "bytes")
		got, want := r.Cost(n), tt.Price(&tariff.Meter{}, nil, tariff.Event{Time: noon, Direction: tariff.MO, Bytes: int64(n)}).Micros
		// What a rate is wrong by is one increment, or the part to which its price is rounded.
		if diff := math.Abs(float64(got - want)); diff > float64(r.Price)+0.06*float64(want)+1 {
			t.Fatalf("%d bytes: the rate %+v says %d, the tariff %d", n, r, got, want)
		}
	})
}

// What goes from mobile to mobile is billed both ways, unless the tariff says otherwise.
func TestRateOfRelays(t *testing.T) {
	both := tariff.Term{Min: 10, Price: 1000}
	up, down := tariff.Term{Direction: tariff.MO, Min: 10, Increment: 10, Price: 1000}, tariff.Term{Direction: tariff.MT, Header: 4, Increment: 5, Price: 300}
	count := tariff.Term{Direction: tariff.MT, Unit: tariff.PerMessage, Price: 7}
	free := tariff.Term{Direction: tariff.MO, Min: 3}
	for _, c := range []struct {
		name  string
		terms []tariff.Term
		once  bool
		want  scheduler.Rate
	}{
		{"alike", []tariff.Term{both}, false, scheduler.Rate{Min: 10, Inc: 1, Price: 2000}},
		{"once", []tariff.Term{both}, true, scheduler.Rate{Min: 10, Inc: 1, Price: 1000}},
		{"other steps", []tariff.Term{up, down}, false, scheduler.Rate{Header: 4, Min: 10, Inc: 10, Price: 10_000 + 2*1500}},
		{"by number", []tariff.Term{up, count}, false, scheduler.Rate{Fixed: 7, Min: 10, Inc: 10, Price: 10_000}},
		{"free upwards", []tariff.Term{free, down}, false, scheduler.Rate{Header: 4, Inc: 5, Price: 1500}},
	} {
		tt := &tariff.Tariff{Name: "t", Currency: "EUR", RelayOnce: c.once, Terms: c.terms}
		r := tt.Rate(tariff.Relay)
		if d := cmp.Diff(c.want, r); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
		got, want := r.Cost(36), tt.Price(&tariff.Meter{}, nil, tariff.Event{Time: noon, Direction: tariff.Relay, Bytes: 36}).Micros
		if got != want {
			t.Errorf("%s: 36 bytes cost %d as planned, %d as billed", c.name, got, want)
		}
	}
}

func TestFees(t *testing.T) {
	tt := &tariff.Tariff{Rental: tariff.Rental{Price: 30_000_000, ByDay: true, FreeSilent: true, Suspended: 1_000_000, Activation: 25_000_000, MinMonths: 2, Group: 5, GroupOnce: 250}}
	day := func(s string) time.Time {
		at, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	month := func(s string) tariff.Month {
		m, err := tariff.ParseMonth(s)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	for _, c := range []struct {
		name, month, begun, ended string
		silent, suspended         bool
		want                      []tariff.Fee
	}{
		{"the first month", "2026-11", "2026-11-16", "", false, false, []tariff.Fee{{"activation", 25_000_000}, {"rental", 15_000_000}}},
		{"before", "2026-10", "2026-11-16", "", false, false, nil},
		{"a whole month", "2027-01", "2026-11-16", "", false, false, []tariff.Fee{{"rental", 30_000_000}}},
		{"silent within the minimum term", "2026-12", "2026-11-16", "", true, false, []tariff.Fee{{"rental", 30_000_000}}},
		{"silent", "2027-01", "2026-11-16", "", true, false, nil},
		{"suspended", "2027-01", "2026-11-16", "", false, true, []tariff.Fee{{"suspension", 1_000_000}}},
		{"ended within the minimum term", "2026-12", "2026-11-16", "2026-11-20", false, false, []tariff.Fee{{"rental", 30_000_000}}},
		{"ended on a leap day", "2028-02", "2026-11-16", "2028-02-29", false, false, []tariff.Fee{{"rental", 30_000_000}}},
		{"ended the day before a leap day", "2028-02", "2026-11-16", "2028-02-28", false, false, []tariff.Fee{{"rental", 28_965_518}}},
		{"after the end", "2028-03", "2026-11-16", "2028-02-28", false, false, nil},
	} {
		s := tariff.Subscription{Begun: day(c.begun), Silent: c.silent}
		if c.ended != "" {
			s.Ended = day(c.ended)
		}
		if c.suspended {
			s.Suspended = []tariff.Days{{From: 20270101}}
		}
		if d := cmp.Diff(c.want, tt.Fees(month(c.month), s)); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
	whole := *tt
	whole.Rental.ByDay = false
	if d := cmp.Diff([]tariff.Fee{{"activation", 25_000_000}, {"rental", 30_000_000}}, whole.Fees(month("2026-11"), tariff.Subscription{Begun: day("2026-11-30")})); d != "" {
		t.Errorf("a month that is begun (-want +got):\n%s", d)
	}
	begun := day("2026-11-16")
	if d := cmp.Diff([]tariff.Fee{{"group activation", 250}, {"group rental", 5}}, tt.GroupFees(month("2026-11"), begun)); d != "" {
		t.Errorf("a group (-want +got):\n%s", d)
	}
	if got := tt.GroupFees(month("2026-10"), begun); got != nil {
		t.Errorf("a group before it was: %v", got)
	}
}

// For the days on which a line is suspended another price is paid: by the day where that is agreed, else of months that are suspended as a whole.
func TestFeesOfASuspendedLine(t *testing.T) {
	const november = tariff.Month(2026*12 + 10)
	rental := tariff.Rental{Price: 30_000_000, ByDay: true, Suspended: 3_000_000, FreeSilent: true}
	whole, free := rental, rental
	whole.ByDay, free.Suspended = false, 0
	fees := func(price, suspended scheduler.Micros) (list []tariff.Fee) {
		for _, f := range []tariff.Fee{{"rental", price}, {"suspension", suspended}} {
			if f.Micros > 0 {
				list = append(list, f)
			}
		}
		return list
	}
	begun := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		rental tariff.Rental
		line   tariff.Subscription
		want   []tariff.Fee
	}{
		"by day":              {rental, tariff.Subscription{Suspended: []tariff.Days{{From: 20261111, Until: 20261121}}}, fees(20_000_000, 1_000_000)},
		"twice":               {rental, tariff.Subscription{Suspended: []tariff.Days{{From: 20261031, Until: 20261104}, {From: 20261130}}}, fees(26_000_000, 400_000)},
		"before and after":    {rental, tariff.Subscription{Suspended: []tariff.Days{{From: 20261001, Until: 20261101}, {From: 20261201}}}, fees(30_000_000, 0)},
		"all of it":           {rental, tariff.Subscription{Suspended: []tariff.Days{{From: 20261101, Until: 20261201}}}, fees(0, 3_000_000)},
		"silent otherwise":    {rental, tariff.Subscription{Silent: true, Suspended: []tariff.Days{{From: 20261111, Until: 20261121}}}, fees(0, 1_000_000)},
		"until it ends":       {rental, tariff.Subscription{Ended: time.Date(2026, 11, 10, 9, 0, 0, 0, time.UTC), Suspended: []tariff.Days{{From: 20261106}}}, fees(5_000_000, 500_000)},
		"from its first day":  {rental, tariff.Subscription{Begun: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC), Suspended: []tariff.Days{{From: 20261101}}}, fees(0, 1_000_000)},
		"a month as a whole":  {whole, tariff.Subscription{Silent: true, Suspended: []tariff.Days{{From: 20261001}}}, fees(0, 3_000_000)},
		"a part of a month":   {whole, tariff.Subscription{Suspended: []tariff.Days{{From: 20261102}}}, fees(30_000_000, 0)},
		"a part, and silent":  {whole, tariff.Subscription{Silent: true, Suspended: []tariff.Days{{From: 20261102}}}, nil},
		"at no price by day":  {free, tariff.Subscription{Suspended: []tariff.Days{{From: 20261111, Until: 20261121}}}, fees(20_000_000, 0)},
		"at no price, wholly": {free, tariff.Subscription{Suspended: []tariff.Days{{From: 20261001}}}, nil},
	} {
		if c.line.Begun.IsZero() {
			c.line.Begun = begun
		}
		if d := cmp.Diff(c.want, (&tariff.Tariff{Rental: c.rental}).Fees(november, c.line)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

func TestInvoice(t *testing.T) {
	for _, c := range []struct {
		currency    string
		amount, out scheduler.Micros
	}{
		{"EUR", 1_004_999, 1_000_000},
		{"EUR", 1_005_000, 1_010_000},
		{"EUR", -1_005_000, -1_010_000},
		{"JPY", 1_500_000, 2_000_000},
		{"KWD", 1_000_500, 1_001_000},
		{"EUR", math.MaxInt64, math.MaxInt64 - math.MaxInt64%10_000},
	} {
		if got := tariff.Invoice(c.currency, c.amount); got != c.out {
			t.Errorf("%s %s is rounded to %s, want %s", c.amount, c.currency, got, c.out)
		}
	}
}

func date(t *testing.T, s string) tariff.Date {
	t.Helper()
	d, err := tariff.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestBook: of the versions of a tariff that one is taken which holds, by the days of its own zone.
func TestBook(t *testing.T) {
	zone := time.FixedZone("", 13*3600)
	old := &tariff.Tariff{Name: "a", Currency: "EUR", Zone: zone, Until: date(t, "2026-11-30")}
	current := &tariff.Tariff{Name: "a", Currency: "EUR", Zone: zone, From: date(t, "2026-12-01"), Until: date(t, "2027-12-31")}
	b, err := tariff.NewBook([]*tariff.Tariff{current, old, {Name: "b", Currency: "EUR"}})
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]*tariff.Tariff{"2000-01-01T00:00:00Z": old, "2026-11-30T10:59:59Z": old, "2026-11-30T11:00:00Z": current, "2028-01-01T00:00:00Z": nil} {
		when, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := b.At("a", when); got != want {
			t.Errorf("at %s: %+v, want %+v", at, got, want)
		}
	}
	if b.At("c", noon) != nil || len(b.Versions("a")) != 2 || strings.Join(b.Names(), " ") != "a b" {
		t.Errorf("the book has %v", b.Names())
	}
	_, err = tariff.NewBook([]*tariff.Tariff{old, {Name: "a", Currency: "EUR", From: date(t, "2026-11-30")}, {Name: "b", Currency: "EUR", Until: 20200101}, {Name: "b", Currency: "USD", From: 20210101}})
	if !errors.Is(err, tariff.ErrBook) || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("versions that hold at the same time, and other currencies: %v", err)
	}
	late := tariff.Tariff{LateDays: 3, Zone: zone}
	if got, want := late.Closes(tariff.MonthOf(noon)), time.Date(2026, 12, 4, 0, 0, 0, 0, zone); !got.Equal(want) {
		t.Errorf("November can be closed at %s, want %s", got, want)
	}
}

// TestValidate: all mistakes are told, each at its key.
func TestValidate(t *testing.T) {
	bytes := tariff.Byte
	bad := &tariff.Tariff{
		Name: "a b", Pool: "-/-", Currency: "euro", From: 20260102, Until: 20260101, LateDays: -1,
		Terms: []tariff.Term{
			{Price: -1, Unit: tariff.Credit, Interval: time.Hour, Direction: tariff.Relay, Tiers: []tariff.Tier{{Above: 5}, {Above: 5}}},
			{Unit: tariff.PerMessage, Min: 1, Increment: 1, Scope: tariff.OfDay, Header: 1, PartSize: 3, Allowance: &tariff.Allowance{Each: true, Unit: &bytes, Valid: time.Hour, Renew: true}},
			{Scope: tariff.OfInterval, Header: -1, Direction: tariff.MT, For: []tariff.Kind{tariff.SessionEnd}},
			{For: []tariff.Kind{tariff.MailboxCheck}, Multiply: math.MaxInt64},
			{Scope: tariff.OfMonth, Handshake: 1},
		},
		Rental: tariff.Rental{Price: -1, MinMonths: -1},
	}
	err := bad.Validate()
	if !errors.Is(err, tariff.ErrTariff) {
		t.Fatal(err)
	}
	var keys []string
	for line := range strings.SplitSeq(err.Error(), "\n") {
		key, _, _ := strings.Cut(line, " ")
		keys = append(keys, key)
	}
	want := strings.Fields(`name pool currency valid_until late_days
		term[0].price term[0].direction term[0].size term[0].interval term[0].tier[1].above
		term[1].min term[1].increment term[1].scope term[1].header term[1].part_size
		term[1].allowance.amount term[1].allowance.unit term[1].allowance.each term[1].allowance.valid term[1].allowance.price
		term[2].header term[2].for term[2].interval term[3].multiply term[4].handshake term[4].unit rental.price rental.minimum_months`)
	if d := cmp.Diff(want, keys); d != "" {
		t.Errorf("mistakes at (-want +got):\n%s\n%v", d, err)
	}
	if err := sized(tariff.Term{}).Validate(); err != nil {
		t.Errorf("a tariff without a mistake: %v", err)
	}
}

func TestWords(t *testing.T) {
	var (
		u tariff.Unit
		d tariff.Direction
		k tariff.Kind
		s tariff.Scope
		o tariff.Order
		p tariff.Period
		y tariff.Date
		m tariff.Month
	)
	for text, into := range map[string]interface {
		UnmarshalText([]byte) error
		MarshalText() ([]byte, error)
	}{"MiB": &u, "mt": &d, "status_report": &k, "interval": &s, "increment": &o, "bundle": &p, "2028-02-29": &y, "2028-02": &m} {
		if err := into.UnmarshalText([]byte(text)); err != nil {
			t.Error(err)
		}
		if back, err := into.MarshalText(); err != nil || string(back) != text {
			t.Errorf("%q is written as %q, %v", text, back, err)
		}
		for _, other := range []string{"", "song", "2027-02-29", "1969-01-01", "1969-01"} {
			if err := into.UnmarshalText([]byte(other)); !errors.Is(err, tariff.ErrWord) && !errors.Is(err, tariff.ErrDate) {
				t.Errorf("%q for %q: %v", other, text, err)
			}
		}
	}
}
