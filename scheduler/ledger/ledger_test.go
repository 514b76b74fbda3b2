package ledger_test

import (
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

var noon = time.Date(2026, 11, 15, 12, 0, 0, 0, time.UTC)

const november = tariff.Month(2026*12 + 10)

func entry(device uint32, micros scheduler.Micros) ledger.Entry {
	return ledger.Entry{
		Time: noon, Device: device, Customer: "acme", Link: "sbd0", Pool: "fleet", Cause: ledger.CauseStatus, Direction: tariff.MO, Currency: "EUR",
		Count: 1, Payload: 9, Billed: 10, Micros: micros,
	}
}

func mustAdd(t *testing.T, l *ledger.Ledger, e ledger.Entry) ledger.Changed {
	t.Helper()
	c, err := l.Add(e)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// drawEntry draws one of few groups and devices, so that accounts are shared.
func drawEntry(t *rapid.T) ledger.Entry {
	name := func(what string, names ...string) string { return rapid.SampledFrom(names).Draw(t, what) }
	return ledger.Entry{
		Time:   time.Date(2028, time.Month(rapid.IntRange(1, 4).Draw(t, "month")), rapid.IntRange(1, 31).Draw(t, "day"), rapid.IntRange(0, 23).Draw(t, "hour"), 0, 0, 0, time.UTC),
		Device: rapid.Uint32Range(0, 3).Draw(t, "device"), Customer: name("customer", "acme", "port"), Link: name("link", "sbd0", "sms0"), Pool: name("pool", "", "fleet"),
		Campaign: name("campaign", "", "7"), Cause: ledger.Cause(rapid.Uint8Range(0, 11).Draw(t, "cause")),
		Direction: rapid.SampledFrom([]tariff.Direction{tariff.MO, tariff.MT}).Draw(t, "direction"), Currency: name("currency", "EUR", "USD"),
		Count: rapid.Int64Range(0, 2).Draw(t, "count"), Payload: rapid.Int64Range(0, 500).Draw(t, "payload"), Billed: rapid.Int64Range(0, 500).Draw(t, "billed"),
		Micros: scheduler.Micros(rapid.Int64Range(-100, 1000).Draw(t, "price")),
	}
}

// dumb is the model: a list of what was booked, and when months were closed.
type dumb struct {
	list   []ledger.Entry
	months []tariff.Month // in which each was booked
	closed tariff.Month
}

func (d *dumb) add(e ledger.Entry) {
	at := max(tariff.MonthOf(e.Time), d.closed+1)
	if d.closed == 0 {
		at = tariff.MonthOf(e.Time)
	}
	d.list, d.months = append(d.list, e), append(d.months, at)
}

func (d *dumb) sum(at tariff.Month, match func(*ledger.Entry) bool) (s ledger.Sums) {
	for i := range d.list {
		if e := &d.list[i]; d.months[i] == at && match(e) {
			s.Add(ledger.Sums{Micros: e.Micros, Count: e.Count, Payload: e.Payload, Billed: e.Billed})
		}
	}
	return s
}

// rows are all rows of a ledger, as a store would have them that writes what changes.
func rows(l *ledger.Ledger) map[string]string {
	all := make(map[string]string)
	for _, at := range l.Months() {
		for a := range l.Accounts(at) {
			key, value := l.AppendRow(nil, nil, a)
			all[string(key)] = string(value)
		}
	}
	return all
}

// TestModel compares the ledger, the rows that it asks to write, and a ledger that is made of them with a list of all entries.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, d, stored := ledger.New(), &dumb{}, make(map[string]string)
		budgets := []ledger.Budget{
			{Scope: ledger.Scope{Level: ledger.Fleet, Currency: "EUR"}, Amount: 5000}, {Scope: ledger.Scope{Level: ledger.OfDevice, Currency: "USD"}, Amount: 900, Hard: true},
		}
		if err := l.SetBudgets(budgets); err != nil {
			t.Fatal(err)
		}
		write := func(a ledger.Account) {
			if a != (ledger.Account{}) {
				key, value := l.AppendRow(nil, nil, a)
				stored[string(key)] = string(value)
			}
		}
		warned := make(map[ledger.Warning]int)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			if open := d.closed + 1; rapid.IntRange(0, 19).Draw(t, "close") == 0 && len(l.Months()) > 0 {
				if d.closed == 0 {
					open = l.Months()[0]
				}
				before := l.Totals(open, 127, nil)
				_, a, err := l.Close(open, time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC))
				if err != nil {
					t.Fatal(err)
				}
				write(a)
				d.closed = open
				if diff := cmp.Diff(before, l.Totals(open, 127, nil)); diff != "" {
					t.Fatal(diff)
				}
			}
			e := drawEntry(t)
			c, err := l.Add(e)
			if err != nil {
				t.Fatal(err)
			}
			d.add(e)
			write(c.Device)
			write(c.Group)
			for _, a := range c.Scopes {
				write(a)
			}
			for _, w := range c.Warnings {
				warned[ledger.Warning{Scope: w.Scope, Month: w.Month, Percent: w.Percent}]++
			}
		}
		for w, n := range warned {
			if n != 1 {
				t.Fatalf("warned %d times: %+v", n, w)
			}
		}
		again := ledger.New()
		for key, value := range stored { // in no order
			if err := again.Load([]byte(key), []byte(value)); err != nil {
				t.Fatalf("%x: %v", key, err)
			}
		}
		if err := again.SetBudgets(budgets); err != nil {
			t.Fatal(err)
		}
		l.Revise() // what a credit made undue is taken back in a ledger that is loaded
		if diff := cmp.Diff(rows(l), rows(again)); diff != "" {
			t.Fatalf("the rows make another ledger:\n%s", diff)
		}
		for _, one := range []*ledger.Ledger{l, again} {
			compare(t, one, d)
		}
	})
}

