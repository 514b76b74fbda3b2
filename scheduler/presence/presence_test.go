package presence_test

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/scheduler/presence"
)

const (
	minute = 60
	hour   = 3600
	day    = 86400
	start  = 1_700_000_000
)

var config = presence.Config{
	Links: []presence.Link{
		{Name: "cell", Grace: 2 * minute, Jitter: 50, Wakeable: true},
		{Name: "sms", Grace: 10 * minute, Jitter: 50, Wakeable: true},
		{Name: "sbd", Grace: 10 * minute, Jitter: 50},
	},
	Bursts:   []presence.Burst{{10 * minute, hour, 4 * hour, 12 * hour}},
	Cells:    3,
	Products: 2,
}

func model(t testing.TB) *presence.Model {
	t.Helper()
	m, err := presence.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMissed(t *testing.T) {
	m := model(t)
	daily, hourly := presence.Policy{Interval: day}, presence.Policy{Interval: hour}
	fresh := func(p presence.Policy) presence.Device { return presence.NewDevice(start, p, 0, 0) }
	offered := func(p, offer presence.Policy, after int64) presence.Device {
		d := fresh(p)
		d.Offer(start+after, offer)
		return d
	}
	burst := func(interval, downtime uint32) presence.Device {
		d := fresh(presence.Policy{Interval: interval})
		d.Burst(0, downtime)
		return d
	}
	retired := fresh(hourly)
	retired.Retire()
	acknowledged := offered(hourly, daily, 0)
	acknowledged.Acknowledge(daily)
	const slack, grace = day / 20, 2 * minute
	for _, c := range []struct {
		name   string
		d      presence.Device
		after  int64
		missed int
	}{
		{"before its window", fresh(daily), day / 2, 0},
		{"in its window", fresh(daily), day + slack + grace, 0},
		{"after its window", fresh(daily), day + slack + grace + 1, 1},
		{"jitters add up", fresh(daily), 2*day + 2*slack + grace, 1},
		{"second", fresh(daily), 2*day + 2*slack + grace + 1, 2},
		{"twelfth, six slacks", fresh(daily), 12*day + 6*slack + grace + 1, 12},
		{"eleven", fresh(daily), 12*day + 6*slack + grace, 11},
		{"a longer interval is under way", offered(hourly, daily, 0), 10 * hour, 0},
		{"and would be late too", offered(hourly, daily, 0), day + slack + grace + 1, 1},
		{"a longer interval sent later", offered(hourly, daily, 3*hour), day + slack + 2*hour, 0},
		{"a shorter interval under way is not held against it", offered(daily, hourly, 0), 20 * hour, 0},
		{"it was acknowledged", acknowledged, 20 * hour, 0},
		{"burst, before", burst(day, 0), 10*minute + grace, 0},
		{"burst, first", burst(day, 0), 10*minute + grace + 1, 1},
		{"burst, all", burst(day, 0), 12*hour + grace + 1, 4},
		{"burst, and the regular one", burst(day, 0), day + slack + grace + 1, 5},
		{"burst of which only a part comes before the regular contact", burst(2*hour, 0), 2*hour - minute, 2},
		{"burst after a downtime", burst(day, hour), hour + 10*minute + grace, 0},
		{"burst after a downtime, missed", burst(day, hour), hour + 10*minute + grace + 1, 1},
		{"no interval", fresh(presence.Policy{}), 1000 * day, 0},
		{"retired", retired, 1000 * day, 0},
		{"the clock was set back", fresh(hourly), -day, 0},
	} {
		if got := m.Missed(&c.d, start+c.after); got != c.missed {
			t.Errorf("%s: %d missed after %d s, want %d", c.name, got, c.after, c.missed)
		}
	}
}

// devices draws a device in any state.
func devices(t *rapid.T) presence.Device {
	policy := rapid.Custom(func(t *rapid.T) presence.Policy {
		return presence.Policy{Interval: rapid.Uint32Range(1, 40*day).Draw(t, "interval"), Link: rapid.Uint8Range(0, 2).Draw(t, "link")}
	})
	d := presence.NewDevice(start, policy.Draw(t, "policy"), rapid.Uint16Range(0, 1).Draw(t, "product"), rapid.Uint16Range(0, 3).Draw(t, "cell"))
	if rapid.Bool().Draw(t, "burst") {
		d.Burst(0, rapid.Uint32Range(0, day).Draw(t, "downtime"))
	}
	if rapid.Bool().Draw(t, "offered") {
		d.Offer(start+rapid.Int64Range(0, 10*day).Draw(t, "offer"), policy.Draw(t, "pending"))
	}
	return d
}

func TestScheduleProperties(t *testing.T) {
	m := model(t)
	rapid.Check(t, func(t *rapid.T) {
		d := devices(t)
		now := start + rapid.Int64Range(0, 400*day).Draw(t, "now")
		missed := m.Missed(&d, now)
		opens, expected, closes := m.Window(&d, now)
		next := m.Next(&d, now)
		switch {
		case opens > expected || expected >= closes:
			t.Fatalf("window %d, %d, %d", opens, expected, closes)
		case next <= now || next < closes:
			t.Fatalf("next look at %d, now %d, window closes %d", next, now, closes)
		case missed < 2020 && (closes <= now || m.Missed(&d, closes-1) != missed || m.Missed(&d, closes) != missed+1):
			t.Fatalf("%d missed now; %d before and %d when the window closes", missed, m.Missed(&d, closes-1), m.Missed(&d, closes))
		case m.Missed(&d, now+rapid.Int64Range(0, 10*day).Draw(t, "later")) < missed:
			t.Fatal("fewer are missed later")
		}
		a, b := m.Standing(&d, now), m.Standing(&d, now+1)
		if !(a.Dead >= 0 && a.Dead <= 1) || b.Dead < a.Dead-1e-3 {
			t.Fatalf("dead with %g, then with %g", a.Dead, b.Dead)
		}
		encoded, err := d.AppendBinary(nil)
		var back presence.Device
		if err != nil || back.UnmarshalBinary(encoded) != nil || back != d {
			t.Fatalf("%+v is read back as %+v, %v", d, back, err)
		}
	})
	if n := unsafe.Sizeof(presence.Device{}); n > 32 {
		t.Errorf("a device takes %d bytes", n)
	}
}

func FuzzDeviceSnapshot(f *testing.F) {
	f.Add(make([]byte, 34))
	d := presence.NewDevice(start, presence.Policy{Interval: day}, 1, 2)
	b, _ := d.AppendBinary(nil)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		var d presence.Device
		if err := d.UnmarshalBinary(b); err != nil {
			if !errors.Is(err, presence.ErrSnapshot) {
				t.Fatal(err)
			}
			return
		}
		if again, _ := d.AppendBinary(nil); !bytes.Equal(again, b) {
			t.Fatalf("%x is read and written as %x", b, again)
		}
	})
}

