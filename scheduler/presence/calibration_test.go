package presence_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/godwit-gateway/godwit/scheduler/presence"
)

// claims are what a rule said of devices in a year: right ones with their delay in hours, false ones, and the sum of the probabilities claimed.
type claims struct {
	right   []float64
	wrong   int
	claimed float64
}

// year lets devices speak, lose contacts in outages (Gilbert-Elliott, 5 % of them eight times as long) and die, 1 % a month, for a year after a month
// of learning. It returns the claims of the posterior at each threshold, and those after so many misses.
func year(t testing.TB, n int, thresholds []float64, misses []int) (posterior, naive []claims) {
	t.Helper()
	m := model(t)
	random := rand.New(rand.NewPCG(7, uint64(n)))
	posterior, naive = make([]claims, len(thresholds)), make([]claims, len(misses))
	type unit struct {
		d              presence.Device
		due, out, back int64
		death          int64
		claimed, named int
	}
	fleet := make([]unit, n)
	interval := [3]uint32{6 * hour, 12 * hour, 32 * hour}
	good, bad := [3]float64{20 * day, 15 * day, 12 * day}, [3]float64{8 * hour, 12 * hour, 24 * hour}
	lost := [3]float64{0.02, 0.05, 0.1}
	for i := range fleet {
		u := &fleet[i]
		l := uint8(i % 3)
		u.d = presence.NewDevice(start, presence.Policy{Interval: interval[l], Link: l}, 0, 0)
		u.due = start + random.Int64N(int64(interval[l]))
		u.out = start + int64(random.ExpFloat64()*good[l])
		u.death = start + int64(random.ExpFloat64()*100*30.4375*day)
	}
	claim := func(c *claims, u *unit, now int64) {
		if now < start+30*day {
			return
		}
		if u.death <= now {
			c.right = append(c.right, float64(now-u.death)/hour)
		} else {
			c.wrong++
		}
	}
	for today := int64(start); today < start+395*day; today += day {
		m.Pass(today)
		for i := range fleet {
			u := &fleet[i]
			l := i % 3
			for {
				if u.death > u.due && u.due < today+day { // it speaks
					for u.back <= u.due && u.out <= u.due {
						long := 1.0
						if random.IntN(20) == 0 {
							long = 8
						}
						u.back = u.out + int64(random.ExpFloat64()*bad[l]*long)
						if u.back > u.due {
							break
						}
						u.out = u.back + int64(random.ExpFloat64()*good[l])
					}
					if u.back <= u.due || u.out > u.due {
						if random.Float64() >= lost[l] {
							m.Contact(&u.d, u.due)
							u.claimed, u.named = 0, 0
						}
					}
					if u.back > u.out && u.back <= u.due {
						u.out = u.back + int64(random.ExpFloat64()*good[l])
					}
					u.due += int64(interval[l])
					continue
				}
				break
			}
			now := today + day
			s := m.Check(&u.d, now)
			for u.claimed < len(thresholds) && s.Dead >= thresholds[u.claimed] && s.Missed > 0 {
				posterior[u.claimed].claimed += s.Dead
				if now < start+30*day {
					posterior[u.claimed].claimed -= s.Dead
				}
				claim(&posterior[u.claimed], u, now)
				u.claimed++
			}
			for u.named < len(misses) && s.Missed >= misses[u.named] {
				claim(&naive[u.named], u, now)
				u.named++
			}
		}
	}
	return posterior, naive
}

func (c *claims) ppv() float64 { return float64(len(c.right)) / float64(max(len(c.right)+c.wrong, 1)) }

func TestCalibration(t *testing.T) {
	thresholds := []float64{0.5, 0.7, 0.8, 0.9, 0.95, 0.99}
	const n = 3000
	posterior, naive := year(t, n, thresholds, []int{1, 3, 5})
	for i, c := range posterior {
		all := len(c.right) + c.wrong
		slices.Sort(c.right)
		t.Logf("at %.1f: %d claims of %.3f on average, right %.3f, false in 1000 device months %.2f, delay %.0f h, p90 %.0f h",
			thresholds[i], all, c.claimed/float64(max(all, 1)), c.ppv(), float64(c.wrong)/(n*12)*1000, c.right[len(c.right)/2], c.right[len(c.right)*9/10])
	}
	for i, c := range naive {
		t.Logf("naive rule %d: %d right, %d false, PPV %.3f", i, len(c.right), c.wrong, c.ppv())
	}
	if c := posterior[3]; len(c.right) < 100 || max(c.ppv()-c.claimed/float64(len(c.right)+c.wrong), c.claimed/float64(len(c.right)+c.wrong)-c.ppv()) > 0.05 {
		t.Errorf("claims of 0.9 are right in %.3f of %d cases", c.ppv(), len(c.right)+c.wrong)
	}
}

func BenchmarkContact(b *testing.B) {
	m := model(b)
	d := presence.NewDevice(start, presence.Policy{Interval: hour}, 0, 0)
	b.ReportAllocs()
	for b.Loop() {
		m.Contact(&d, d.Last()+hour)
	}
}

func BenchmarkCheck(b *testing.B) {
	m := model(b)
	d := presence.NewDevice(start, presence.Policy{Interval: hour}, 0, 0)
	b.ReportAllocs()
	for b.Loop() {
		if s := m.Check(&d, start+5*hour); s.Missed == 0 {
			b.Fatal("nothing missed")
		}
	}
}

func BenchmarkQueue(b *testing.B) {
	const n = 1 << 20
	q := presence.NewQueue(n)
	for i := range uint32(n) {
		q.Set(i, int64(i*2654435761%n))
	}
	b.ReportAllocs()
	for b.Loop() {
		number, at, _ := q.Min()
		q.Set(number, at+1+int64(number*40503%n))
	}
}