// compare holds every kind of total to the list.
func compare(t *rapid.T, l *ledger.Ledger, d *dumb) {
	t.Helper()
	check := func(what string, got, want ledger.Sums) {
		if got != want {
			t.Fatalf("%s: %+v, want %+v", what, got, want)
		}
	}
	for _, at := range l.Months() {
		for _, x := range l.Totals(at, ledger.ByCustomer|ledger.ByCause, nil) {
			check("customer and cause", x.Sums, d.sum(at, func(e *ledger.Entry) bool {
				return e.Customer == x.Customer && e.Cause == x.Cause && e.Currency == x.Currency
			}))
		}
		for _, x := range l.Totals(at, ledger.ByLink|ledger.ByPool|ledger.ByDirection|ledger.ByCampaign, nil) {
			check("link, pool, campaign, direction", x.Sums, d.sum(at, func(e *ledger.Entry) bool {
				return e.Link == x.Link && e.Pool == x.Pool && e.Campaign == x.Campaign && e.Direction == x.Direction && e.Currency == x.Currency
			}))
		}
		for x := range l.Devices(at) {
			for direction, got := range map[tariff.Direction]ledger.Sums{tariff.MO: x.Up, tariff.MT: x.Down} {
				check("device", got, d.sum(at, func(e *ledger.Entry) bool {
					return e.Device == x.Device && e.Link == x.Link && e.Currency == x.Currency && e.Direction == direction
				}))
			}
		}
		for _, s := range []ledger.Scope{{Level: ledger.Fleet}, {Level: ledger.OfCustomer, Name: "acme"}, {Level: ledger.OfPool, Name: "fleet"}, {Level: ledger.OfLink, Name: "sms0"}, {Level: ledger.OfDevice, Device: 2}} {
			s.Currency = "EUR"
			in := func(e *ledger.Entry) bool {
				return e.Currency == "EUR" && (s.Level == ledger.Fleet || s.Level == ledger.OfCustomer && e.Customer == s.Name || s.Level == ledger.OfPool && e.Pool == s.Name ||
					s.Level == ledger.OfLink && e.Link == s.Name || s.Level == ledger.OfDevice && e.Device == s.Device)
			}
			got := l.Spent(at, s)
			if got.All() != d.sum(at, in).Micros {
				t.Fatalf("%s: %+v, want %s in all", s, got, d.sum(at, in).Micros)
			}
			if ours := d.sum(at, func(e *ledger.Entry) bool { return in(e) && e.Ours() }).Micros; s.Level != ledger.OfDevice && got.Ours != ours {
				t.Fatalf("%s: %+v, of which %s ours", s, got, ours)
			}
		}
	}
}

