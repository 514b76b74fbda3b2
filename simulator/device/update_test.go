package device_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/simulator/device"
)

func offer() codec.Offer {
	return codec.Offer{
		Rollout: 7, Version: "2.5.0", Reference: "https://updates.example/7", Size: 128 << 10, Hash: make([]byte, 32),
		Expires: uint64(start.Add(48 * time.Hour).Unix()),
	}
}

// steps plays a device that gets an offer and returns the steps that it reports, as step/code, and the versions that its hellos name. It loses
// power every few minutes if restarts is set.
func steps(t *testing.T, c device.Config, o codec.Offer, restarts bool) (log, versions []string) {
	t.Helper()
	c.Interval = time.Hour
	d, g, s := boot(t, c, device.Memory{}, start), gateway{c: c}, teller{c: c}
	b, err := codec.AppendOffer(nil, &o)
	if err := s.tell(t, d, b, err); err != nil {
		t.Fatal(err)
	}
	now := start
	for n := range 400 {
		out, wake, err := d.Poll(now)
		if err != nil {
			t.Fatal(err)
		}
		said := g.said(t, d, out)
		for _, text := range said[codec.MessageHello] {
			if h, err := codec.DecodeHello(text); err != nil {
				t.Fatal(err)
			} else if k := len(versions); k == 0 || versions[k-1] != h.Version {
				versions = append(versions, h.Version)
			}
		}
		for _, text := range said[codec.MessageStepLog] {
			l, err := codec.DecodeStepLog(text)
			if err != nil || l.Rollout != o.Rollout {
				t.Fatal(l, err)
			}
			for _, e := range l.Steps {
				log = append(log, fmt.Sprintf("%s/%d", e.Step, e.Code))
			}
		}
		if restarts && n%2 == 0 {
			d = boot(t, c, d.Memory(), now)
		}
		if wake.After(now) {
			now = wake
		} else {
			now = now.Add(time.Second)
		}
	}
	// What was offered and settled is not begun again.
	if err := s.tell(t, d, b, nil); err != nil {
		t.Fatal(err)
	}
	if again := g.said(t, d, poll(t, d, now)); len(again[codec.MessageStepLog]) != 0 {
		t.Errorf("took the same offer twice")
	}
	return log, versions
}

func TestUpdates(t *testing.T) {
	const good = "offered/1 accepted/1 downloading/0 downloaded/1 verified/1 installing/0 rebooting/0 confirmed/1"
	tests := []struct {
		name     string
		change   func(c *device.Config, o *codec.Offer)
		want     string
		versions string
	}{
		{"good", func(*device.Config, *codec.Offer) {}, good, "2.4.0 2.5.0"},
		{"the owner agrees", func(_ *device.Config, o *codec.Offer) { o.Consent = true }, good, "2.4.0 2.5.0"},
		{"not before", func(_ *device.Config, o *codec.Offer) { o.NotBefore = uint64(start.Add(24 * time.Hour).Unix()) }, good, "2.4.0 2.5.0"},
		{"the owner declines", func(c *device.Config, o *codec.Offer) {
			o.Consent, c.Owner = true, device.OwnerDeclines
		}, "offered/1 declined/1", "2.4.0"},
		{"nobody answers", func(c *device.Config, o *codec.Offer) {
			o.Consent, c.Owner = true, device.OwnerAbsent
		}, "offered/1 deferred/11 declined/10", "2.4.0"},
		{"no room for the image and its copy", func(c *device.Config, o *codec.Offer) { c.FreeMemory = 2*o.Size - 1 }, "offered/1 failed/2", "2.4.0"},
		{"room for the image and its copy", func(c *device.Config, o *codec.Offer) { c.FreeMemory = 2 * o.Size }, good, "2.4.0 2.5.0"},
		{"less memory than the offer asks for", func(c *device.Config, o *codec.Offer) { o.Memory = c.FreeMemory + 1 }, "offered/1 failed/2", "2.4.0"},
		{"an offer that ended", func(_ *device.Config, o *codec.Offer) { o.Expires = uint64(start.Unix()) - 1 }, "offered/1 declined/10", "2.4.0"},
		{"lost while fetching", func(c *device.Config, _ *codec.Offer) { c.Mishaps.Download = 1 }, "offered/1 accepted/1 downloading/0 failed/4", "2.4.0"},
		{"another hash", func(c *device.Config, _ *codec.Offer) { c.Mishaps.Verify = 1 }, "offered/1 accepted/1 downloading/0 downloaded/1 failed/5", "2.4.0"},
		{"does not start", func(c *device.Config, _ *codec.Offer) {
			c.Mishaps.Start = 1
		}, "offered/1 accepted/1 downloading/0 downloaded/1 verified/1 installing/0 rebooting/0 rolled_back/8", "2.4.0 2.5.0 2.4.0"},
	}
	for _, tt := range tests {
		for _, restarts := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, restarts %t", tt.name, restarts), func(t *testing.T) {
				c, o := config(t), offer()
				c.FreeMemory = 1 << 20
				tt.change(&c, &o)
				log, versions := steps(t, c, o, restarts)
				if got := strings.Join(log, " "); got != tt.want {
					t.Errorf("reports %s, want %s", got, tt.want)
				}
				if got := strings.Join(versions, " "); got != tt.versions {
					t.Errorf("ran %s, want %s", got, tt.versions)
				}
			})
		}
	}
}

// An alarm is raised when a value passes its limit and cleared when it is well back, each once; also where nothing is acknowledged.
func TestAlarms(t *testing.T) {
	for _, stored := range []bool{false, true} {
		c := config(t)
		c.Stored, c.Speed, c.Retry = stored, 600, 10*time.Millisecond
		c.Thresholds = []device.Threshold{
			{Field: "air_temp", Code: 3, Limit: 14, Clear: 0.5, Text: "warm"},
			{Field: "battery", Code: 4, Limit: 12.5, Below: true, Clear: 0.2},
		}
		d, g := boot(t, c, device.Memory{}, start), gateway{c: c}
		raised, times := map[uint16]bool{}, map[uint16]int{}
		for now := start; now.Before(start.Add(2 * time.Hour)); now = now.Add(c.Interval) {
			for _, text := range g.said(t, d, poll(t, d, now))[codec.MessageAlarm] {
				a, err := codec.DecodeAlarm(text)
				if err != nil || a.Cleared != raised[a.Code] || a.Seconds != uint64(now.Unix()) {
					t.Fatalf("%+v, raised %t, %v", a, raised[a.Code], err)
				}
				v, ok := a.Value.(float64)
				beyond := map[uint16]bool{3: v > 14, 4: v < 12.5}
				if !ok || beyond[a.Code] == a.Cleared {
					t.Fatalf("%+v", a)
				}
				raised[a.Code] = !a.Cleared
				times[a.Code]++
			}
		}
		if times[3] < 2 || times[4] < 2 {
			t.Errorf("alarms %v", times)
		}
	}
}
