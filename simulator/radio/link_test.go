package radio_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/simulator/radio"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func newLink(t testing.TB, m radio.Model, seed uint64) *radio.Link[int] {
	t.Helper()
	l, err := radio.New[int](m, rand.New(rand.NewPCG(seed, 1)))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// drain hands out everything that is under way, stepping from wake time to wake time.
func drain(l *radio.Link[int]) []radio.Delivery[int] {
	var all []radio.Delivery[int]
	for wake, ok := l.Next(); ok; wake, ok = l.Next() {
		for d, ok := l.Due(wake); ok; d, ok = l.Due(wake) {
			all = append(all, d)
		}
	}
	return all
}

func TestPerfectLinkDeliversAtOnceInOrder(t *testing.T) {
	l := newLink(t, radio.Model{}, 1)
	for i := range 100 {
		if n := l.Send(epoch, i); n != 1 {
			t.Fatalf("Send made %d copies, want 1", n)
		}
	}
	for i := range 100 {
		d, ok := l.Due(epoch)
		want := radio.Delivery[int]{Item: i, SentAt: epoch, At: epoch}
		if !ok || d != want {
			t.Fatalf("Due gave %+v (%t), want %+v", d, ok, want)
		}
	}
	if _, ok := l.Next(); ok {
		t.Error("Next has a wake time although nothing is under way")
	}
}

func TestOutageAndSize(t *testing.T) {
	l := newLink(t, radio.Model{SizeMax: 10}, 1)
	l.Outage(epoch.Add(time.Minute))
	l.Send(epoch, 1)
	l.Send(epoch.Add(time.Minute-1), 2)
	l.Send(epoch.Add(time.Minute), 3)
	l.SendSized(epoch.Add(time.Minute), 4, 11)
	l.SendSized(epoch.Add(time.Minute), 5, 10)
	var got []int
	for _, d := range drain(l) {
		got = append(got, d.Item)
	}
	if diff := cmp.Diff([]int{3, 5}, got); diff != "" {
		t.Errorf("delivered (-want +got):\n%s", diff)
	}
	want := radio.Stats{Sent: 5, Tries: 2, Delivered: 2, Bytes: 21}
	want.Fates[radio.Carried], want.Fates[radio.Outage], want.Fates[radio.TooLarge] = 2, 2, 1
	if diff := cmp.Diff(want, l.Stats()); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
}

func TestRatesAndDelaysAreThoseOfTheModel(t *testing.T) {
	const n = 200_000
	for name, m := range map[string]radio.Model{"cellular": radio.Cellular(), "short messages": radio.ShortMessages()} {
		l := newLink(t, m, 7)
		now, held := epoch, 0
		last := -1
		for i := range n {
			now = now.Add(time.Hour) // apart, so that delays show unmixed with queueing
			l.Send(now, i)
			for _, d := range drain(l) {
				if delay := d.At.Sub(d.SentAt); delay < m.Delay.Least || delay > m.Delay.Most+m.HoldBack.Most {
					t.Fatalf("%s: delay %v outside of the model", name, delay)
				}
				if d.Item < last {
					held++
				}
				last = d.Item
			}
		}
		s := l.Stats()
		near := func(what string, got, want, within float64) {
			t.Helper()
			if math.Abs(got-want) > within {
				t.Errorf("%s: %s is %.4f, want %.4f", name, what, got, want)
			}
		}
		arrived := float64(s.Fates[radio.Carried])
		near("loss", float64(s.Fates[radio.Lost])/n, m.Loss, 0.005)
		near("duplicates", float64(s.Duplicated)/arrived, m.Duplicate, 0.003)
		near("held back", float64(s.HeldBack)/float64(s.Delivered), m.Reorder, 0.003)
		mean := m.Delay.Mean.Seconds() + m.Reorder*m.HoldBack.Mean.Seconds()
		near("mean delay", s.DelayTotal.Seconds()/float64(s.Delivered), mean, mean*0.03)
		if held != 0 {
			t.Errorf("%s: %d overtaken although an hour apart", name, held)
		}
	}
}

func TestReorderOvertakes(t *testing.T) {
	m := radio.Cellular()
	overtaken := func(m radio.Model) (n int) {
		l := newLink(t, m, 3)
		for i := range 2000 {
			l.Send(epoch.Add(time.Duration(i)*10*time.Millisecond), i)
		}
		last := -1
		for _, d := range drain(l) {
			if d.Item < last {
				n++
			}
			last = max(last, d.Item)
		}
		return n
	}
	if n := overtaken(m); n == 0 {
		t.Error("nothing was overtaken")
	}
	m.Reorder = 0
	if n := overtaken(m); n != 0 {
		t.Errorf("%d were overtaken on a link that keeps the order", n)
	}
}

