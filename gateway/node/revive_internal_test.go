package node

import (
	"fmt"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/gateway/publish"
	"github.com/godwit-gateway/godwit/gateway/store"
)

// Only a stream that takes nothing for long, while there is space and it is ours, is a reason to start its server anew.
func TestStandstill(t *testing.T) {
	waiting := publish.Stats{Confirmed: 7, Pending: 3}
	for _, c := range []struct {
		name    string
		stats   func(minute int) publish.Stats
		ready   error
		healthy error
		want    int // times in 21 minutes
	}{
		{"nothing gets out", func(int) publish.Stats { return waiting }, publish.ErrDoubt, nil, 3},
		{"nothing gets out, the publisher is between two attempts", func(int) publish.Stats { return waiting }, nil, nil, 3},
		{"nothing waits", func(int) publish.Stats { return publish.Stats{Confirmed: 7} }, nil, nil, 0},
		{"events get out", func(m int) publish.Stats { return publish.Stats{Confirmed: uint64(m), Pending: 3} }, nil, nil, 0},
		{"the disk is full", func(int) publish.Stats { return waiting }, publish.ErrDoubt, fmt.Errorf("%w: 3 MiB", store.ErrLowSpace), 0},
		{"the disk hangs", func(int) publish.Stats { return waiting }, publish.ErrDoubt, store.ErrStalled, 0},
		{"another gateway writes", func(int) publish.Stats { return waiting }, publish.ErrFenced, nil, 0},
	} {
		var s standstill
		began, got := time.Unix(1_000_000, 0), 0
		for minute := range 22 {
			if s.due(began.Add(time.Duration(minute)*time.Minute), c.stats(minute), c.ready, c.healthy) {
				got++
			}
		}
		if got != c.want {
			t.Errorf("%s: started anew %d times, want %d", c.name, got, c.want)
		}
	}
}