// TestBudgetThatWasRaised: what is not spent to a part any more is warned of once more, after a reload as after a restart; the rest is not.
func TestBudgetThatWasRaised(t *testing.T) {
	fleet, device := ledger.Scope{Level: ledger.Fleet, Currency: "EUR"}, ledger.Scope{Level: ledger.OfDevice, Currency: "EUR"}
	set := func(l *ledger.Ledger, amount scheduler.Micros) {
		t.Helper()
		if err := l.SetBudgets([]ledger.Budget{{fleet, amount, false}, {device, amount, false}}); err != nil {
			t.Fatal(err)
		}
	}
	over := func(link string, micros scheduler.Micros) ledger.Entry {
		e := entry(1, micros)
		e.Link = link
		return e
	}
	for _, restart := range []bool{false, true} {
		for raised, want := range map[scheduler.Micros][]int64{1000: nil, 1300: {90, 100}, 2000: {70, 90, 100}} {
			l := ledger.New()
			set(l, 1000)
			mustAdd(t, l, over("sbd0", 500))
			mustAdd(t, l, over("sms0", 500)) // both accounts of the device know of warnings
			mustAdd(t, l, over("sbd0", 1))
			stored := rows(l)
			if set(l, raised); restart {
				l = ledger.New()
				set(l, raised)
				for key, value := range stored {
					if err := l.Load([]byte(key), []byte(value)); err != nil {
						t.Fatal(err)
					}
				}
				l.Revise()
			}
			for key, value := range rows(l) {
				if err := ledger.New().Load([]byte(key), []byte(value)); err != nil {
					t.Errorf("%q: %v", key, err)
				}
			}
			got := make(map[ledger.Level][]int64)
			for _, w := range mustAdd(t, l, over("sms0", 999)).Warnings {
				got[w.Scope.Level] = append(got[w.Scope.Level], w.Percent)
			}
			if !slices.Equal(got[ledger.Fleet], want) || !slices.Equal(got[ledger.OfDevice], want) {
				t.Errorf("raised to %d, restart %v: %v, want %v", raised, restart, got, want)
			}
		}
	}
}

func TestBudgets(t *testing.T) {
	l := ledger.New()
	device := ledger.Scope{Level: ledger.OfDevice, Currency: "EUR"}
	customer := ledger.Scope{Level: ledger.OfCustomer, Name: "acme", Currency: "EUR"}
	if err := l.SetBudgets([]ledger.Budget{{customer, 1000, true}, {device, 300, true}, {ledger.Scope{Level: ledger.OfDevice, Device: 9, Currency: "EUR"}, 0, true}}); err != nil {
		t.Fatal(err)
	}
	down := func(device uint32, micros scheduler.Micros) *ledger.Entry {
		e := entry(device, micros)
		e.Direction = tariff.MT
		return &e
	}
	var percents []int64
	spend := func(e ledger.Entry) {
		for _, w := range mustAdd(t, l, e).Warnings {
			if w.Scope == customer {
				percents = append(percents, w.Percent)
			}
		}
	}
	spend(entry(1, 250))
	for _, c := range []struct {
		e    *ledger.Entry
		of   ledger.Scope
		okay bool
	}{
		{down(1, 50), ledger.Scope{}, true},
		{down(1, 51), ledger.Scope{Level: ledger.OfDevice, Device: 1, Currency: "EUR"}, false},
		{down(9, 1), ledger.Scope{Level: ledger.OfDevice, Device: 9, Currency: "EUR"}, false},
		{down(9, 0), ledger.Scope{}, true},
		{down(0, 750), ledger.Scope{}, true},
		{down(0, 751), customer, false},
	} {
		if of, ok := l.Allow(c.e); of != c.of || ok != c.okay {
			t.Errorf("%d for %d: %s, %v, want %s", c.e.Micros, c.e.Device, of, ok, c.of)
		}
	}
	spend(entry(2, 449)) // what devices send is counted, however much it is
	spend(entry(3, 1))
	spend(entry(4, 100))
	spend(entry(4, -100))
	spend(entry(4, 250))
	spend(*down(5, 1))
	if d := cmp.Diff([]int64{70, 90}, percents); d != "" {
		t.Errorf("warnings (-want +got):\n%s", d)
	}
	if got, want := l.Spent(november, customer), (ledger.Spent{Ours: 1, Own: 950}); got != want {
		t.Errorf("spent %+v, want %+v", got, want)
	}
	next := entry(1, 990)
	next.Time = noon.AddDate(0, 1, 0)
	if c := mustAdd(t, l, next); len(c.Warnings) != 5 { // 70 and 90 of the customer, 70, 90 and 100 of the device
		t.Errorf("another month warns anew: %+v", c.Warnings)
	}
	bad := []ledger.Budget{{customer, -1, false}, {customer, 1, false}, {ledger.Scope{Level: ledger.OfLink, Currency: "EUR"}, 1, false}, {ledger.Scope{}, 1, false}}
	if err := l.SetBudgets(bad); !errors.Is(err, ledger.ErrBudget) {
		t.Errorf("budgets that are none: %v", err)
	}
}