// Two models that differ in their loss only meet the same delays.
func TestCommonRandomNumbers(t *testing.T) {
	quiet, lossy := radio.Cellular(), radio.Cellular()
	quiet.Reorder, lossy.Reorder = 1, 1 // no queueing: a delay depends on its own draws only
	lossy.Loss = 0.5
	run := func(m radio.Model) map[[2]int]time.Time {
		l, at := newLink(t, m, 11), map[[2]int]time.Time{}
		for i := range 1000 {
			l.Send(epoch, i)
		}
		for _, d := range drain(l) {
			at[[2]int{d.Item, d.Copy}] = d.At
		}
		return at
	}
	all, some := run(quiet), run(lossy)
	if len(some) == 0 || len(some) >= len(all) {
		t.Fatalf("%d of %d arrived", len(some), len(all))
	}
	for key, at := range some {
		if !all[key].Equal(at) {
			t.Errorf("payload %v is due at %v, want %v", key, at, all[key])
		}
	}
}

func TestValidate(t *testing.T) {
	for _, m := range []radio.Model{
		{Loss: -0.1},
		{Duplicate: 1.1},
		{Reorder: math.NaN()},
		{Delay: radio.Delay{Least: 2, Mean: 1, Most: 3}},
		{HoldBack: radio.Delay{Least: -1}},
		{Delay: radio.Delay{Mean: 2, Most: 1}},
		{Delay: radio.Delay{Tail: -1}},
		{Delay: radio.Delay{Tail: math.NaN()}},
		{SizeMax: -1},
		{Pending: -1},
		{Truncate: 2},
		{Validity: -1},
		{Pauses: radio.Pauses{1, -1}},
		{Bursts: radio.Bursts{Bad: 1}},
		{Bursts: radio.Bursts{Good: 1, Bad: 1, Loss: 1.5}},
		{Passes: radio.Passes{Period: time.Hour}},
		{Passes: radio.Passes{Period: time.Hour, Length: time.Minute, Jitter: time.Hour}},
		{Passes: radio.Passes{Period: time.Hour, Length: time.Minute, Hidden: 1}},
		{Tariff: radio.Tariff{Unit: -1}},
	} {
		if _, err := radio.New[int](m, rand.New(rand.NewPCG(1, 1))); err == nil {
			t.Errorf("New takes %+v", m)
		}
	}
}

func drawDelay(t *rapid.T, name string) radio.Delay {
	tail := rapid.SampledFrom([]float64{0, 0, 0.5, 3}).Draw(t, name+" tail")
	d := []time.Duration{
		time.Duration(rapid.IntRange(0, 1000).Draw(t, name+" a")), time.Duration(rapid.IntRange(0, 1000).Draw(t, name+" b")),
		time.Duration(rapid.IntRange(0, 1000).Draw(t, name+" c")),
	}
	slices.Sort(d)
	return radio.Delay{Least: d[0], Mean: d[1], Most: d[2], Tail: tail}
}

// drawModel draws a model of anything, in times of a few hundred nanoseconds, so that all of them meet.
func drawModel(t *rapid.T) radio.Model {
	probability := rapid.OneOf(rapid.Just(0.0), rapid.Just(1.0), rapid.Float64Range(0, 1))
	span := func(name string, most int) time.Duration { return time.Duration(rapid.IntRange(0, most).Draw(t, name)) }
	m := radio.Model{
		Loss: probability.Draw(t, "loss"), Duplicate: probability.Draw(t, "duplicate"), Reorder: probability.Draw(t, "reorder"),
		Truncate: probability.Draw(t, "truncate"), Delay: drawDelay(t, "delay"), HoldBack: drawDelay(t, "hold back"),
		Validity: span("validity", 2000), Reports: rapid.Bool().Draw(t, "reports"),
		SizeMax: rapid.IntRange(0, 20).Draw(t, "size max"), Pending: rapid.IntRange(1, 30).Draw(t, "pending"),
		Tariff: radio.Tariff{
			Message: 7, Unit: rapid.IntRange(0, 9).Draw(t, "unit"), Price: 100, Least: rapid.IntRange(0, 9).Draw(t, "least"), Failed: rapid.Bool().Draw(t, "failed"),
			Included: uint64(rapid.IntRange(0, 20).Draw(t, "included")),
		},
	}
	if rapid.Bool().Draw(t, "bursts") {
		m.Bursts = radio.Bursts{Good: 1 + span("good", 2000), Bad: span("bad", 2000), Loss: probability.Draw(t, "loss in a burst")}
	}
	if rapid.Bool().Draw(t, "passes") {
		m.Passes = radio.Passes{Length: 1 + span("length", 300), Jitter: span("jitter", 300), Wait: span("wait", 600), Hidden: 0.3, Seed: 5}
		m.Passes.Period = m.Passes.Length + m.Passes.Jitter + span("gap", 300)
	}
	for i := range rapid.IntRange(0, len(m.Pauses)).Draw(t, "tries") {
		m.Pauses[i] = 1 + span("pause", 300)
	}
	return m
}