// TestRuns teaches a model a known law, h(1) = 0.2 and 0.5 after, and compares C, and the posterior with its formula.
func TestRuns(t *testing.T) {
	m := model(t)
	p := presence.Policy{Interval: hour}
	now := int64(start)
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		d := presence.NewDevice(now, p, 0, 0)
		k := int64(0)
		for h := 0.2; random.Float64() < h; h = 0.5 {
			k++
		}
		m.Contact(&d, now+(k+1)*hour)
	}
	now += 10 * day // so many misses at once were taken for an outage
	m.Pass(now)
	c := make([]float64, 6)
	for k := range c {
		c[k] = m.TailProbability(p, k)
	}
	if c[0] != 1 || math.Abs(c[1]-0.2) > 0.01 || math.Abs(c[2]/c[1]-0.5) > 0.02 || math.Abs(c[3]/c[2]-0.5) > 0.03 {
		t.Errorf("C is %.4f", c)
	}
	d := presence.NewDevice(now, p, 0, 0)
	for k := 1; k <= 4; k++ {
		at := now + int64(k)*hour + 10*minute*2 // after the window of k, before that of k+1 opens
		if got := m.Missed(&d, at); got != k {
			t.Fatalf("%d missed, want %d", got, k)
		}
		lam := m.Attrition(0) / (30.4375 * day)
		odds := (1 - math.Exp(-lam*20*minute)) * c[k]
		for j := range k {
			odds += (1 - math.Exp(-lam*hour)) * c[j]
		}
		odds /= c[k]
		if s := m.Standing(&d, at); math.Abs(s.Dead/(odds/(1+odds))-1) > 1e-6 || s.Tail != c[k] {
			t.Errorf("after %d missed: dead with %g, want %g; tail %g, want %g", k, s.Dead, odds/(1+odds), s.Tail, c[k])
		}
	}
	// A contact that comes before anything is due says nothing of opportunities.
	before := m.TailProbability(p, 1)
	for range 1000 {
		m.Contact(&d, d.Last()+10*minute)
	}
	if after := m.TailProbability(p, 1); math.Abs(after-before) > 1e-6 {
		t.Errorf("contacts that were not due moved C(1) from %g to %g", before, after)
	}
}

