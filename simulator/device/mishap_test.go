package device_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/simulator/device"
)

// heard is what a gateway hears of a device that is offered an update.
type heard struct {
	log      []string
	versions []string // of hellos, each once in a row
	boots    []uint32 // of hellos
	last     time.Time
	level    float64 // of the battery, as the last status has it
	statuses int
	state    device.State
	truth    []device.Happening
	memory   device.Memory
}

// happened is the truth in words.
func (h *heard) happened() string {
	var words []string
	for _, x := range h.truth {
		words = append(words, fmt.Sprintf("%s at %s", x.What, x.Step))
	}
	return strings.Join(words, ", ")
}

// suffer plays a device that is offered an update at the start, so long. Power is cut every hour if cuts is set.
func suffer(t *testing.T, c device.Config, o *codec.Offer, long time.Duration, cuts bool) (h heard) {
	t.Helper()
	d, r, s := boot(t, c, device.Memory{}, start), reader{gateway: gateway{c: c}}, teller{c: c}
	b, err := codec.AppendOffer(nil, o)
	if err := s.tell(t, d, b, err); err != nil {
		t.Fatal(err)
	}
	cut, idle := start.Add(time.Hour), 0
	for now := start; now.Before(start.Add(long)); {
		out, wake, err := d.Poll(now)
		if err != nil {
			t.Fatal(err)
		}
		if len(out) > 0 && d.State() != device.Working {
			t.Fatalf("a device that is %s speaks", d.State())
		}
		for _, tx := range out {
			h.take(t, d, &r, &tx, now)
		}
		if cuts && now.After(cut) {
			cut = now.Add(time.Hour)
			if d, err = d.Reboot(d.Memory(), now); err != nil {
				t.Fatal(err)
			}
			wake = now
		}
		if wake.IsZero() && !cuts {
			break
		}
		if wake.IsZero() {
			wake = cut.Add(time.Second)
		}
		if !wake.After(now) {
			if idle++; idle > 100 {
				t.Fatalf("it wants to be asked again at %s, and it is %s", wake, now)
			}
			wake = now.Add(time.Second)
		} else {
			idle = 0
		}
		if cuts && wake.After(cut) {
			wake = cut.Add(time.Second)
		}
		now = wake
	}
	h.state, h.truth, h.memory = d.State(), d.Happened(), d.Memory()
	return h
}

// take hears a transmission and acknowledges it.
func (h *heard) take(t *testing.T, d *device.Device, r *reader, tx *device.Transmission, now time.Time) {
	t.Helper()
	h.last = now
	_, counter, plaintext := r.open(t, tx.Payload)
	if _, header, list := r.read(t, tx.Payload, now); header.Kind() == codec.KindExtended {
		switch codec.MessageType(plaintext[0]) {
		case codec.MessageHello:
			hello, err := codec.DecodeHello(plaintext[1:])
			if err != nil {
				t.Fatal(err)
			}
			h.boots = append(h.boots, hello.BootCount)
			if n := len(h.versions); n == 0 || h.versions[n-1] != hello.Version {
				h.versions = append(h.versions, hello.Version)
			}
		case codec.MessageStepLog:
			l, err := codec.DecodeStepLog(plaintext[1:])
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range l.Steps {
				h.log = append(h.log, fmt.Sprintf("%s/%d", e.Step, e.Code))
			}
		default:
		}
	} else if len(list) > 0 {
		h.statuses++
		h.level = r.c.Template.Fields()[0].Float(list[len(list)-1].Values[0])
	}
	if _, err := d.Receive(r.ack(counter, 0)); err != nil {
		t.Fatal(err)
	}
}

const upTo = "offered/1 accepted/1 downloading/0 downloaded/1 verified/1 installing/0"

