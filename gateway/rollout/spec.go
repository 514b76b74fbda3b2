package rollout

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/godwit-gateway/godwit/codec"
)

// A Spec is what a rollout is to do.
type Spec struct {
	Name    string   `json:"name"`
	Product string   `json:"product"`
	Version string   `json:"version"` // the release that it leads to
	Filter  Filter   `json:"filter"`
	Waves   []Wave   `json:"waves"`           // 1 to 16; the last has the share 1
	HoldOut float64  `json:"hold_out"`        // share of the devices that get nothing, for comparison: 0 to 0.5
	Windows []Window `json:"windows"`         // in which offers are made; none: always
	Links   []string `json:"links,omitempty"` // over which offers may go, by name; none: all

	Soak     int  `json:"soak"`     // contacts with the new version until it counts, 1 to 100; 0 is 3
	Deadline int  `json:"deadline"` // contacts that a device should have made since its offer, or since its wave opened, until it is given up; 0 is 50
	Consent  bool `json:"consent"`  // somebody at the device must agree
	Safe     bool `json:"safe"`     // one device goes first, alone

	Watch time.Duration `json:"watch"` // for how long the rollout goes on once nothing more is expected of any device, since harm may come late; 0 is 7 days

	Remark string `json:"remark,omitempty"`
}

// A Filter says which devices of a product a rollout is about. Each list that is not empty must have the device's value.
type Filter struct {
	Customers []string `json:"customers,omitempty"`
	From      []string `json:"from,omitempty"`     // versions
	Devices   []string `json:"devices,omitempty"`  // names, or numbers in decimal
	Hardware  []string `json:"hardware,omitempty"` // revisions
}

// A Wave is a part of the devices that are offered the release together.
type Wave struct {
	Share    float64       `json:"share"`    // of the devices that are not held out, with all waves before it: above those, at most 1
	Least    time.Duration `json:"least"`    // that it is open before the next one; 0 is 24 h
	Reported float64       `json:"reported"` // share of its devices that must have come to an end before the next one; 0 is 0.8
	ByHand   bool          `json:"by_hand"`  // it opens by Advance alone
	Proof    bool          `json:"proof"`    // the verdict must speak for it; otherwise it is enough that it does not hold it back
}

// A Window is a time of the week, in UTC, in which offers are made.
type Window struct {
	Days uint8 `json:"days"` // bit 0 is Sunday; 0: each day
	From uint8 `json:"from"` // hour, 0 to 23
	To   uint8 `json:"to"`   // hour, 1 to 24; not above From: on the next day
}

// Open reports whether a time is within the window.
func (w Window) Open(t time.Time) bool {
	t = t.UTC()
	on := func(d time.Weekday) bool { return w.Days == 0 || w.Days>>uint(d)&1 == 1 }
	hour, day := uint8(t.Hour()), t.Weekday() //nolint:gosec // 0 to 23
	if w.From < w.To {
		return on(day) && hour >= w.From && hour < w.To
	}
	return on(day) && hour >= w.From || on((day+6)%7) && hour < w.To
}

// Limits of a Spec, and what it leaves open.
const (
	wavesMax        = 16
	windowsMax      = 32
	filterMax       = 10_000
	soakMax         = 100
	deadlineMax     = 1000
	holdOutMax      = 0.5
	soakDefault     = 3
	deadlineDefault = 50
	leastDefault    = 24 * time.Hour
	reportedDefault = 0.8
	watchDefault    = 7 * 24 * time.Hour // for which the verdict looks for silence after an update
)