// TestMonths: days and months are those of the zone in which an entry is billed; leap days are days; a clock that goes back changes no closed month.
func TestMonths(t *testing.T) {
	l := ledger.New()
	zone := time.FixedZone("", 13*3600)
	e := entry(1, 7)
	e.Time = time.Date(2028, 2, 29, 11, 0, 0, 0, time.UTC).In(zone) // the first of March there
	mustAdd(t, l, e)
	e.Time = time.Date(2028, 2, 29, 10, 59, 0, 0, time.UTC).In(zone)
	mustAdd(t, l, e)
	february := tariff.Month(2028*12 + 1)
	if d := cmp.Diff([]tariff.Month{february, february + 1}, l.Months()); d != "" {
		t.Errorf("months (-want +got):\n%s", d)
	}
	for _, c := range []struct {
		at  tariff.Month
		now time.Time
	}{{february, e.Time}, {february + 1, e.Time.AddDate(0, 3, 0)}} {
		if _, _, err := l.Close(c.at, c.now); !errors.Is(err, ledger.ErrClosed) {
			t.Errorf("%s is closed: %v", c.at, err)
		}
	}
	s, _, err := l.Close(february, e.Time.Add(time.Hour))
	if err != nil || len(s.Lines) != 1 || s.Lines[0].Micros != 7 || s.Lines[0].Invoice != 0 {
		t.Errorf("February comes to %+v, %v", s, err)
	}
	if _, _, err := l.Close(february, e.Time.Add(time.Hour)); !errors.Is(err, ledger.ErrClosed) {
		t.Errorf("February is closed twice: %v", err)
	}
	mustAdd(t, l, e) // late, or from a clock that went back
	march := l.Totals(february+1, ledger.ByCorrection, nil)
	if got := l.Totals(february, 0, nil); len(got) != 1 || got[0].Micros != 7 || len(march) != 2 || march[0].Micros != 7 || !march[1].Correction || march[1].Micros != 7 {
		t.Errorf("February is %+v, March %+v", got, march)
	}
	if err := l.Forget(february + 1); !errors.Is(err, ledger.ErrClosed) {
		t.Errorf("an open month is forgotten: %v", err)
	}
	if err := l.Forget(february); err != nil || l.Totals(february, 0, nil) != nil || len(l.Device(february+1, 1)) != 1 {
		t.Errorf("a closed month is not forgotten: %v", err)
	}
}

