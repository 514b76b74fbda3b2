package tariff_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

var noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// micro is a price that makes amounts the number of units.
func sized(m tariff.Term) *tariff.Tariff {
	if m.Price == 0 {
		m.Price = 1
	}
	return &tariff.Tariff{Name: "t", Currency: "EUR", Terms: []tariff.Term{m}}
}

// TestVectors are those that providers publish.
func TestVectors(t *testing.T) {
	sbd := tariff.Term{Min: 10}
	credits := tariff.Term{Unit: tariff.Credit, Size: 50, Min: 1}
	idp := tariff.Term{Min: 15, Increment: 10}
	idpOther := tariff.Term{Min: 15, Increment: 10, Order: tariff.IncrementFirst}
	ntn := tariff.Term{Header: 28, Min: 50}
	sms := tariff.Term{Unit: tariff.Part, Size: 140, PartSize: 134}
	for _, c := range []struct {
		name         string
		term         tariff.Term
		size         int64
		bytes, price int64
	}{
		{"SBD", sbd, 9, 10, 10},
		{"SBD", sbd, 10, 10, 10},
		{"SBD", sbd, 11, 11, 11},
		{"credits", credits, 50, 50, 1},
		{"credits", credits, 51, 100, 2},
		{"credits", credits, 0, 50, 1},
		{"IDP, minimum first", idp, 7, 20, 20},
		{"IDP, minimum first", idp, 21, 30, 30},
		{"IDP, increment first", idpOther, 7, 15, 15},
		{"IDP, increment first", idpOther, 21, 30, 30},
		{"NTN", ntn, 8, 50, 50},
		{"NTN", ntn, 50, 78, 78},
		{"SMS", sms, 140, 140, 1},
		{"SMS", sms, 141, 280, 2},
		{"SMS", sms, 268, 280, 2},
		{"SMS", sms, 269, 420, 3},
	} {
		if err := sized(c.term).Validate(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		var m tariff.Meter
		got := sized(c.term).Price(&m, nil, tariff.Event{Time: noon, Direction: tariff.MO, Bytes: c.size})
		if got.Bytes != c.bytes || int64(got.Micros) != c.price {
			t.Errorf("%s: %d bytes are %+v, want %d bytes for %d", c.name, c.size, got, c.bytes, c.price)
		}
	}
}

// cdr is a tariff whose sessions have a record every six hours, each rounded to 1000 bytes.
var cdr = sized(tariff.Term{Unit: tariff.KB, Min: 1, Increment: 1000, Scope: tariff.OfInterval, Interval: 6 * time.Hour})

// TestRecords: one byte in a session that is open for a day is billed as 4 kB, in whatever way the gateway hears of it.
func TestRecords(t *testing.T) {
	opened := noon
	for name, events := range map[string][]tariff.Event{
		"begin and end": {
			{Time: opened, Session: 1, Bytes: 1},
			{Time: opened.Add(24 * time.Hour), Session: 1, Kind: tariff.SessionEnd},
		},
		"the last byte ends it": {
			{Time: opened, Session: 1},
			{Time: opened.Add(24*time.Hour - time.Second), Session: 1, Bytes: 1, Closed: true},
		},
		"heard of afterwards": {
			{Time: opened.Add(24 * time.Hour), Opened: opened, Session: 1, Kind: tariff.SessionEnd},
		},
		"ended twice": {
			{Time: opened, Session: 1, Bytes: 1},
			{Time: opened.Add(24 * time.Hour), Session: 1, Kind: tariff.SessionEnd},
			{Time: opened.Add(25 * time.Hour), Session: 1, Kind: tariff.SessionEnd},
		},
		"late": {
			{Time: opened, Session: 1},
			{Time: opened.Add(24*time.Hour - time.Second), Session: 1},
			{Time: opened.Add(time.Hour), Session: 1, Bytes: 1},
		},
	} {
		var m tariff.Meter
		var sum tariff.Charge
		for _, ev := range events {
			ev.Direction = tariff.MO
			c := cdr.Price(&m, nil, ev)
			sum.Bytes, sum.Micros = sum.Bytes+c.Bytes, sum.Micros+c.Micros
		}
		if sum.Bytes != 4000 || sum.Micros != 4 {
			t.Errorf("%s: %+v, want 4000 bytes for 4", name, sum)
		}
	}
	// What is rounded up only if there is something does not bill empty records.
	empty := sized(tariff.Term{Unit: tariff.KB, Increment: 1000, Scope: tariff.OfInterval, Interval: 24 * time.Hour})
	var m tariff.Meter
	if c := empty.Price(&m, nil, tariff.Event{Time: noon.Add(100 * time.Hour), Opened: noon, Session: 3, Kind: tariff.SessionEnd}); c != (tariff.Charge{}) {
		t.Errorf("an empty session costs %+v", c)
	}
}

// run prices events one after the other and says what each cost.
func run(tt *tariff.Tariff, m *tariff.Meter, events ...tariff.Event) (costs []scheduler.Micros) {
	for _, ev := range events {
		costs = append(costs, tt.Price(m, nil, ev).Micros)
	}
	return costs
}

func same(t *testing.T, what string, got, want []scheduler.Micros) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func TestScopes(t *testing.T) {
	mo := func(after time.Duration, bytes int64, session uint64) tariff.Event {
		return tariff.Event{Time: noon.Add(after), Direction: tariff.MO, Bytes: bytes, Session: session}
	}
	session := sized(tariff.Term{Min: 100, Increment: 10, Scope: tariff.OfSession, Handshake: 95})
	same(t, "session", run(session, &tariff.Meter{}, mo(0, 5, 1), mo(1, 5, 1), mo(2, 1, 2), mo(3, 1, 0), mo(4, 1, 0)), []scheduler.Micros{100, 10, 100, 100, 100})
	berlin := time.FixedZone("", 3600)
	day := sized(tariff.Term{Increment: 1000, Scope: tariff.OfDay})
	day.Zone = berlin // midnight is 11 hours after noon in UTC
	same(t, "day", run(day, &tariff.Meter{}, mo(0, 1, 0), mo(11*time.Hour-1, 999, 0), mo(11*time.Hour, 1, 0)), []scheduler.Micros{1000, 0, 1000})
	same(t, "a day that goes back", run(day, &tariff.Meter{}, mo(12*time.Hour, 1, 0), mo(0, 1, 0), mo(13*time.Hour, 1, 0)), []scheduler.Micros{1000, 0, 0})
	month := sized(tariff.Term{Increment: 1000, Scope: tariff.OfMonth})
	same(t, "month", run(month, &tariff.Meter{}, mo(0, 1, 0), mo(36*time.Hour-1, 1, 0), mo(36*time.Hour, 1, 0)), []scheduler.Micros{1000, 0, 1000})
	month.Zone = berlin
	same(t, "month in another zone", run(month, &tariff.Meter{}, mo(0, 1, 0), mo(35*time.Hour-1, 1, 0), mo(35*time.Hour, 1, 0)), []scheduler.Micros{1000, 0, 1000})
}

func TestAllowances(t *testing.T) {
	at := func(days int, n int64) tariff.Event {
		return tariff.Event{Time: noon.AddDate(0, 0, days), Direction: tariff.MO, Bytes: n}
	}
	monthly := sized(tariff.Term{Allowance: &tariff.Allowance{Amount: 100}})
	same(t, "month", run(monthly, &tariff.Meter{}, at(0, 60), at(0, 60), at(1, 5), at(2, 100), at(2, 1)), []scheduler.Micros{0, 20, 5, 0, 1})
	lifetime := sized(tariff.Term{Allowance: &tariff.Allowance{Amount: 100, Period: tariff.Lifetime, Valid: 48 * time.Hour}})
	same(t, "lifetime", run(lifetime, &tariff.Meter{}, at(0, 60), at(1, 10), at(2, 10)), []scheduler.Micros{0, 0, 10})
	bundle := sized(tariff.Term{Allowance: &tariff.Allowance{Amount: 100, Period: tariff.Bundle, Valid: 48 * time.Hour, Price: 1000}})
	same(t, "bundle", run(bundle, &tariff.Meter{}, at(0, 60), at(1, 60), at(2, 10)), []scheduler.Micros{1000, 20, 10})
	bundle.Terms[0].Allowance.Renew = true
	same(t, "bundles", run(bundle, &tariff.Meter{}, at(0, 60), at(1, 60), at(2, 350), at(4, 10)), []scheduler.Micros{1000, 1000, 3000, 1000})

	pool := sized(tariff.Term{Allowance: &tariff.Allowance{Amount: 100, Pooled: true, Each: true}})
	a, b, shared := tariff.Meter{}, tariff.Meter{}, tariff.Meter{Members: 2}
	var all []scheduler.Micros
	for _, m := range []*tariff.Meter{&a, &b, &a} {
		all = append(all, pool.Price(m, &shared, at(0, 80)).Micros)
	}
	same(t, "pool", all, []scheduler.Micros{0, 0, 40})
	if pool.PoolName() != "t" || monthly.PoolName() != "" {
		t.Errorf("pools %q and %q", pool.PoolName(), monthly.PoolName())
	}

	tiers := sized(tariff.Term{Price: 10, Tiers: []tariff.Tier{{Above: 100, Price: 5}, {Above: 200, Price: 1}}})
	same(t, "tiers", run(tiers, &tariff.Meter{}, at(0, 90), at(0, 20), at(0, 100), at(2, 1)), []scheduler.Micros{900, 150, 460, 10})
	blocks := sized(tariff.Term{Price: 2, Step: 500, Allowance: &tariff.Allowance{Amount: 10}})
	same(t, "blocks", run(blocks, &tariff.Meter{}, at(0, 10), at(0, 1), at(0, 499), at(0, 1)), []scheduler.Micros{0, 1000, 0, 1000})
}

func TestEventsThatDiffer(t *testing.T) {
	tt := &tariff.Tariff{Name: "t", Currency: "EUR", Terms: []tariff.Term{
		{Direction: tariff.MO, Price: 1},
		{Direction: tariff.MT, Price: 3},
		{For: []tariff.Kind{tariff.MailboxCheck}, Unit: tariff.PerMessage, Price: 1000, FreeRider: true},
		{For: []tariff.Kind{tariff.StatusReport}, Unit: tariff.PerMessage, Price: 200},
		{Unit: tariff.Session, Price: 10_000},
		{For: []tariff.Kind{tariff.Message}, Unit: tariff.Item, Price: 100_000, Failed: true},
	}}
	if err := tt.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		ev   tariff.Event
		want scheduler.Micros
	}{
		{"up", tariff.Event{Direction: tariff.MO, Bytes: 7}, 110_007},
		{"down", tariff.Event{Direction: tariff.MT, Bytes: 7}, 110_021},
		{"from device to device", tariff.Event{Direction: tariff.Relay, Bytes: 7}, 220_028},
		{"check", tariff.Event{Direction: tariff.MO, Kind: tariff.MailboxCheck}, 1000},
		{"check that rides", tariff.Event{Direction: tariff.MO, Kind: tariff.MailboxCheck, Riding: true}, 0},
		{"report", tariff.Event{Direction: tariff.MT, Kind: tariff.StatusReport}, 200},
		{"failed", tariff.Event{Direction: tariff.MO, Bytes: 7, Failed: true}, 100_000},
		{"three events", tariff.Event{Direction: tariff.MO, Items: 3}, 310_000},
		{"beams and repeats", tariff.Event{Direction: tariff.MT, Bytes: 7, Repeats: 4}, 440_084},
		{"sent again", tariff.Event{Direction: tariff.MO, Bytes: 7, Overhead: 14}, 110_021},
		{"end", tariff.Event{Kind: tariff.SessionEnd, Session: 8}, 0},
	} {
		c.ev.Time = noon
		var m tariff.Meter
		if got := tt.Price(&m, nil, c.ev); got.Micros != c.want {
			t.Errorf("%s: %+v, want %d", c.name, got, c.want)
		}
		var again tariff.Meter
		charge, lines := tt.Explain(&again, nil, c.ev)
		var sum scheduler.Micros
		for _, l := range lines {
			sum += l.Micros
		}
		if charge.Micros != c.want || sum != c.want {
			t.Errorf("%s: explained as %+v: %+v", c.name, charge, lines)
		}
	}
	once := *tt
	once.RelayOnce = true
	var m tariff.Meter
	if got := once.Price(&m, nil, tariff.Event{Time: noon, Direction: tariff.Relay, Bytes: 7}); got.Micros != 110_007 {
		t.Errorf("from device to device, billed once: %+v", got)
	}
	// The fee of a session is paid once.
	same(t, "session fee", run(tt, &tariff.Meter{}, tariff.Event{Time: noon, Session: 4}, tariff.Event{Time: noon, Session: 4, Closed: true}, tariff.Event{Time: noon, Session: 5}),
		[]scheduler.Micros{110_000, 100_000, 110_000})
}