// Each way in which an update goes wrong, as it is and as it can be heard.
func TestMishaps(t *testing.T) {
	const (
		day  = 24 * time.Hour
		good = upTo + " rebooting/0 confirmed/1"
	)
	for _, tt := range []struct {
		name     string
		mishaps  device.Mishaps
		truth    string
		log      string
		versions string
		state    device.State
		more     func(h *heard) bool // nil: nothing
	}{
		{"bricks while it fetches", device.Mishaps{BrickDownload: 1}, "bricked at downloading", "offered/1 accepted/1", "2.4.0", device.Dead, func(h *heard) bool {
			return h.last.Before(start.Add(time.Hour))
		}},
		{"bricks while it installs", device.Mishaps{BrickInstall: 1}, "bricked at installing", upTo, "2.4.0", device.Dead, func(h *heard) bool {
			return h.last.Before(start.Add(time.Hour))
		}},
		{"does not come up", device.Mishaps{BrickReboot: 1}, "bricked at rebooting", upTo, "2.4.0", device.Dead, func(h *heard) bool {
			return h.last.Before(start.Add(time.Hour))
		}},
		{"fails with a code of LwM2M", device.Mishaps{Install: 1}, "failed at failed", upTo + " failed/8", "2.4.0", device.Working, nil},
		{"fails with a code of a vendor", device.Mishaps{Install: 1, InstallCode: 200}, "failed at failed", upTo + " failed/200", "2.4.0", device.Working, nil},
		{"memory is full", device.Mishaps{Memory: 1}, "failed at failed", "offered/1 failed/2", "2.4.0", device.Working, nil},
		{"reboots in a loop", device.Mishaps{Loop: 1}, "reboots in a loop at rebooting", upTo + " rebooting/0", "", device.Working, func(h *heard) bool {
			first, last := h.boots[1], h.boots[len(h.boots)-1]
			return last-first > 20 && h.statuses < 3 && slices.Contains(h.versions, "2.5.0") && h.last.After(start.Add(9*day))
		}},
		{"goes back at once", device.Mishaps{Start: 1}, "rolled back at rolled_back", upTo + " rebooting/0 rolled_back/8", "2.4.0 2.5.0 2.4.0", device.Working, nil},
		{"goes back after hours", device.Mishaps{RollBack: 1}, "updated at confirmed, rolled back at rolled_back", good + " rolled_back/8", "2.4.0 2.5.0 2.4.0", device.Working, func(h *heard) bool {
			return h.truth[1].At.Sub(h.truth[0].At) > time.Minute
		}},
		{"drains the battery", device.Mishaps{Drain: 1}, "updated at confirmed, drains its battery at confirmed, drained at confirmed", good, "2.4.0 2.5.0", device.Dead, func(h *heard) bool {
			after := h.truth[2].At.Sub(h.truth[1].At)
			return after > day && after < 9*day && h.last.Before(h.truth[2].At.Add(time.Second)) && h.level < 11.9
		}},
		{"bricks by and by", device.Mishaps{BrickLater: 1}, "updated at confirmed, bricked at confirmed", good, "2.4.0 2.5.0", device.Dead, func(h *heard) bool {
			return !h.last.After(h.truth[1].At) && h.truth[1].At.Sub(h.truth[0].At) > time.Minute
		}},
		{"comes back late", device.Mishaps{Late: 1}, "comes back late at rebooting, updated at confirmed", good, "2.4.0 2.5.0", device.Working, func(h *heard) bool {
			x := h.truth[0]
			return x.Until.Sub(x.At) >= time.Hour && !h.truth[1].At.Before(x.Until)
		}},
		{"forgets its steps", device.Mishaps{LoseLog: 1}, "log lost at rebooting, updated at confirmed", upTo, "2.4.0 2.5.0", device.Working, nil},
	} {
		for _, cuts := range []bool{false, true} {
			c, o := config(t), offer()
			c.Interval, c.FreeMemory, c.Images = time.Hour, 1<<20, map[string]device.Image{o.Version: {Mishaps: tt.mishaps}}
			o.Expires = 0
			h := suffer(t, c, &o, 10*day, cuts)
			if got := h.happened(); got != tt.truth {
				t.Errorf("%s, cuts %t: it %s, want %s", tt.name, cuts, got, tt.truth)
				continue
			}
			if got := strings.Join(h.log, " "); got != tt.log {
				t.Errorf("%s, cuts %t: reports %s, want %s", tt.name, cuts, got, tt.log)
			}
			if got := strings.Join(h.versions, " "); tt.versions != "" && got != tt.versions {
				t.Errorf("%s, cuts %t: ran %s, want %s", tt.name, cuts, got, tt.versions)
			}
			if h.state != tt.state || tt.more != nil && !tt.more(&h) {
				t.Errorf("%s, cuts %t: it is %s, last heard %s, %d statuses, battery %.1f V, boots %v, truth %+v", tt.name, cuts, h.state, h.last, h.statuses, h.level, h.boots, h.truth)
			}
		}
	}
}

// A device that is dead says nothing, whatever is done to it: nothing that was under way, no wish for a new epoch, and no answer.
func TestBrickedIsSilent(t *testing.T) {
	c, o := config(t), offer()
	c.Silence, c.Retry, c.Images = time.Minute, time.Second, map[string]device.Image{o.Version: {Mishaps: device.Mishaps{BrickInstall: 1}}}
	c.FreeMemory = 1 << 20
	d, s := boot(t, c, device.Memory{}, start), teller{c: c}
	b, err := codec.AppendOffer(nil, &o)
	if err := s.tell(t, d, b, err); err != nil {
		t.Fatal(err)
	}
	said := 0
	now := start
	for ; now.Before(start.Add(time.Hour)); now = now.Add(time.Second) { // nobody acknowledges anything
		out := poll(t, d, now)
		if d.State() == device.Dead && len(out) > 0 {
			t.Fatal("it speaks")
		}
		said += len(out)
	}
	if said == 0 || d.State() != device.Dead || len(d.Happened()) != 1 {
		t.Fatalf("%d transmissions, %s, %+v", said, d.State(), d.Happened())
	}
	for _, m := range []device.Memory{d.Memory(), device.Erased()} {
		again, err := d.Reboot(m, now)
		if err != nil {
			t.Fatal(err)
		}
		for range 100 {
			now = now.Add(time.Hour)
			if out, wake, err := again.Poll(now); len(out) > 0 || !wake.IsZero() || err != nil || again.State() != device.Dead {
				t.Fatalf("after a restart it is %s and says %d, %v", again.State(), len(out), err)
			}
		}
		if len(again.Happened()) != 1 {
			t.Errorf("the truth is %+v", again.Happened())
		}
	}
}

