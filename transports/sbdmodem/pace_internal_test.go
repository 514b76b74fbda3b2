package sbdmodem

import (
	"math/rand/v2"
	"testing"
	"time"
)

// After a session that failed the next one comes within 5 s, twice, within 30 s, twice, and then after 5 min; after status 36 not within 3 min. What goes well,
// and a ring alert, end that.
func TestPace(t *testing.T) {
	now := time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)
	limits := []time.Duration{5 * time.Second, 5 * time.Second, 30 * time.Second, 30 * time.Second, 5 * time.Minute, 5 * time.Minute}
	longest := make([]time.Duration, len(limits))
	for seed := range uint64(100) {
		p := pace{rng: rand.New(rand.NewPCG(seed, 0))}
		if !p.next.IsZero() {
			t.Fatal("the first session waits")
		}
		for i, most := range limits {
			p.failed(now, 18, &timingDefault)
			pause := p.next.Sub(now)
			if pause < 0 || pause > most || i > 3 && pause != most {
				t.Fatalf("failure %d: a pause of %s, want up to %s", i+1, pause, most)
			}
			longest[i] = max(longest[i], pause)
		}
		p.succeeded()
		p.failed(now, statusTooSoon, &timingDefault)
		if pause := p.next.Sub(now); pause != 3*time.Minute {
			t.Fatalf("after status 36 a pause of %s", pause)
		}
		if p.rang(statusTooSoon); p.next.IsZero() {
			t.Fatal("a ring alert ends the pause after status 36")
		}
		if p.rang(18); !p.next.IsZero() {
			t.Fatal("a ring alert ends no pause")
		}
		p.failed(now, 18, &timingDefault)
		if pause := p.next.Sub(now); pause > limits[0] {
			t.Fatalf("the first failure after that: a pause of %s", pause)
		}
	}
	for i, most := range limits {
		if longest[i] < most*9/10 {
			t.Errorf("pauses after failure %d are %s at most, want them up to %s", i+1, longest[i], most)
		}
	}
}
