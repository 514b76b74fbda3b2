package rollout_test

import (
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/gateway/rollout"
)

// longest is how long the longest of some calls took.
func longest(b *testing.B, most *time.Duration, call func()) {
	b.Helper()
	began := time.Now()
	call()
	*most = max(*most, time.Since(began))
}

// inSteps takes a look step by step, and asks for what was found with the last one.
func inSteps[T any](b *testing.B, l *rollout.Look[T], err error) func() (more bool) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
	return func() bool {
		more := l.Some(512)
		if !more {
			_, _ = l.Result()
		}
		return more
	}
}

// BenchmarkLook tells how long frames wait for a look at a rollout of 100,000 devices, all of which are overdue: the longest step.
func BenchmarkLook(b *testing.B) {
	w := large(b, 100_000)
	now := w.now.Add(10 * 24 * time.Hour)
	for name, steps := range map[string]func() func() bool{
		"Report": func() func() bool {
			l, err := w.m.LookReport(now, 1)
			return inSteps(b, l, err)
		},
		"Adoption": func() func() bool {
			l, err := w.m.LookAdoption(now, 1, time.Time{}, time.Hour)
			return inSteps(b, l, err)
		},
		"Page": func() func() bool {
			last := uint32(0)
			return func() (more bool) {
				_, last, more, _ = w.m.Page(now, 1, last, 1000, 512, func(v *rollout.DeviceView) bool { return v.Missed == 0 })
				return more
			}
		},
	} {
		b.Run(name, func(b *testing.B) {
			var most time.Duration
			for range b.N {
				var step func() bool
				longest(b, &most, func() { step = steps() })
				for more := true; more; {
					longest(b, &most, func() { more = step() })
				}
			}
			b.ReportMetric(float64(most.Microseconds())/1000, "ms-longest")
		})
	}
}