func TestForecast(t *testing.T) {
	l := ledger.New()
	for day := 1; day <= 14; day++ {
		e := entry(1, 1000+scheduler.Micros(day%2)*200) // 1100 on average
		e.Time = time.Date(2026, 11, day, 3, 0, 0, 0, time.UTC)
		mustAdd(t, l, e)
	}
	fee := entry(1, 50_000)
	fee.Cause = ledger.CauseFee
	mustAdd(t, l, fee)
	f := l.Forecast("EUR", noon, nil)
	if want := scheduler.Micros(14*1100 + 50_000 + 17_050); f.Expected != want || f.Days != 14 || f.Spent != 65_400 || f.Low >= f.Expected || f.High <= f.Expected || f.Low < f.Spent {
		t.Errorf("%+v, want %d", f, want)
	}
	reaches := f.Reaches(f.Spent+(f.Expected-f.Spent)/2, noon)
	if want := time.Date(2026, 11, 23, 6, 0, 0, 0, time.UTC); reaches.Sub(want).Abs() > time.Minute {
		t.Errorf("half of what is to come is spent at %s, want %s", reaches, want)
	}
	if !f.Reaches(f.Spent, noon).IsZero() || !f.Reaches(f.Expected, noon).IsZero() {
		t.Error("what is spent already, or lasts, is spent at a time to come")
	}
	for _, s := range []ledger.Scope{{}, {Level: ledger.OfCustomer, Name: "acme"}, {Level: ledger.OfLink, Name: "sbd0"}, {Level: ledger.OfPool, Name: "fleet"}} {
		if of := l.Forecast("EUR", noon, s.Takes); of != f {
			t.Errorf("of %s: %+v, want %+v", s, of, f)
		}
	}
	for _, s := range []ledger.Scope{{Level: ledger.OfCustomer, Name: "port"}, {Level: ledger.OfLink}, {Level: ledger.OfDevice, Device: 1}} {
		if of := l.Forecast("EUR", noon, s.Takes); of.Expected != 0 {
			t.Errorf("of %s: %+v", s, of)
		}
	}
	// What the month before tells is used as well, and a forecast at the month's end is what was spent.
	december := l.Forecast("EUR", time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), nil)
	if !december.Known() || december.Days != 28 || december.Spent != 0 || december.Expected == 0 {
		t.Errorf("in December: %+v", december)
	}
	end := l.Forecast("EUR", time.Date(2026, 11, 30, 23, 59, 59, 999999999, time.UTC), nil)
	if end.Expected != end.Spent || end.High-end.Spent > 1 {
		t.Errorf("at the end: %+v", end)
	}
	if f := l.Forecast("USD", noon, nil); f.Days != 0 || f.Known() || f.Expected != 0 {
		t.Errorf("of nothing: %+v", f)
	}
}

// TestForecastInterval: of months whose days vary by chance, about 80 in 100 end within the interval.
func TestForecastInterval(t *testing.T) {
	within := 0
	const months = 400
	for seed := range uint64(months) {
		l := ledger.New()
		x := seed*2654435761 + 1
		day := func() scheduler.Micros { // the sum of four uniform draws is nearly normal
			var sum uint64
			for range 4 {
				x = x*6364136223846793005 + 1442695040888963407
				sum += x >> 44 // 20 bits
			}
			return scheduler.Micros(sum)
		}
		var f ledger.Forecast
		for d := 1; d <= 30; d++ {
			e := entry(1, day())
			e.Time = time.Date(2026, 11, d, 6, 0, 0, 0, time.UTC)
			if d == 15 {
				f = l.Forecast("EUR", time.Date(2026, 11, d, 0, 0, 0, 0, time.UTC), nil)
			}
			mustAdd(t, l, e)
		}
		if end := l.Totals(november, 0, nil)[0].Micros; f.Low <= end && end <= f.High {
			within++
		}
	}
	if share := float64(within) / months; share < 0.72 || share > 0.88 {
		t.Errorf("%.2f of the months end within the interval, want about 0.80", share)
	}
}

// What the gateway does of itself is told apart from what devices do.
func TestOurs(t *testing.T) {
	for _, c := range []struct {
		cause     ledger.Cause
		direction tariff.Direction
		want      bool
	}{
		{ledger.CauseStatus, tariff.MO, false},
		{ledger.CauseStatus, tariff.MT, true},
		{ledger.CausePoll, tariff.MO, true},
		{ledger.CauseCheck, tariff.MO, true},
		{ledger.CauseUnknown, tariff.MO, false},
		{ledger.CauseFee, tariff.MT, false},
	} {
		if e := (ledger.Entry{Cause: c.cause, Direction: c.direction}); e.Ours() != c.want {
			t.Errorf("%s %s: ours is %t", c.cause, c.direction, e.Ours())
		}
	}
	if got := ledger.CauseCheck.String(); got != "check" {
		t.Errorf("a mailbox check is called %q", got)
	}
}