// TestClock: a clock that goes back changes nothing but for one that was far in the future.
func TestClock(t *testing.T) {
	monthly := sized(tariff.Term{Allowance: &tariff.Allowance{Amount: 10}})
	ev := func(days int) tariff.Event {
		return tariff.Event{Time: noon.AddDate(0, 0, days), Direction: tariff.MO, Bytes: 10}
	}
	same(t, "back", run(monthly, &tariff.Meter{}, ev(2), ev(0), ev(3)), []scheduler.Micros{0, 10, 10})
	same(t, "far", run(monthly, &tariff.Meter{}, ev(0), ev(30000), ev(1), ev(2)), []scheduler.Micros{0, 0, 0, 0})
}

// drawTerm draws a term by size that is valid.
func drawTerm(t *rapid.T) tariff.Term {
	small := rapid.Int64Range(0, 300)
	m := tariff.Term{
		Unit: rapid.SampledFrom([]tariff.Unit{tariff.Byte, tariff.KB, tariff.KiB, tariff.MB, tariff.MiB, tariff.Credit}).Draw(t, "unit"),
		Size: 50, Header: small.Draw(t, "header"), Min: small.Draw(t, "min"), Increment: small.Draw(t, "increment"),
		Order: rapid.SampledFrom([]tariff.Order{tariff.MinimumFirst, tariff.IncrementFirst}).Draw(t, "order"),
		Scope: tariff.Scope(rapid.Uint8Range(0, 4).Draw(t, "scope")),
		Price: scheduler.Micros(rapid.Int64Range(0, 1e15).Draw(t, "price")), Step: small.Draw(t, "step"),
		Multiply: rapid.Int64Range(0, 3).Draw(t, "multiply"),
	}
	if m.Scope == tariff.OfInterval {
		m.Interval = time.Duration(rapid.Int64Range(1, 90000).Draw(t, "interval")) * time.Second
	}
	if rapid.Bool().Draw(t, "tiers") {
		m.Tiers = []tariff.Tier{{Above: 3, Price: scheduler.Micros(rapid.Int64Range(0, 1e15).Draw(t, "tier"))}, {Above: 1000, Price: 1}}
	}
	if rapid.Bool().Draw(t, "included") {
		m.Allowance = &tariff.Allowance{Amount: rapid.Int64Range(1, 1<<40).Draw(t, "amount"), Period: tariff.Period(rapid.Uint8Range(0, 2).Draw(t, "period"))}
		if m.Allowance.Period == tariff.Bundle {
			m.Allowance.Price, m.Allowance.Renew = 7, rapid.Bool().Draw(t, "renew")
		}
	}
	return m
}