func TestClasses(t *testing.T) {
	m := model(t)
	d := presence.NewDevice(start, presence.Policy{Interval: day, Link: 2}, 0, 0)
	var got []string
	for now := m.Next(&d, start); now < start+60*day; now = m.Next(&d, now) {
		if s := m.Check(&d, now); len(got) == 0 || got[len(got)-1] != s.Class.String() {
			got = append(got, s.Class.String())
		}
	}
	if want := []string{"late", "silent", "presumed dead"}; !slices.Equal(got, want) {
		t.Errorf("a dead device is %v, want %v", got, want)
	}
	s := m.Standing(&d, start+60*day)
	for _, want := range []string{"presumed dead", "last heard 2023-11-14 22:13 UTC over sbd, every 24h0m0s", "contacts missed"} {
		if !strings.Contains(s.String(), want) {
			t.Errorf("%q is not in %s", want, s.String())
		}
	}
	if dead := m.Attrition(0); dead <= 0.01 {
		t.Errorf("attrition is %g after a death", dead)
	}
	if missed := m.Contact(&d, start+60*day); missed < 50 {
		t.Errorf("%d missed", missed)
	}
	if s := m.Standing(&d, start+60*day+1); s.Class != presence.Due || s.Dead > 1e-3 || m.Attrition(0) > 0.01 {
		t.Errorf("it came back: %s, attrition %g", s.String(), m.Attrition(0))
	}
	d.Retire()
	if s := m.Standing(&d, start+600*day); s.Class != presence.Retired || m.Next(&d, start) != presence.Never {
		t.Errorf("retired: %s", s.String())
	}
	if n := m.Contact(&d, start); n != 0 || d.Last() != start+60*day || !d.Retired() {
		t.Error("a contact of the past counts")
	}
}

func TestOutage(t *testing.T) {
	m := model(t)
	fleet := make([]presence.Device, 2000)
	for i := range fleet {
		fleet[i] = presence.NewDevice(start+int64(i)*day/2000, presence.Policy{Interval: day, Link: 1}, 0, uint16(i%3+1))
	}
	out := func(i int, now int64) bool { // cell 2 is out on the tenth day for 20 hours; two devices in 100 miss at any time
		return i%3 == 1 && now >= start+10*day && now < start+10*day+20*hour || (i*7919+int(now/day))%50 == 0
	}
	due := slices.Clone(make([]int64, len(fleet)))
	for i := range due {
		due[i] = fleet[i].Last() + day
	}
	seen := map[presence.Class]int{}
	var began, share float64
	for now := int64(start); now < start+14*day; now += 10 * minute {
		m.Pass(now)
		for i := range fleet {
			if due[i] <= now {
				if due[i] += day; !out(i, now) {
					m.Contact(&fleet[i], now)
					due[i] = now + day
				}
			}
			if d := &fleet[i]; m.Next(d, d.Last()) <= now {
				s := m.Check(d, now)
				if i%3 == 1 && now > start+10*day+6*hour && now < start+10*day+20*hour {
					seen[s.Class]++
				} else if i%3 == 0 && s.Class == presence.Out {
					t.Fatalf("day %d: cell 1 is taken to be out", (now-start)/day)
				}
			}
		}
		if o := m.Cell(2); began == 0 && o.Since != 0 {
			began, share = float64(now-start-10*day)/hour, o.Probability
		}
	}
	if began <= 0 || began > 4 || share < 0.5 {
		t.Errorf("the outage was noticed after %.1f h, share %.2f", began, share)
	}
	// Those who missed their one contact of the day come back a day later: half have at 32 h.
	if o := m.Cell(2); o.Until == 0 || math.Abs(float64(o.Until-start-10*day)/hour-32) > 4 {
		t.Errorf("it ended %.1f h after it began", float64(o.Until-start-10*day)/hour)
	}
	if m.Cell(1).Since != 0 || m.Cell(3).Since != 0 {
		t.Error("other cells are taken to have been out")
	}
	if seen[presence.Out] < 9*seen[presence.Late] || seen[presence.Silent]+seen[presence.Presumed] != 0 {
		t.Errorf("devices of the cell were %v", seen)
	}
}

