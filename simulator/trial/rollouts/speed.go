package rollouts

import (
	"fmt"
	"runtime"
	"time"

	"github.com/godwit-gateway/godwit/gateway/rollout/verdict"
	"github.com/godwit-gateway/godwit/scheduler/presence"
	"github.com/godwit-gateway/godwit/simulator/trial"
)

// Speed is how long package verdict takes on this machine, in processor time: the fastest of five rounds, since other work can only slow it down.
type Speed struct {
	Devices int     `json:"devices"`
	Contact float64 `json:"contact_ns"` // of a contact, with all that passes in the meantime
	Verdict float64 `json:"verdict_ns"` // of a complete verdict
	Bytes   int     `json:"bytes"`      // of memory for a device
}

const rounds = 5

// Measure takes the times with a rollout to so many devices, half of which have the update. The clock is the processor time that this process has used.
func Measure(devices int, clock func() time.Duration) (Speed, error) {
	links := []presence.Link{{Name: "cell", Grace: uint32(grace), Jitter: early}, {Name: "sbd", Grace: uint32(grace), Jitter: early}}
	burst := presence.Burst{600, 3600}
	m, err := presence.New(presence.Config{Links: links, Bursts: []presence.Burst{burst}, Products: products})
	if err != nil {
		return Speed{}, fmt.Errorf("what is usual: %w", err)
	}
	c := verdict.Config{Links: links, Bursts: []presence.Burst{burst}}
	for p := range products {
		c.Groups = append(c.Groups, verdict.Group{Product: uint16(p)})
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	j, err := verdict.New(newYear, c, m)
	if err != nil {
		return Speed{}, fmt.Errorf("rollout: %w", err)
	}
	now := int64(newYear)
	round := func() { // each device is heard once in six hours, in its turn
		for i := range devices {
			p := uint32(i)
			j.Contact(now+int64(i)*6*trial.Hour/int64(devices), p, verdict.Stratum{Group: c.Groups[i%products], Link: uint8(i / products % 2)}, uint32(6*trial.Hour))
		}
		now += 6 * trial.Hour
	}
	round()
	wave := make([]uint32, devices/2)
	for i := range wave {
		wave[i] = uint32(i)
	}
	j.Assign(now, wave)
	for _, p := range wave {
		j.Start(now, p, 0, 0)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	s := Speed{Devices: devices, Bytes: int((after.HeapAlloc - before.HeapAlloc) / uint64(devices))} //nolint:gosec // not negative
	for range rounds {
		began := clock()
		round()
		took := float64((clock() - began).Nanoseconds()) / float64(devices)
		if s.Contact == 0 || took < s.Contact {
			s.Contact = took
		}
		const verdicts = 1000
		began = clock()
		for range verdicts {
			j.Verdict()
		}
		if took := float64((clock() - began).Nanoseconds()) / verdicts; s.Verdict == 0 || took < s.Verdict {
			s.Verdict = took
		}
	}
	return s, nil
}
