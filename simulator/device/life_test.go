package device_test

import (
	"errors"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/simulator/device"
)

// lived is what a device did over some time on a link that takes everything.
type lived struct {
	spoke  int // days with a frame
	silent int // days without one
	hellos int
	states map[device.State]int // by poll
}

// live polls a device whenever it wants to, for so many days.
func live(t *testing.T, d *device.Device, days int) lived {
	t.Helper()
	got := lived{states: map[device.State]int{}}
	now, spoke := start, make([]bool, days+1)
	for end := start.AddDate(0, 0, days); now.Before(end); {
		out, wake, err := d.Poll(now)
		if err != nil {
			t.Fatal(err)
		}
		got.states[d.State()]++
		if d.State() != device.Working && (len(out) > 0 || d.Pending() > 0) {
			t.Fatalf("%s and sends %d frames, %d wait", d.State(), len(out), d.Pending())
		}
		for i := range out {
			d.Taken(out[i].Frame)
			spoke[int(now.Sub(start).Hours()/24)] = true
			item, _, err := codec.NextItem(out[i].Payload)
			if err != nil {
				t.Fatal(err)
			}
			if h := codec.Header(item.Content[0]); h == codec.MakeHeader(codec.KindExtended, 1, 1) {
				got.hellos++ // its counter is whole
			}
		}
		if wake.IsZero() {
			break
		}
		now = maxOf(wake, now.Add(time.Second))
	}
	for _, day := range spoke[:days] {
		if day {
			got.spoke++
		} else {
			got.silent++
		}
	}
	return got
}

func maxOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func powered(t *testing.T, p device.Power) device.Config {
	t.Helper()
	c := config(t)
	c.Stored, c.CTRBits, c.TagLen, c.Interval, c.Power = true, 8, 4, 6*time.Hour, &p
	return c
}

// A panel that is too small lasts for the summer. In winter the device is off, and each time that there is sun enough it starts again.
func TestSolarWinter(t *testing.T) {
	p := device.Lead()
	p.Panel, p.Capacity = 2.6, 30
	got := live(t, boot(t, powered(t, p), device.Memory{}, start), 730)
	if got.silent < 20 || got.spoke < 300 || got.hellos < 4 || got.states[device.Flat] == 0 || got.states[device.Dead] != 0 {
		t.Errorf("%+v", got)
	}
	p = device.Lead()
	got = live(t, boot(t, powered(t, p), device.Memory{}, start), 365)
	if got.silent > 0 || got.hellos != 1 {
		t.Errorf("with a panel that suffices: %+v", got)
	}
}

// A cell that nothing charges ends for good: sooner the more is sent, the more that takes, and the colder it is.
func TestPrimaryCellEnds(t *testing.T) {
	lasts := func(change func(*device.Power)) int {
		p := device.Primary()
		p.Capacity /= 20 // ten years in the test's time
		change(&p)
		c := powered(t, p)
		d := boot(t, c, device.Memory{}, start)
		got := live(t, d, 3*365)
		if d.State() != device.Dead || got.states[device.Dead] != 1 {
			t.Fatalf("%s with %.2f left: %+v", d.State(), d.Charge(), got)
		}
		if out, wake, err := d.Poll(start.AddDate(50, 0, 0)); len(out) > 0 || !wake.IsZero() || err != nil {
			t.Fatalf("a dead device sends %d frames, and wants to be looked at at %v, %v", len(out), wake, err)
		}
		if acked, err := d.Receive([]byte{1, 2, 3}); len(acked) > 0 || err != nil {
			t.Fatalf("a dead device hears: %v, %v", acked, err)
		}
		return got.spoke
	}
	usual := lasts(func(*device.Power) {})
	for name, change := range map[string]func(*device.Power){
		"twice the energy for each frame": func(p *device.Power) { p.Frame *= 2 },
		"more energy for each byte":       func(p *device.Power) { p.Byte = 1 },
		"an idle load":                    func(p *device.Power) { p.Idle *= 3 },
		"self-discharge":                  func(p *device.Power) { p.SelfDischarge = 0.5 },
	} {
		if days := lasts(change); days > usual*95/100 {
			t.Errorf("with %s it lasts for %d days, without for %d", name, days, usual)
		}
	}
	retried := device.Primary()
	retried.Capacity /= 20
	d := boot(t, powered(t, retried), device.Memory{}, start)
	before := d.Charge()
	d.Retried(3, 100)
	if after := d.Charge(); after >= before {
		t.Errorf("tries of the modem take nothing: %v, then %v", before, after)
	}
}

// Cold takes capacity away that comes back with the warmth: the device is off for a while, but its cell has not ended.
func TestCold(t *testing.T) {
	p := device.Primary()
	p.Cold, p.Empty, p.CutOff, p.Resume, p.Full = 0.04, 3, 3.1, 3.1, 3.6
	c := powered(t, p)
	got := live(t, boot(t, c, device.Memory{}, start), 400)
	if got.states[device.Flat] == 0 || got.states[device.Dead] > 0 || got.hellos < 2 || got.spoke < 200 {
		t.Errorf("%+v", got)
	}
}

