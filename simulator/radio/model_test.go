package radio_test

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/simulator/radio"
)

// The sizes that the sources of published tariffs give as examples.
func TestUnitsOfPublishedTariffs(t *testing.T) {
	sbd := radio.Tariff{Unit: 1, Least: 10}
	credit := radio.Tariff{Unit: 50, Least: 1}
	skylo := radio.Tariff{Unit: 1, Least: 50, Overhead: 28}
	idp := radio.Tariff{Unit: 10, Least: 15}
	for _, tc := range []struct {
		name   string
		tariff radio.Tariff
		size   int
		want   uint64
	}{
		{"Iridium SBD, below its minimum", sbd, 9, 10},
		{"Iridium SBD, its minimum", sbd, 10, 10},
		{"Iridium SBD, above it", sbd, 11, 11},
		{"RockBLOCK credits", credit, 50, 1},
		{"RockBLOCK credits, one byte more", credit, 51, 2},
		{"RockBLOCK credits, a mailbox check", credit, 0, 1},
		{"Skylo via Monogoto", skylo, 8, 50},
		{"Skylo via Monogoto, with headers", skylo, 50, 78},
		{"IsatData Pro", idp, 7, 2},
		{"IsatData Pro, rounded up", idp, 21, 3},
		{"by message", radio.Tariff{Message: 5}, 1000, 0},
	} {
		if got := tc.tariff.Units(tc.size); got != tc.want {
			t.Errorf("%s: %d bytes are %d units, want %d", tc.name, tc.size, got, tc.want)
		}
	}
}

// What is included is free until it is used up, and anew in the next month; what failed is billed where the tariff says so.
func TestBill(t *testing.T) {
	m := radio.Model{Tariff: radio.Tariff{Message: 1, Unit: 10, Price: 100, Included: 3}}
	l := newLink(t, m, 1)
	for i, step := range []struct {
		at   time.Time
		size int
		want radio.Micros
	}{
		{epoch, 20, 1},
		{epoch, 20, 101},
		{epoch.AddDate(0, 1, -1), 5, 101},
		{epoch.AddDate(0, 1, 0), 30, 1},
		{epoch.AddDate(0, 1, 0), 1, 101},
		{epoch.AddDate(1, 0, 0), 31, 101},
	} {
		if got := l.Carry(step.at, i, step.size).Cost; got != step.want {
			t.Errorf("payload %d costs %d, want %d", i, got, step.want)
		}
	}
	if s := l.Stats(); s.Units != 2+2+1+3+1+4 || s.Cost != 406 {
		t.Errorf("%+v", s)
	}
	for _, failed := range []bool{false, true} {
		m := radio.Model{Loss: 1, Pauses: radio.Pauses{1, 1}, Tariff: radio.Tariff{Message: 1, Failed: failed}}
		l := newLink(t, m, 1)
		s := l.Carry(epoch, 1, 10)
		if want := map[bool]radio.Micros{true: 3}[failed]; s.Cost != want || s.Tries != 3 || s.Fate != radio.Lost {
			t.Errorf("failed ones billed %t: %+v", failed, s)
		}
	}
}

// In the long run a link is in bursts for as long as the model says, each as long as it says, and loses in them what it says, however seldom or
// often it is used.
func TestBursts(t *testing.T) {
	m := radio.Model{Bursts: radio.Bursts{Good: 50 * time.Minute, Bad: 10 * time.Minute, Loss: 1}}
	for _, step := range []time.Duration{time.Minute, 7 * time.Hour} {
		l := newLink(t, m, 9)
		const n = 60_000
		runs, last := 0, 1
		for i := range n {
			copies := l.Send(epoch.Add(time.Duration(i)*step), i)
			if copies == 0 && last == 1 {
				runs++
			}
			last = copies
		}
		lost := float64(l.Stats().Fates[radio.Lost])
		if share := lost / n; math.Abs(share-m.Bursts.Share()) > 0.02 {
			t.Errorf("every %s: lost %.4f, want %.4f", step, share, m.Bursts.Share())
		}
		// Of what is lost every minute the burst's mean shows, of what is sent seldom each is a burst of its own.
		want := 10.0
		if step > time.Hour {
			want = 1 / (1 - m.Bursts.Share())
		}
		if length := lost / float64(runs); math.Abs(length/want-1) > 0.1 {
			t.Errorf("every %s: %.2f in a row are lost, want %.2f", step, length, want)
		}
	}
}

// Both directions of a device are without coverage at the same time.
func TestShare(t *testing.T) {
	m := radio.Model{Bursts: radio.Bursts{Good: time.Hour, Bad: time.Hour, Loss: 1}}
	up, down := newLink(t, m, 1), newLink(t, m, 2)
	down.Share(up.Coverage())
	for i := range 1000 {
		now := epoch.Add(time.Duration(i) * 10 * time.Minute)
		if a, b := up.Send(now, i), down.Send(now, i); a != b {
			t.Fatalf("at %v up has %d copies, down %d", now, a, b)
		}
	}
	if lost := up.Stats().Fates[radio.Lost]; lost < 300 || lost > 700 {
		t.Errorf("%d of 1000 lost", lost)
	}
}

