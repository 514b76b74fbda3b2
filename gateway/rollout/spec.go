package rollout

import "time"

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
