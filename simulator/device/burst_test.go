package device_test

import (
	"slices"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/simulator/device"
)

// updated is a device that was offered an update with a burst programme, when the new software has just started. So far nobody acknowledged
// anything.
func updated(t *testing.T, burst []uint16, change func(c *device.Config)) (p *run, started time.Time) {
	t.Helper()
	c, o := config(t), offer()
	c.Interval, c.FreeMemory, c.Silence, c.RetryMax = 30*time.Hour, 1<<20, 1000*time.Hour, time.Hour
	if change != nil {
		change(&c)
	}
	o.Burst = burst
	p = newRun(t, c)
	b, err := codec.AppendOffer(nil, &o)
	if err := p.s.tell(t, p.d, b, err); err != nil {
		t.Fatal(err)
	}
	for booted := false; !booted; booted = p.d.Memory().Version == o.Version {
		p.until(p.now.Add(time.Second), false)
		if p.now.After(start.Add(time.Hour)) {
			t.Fatal("the new software does not start")
		}
	}
	return p, p.now.Truncate(time.Second)
}

var programme = []uint16{10, 60, 240, 720}

// minutes are when statuses were taken, in minutes after a start.
func minutes(list []codec.Status, from time.Time) (at []int) {
	for i := range list {
		at = append(at, int(list[i].Time.Sub(from).Round(time.Minute)/time.Minute))
	}
	return at
}

// F-080: a device that gets no acknowledgement reports by the programme to its end, and by its interval as if there was none; it may lose power
// meanwhile, and what was due then is one report.
func TestBurstProgramme(t *testing.T) {
	for _, tt := range []struct {
		name     string
		off, on  int // minutes after the start between which there is no power
		reported []int
	}{
		{"in one go", 0, 0, []int{10, 60, 240, 720}},
		{"restarted before the first", 5, 5, []int{10, 60, 240, 720}},
		{"restarted between two", 30, 30, []int{10, 60, 240, 720}},
		{"without power for long", 30, 300, []int{10, 300, 720}},
		{"without power until all is over", 5, 900, []int{900}},
	} {
		for _, stored := range []bool{false, true} {
			play := func(burst []uint16) []int {
				p, started := updated(t, burst, func(c *device.Config) { c.Stored = stored })
				at := func(minute int) time.Time { return started.Add(time.Duration(minute)*time.Minute + 30*time.Second) }
				list := p.until(at(tt.off), false)
				if tt.off > 0 {
					p.now = started.Add(time.Duration(tt.on) * time.Minute)
					p.restart()
				}
				return minutes(append(list, p.until(at(48*60), false)...), started)
			}
			want := append(play(nil), tt.reported...)
			slices.Sort(want)
			if got := play(programme); len(want) == len(tt.reported) || !slices.Equal(got, want) {
				t.Errorf("%s, stored %t: statuses at %v, want %v", tt.name, stored, got, want)
			}
		}
	}
}

// F-080: the programme ends when a frame of the new software is acknowledged, not with one of before it, and with the software.
func TestBurstProgrammeEnds(t *testing.T) {
	left := func(p *run) int { return int(p.d.Memory().Update.Burst.Left) }
	p, started := updated(t, programme, nil)
	if _, err := p.d.Receive(p.r.ack(0, 0)); err != nil || left(p) != len(programme) {
		t.Fatalf("%d reports are left when the hello of the old software is acknowledged, %v", left(p), err)
	}
	if got := minutes(p.until(started.Add(15*time.Minute), false), started); !slices.Equal(got, []int{10}) {
		t.Fatalf("statuses at %v", got)
	}
	got := minutes(p.until(started.Add(9*time.Hour), true), started) // by an hour at most the hello is said again
	if left(p) != 0 || p.d.Pending() != 0 || slices.Contains(got, 240) {
		t.Errorf("statuses at %v, %d reports are left, %d frames pending", got, left(p), p.d.Pending())
	}
	p, _ = updated(t, programme, func(c *device.Config) { c.Mishaps.Start = 1 })
	p.until(p.now.Add(time.Minute), false)
	if p.d.Memory().Version != "2.4.0" || left(p) != 0 {
		t.Errorf("version %s, %d reports are left after a rollback", p.d.Memory().Version, left(p))
	}
}