func TestPollValue(t *testing.T) {
	stakes := presence.Stakes{Hour: 20_000_000, False: 600_000, Poll: 1000}
	for _, c := range []struct {
		name   string
		link   uint8
		after  int64
		polled bool
		stakes presence.Stakes
		want   bool
	}{
		{"not due", 0, day / 2, false, stakes, false},
		{"after the first miss", 0, 30 * hour, false, stakes, true},
		{"once only", 0, 30 * hour, true, stakes, false},
		{"not after the second", 0, 54 * hour, false, stakes, false},
		{"not over a link that cannot be woken", 2, 30 * hour, false, stakes, false},
		{"not for more than it is worth", 0, 30 * hour, false, presence.Stakes{Hour: 20_000_000, False: 600_000, Poll: 1_000_000}, false},
		{"not for nothing", 0, 30 * hour, false, presence.Stakes{}, false},
		{"for a verdict", 0, 54 * hour, false, presence.Stakes{Hour: 100_000_000, False: 600_000, Poll: 1000, Verdict: true}, true},
	} {
		m := model(t)
		d := presence.NewDevice(start, presence.Policy{Interval: day, Link: c.link}, 0, 0)
		if c.polled {
			m.Polled(&d, start+c.after)
		}
		if v := m.PollValue(&d, start+c.after, c.stakes); v.Poll != c.want {
			t.Errorf("%s: %+v", c.name, v)
		}
	}
	m := model(t)
	var d presence.Device
	before := presence.Value{}
	for i := range 100 {
		d = presence.NewDevice(start, presence.Policy{Interval: day}, 0, 0)
		if v := m.PollValue(&d, start+30*hour, stakes); i == 0 {
			before = v
		}
		m.Polled(&d, start+30*hour)
		if i%5 == 0 {
			m.Answered(&d, start+30*hour+10)
			m.Contact(&d, start+30*hour+10)
		}
	}
	d = presence.NewDevice(start, presence.Policy{Interval: day}, 0, 0)
	if v := m.PollValue(&d, start+30*hour, stakes); before.Answer != 0.57 || math.Abs(v.Answer-0.23) > 0.02 || v.After <= v.Dead {
		t.Errorf("20 of 100 answered: from %+v to %+v", before, v)
	}
}

func TestConfig(t *testing.T) {
	for name, change := range map[string]func(*presence.Config){
		"no links":              func(c *presence.Config) { c.Links = nil },
		"no products":           func(c *presence.Config) { c.Products = 0 },
		"posterior of 1":        func(c *presence.Config) { c.Presumed = 1 },
		"no number":             func(c *presence.Config) { c.Presumed = math.NaN() },
		"silent before missing": func(c *presence.Config) { c.Silent = -1 },
		"jitter of a half":      func(c *presence.Config) { c.Links = []presence.Link{{Jitter: 500}} },
		"burst back in time":    func(c *presence.Config) { c.Bursts = []presence.Burst{{2, 1}} },
	} {
		c := config
		change(&c)
		if _, err := presence.New(c); !errors.Is(err, presence.ErrConfig) {
			t.Errorf("%s: %v, want ErrConfig", name, err)
		}
	}
}

