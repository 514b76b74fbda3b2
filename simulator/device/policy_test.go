package device_test

import (
	"slices"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/simulator/device"
)

// A run is a device, the gateway that it speaks to, and what its statuses say.
type run struct {
	t   *testing.T
	c   device.Config
	d   *device.Device
	r   reader
	s   teller
	now time.Time
}

func newRun(t *testing.T, c device.Config) *run {
	t.Helper()
	return &run{t: t, c: c, d: boot(t, c, device.Memory{}, start), r: reader{gateway: gateway{c: c}}, s: teller{c: c}, now: start}
}

func (p *run) policy(policy codec.Policy) {
	p.t.Helper()
	b, err := codec.AppendPolicy(nil, &policy)
	if err := p.s.tell(p.t, p.d, b, err); err != nil {
		p.t.Fatal(err)
	}
}

func (p *run) restart() { p.d = boot(p.t, p.c, p.d.Memory(), p.now) }

// until plays to a time, from one thing that the device has to do to the next, and returns the statuses of frames that were sent for the first
// time. A link that keeps messages takes each, on another the gateway acknowledges each if it is there.
func (p *run) until(end time.Time, there bool) (list []codec.Status) {
	p.t.Helper()
	for {
		out, wake, err := p.d.Poll(p.now)
		if err != nil {
			p.t.Fatal(err)
		}
		for _, tx := range out {
			if tx.Try == 1 {
				_, _, statuses := p.r.read(p.t, tx.Payload, p.now)
				list = append(list, statuses...)
			}
			if p.c.Stored {
				p.d.Taken(tx.Frame)
			} else if there {
				if _, err := p.d.Receive(p.r.ack(tx.Counter, 0)); err != nil {
					p.t.Fatal(err)
				}
			}
		}
		if len(out) > 0 {
			continue // what was answered may leave something to do
		}
		if wake.IsZero() || !wake.Before(end) {
			p.now = end
			return list
		}
		p.now = wake
	}
}

func receipts(list []codec.Status) (revisions []int) {
	for i := range list {
		if r := &list[i].Rare; r.HasPolicy {
			revisions = append(revisions, int(r.Policy))
		} else {
			revisions = append(revisions, -1)
		}
	}
	return revisions
}

// F-036: each status says which policy is in force until one that does is acknowledged, or where nothing is, the first two do; restarts or not.
func TestReceiptOfPolicy(t *testing.T) {
	for _, restart := range []bool{false, true} {
		c := config(t)
		c.Interval, c.Silence, c.Releases = time.Hour, 1000*time.Hour, map[uint8]string{3: "2.3.0", 4: "2.4.0"}
		p := newRun(t, c)
		hours := func(n int, there bool, want ...int) []codec.Status {
			t.Helper()
			list := p.until(p.now.Add(time.Duration(n)*time.Hour), there)
			if got := receipts(list); !slices.Equal(got, want) {
				t.Errorf("restart %t, %s: receipts %v, want %v", restart, p.now, got, want)
			}
			return list
		}
		hours(1, true, -1)
		p.policy(codec.Policy{Deadbands: map[uint8]uint32{1: 2}}) // has no name
		hours(1, true, -1)
		p.policy(codec.Policy{Interval: 3600, Revision: 513})
		if restart {
			p.restart()
		}
		list := hours(2, false, 1, 1)
		want := codec.Rare{Present: true, VersionIndex: 4, BootChanged: restart, HasPolicy: true, Policy: 1}
		if list[0].Rare != want || list[1].Rare.BootChanged {
			t.Errorf("restart %t: %+v, then %+v", restart, list[0].Rare, list[1].Rare)
		}
		p.policy(codec.Policy{Revision: 514})
		first := p.d.Memory().Receipts
		if _, err := p.d.Receive(p.r.ack(p.r.seen.Highest, 0xffff)); err != nil || p.d.Pending() != 0 {
			t.Fatalf("%d pending, %v", p.d.Pending(), err)
		}
		if p.d.Memory().Receipts != first {
			t.Error("a receipt of the policy before it settled this one")
		}
		hours(3, true, 2, -1, -1)
		p.policy(codec.Policy{Revision: 514}) // said again: the gateway has no receipt of it
		hours(2, true, 2, -1)

		c.Stored, c.Releases = true, nil
		p = newRun(t, c)
		p.policy(codec.Policy{Revision: 255})
		list = hours(1, false, 255)
		if r := list[0].Rare; r.VersionIndex != 63 || r.Build != 0x01020304 {
			t.Errorf("%+v, want the build", r)
		}
		if restart {
			p.restart()
		}
		hours(3, false, 255, -1, -1)
	}
}

// F-079: an interval that came as a code is kept, and counts from when the last status was due.
func TestIntervalByCode(t *testing.T) {
	c := config(t)
	c.Interval = 24 * time.Hour
	p := newRun(t, c)
	times := func(list []codec.Status) (at []time.Duration) {
		for i := range list {
			at = append(at, list[i].Time.Sub(start))
		}
		return at
	}
	first := times(p.until(start.Add(24*time.Hour), true))
	if len(first) != 1 {
		t.Fatalf("statuses at %v in a day", first)
	}
	at := first[0] // of the day, and of the status that was due last
	p.now = start.Add(at + 6*time.Hour)
	p.policy(codec.Policy{Interval: codec.IntervalOfCode(20)}) // 8 h
	if got, want := times(p.until(start.Add(at+25*time.Hour), true)), []time.Duration{at + 8*time.Hour, at + 16*time.Hour, at + 24*time.Hour}; !slices.Equal(got, want) {
		t.Errorf("statuses at %v, want %v", got, want)
	}
	p.policy(codec.Policy{Interval: codec.IntervalOfCode(0)}) // 15 min, of which three are over: one at once
	if got := times(p.until(start.Add(at+26*time.Hour), true)); len(got) != 4 || got[0] != at+25*time.Hour {
		t.Errorf("statuses at %v, want four from %v on", got, at+25*time.Hour)
	}
	p.restart()
	if got := times(p.until(p.now.Add(time.Hour), true)); len(got) != 4 {
		t.Errorf("after a restart at %v, want one in 15 minutes", got)
	}
}

// What a status says of the software is what runs, not what the device was made with.
func TestReceiptNamesTheBuildThatRuns(t *testing.T) {
	p, _ := updated(t, nil, func(c *device.Config) {
		c.Interval, c.Images = 10*time.Minute, map[string]device.Image{"2.5.0": {Build: []byte{9, 8, 7, 6}}}
	})
	p.policy(codec.Policy{Interval: 600, Revision: 7})
	found := false
	for _, s := range p.until(p.now.Add(time.Hour), true) {
		if r := &s.Rare; r.HasPolicy {
			if found = true; r.Build != 0x09080706 {
				t.Errorf("build %08x", r.Build)
			}
		}
	}
	if !found {
		t.Error("no receipt")
	}
}