// TestMonotone: more bytes never cost less, whatever went before.
func TestMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tt := sized(drawTerm(t))
		if err := tt.Validate(); err != nil {
			t.Fatal(err)
		}
		sizes := rapid.Int64Range(0, 1<<20)
		var m tariff.Meter
		tt.Price(&m, nil, tariff.Event{Time: noon, Direction: tariff.MO, Bytes: sizes.Draw(t, "before"), Session: 1})
		a := sizes.Draw(t, "a")
		b := a + sizes.Draw(t, "more")
		one, two := m.Clone(), m.Clone()
		ev := tariff.Event{Time: noon.Add(time.Hour), Direction: tariff.MO, Session: 1}
		ev.Bytes = a
		less := tt.Price(&one, nil, ev)
		ev.Bytes = b
		if more := tt.Price(&two, nil, ev); more.Micros < less.Micros || more.Bytes < less.Bytes || less.Micros < 0 {
			t.Fatalf("%d bytes cost %+v, %d bytes %+v", a, less, b, more)
		}
	})
}

// TestExact: what the messages of a record cost adds up to what the record costs, in any order.
func TestExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		term := drawTerm(t)
		term.Scope = rapid.SampledFrom([]tariff.Scope{tariff.OfSession, tariff.OfInterval, tariff.OfDay, tariff.OfMonth}).Draw(t, "record")
		term.Interval = 0
		if term.Scope == tariff.OfInterval {
			term.Interval = 24 * time.Hour
		}
		term.Price %= 1e9 // sums stay below the end of the type, where they stop to be exact
		if len(term.Tiers) > 0 {
			term.Tiers[0].Price %= 1e9
		}
		tt := sized(term)
		sizes := rapid.SliceOfN(rapid.Int64Range(0, 5000), 1, 20).Draw(t, "sizes")
		total := func(sizes []int64) (all scheduler.Micros, m tariff.Meter) {
			for _, n := range sizes {
				all += tt.Price(&m, nil, tariff.Event{Time: noon, Direction: tariff.MO, Bytes: n, Session: 1}).Micros
			}
			return all, m
		}
		one, m1 := total(sizes)
		two, m2 := total(rapid.Permutation(sizes).Draw(t, "other order"))
		b1, _ := m1.MarshalBinary()
		b2, _ := m2.MarshalBinary()
		if one != two || string(b1) != string(b2) {
			t.Fatalf("%d in one order, %d in another", one, two)
		}
		var whole int64
		for _, n := range sizes {
			whole += n
		}
		var m tariff.Meter
		once := tt.Price(&m, nil, tariff.Event{Time: noon, Direction: tariff.MO, Bytes: whole + int64(len(sizes)-1)*term.Header, Session: 1})
		if once.Micros != one {
			t.Fatalf("%d in %d messages, %d in one", one, len(sizes), once.Micros)
		}
	})
}

