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
	want := radio.Stats{Sent: 5, Outage: 2, TooLarge: 1, Delivered: 2}
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
		arrived := float64(s.Sent - s.Lost)
		near("loss", float64(s.Lost)/n, m.Loss, 0.005)
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
		{SizeMax: -1},
		{Pending: -1},
	} {
		if _, err := radio.New[int](m, rand.New(rand.NewPCG(1, 1))); err == nil {
			t.Errorf("New takes %+v", m)
		}
	}
}

func drawDelay(t *rapid.T, name string) radio.Delay {
	d := []time.Duration{
		time.Duration(rapid.IntRange(0, 1000).Draw(t, name+" a")), time.Duration(rapid.IntRange(0, 1000).Draw(t, name+" b")),
		time.Duration(rapid.IntRange(0, 1000).Draw(t, name+" c")),
	}
	slices.Sort(d)
	return radio.Delay{Least: d[0], Mean: d[1], Most: d[2]}
}

// Whatever the model and the calls: deliveries come in the order of their due times, never early, never more often than announced, the
// counts add up, limits hold, and the same seed does the same again.
func TestProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		probability := rapid.OneOf(rapid.Just(0.0), rapid.Just(1.0), rapid.Float64Range(0, 1))
		m := radio.Model{
			Loss: probability.Draw(t, "loss"), Duplicate: probability.Draw(t, "duplicate"), Reorder: probability.Draw(t, "reorder"),
			Delay: drawDelay(t, "delay"), HoldBack: drawDelay(t, "hold back"),
			SizeMax: rapid.IntRange(0, 20).Draw(t, "size max"), Pending: rapid.IntRange(1, 30).Draw(t, "pending"),
		}
		seed := rapid.Uint64().Draw(t, "seed")
		type op struct {
			Step, Size int
			Kind       int
		}
		ops := rapid.SliceOf(rapid.Custom(func(t *rapid.T) op {
			return op{rapid.IntRange(0, 500).Draw(t, "step"), rapid.IntRange(0, 30).Draw(t, "size"), rapid.IntRange(0, 9).Draw(t, "kind")}
		})).Draw(t, "ops")
		run := func() ([]radio.Delivery[int], radio.Stats) {
			l, err := radio.New[int](m, rand.New(rand.NewPCG(seed, 1)))
			if err != nil {
				t.Fatal(err)
			}
			var got []radio.Delivery[int]
			now, announced := epoch, map[int]int{}
			take := func() {
				for d, ok := l.Due(now); ok; d, ok = l.Due(now) {
					if d.At.After(now) || d.At.Before(d.SentAt.Add(m.Delay.Least)) {
						t.Fatalf("%+v handed out at %v", d, now)
					}
					if n := len(got); n > 0 && d.At.Before(got[n-1].At) {
						t.Fatalf("%+v handed out after %+v", d, got[n-1])
					}
					if announced[d.Item]--; announced[d.Item] < 0 {
						t.Fatalf("%+v arrived more often than announced", d)
					}
					got = append(got, d)
				}
				if wake, ok := l.Next(); ok && !wake.After(now) {
					t.Fatalf("Next is %v at %v after Due had no more", wake, now)
				}
			}
			var dropped uint64
			for i, o := range ops {
				now = now.Add(time.Duration(o.Step))
				take()
				if o.Kind == 0 {
					l.Outage(now.Add(time.Duration(o.Size) * 10))
					continue
				}
				if announced[i] = l.SendSized(now, i, o.Size); announced[i] == 0 {
					dropped++
				}
				if l.Pending() > m.Pending {
					t.Fatalf("%d under way, want at most %d", l.Pending(), m.Pending)
				}
			}
			for wake, ok := l.Next(); ok; wake, ok = l.Next() {
				now = wake
				take()
			}
			s := l.Stats()
			if s.Lost+s.Outage+s.TooLarge+s.Overflow != dropped || s.Delivered != s.Sent-dropped+s.Duplicated {
				t.Fatalf("stats do not add up: %+v with %d dropped", s, dropped)
			}
			for i, n := range announced {
				if n != 0 {
					t.Fatalf("%d copies of payload %d never came", n, i)
				}
			}
			return got, s
		}
		first, stats := run()
		again, statsAgain := run()
		if diff := cmp.Diff(first, again); diff != "" {
			t.Fatalf("the same seed gave other deliveries:\n%s", diff)
		}
		if stats != statsAgain {
			t.Fatalf("the same seed gave other counts: %+v and %+v", stats, statsAgain)
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