// What a bad software does ends with it: the next update heals a loop and a drain, and a declined one does not.
func TestNextSoftwareHeals(t *testing.T) {
	for _, bad := range []device.Mishaps{{Loop: 1}, {Drain: 1}, {RollBack: 1}, {BrickLater: 1, BrickAfter: 1000 * time.Hour}} {
		c, o := config(t), offer()
		c.Interval, c.FreeMemory, c.Owner = time.Hour, 1<<20, device.OwnerDeclines
		c.Images = map[string]device.Image{o.Version: {Mishaps: bad, Build: []byte{2, 5}}, "2.6.0": {Build: []byte{2, 6}}}
		o.Expires = 0
		p := newRun(t, c)
		offered := func(o codec.Offer) {
			b, err := codec.AppendOffer(nil, &o)
			if err := p.s.tell(t, p.d, b, err); err != nil {
				t.Fatal(err)
			}
			p.until(p.now.Add(4*time.Minute), true)
		}
		offered(o)
		later := p.d.Memory().Update.Later
		o.Rollout, o.Version, o.Consent = 8, "2.5.1", true
		offered(o)
		if got := p.d.Memory().Update.Later; later.What == 0 || got.What != later.What {
			t.Errorf("%+v: declined, and %+v became %+v", bad, later, got)
		}
		o.Rollout, o.Version, o.Consent = 9, "2.6.0", false
		offered(o)
		if m := p.d.Memory(); m.Version != "2.6.0" || m.Update.Later != (device.Later{}) {
			t.Errorf("%+v: runs %s, %+v", bad, m.Version, m.Update.Later)
		}
		p.until(p.now.Add(20*24*time.Hour), true)
		if p.d.State() != device.Working || p.d.Version() != "2.6.0" {
			t.Errorf("%+v: %s with %s", bad, p.d.State(), p.d.Version())
		}
	}
}

// The likelihoods of mishaps hold, and at one step they exclude each other.
func TestMishapsAreAsLikely(t *testing.T) {
	const n = 600
	o := offer()
	o.Expires = 0
	count := make(map[device.What]int)
	for i := range n {
		c := config(t)
		c.Seed, c.Interval, c.FreeMemory = uint64(i), time.Hour, 1<<20
		c.Images = map[string]device.Image{o.Version: {Mishaps: device.Mishaps{BrickReboot: 0.2, Late: 0.2, Loop: 0.25, Drain: 0.25}}}
		h := suffer(t, c, &o, 2*time.Hour, false)
		count[h.truth[0].What]++
	}
	for what, share := range map[device.What]float64{device.Bricked: 0.2, device.Late: 0.2, device.Looping: 0.6 * 0.25, device.Updated: 0.6 * 0.75} {
		if got := float64(count[what]) / n; got < share-0.06 || got > share+0.06 {
			t.Errorf("%s in %.2f of updates, want %.2f", what, got, share)
		}
	}
}

// Owners agree, decline, put off until a time, or do not look.
func TestOwners(t *testing.T) {
	const deferral = 30 * time.Hour
	seen := make(map[string]int)
	for i := range 40 {
		c, o := config(t), offer()
		c.Seed, c.Interval, c.FreeMemory, c.Deferral, c.Owner = uint64(i), time.Hour, 1<<20, deferral, device.OwnerDrawn
		o.Consent = true
		h := suffer(t, c, &o, 100*time.Hour, i%2 == 0)
		words := h.happened()
		seen[words]++
		for _, x := range h.truth {
			if x.What == device.Deferred && len(h.truth) > 1 && h.truth[1].What == device.Updated && (x.Until != x.At.Add(deferral) || h.truth[1].At.Before(x.Until)) {
				t.Errorf("deferred at %s until %s, updated at %s", x.At, x.Until, h.truth[1].At)
			}
		}
	}
	for _, want := range []string{"updated at confirmed", "declined at declined", "deferred at deferred, updated at confirmed", "deferred at deferred, declined at declined"} {
		if seen[want] == 0 {
			t.Errorf("never %q: %v", want, seen)
		}
		delete(seen, want)
	}
	if len(seen) != 0 {
		t.Errorf("also %v", seen)
	}
}