// TestHostile: no number makes a price negative, or a meter unreadable.
func TestHostile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tt := sized(drawTerm(t))
		var m tariff.Meter
		for range rapid.IntRange(1, 5).Draw(t, "events") {
			any64 := rapid.OneOf(rapid.Int64(), rapid.SampledFrom([]int64{math.MaxInt64, math.MinInt64, 0, 1}))
			c := tt.Price(&m, nil, tariff.Event{
				Time: time.Unix(any64.Draw(t, "time"), 0), Direction: tariff.Direction(rapid.Uint8().Draw(t, "direction")), Kind: tariff.Kind(rapid.Uint8().Draw(t, "kind")),
				Bytes: any64.Draw(t, "bytes"), Overhead: any64.Draw(t, "overhead"), Parts: any64.Draw(t, "parts"), Items: any64.Draw(t, "items"),
				Repeats: any64.Draw(t, "repeats"), Session: rapid.Uint64().Draw(t, "session"), Opened: time.Unix(any64.Draw(t, "opened"), 0),
				Closed: rapid.Bool().Draw(t, "closed"),
			})
			if c.Micros < 0 || c.Bytes < 0 || c.Units < 0 || c.Allowed < 0 {
				t.Fatalf("%+v", c)
			}
		}
		b, err := m.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var back tariff.Meter
		if err := back.UnmarshalBinary(b); err != nil {
			t.Fatalf("% x: %v", b, err)
		}
	})
}

func FuzzMeter(f *testing.F) {
	var m tariff.Meter
	cdr.Price(&m, nil, tariff.Event{Time: noon, Direction: tariff.MO, Bytes: 7, Session: 3})
	b, err := m.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte{1, 0, 0, 0})
	f.Add([]byte{2})
	f.Fuzz(func(t *testing.T, b []byte) {
		var m, again tariff.Meter
		if m.UnmarshalBinary(b) != nil {
			return
		}
		out, err := m.MarshalBinary()
		if err != nil || again.UnmarshalBinary(out) != nil {
			t.Fatalf("% x is written as % x", b, out)
		}
		if c := cdr.Price(&m, nil, tariff.Event{Time: noon, Direction: tariff.MO, Bytes: 7, Session: 3}); c.Micros < 0 || c.Bytes < 0 {
			t.Fatalf("% x makes a price of %+v", b, c)
		}
	})
}

func BenchmarkPrice(b *testing.B) {
	var m tariff.Meter
	ev := tariff.Event{Time: noon, Direction: tariff.MO, Bytes: 51, Session: 3}
	b.ReportAllocs()
	for range b.N {
		cdr.Price(&m, nil, ev)
	}
}