// What totals are kept apart by is read word by word, and another word is refused.
func TestParseBy(t *testing.T) {
	for want, words := range map[ledger.By]string{
		0:                                  "",
		ledger.ByCustomer | ledger.ByCause: "cause customer cause",
		ledger.ByLink | ledger.ByPool | ledger.ByCampaign | ledger.ByDirection | ledger.ByCorrection: "link pool campaign direction correction",
	} {
		if got, err := ledger.ParseBy(strings.Fields(words)); got != want || err != nil {
			t.Errorf("%s: %b, %v, want %b", words, got, err, want)
		}
	}
	if got, err := ledger.ParseBy([]string{"link", "song"}); got != 0 || err == nil || !strings.Contains(err.Error(), `by "song": want some of customer`) {
		t.Errorf("%b, %v", got, err)
	}
}

// A cause is read as it is written, and nothing else is one.
func TestParseCause(t *testing.T) {
	for c := ledger.CauseOther; c <= ledger.CauseEmpty; c++ {
		if got, err := ledger.ParseCause(c.String()); got != c || err != nil {
			t.Errorf("%s: %s, %v", c, got, err)
		}
	}
	for _, text := range []string{"", "Fee", "unknown(14)"} {
		if got, err := ledger.ParseCause(text); err == nil || !strings.Contains(err.Error(), "want one of other, status") {
			t.Errorf("%q: %s, %v", text, got, err)
		}
	}
}

func TestHostileEntries(t *testing.T) {
	l := ledger.New()
	for name, change := range map[string]func(*ledger.Entry){
		"year":      func(e *ledger.Entry) { e.Time = time.Time{} },
		"direction": func(e *ledger.Entry) { e.Direction = tariff.Both },
		"cause":     func(e *ledger.Entry) { e.Cause = 200 },
		"price":     func(e *ledger.Entry) { e.Micros = math.MaxInt64 },
		"bytes":     func(e *ledger.Entry) { e.Payload = -1 },
		"name":      func(e *ledger.Entry) { e.Customer = string(make([]byte, 256)) },
	} {
		e := entry(1, 1)
		change(&e)
		if _, err := l.Add(e); !errors.Is(err, ledger.ErrEntry) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(l.Months()) != 0 {
		t.Error("an entry that was refused left something")
	}
	for range 3000 { // sums stop at the end of the type
		mustAdd(t, l, entry(1, 1<<53))
	}
	if got := l.Totals(november, 0, nil)[0]; got.Micros != math.MaxInt64 || l.Device(november, 1)[0].Up.Micros != math.MaxInt64 {
		t.Errorf("%+v", got)
	}
}

// TestMemory: an account of a device stays within 100 bytes, with all that finds it.
func TestMemory(t *testing.T) {
	const devices = 50_000
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	l := ledger.New()
	mustAdd(t, l, entry(1, 1))
	before := heap()
	for n := range uint32(devices) {
		mustAdd(t, l, entry(n+2, 1))
	}
	each := float64(heap()-before) / devices
	t.Logf("%.1f bytes for each device, month and link", each)
	if each > 100 {
		t.Errorf("%.1f bytes for each device, month and link: 100 is the most", each)
	}
	key, value := l.AppendRow(nil, nil, slices.Collect(l.Accounts(november))[0])
	t.Logf("its row has %d bytes", len(key)+len(value))
	runtime.KeepAlive(l)
}

func FuzzLoad(f *testing.F) {
	l := ledger.New()
	if err := l.SetBudgets([]ledger.Budget{{ledger.Scope{Level: ledger.Fleet, Currency: "EUR"}, 1, false}}); err != nil {
		f.Fatal(err)
	}
	if _, err := l.Add(entry(1, 5)); err != nil {
		f.Fatal(err)
	}
	for key, value := range rows(l) {
		f.Add([]byte(key), []byte(value))
	}
	f.Add([]byte("c\x00\x00\x5e\xfe"), []byte{1})
	f.Fuzz(func(t *testing.T, key, value []byte) {
		l := ledger.New()
		if l.Load(key, value) != nil || l.Closed() != 0 {
			return
		}
		got := rows(l)
		if len(got) != 1 || got[string(key)] != string(value) {
			t.Fatalf("% x = % x is written as %x", key, value, got)
		}
		if err := l.Load(key, value); !errors.Is(err, ledger.ErrRow) {
			t.Fatalf("loaded twice: %v", err)
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	l := ledger.New()
	b.ReportAllocs()
	e := entry(1, 5)
	for i := range b.N {
		e.Device = uint32(i%100_000) + 1
		if _, err := l.Add(e); err != nil {
			b.Fatal(err)
		}
	}
}