// checkSpec reports what makes a rollout impossible, and fills in what was left open.
func (m *Machine) checkSpec(s *Spec) error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("rollout %q: %s: %w", s.Name, fmt.Sprintf(format, args...), ErrInvalid)
	}
	r := m.releases[releaseKey{s.Product, s.Version}]
	switch {
	case s.Name == "" || len(s.Name) > 64:
		return bad("a name of %d bytes, want 1 to 64", len(s.Name))
	case r == nil:
		return fmt.Errorf("rollout %q: release %s %s: %w", s.Name, s.Product, s.Version, ErrUnknown)
	case !r.Withdrawn.IsZero():
		return bad("%s is withdrawn", r.subject())
	case !(s.HoldOut >= 0 && s.HoldOut <= holdOutMax):
		return bad("hold-out of %v, want 0 to %v", s.HoldOut, holdOutMax)
	case s.Watch < 0:
		return bad("watched for %s, want not less than 0", s.Watch)
	case s.Soak < 0 || s.Soak > soakMax || s.Deadline < 0 || s.Deadline > deadlineMax:
		return bad("soak of %d contacts, deadline of %d, want up to %d and %d", s.Soak, s.Deadline, soakMax, deadlineMax)
	case len(s.Remark) > textMax:
		return bad("a remark of %d bytes, want up to %d", len(s.Remark), textMax)
	case len(s.Windows) > windowsMax:
		return bad("%d windows, want up to %d", len(s.Windows), windowsMax)
	}
	for _, w := range s.Windows {
		if w.From > 23 || w.To < 1 || w.To > 24 || w.Days > 127 {
			return bad("window from %d to %d on days %#x, want hours 0 to 23 and 1 to 24, days below 0x80", w.From, w.To, w.Days)
		}
	}
	for _, l := range s.Links {
		if !slices.Contains(m.config.Links, l) {
			return bad("there is no link %q", l)
		}
	}
	for _, list := range [][]string{s.Filter.Customers, s.Filter.From, s.Filter.Devices, s.Filter.Hardware} {
		if len(list) > filterMax {
			return bad("a filter of %d values, want up to %d", len(list), filterMax)
		}
	}
	s.Filter.Devices = slices.Sorted(slices.Values(s.Filter.Devices)) // each device of the fleet is looked for
	if s.Soak == 0 {
		s.Soak = soakDefault
	}
	if s.Deadline == 0 {
		s.Deadline = deadlineDefault
	}
	if s.Watch == 0 {
		s.Watch = watchDefault
	}
	return s.checkWaves(bad)
}

func (s *Spec) checkWaves(bad func(string, ...any) error) error {
	if len(s.Waves) == 0 || len(s.Waves) > wavesMax {
		return bad("%d waves, want 1 to %d", len(s.Waves), wavesMax)
	}
	s.Waves = slices.Clone(s.Waves)
	before := 0.0
	for i := range s.Waves {
		w := &s.Waves[i]
		if !(w.Share > before && w.Share <= 1) || w.Least < 0 || !(w.Reported >= 0 && w.Reported <= 1) {
			return bad("wave %d: share %v after %v, least %s, reported %v; shares rise up to 1, the others are not negative", i+1, w.Share, before, w.Least, w.Reported)
		}
		before = w.Share
		if w.Least == 0 {
			w.Least = leastDefault
		}
		if w.Reported == 0 {
			w.Reported = reportedDefault
		}
	}
	if before != 1 {
		return bad("the last wave has the share %v, want 1", before)
	}
	return nil
}

// matches reports whether a rollout is about a device.
func (s *Spec) matches(f *Facts) bool {
	among := func(list []string, v string) bool { return len(list) == 0 || slices.Contains(list, v) }
	if f.Product != s.Product || !f.Active || !among(s.Filter.Customers, f.Customer) || !among(s.Filter.From, f.Version) || !among(s.Filter.Hardware, f.Hardware) {
		return false
	}
	named := func(v string) bool {
		_, ok := slices.BinarySearch(s.Filter.Devices, v)
		return ok
	}
	return len(s.Filter.Devices) == 0 || named(f.Name) || named(strconv.FormatUint(uint64(f.Number), 10))
}

// open reports whether an offer may be made at a time.
func (s *Spec) open(now time.Time) bool {
	return len(s.Windows) == 0 || slices.ContainsFunc(s.Windows, func(w Window) bool { return w.Open(now) })
}

// carries reports whether an offer may go over a link.
func (s *Spec) carries(link string) bool { return len(s.Links) == 0 || slices.Contains(s.Links, link) }

// offer is what a device is told of a release.
func (s *Spec) offer(r *Release, number uint32) codec.Offer {
	o := codec.Offer{
		Rollout: number, Version: r.Version, Reference: r.Reference, Size: r.Size, Hash: r.Hash, Consent: s.Consent,
	}
	if need := r.Need(); need > 0 {
		o.Memory = need
	}
	if !r.NotAfter.IsZero() {
		o.Expires = uint64(r.NotAfter.Unix()) //nolint:gosec // after 1970, as the manifest says
	}
	return o
}
