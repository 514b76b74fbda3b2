package rollout_test

import (
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/rollout"
)

// large is a rollout of many devices, of which most have the update.
func large(b *testing.B, n int) *world {
	b.Helper()
	w := newWorld(b, n)
	s := w.spec()
	s.Soak = 100
	id := w.start(s)
	for i := range n {
		w.heard(i)
		w.says(i, w.offer(i), did(codec.StepAccepted, 1, 0), did(codec.StepDownloaded, 1, 0))
	}
	w.commit()
	w.pass(10 * time.Minute)
	for i := range n {
		w.updates(i, "2.0")
	}
	w.commit()
	w.told = nil
	_ = id
	return w
}

func BenchmarkHeard(b *testing.B) {
	w := large(b, 100_000)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		w.now = w.now.Add(10 * time.Millisecond)
		w.m.Heard(w.now, rollout.Place(i%100_000), rollout.Contact{Order: rollout.Order{Counter: uint64(1000 + i)}, Newest: true})
		if i%512 == 511 {
			w.m.Drain(nothing{})
		}
	}
}

func BenchmarkPoll(b *testing.B) {
	w := large(b, 100_000)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		w.now = w.now.Add(10 * time.Second)
		w.m.Poll(w.now)
		w.m.Drain(nothing{})
	}
}

func BenchmarkReport(b *testing.B) {
	w := large(b, 100_000)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if _, err := w.m.Report(w.now.Add(10*24*time.Hour), 1); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAdoption(b *testing.B) {
	w := large(b, 100_000)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if _, err := w.m.Adoption(w.now.Add(10*24*time.Hour), 1, time.Time{}, time.Hour); err != nil {
			b.Fatal(err)
		}
	}
}

// nothing is a store that keeps nothing.
type nothing struct{}

func (nothing) PutRollout(_, _ []byte)     {}
func (nothing) DeleteRollouts(_, _ []byte) {}