// A heavy tail keeps the mean that the model says, has more far out than an exponential one, and ends where the network gives up.
func TestTail(t *testing.T) {
	const n = 60_000
	far := map[float64]int{}
	for _, tail := range []float64{0, 1.5} {
		m := radio.Model{Delay: radio.Delay{Least: time.Second, Mean: 11 * time.Second, Most: time.Hour, Tail: tail}, Reorder: 1}
		l := newLink(t, m, 4)
		for i := range n {
			l.Send(epoch, i)
		}
		for _, d := range drain(l) {
			if delay := d.At.Sub(d.SentAt); delay < time.Second || delay > time.Hour {
				t.Fatalf("delay %v", delay)
			} else if delay > 100*time.Second {
				far[tail]++
			}
		}
		s := l.Stats()
		if mean := s.DelayTotal.Seconds() / n; math.Abs(mean-11) > 0.6 {
			t.Errorf("tail %v: mean %.2f s", tail, mean)
		}
	}
	if far[0] > n/10_000 || far[1.5] < n/200 {
		t.Errorf("beyond 100 s: %v", far)
	}
}

// A satellite carries while it is in sight. What is sent in between waits where the modem does that, and else is tried again or blocked.
func TestPasses(t *testing.T) {
	p := radio.Passes{Period: 30 * time.Minute, Length: 10 * time.Minute, Jitter: 15 * time.Minute, Hidden: 0.25, Seed: 3}
	const n = 20_000
	at := func(i int) time.Time { return epoch.Add(time.Duration(i) * 7 * time.Minute) }
	blocked := newLink(t, radio.Model{Passes: p}, 1)
	for i := range n {
		blocked.Send(at(i), i)
	}
	if share := float64(blocked.Stats().Fates[radio.Carried]) / n; math.Abs(share-0.25) > 0.01 { // 10 of 30 minutes, three of four passes
		t.Errorf("%.3f carried, want a quarter", share)
	}
	p.Wait = 2 * time.Hour
	waits := newLink(t, radio.Model{Passes: p}, 1)
	inSight := newLink(t, radio.Model{Passes: radio.Passes{Period: p.Period, Length: p.Length, Jitter: p.Jitter, Hidden: p.Hidden, Seed: p.Seed}}, 1)
	var total time.Duration
	for i := range n {
		waits.Send(at(i), i)
		for _, d := range drain(waits) {
			if inSight.Send(d.At, i) != 1 {
				t.Fatalf("payload of %v was carried at %v, when no satellite is in sight", d.SentAt, d.At)
			}
			total += d.At.Sub(d.SentAt)
		}
	}
	s := waits.Stats()
	if late := float64(s.Fates[radio.Blocked]) / n; late > 0.03 || s.DelayMost > p.Wait || total < n*10*time.Minute {
		t.Errorf("%.3f blocked, waited for %v at most and %v in the mean", late, s.DelayMost, total/n)
	}
	p.Wait = 0
	retries := newLink(t, radio.Model{Passes: p, Pauses: radio.Pauses{20 * time.Minute, 20 * time.Minute, 20 * time.Minute}, Reports: true}, 1)
	for i := range n {
		retries.Send(at(i), i)
	}
	s = retries.Stats()
	failed := 0
	for _, d := range drain(retries) {
		if d.Failed {
			failed++
		}
	}
	if share := float64(s.Fates[radio.Carried]) / n; share < 0.4 || share > 0.7 || s.Tries <= n || uint64(failed) != s.Fates[radio.Blocked] {
		t.Errorf("%.3f carried, %d tries, %d reported to have failed, %+v", share, s.Tries, failed, s)
	}
}

// A short message centre keeps what its recipient is away for, until it is back or the validity is over, and says so.
func TestStoreAndForward(t *testing.T) {
	m := radio.Model{
		Bursts: radio.Bursts{Good: 24 * time.Hour, Bad: 12 * time.Hour}, Validity: 24 * time.Hour, Reports: true,
		Delay: radio.Delay{Least: time.Second, Mean: time.Second, Most: time.Second},
	}
	l := newLink(t, m, 2)
	const n = 5000
	var late, expired int
	for i := range n {
		now := epoch.Add(time.Duration(i) * 5 * time.Hour)
		for d, ok := l.Due(now); ok; d, ok = l.Due(now) {
			delay := d.At.Sub(d.SentAt)
			switch {
			case delay > m.Validity+time.Second || d.Failed && delay != m.Validity:
				t.Fatalf("%+v after %v", d, delay)
			case d.Failed:
				expired++
			case delay > time.Second:
				late++
			}
		}
		l.Send(now, i)
	}
	s := l.Stats()
	// A third of the time away, of which exp(-24/12) is longer than the validity: memoryless, whenever it is asked.
	if share := float64(s.Fates[radio.Expired]) / n; math.Abs(share-math.Exp(-2)/3) > 0.01 || late < n/5 || expired < int(s.Fates[radio.Expired])-10 {
		t.Errorf("%.4f expired, %d late, %d reported: %+v", share, late, expired, s)
	}
}