// A device that dies, and one that is retired, stop when it is time, and a restart does not bring them back.
func TestEnds(t *testing.T) {
	for _, tc := range []struct {
		want   device.State
		change func(*device.Config, time.Time)
	}{
		{device.Dead, func(c *device.Config, at time.Time) { c.Dies = at }},
		{device.Retired, func(c *device.Config, at time.Time) { c.Retires = at }},
	} {
		c := config(t)
		c.Stored, c.Interval = true, 6*time.Hour
		tc.change(&c, start.AddDate(0, 0, 10))
		d := boot(t, c, device.Memory{}, start)
		if got := live(t, d, 30); got.spoke < 10 || got.spoke > 11 || d.State() != tc.want {
			t.Errorf("%s after %+v, want %s", d.State(), got, tc.want)
		}
		d, err := d.Reboot(d.Memory(), start.AddDate(0, 0, 31))
		if err != nil {
			t.Fatal(err)
		}
		if out := poll(t, d, start.AddDate(0, 0, 31)); len(out) > 0 || d.State() != tc.want {
			t.Errorf("restarted it is %s and sends %d frames", d.State(), len(out))
		}
	}
	if device.Flat.String() != "flat" || device.Working.String() != "working" || device.State(9).String() != "unknown" {
		t.Error("a state has no name")
	}
}

// A device that finds another card says its connection id again, as the network knows it under another number; a restart alone does not change that.
func TestChangedSIM(t *testing.T) {
	c := config(t)
	c.Stored, c.Interval, c.SIM = true, time.Hour, "one"
	d := boot(t, c, device.Memory{}, start)
	addressed := func(now time.Time) bool {
		for {
			out, wake, err := d.Poll(now)
			if err != nil {
				t.Fatal(err)
			}
			if len(out) == 0 {
				now = wake
				continue
			}
			d.Taken(out[0].Frame)
			item, _, err := codec.NextItem(out[0].Payload)
			if err != nil {
				t.Fatal(err)
			}
			return item.Form == codec.FormAddressed
		}
	}
	live(t, d, 2)
	now := start.AddDate(0, 0, 2)
	if addressed(now) {
		t.Fatal("it says its connection id for ever")
	}
	var err error
	if d, err = d.Reboot(d.Memory(), now); err != nil || addressed(now) {
		t.Fatal("after a restart it says its connection id again", err)
	}
	if d, err = d.WithSIM("two", now); err != nil || !addressed(now) {
		t.Fatal("with another card it does not say its connection id", err)
	}
}

// A clone goes on with the same counters, and says other things with them.
func TestClone(t *testing.T) {
	c := config(t)
	c.Stored, c.Interval = true, time.Hour
	d := boot(t, c, device.Memory{}, start)
	live(t, d, 1)
	now := start.AddDate(0, 0, 1)
	other := c
	other.Seed = 99
	clone := boot(t, other, d.Memory(), now)
	var err error
	if d, err = d.Reboot(d.Memory(), now); err != nil {
		t.Fatal(err)
	}
	frames := func(d *device.Device) map[device.Frame]string {
		got := map[device.Frame]string{}
		for at := now; at.Before(now.AddDate(0, 0, 3)); {
			out, wake, err := d.Poll(at)
			if err != nil {
				t.Fatal(err)
			}
			for i := range out {
				got[out[i].Frame] = string(out[i].Payload)
				d.Taken(out[i].Frame)
			}
			at = maxOf(wake, at.Add(time.Second))
		}
		return got
	}
	genuine, copied := frames(d), frames(clone)
	var same, differ int
	for f, payload := range genuine {
		if theirs, ok := copied[f]; ok && theirs == payload {
			same++
		} else if ok {
			differ++
		}
	}
	if differ < 50 {
		t.Errorf("%d counters were used for two contents, %d for one", differ, same)
	}
}

// The version that runs can be read from outside, before and after an update, and a restart keeps it.
func TestVersion(t *testing.T) {
	c := config(t)
	d := boot(t, c, device.Memory{}, start)
	if d.Version() != c.Version {
		t.Errorf("runs %s", d.Version())
	}
	if d = boot(t, c, device.Memory{Version: "2.5.0"}, start); d.Version() != "2.5.0" {
		t.Errorf("after an update it runs %s", d.Version())
	}
}

func TestPowerValidate(t *testing.T) {
	for name, change := range map[string]func(*device.Power){
		"no capacity":           func(p *device.Power) { p.Capacity = 0 },
		"negative load":         func(p *device.Power) { p.Idle = -1 },
		"cut-off below empty":   func(p *device.Power) { p.CutOff = p.Empty - 1 },
		"resume above full":     func(p *device.Power) { p.Resume = p.Full + 1 },
		"resume below cut-off":  func(p *device.Power) { p.Resume = p.CutOff - 0.01 },
		"a part that is no sum": func(p *device.Power) { p.Cold = -0.1 },
	} {
		p := device.Lead()
		change(&p)
		c := config(t)
		c.Power = &p
		if _, err := device.New(c, device.Memory{}, start); !errors.Is(err, device.ErrPower) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