// trial plays calls against a link and watches what it says.
type trial struct {
	*radio.Link[int]

	m         radio.Model
	t         *rapid.T
	now       time.Time
	announced map[int]int // copies to come by payload
	dropped   uint64
	got       []radio.Delivery[int]
	reported  uint64
	cost      radio.Micros
}

func (x *trial) take() {
	for d, ok := x.Due(x.now); ok; d, ok = x.Due(x.now) {
		if d.At.After(x.now) || !d.Failed && d.At.Before(d.SentAt.Add(x.m.Delay.Least)) {
			x.t.Fatalf("%+v handed out at %v", d, x.now)
		}
		if n := len(x.got); n > 0 && d.At.Before(x.got[n-1].At) {
			x.t.Fatalf("%+v handed out after %+v", d, x.got[n-1])
		}
		if x.got = append(x.got, d); d.Failed {
			x.reported++
			continue
		}
		if x.announced[d.Item]--; x.announced[d.Item] < 0 {
			x.t.Fatalf("%+v arrived more often than announced", d)
		}
	}
	if wake, ok := x.Next(); ok && !wake.After(x.now) {
		x.t.Fatalf("Next is %v at %v after Due had no more", wake, x.now)
	}
}

func (x *trial) send(item, size int) {
	s := x.Carry(x.now, item, size)
	x.announced[item] = s.Copies
	x.cost += s.Cost
	if s.Copies == 0 {
		x.dropped++
	}
	if (s.Fate == radio.Carried) != (s.Copies > 0) || s.Cost > 0 && s.Tries == 0 {
		x.t.Fatalf("sent as %+v", s)
	}
	if x.Pending() > x.m.Pending {
		x.t.Fatalf("%d under way, want at most %d", x.Pending(), x.m.Pending)
	}
}

// end waits for all that is under way and holds the counts against what was seen.
func (x *trial) end() {
	x.Switch(x.now, true)
	for wake, ok := x.Next(); ok; wake, ok = x.Next() {
		if wake.After(x.now) {
			x.now = wake
		}
		x.take()
	}
	s := x.Stats()
	var fates, missing uint64
	for _, n := range s.Fates[radio.Lost:] {
		fates += n
	}
	for _, n := range x.announced {
		missing += uint64(n)
	}
	if fates != x.dropped || s.Delivered+s.Missed != s.Sent-x.dropped+s.Duplicated || s.Missed != missing || s.Cost != x.cost {
		x.t.Fatalf("stats do not add up: %+v with %d dropped, %d missing, cost %d", s, x.dropped, missing, x.cost)
	}
	if !x.m.Reports && x.reported > 0 {
		x.t.Fatalf("%d reports of a link that has none", x.reported)
	}
}

// Whatever the model and the calls: deliveries come in the order of their due times, never early, never more often than announced, the
// counts add up, limits hold, and the same seed does the same again.
func TestProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, seed := drawModel(t), rapid.Uint64().Draw(t, "seed")
		type op struct {
			Step, Size int
			Kind       int
		}
		ops := rapid.SliceOf(rapid.Custom(func(t *rapid.T) op {
			return op{rapid.IntRange(0, 500).Draw(t, "step"), rapid.IntRange(0, 30).Draw(t, "size"), rapid.IntRange(0, 19).Draw(t, "kind")}
		})).Draw(t, "ops")
		run := func() *trial {
			l, err := radio.New[int](m, rand.New(rand.NewPCG(seed, 1)))
			if err != nil {
				t.Fatal(err)
			}
			x := &trial{Link: l, m: m, t: t, now: epoch, announced: map[int]int{}}
			for i, o := range ops {
				x.now = x.now.Add(time.Duration(o.Step))
				x.take()
				switch o.Kind {
				case 0:
					l.Outage(x.now.Add(time.Duration(o.Size) * 10))
				case 1:
					l.Switch(x.now, false)
				case 2, 3:
					l.Switch(x.now, true)
				default:
					x.send(i, o.Size)
				}
			}
			x.end()
			return x
		}
		first, again := run(), run()
		if diff := cmp.Diff(first.got, again.got); diff != "" {
			t.Fatalf("the same seed gave other deliveries:\n%s", diff)
		}
		if first.Stats() != again.Stats() {
			t.Fatalf("the same seed gave other counts: %+v and %+v", first.Stats(), again.Stats())
		}
	})
}

func BenchmarkLink(b *testing.B) {
	l := newLink(b, radio.Cellular(), 1)
	now := epoch
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(time.Millisecond)
		l.Send(now, 1)
		for _, ok := l.Due(now); ok; _, ok = l.Due(now) {
		}
	}
}