func TestQueue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q, want := presence.NewQueue(0), map[uint32]int64{}
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				n, at := rapid.Uint32Range(0, 40).Draw(t, "number"), rapid.Int64Range(0, 20).Draw(t, "at")
				q.Set(n, at)
				want[n] = at
			},
			"remove": func(t *rapid.T) {
				n := rapid.Uint32Range(0, 40).Draw(t, "number")
				q.Set(n, presence.Never)
				delete(want, n)
			},
			"": func(t *rapid.T) {
				number, at, ok := q.Min()
				if ok != (len(want) != 0) || q.Len() != len(want) || ok && want[number] != at {
					t.Fatalf("min is %d at %d, %v of %v", number, at, ok, want)
				}
				for n, w := range want {
					if w < at || w == at && n < number {
						t.Fatalf("min is %d at %d, but %d at %d is queued", number, at, n, w)
					}
				}
			},
		})
	})
}

// TestBurstProbability: what bursts teach is kept apart from what regular contacts do, and leans on the link while there is nothing.
func TestBurstProbability(t *testing.T) {
	m := model(t)
	if got, want := m.BurstProbability(0, 1), m.TailProbability(presence.Policy{Interval: day}, 1); got != want {
		t.Errorf("before anything is known %g are missed in a burst, %g at an interval", got, want)
	}
	for i := range 1000 {
		d := presence.NewDevice(start, presence.Policy{Interval: day}, 0, 0)
		d.Burst(0, 0)
		m.Contact(&d, start+10*minute)
		d = presence.NewDevice(start, presence.Policy{Interval: day}, 0, 0)
		m.Contact(&d, start+day+int64(i%2*day)) // each second device misses one
	}
	burst, regular := m.BurstProbability(0, 1), m.TailProbability(presence.Policy{Interval: day}, 1)
	if burst > 0.01 || math.Abs(regular-0.5) > 0.05 {
		t.Errorf("%g are missed in a burst, %g at an interval; want about 0 and 0.5", burst, regular)
	}
	if m.BurstProbability(0, 0) != 1 || m.BurstProbability(0, 2) > burst {
		t.Errorf("none missed: %g, two missed: %g", m.BurstProbability(0, 0), m.BurstProbability(0, 2))
	}
	if o := presence.Octave(hour); o <= presence.Octave(hour/2) || o >= presence.Octave(2*hour) || presence.Octave(1<<31) != presence.Octaves-1 {
		t.Errorf("octaves %d, %d, %d", presence.Octave(hour/2), o, presence.Octave(2*hour))
	}
}

// A link that has always lost more than one is told at first is not out, in a fleet of any size; and one that gets worse for good is out for days only.
func TestOutageThatIsNone(t *testing.T) {
	for _, size := range []int{12, 300} {
		m := model(t)
		fleet := make([]presence.Device, size)
		due := make([]int64, size)
		for i := range fleet {
			fleet[i] = presence.NewDevice(start+int64(i)*2*hour/int64(size), presence.Policy{Interval: 2 * hour, Link: 1}, 0, 1)
			due[i] = fleet[i].Last() + 2*hour
		}
		lost := func(i int, now int64) bool {
			share := 15
			if now >= start+20*day {
				share = 45
			}
			return (uint64(i)*7919+uint64(now)*104729)>>3%100 < uint64(share)
		}
		for now := int64(start); now < start+40*day; now += 10 * minute {
			m.Pass(now)
			for i := range fleet {
				if due[i] <= now {
					if due[i] += 2 * hour; !lost(i, now) {
						m.Contact(&fleet[i], now)
					}
				}
				if d := &fleet[i]; m.Next(d, d.Last()) <= now {
					m.Check(d, now)
				}
			}
			if o := m.Cell(1); now < start+20*day && o.Since != 0 {
				t.Fatalf("%d devices: out on day %d: %+v", size, (now-start)/day, o)
			}
		}
		if o := m.Cell(1); o.Since != 0 && o.Until == 0 {
			t.Errorf("%d devices: out for ever: %+v", size, o)
		}
	}
}