// What comes for a recipient that is off waits until it is on again, unless nobody keeps it or its validity is over.
func TestSwitch(t *testing.T) {
	for _, tc := range []struct {
		name     string
		validity time.Duration
		off      time.Duration
		got      []int
		missed   uint64
	}{
		{"kept", 24 * time.Hour, time.Hour, []int{1, 2, 3}, 0},
		{"not for so long", 24 * time.Hour, 24*time.Hour + 30*time.Minute, []int{1, -2, 3}, 1},
		{"not kept", 0, time.Hour, []int{1, 3}, 1},
	} {
		l := newLink(t, radio.Model{Validity: tc.validity, Reports: true}, 1)
		now := epoch
		l.Send(now, 1)
		var got []int
		take := func() {
			for d, ok := l.Due(now); ok; d, ok = l.Due(now) {
				if d.Failed {
					d.Item = -d.Item
				}
				got = append(got, d.Item)
			}
		}
		take()
		l.Switch(now, false)
		l.Send(now, 2)
		take()
		now = now.Add(tc.off)
		l.Switch(now, true)
		take()
		l.Send(now, 3)
		take()
		if !slices.Equal(got, tc.got) || l.Stats().Missed != tc.missed || l.Pending() != 0 {
			t.Errorf("%s: got %v, want %v; %+v", tc.name, got, tc.got, l.Stats())
		}
	}
}

// A cut payload says how much of it arrived; one without a size is never cut.
func TestTruncate(t *testing.T) {
	l := newLink(t, radio.Model{Truncate: 0.5}, 1)
	const n = 10_000
	for i := range n {
		l.SendSized(epoch, i, 40)
	}
	var sum, cut int
	for _, d := range drain(l) {
		if d.Size < 0 || d.Size > 40 {
			t.Fatalf("%d of 40 bytes arrived", d.Size)
		}
		if d.Size < 40 {
			cut++
			sum += d.Size
		}
	}
	if uint64(cut) != l.Stats().Truncated || cut < n*45/100 || cut > n*55/100 || sum/cut < 18 || sum/cut > 21 {
		t.Errorf("%d cut to %d bytes in the mean, %+v", cut, sum/max(cut, 1), l.Stats())
	}
	l.Send(epoch, 1)
	if d := drain(l); len(d) != 1 || d[0].Size != 0 || l.Stats().Truncated != uint64(cut) {
		t.Errorf("%+v", d)
	}
}

// Each network that has a name is one that can be, and does what it is known for: a day of statuses arrives mostly, later on the slower ones.
func TestNetworks(t *testing.T) {
	for _, name := range radio.Networks() {
		network, err := radio.FindNetwork(name)
		if err != nil {
			t.Fatal(err)
		}
		for direction, m := range map[string]radio.Model{"up": network.Up, "down": network.Down} {
			l := newLink(t, m, 5)
			const n = 20_000
			for i := range n {
				now := epoch.Add(time.Duration(i) * 3 * time.Hour)
				l.SendSized(now, i, 20)
				for _, ok := l.Due(now); ok; _, ok = l.Due(now) {
				}
			}
			drain(l)
			s := l.Stats()
			mean := s.DelayTotal / time.Duration(s.Delivered)
			share := float64(s.Fates[radio.Carried]) / n
			t.Logf("%-11s %-4s carried %.3f, delay %s in the mean and %s at most, %.1f tries, %.4f for each that arrives", name, direction, share, mean.Round(time.Millisecond),
				s.DelayMost.Round(time.Second), float64(s.Tries)/n, float64(s.Cost)/1e6/float64(s.Fates[radio.Carried]))
			if share < 0.75 || share == 1 || mean < m.Delay.Least {
				t.Errorf("%s %s: %.3f carried, mean delay %s", name, direction, share, mean)
			}
		}
	}
	if _, err := radio.FindNetwork("pigeon"); !errors.Is(err, radio.ErrNetwork) {
		t.Errorf("a network that nobody knows: %v", err)
	}
}

// A link of each network, a status every 12 h.
func BenchmarkNetworks(b *testing.B) {
	for _, name := range radio.Networks() {
		b.Run(name, func(b *testing.B) {
			network, err := radio.FindNetwork(name)
			if err != nil {
				b.Fatal(err)
			}
			l := newLink(b, network.Up, 1)
			now := epoch
			b.ReportAllocs()
			for b.Loop() {
				now = now.Add(12 * time.Hour)
				l.SendSized(now, 1, 20)
				for _, ok := l.Due(now); ok; _, ok = l.Due(now) {
				}
			}
		})
	}
}
