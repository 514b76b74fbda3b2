package hub

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/scheduler/presence"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// ErrSchedule is wrapped by errors about what cannot be planned, or closed.
var ErrSchedule = errors.New("schedule")

// An Explanation is why a device speaks as often as it does, and what is thought of it.
type Explanation struct {
	Device   string   `json:"device"`
	Number   uint32   `json:"number"`
	Planned  bool     `json:"planned"` // false: it was never heard, or there is no plan yet
	Sentence string   `json:"sentence"`
	Interval int64    `json:"interval_seconds"` // that it is to run
	Link     string   `json:"link"`
	Running  int64    `json:"running_seconds"` // that it runs; 0: unknown
	Told     bool     `json:"told"`            // it acknowledged that; otherwise it was seen to
	Pending  int64    `json:"pending_seconds"` // that it was told and did not acknowledge; 0: none
	Class    string   `json:"class"`           // of its silence
	Dead     float64  `json:"dead"`            // probability
	Evidence []string `json:"evidence"`

	Cause // what its silence is put down to

	Attention float64   `json:"attention,omitempty"` // by which its weight is multiplied, since somebody looks at it
	Until     time.Time `json:"attention_until,omitzero"`

	Spent []ledger.DeviceTotal `json:"spent"` // in this month
}

// Explain explains a device's schedule.
func (h *Hub) Explain(ref string) (Explanation, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i, err := h.find(ref)
	if err != nil {
		return Explanation{}, err
	}
	now, at, d := h.clock.Now(), core.Place(i), h.fleet.Device(i)
	e := Explanation{Device: d.Name, Number: d.Number, Sentence: "nothing is planned: the device was never heard, or there is no plan yet", Evidence: []string{}}
	if x, ok := h.core.Explain(now, at); ok {
		e.Planned, e.Sentence, e.Interval, e.Link = true, x.String(), int64(x.Interval), x.Link
		if !h.tells && !x.Kept {
			e.Sentence += " It is not told: devices are watched only."
		}
	}
	if factor, until := h.core.Attention(now, at); factor > 1 {
		e.Attention, e.Until = factor, until
	}
	running, told, pending := h.core.Running(at)
	e.Running, e.Told, e.Pending = int64(running), told, int64(pending)
	if s, ok := h.core.Standing(now, at); ok {
		e.Class, e.Dead, e.Evidence = s.Class.String(), s.Dead, s.Lines()
		if a, ok := h.core.Asking(now, at); ok {
			line := a.String()
			if a.Worth() && !h.tells {
				line += ", if devices are not only watched"
			}
			e.Evidence = append(e.Evidence, line)
		}
	}
	why := h.why(now, i)
	e.Cause = CauseOf(&why)
	e.Spent = append([]ledger.DeviceTotal{}, h.core.Ledger().Device(tariff.MonthOf(h.core.Local(now)), d.Number)...)
	return e, nil
}

// AttentionMax is the most by which somebody may raise a device's weight.
const AttentionMax = 1000

// Attend has a device's weight count for more until a time: somebody looks at it. A factor of 1 ends that.
func (h *Hub) Attend(ctx context.Context, ref string, factor float64, until time.Time) (Explanation, error) {
	if !(factor >= 1 && factor <= AttentionMax) {
		return Explanation{}, fmt.Errorf("%w: factor %v: want 1 to %d", ErrSchedule, factor, AttentionMax)
	}
	if !until.After(h.clock.Now()) {
		return Explanation{}, fmt.Errorf("%w: attention until %s: want a time to come", ErrSchedule, until.UTC().Format(time.RFC3339))
	}
	err := h.do(ctx, func(c *commit) error {
		i, err := h.find(ref)
		if err != nil {
			return err
		}
		h.core.Attend(core.Place(i), factor, until)
		h.authorised(c, ActorOf(ctx), "device.attend", h.fleet.Device(i).Name, fmt.Sprintf("factor %g until %s", factor, until.UTC().Format(time.RFC3339)))
		return nil
	})
	if err != nil {
		return Explanation{}, err
	}
	return h.Explain(ref)
}

// PlanSummary is the plan in force.
type PlanSummary struct {
	Planned  time.Time        `json:"planned,omitzero"`
	Devices  int              `json:"devices"`
	Quiet    int              `json:"quiet"` // of these, those with quiet hours
	Money    scheduler.Micros `json:"money"` // a month for contacts, at the moment
	Spend    scheduler.Micros `json:"spend"` // a month, as planned
	Value    scheduler.Micros `json:"value"` // of a weighted stale-hour; 0: money is not scarce
	Short    scheduler.Micros `json:"short"` // by how much the longest intervals exceed the budget
	Currency string           `json:"currency"`
	Send     bool             `json:"send"` // devices are told
	Failed   string           `json:"failed,omitempty"`
	Silent   map[string]int   `json:"silent"` // devices by class
	Pools    []PoolState      `json:"pools"`
}

// Plan is the plan in force.
func (h *Hub) Plan() PlanSummary {
	h.mu.RLock()
	defer h.mu.RUnlock()
	s := h.core.Summary()
	p := PlanSummary{
		Planned: s.Planned, Devices: s.Devices, Quiet: s.Quiet, Money: s.Money, Spend: s.Spend, Value: s.Value, Short: s.Short, Currency: h.currency, Send: h.tells,
		Silent: h.silentCounts(), Pools: h.pools(),
	}
	if s.Failed != nil {
		p.Failed = s.Failed.Error()
	}
	return p
}

// silentCounts are the devices by what their silence is taken for.
func (h *Hub) silentCounts() map[string]int {
	out := make(map[string]int)
	for class, n := range h.core.Silent() {
		out[presence.Class(class).String()] = n
	}
	return out
}

// SilentCounts are the devices by what their silence is taken for; those that were never heard count for none.
func (h *Hub) SilentCounts() map[string]int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.silentCounts()
}

// A WhatIf is what is to be tried.
type WhatIf struct {
	Money  *scheduler.Micros // a month, 0: no limit; nil: as it is
	Tails  uint8             // 0: as it is
	Law    *scheduler.Law    // nil: as it is
	Every  scheduler.Secs
	Min    scheduler.Secs            // shortest interval; 0: as it is
	Max    scheduler.Secs            // longest
	Only   string                    // the policy of this name alone; "": all
	Tariff map[string]*tariff.Tariff // by link
}

// A WhatIfChange is what would become of a device.
type WhatIfChange struct {
	Device   string `json:"device"`
	From     int64  `json:"from_seconds"`
	To       int64  `json:"to_seconds"`
	FromLink string `json:"from_link"`
	ToLink   string `json:"to_link"`
}

// An Outcome is what a plan comes to.
type Outcome struct {
	Spend   scheduler.Micros `json:"spend"`        // a month
	Stale   float64          `json:"stale_hours"`  // weighted mean age
	Detect  float64          `json:"detect_hours"` // until a device that stops is missed twice
	Short   scheduler.Micros `json:"short"`        // by how much the longest intervals exceed the budget
	Devices int              `json:"devices"`
}

// A WhatIfResult is the plan as it is and as it would be.
type WhatIfResult struct {
	Currency string         `json:"currency"`
	Is       Outcome        `json:"is"`
	Would    Outcome        `json:"would"`
	Changed  int            `json:"changed"` // devices
	Changes  []WhatIfChange `json:"changes"` // the largest, at most as many as asked for
}

// WhatIf plans the fleet otherwise, and changes nothing.
func (h *Hub) WhatIf(w WhatIf, most int) (WhatIfResult, error) {
	h.mu.Lock() // an order of the devices may have to be made
	defer h.mu.Unlock()
	what := core.What{Money: w.Money, Tails: w.Tails, Law: w.Law, Every: w.Every, Min: w.Min, Max: w.Max, Only: w.Only, Rates: make(map[int][2]scheduler.Rate)}
	for name, t := range w.Tariff {
		l := h.links[name]
		if l == nil {
			return WhatIfResult{}, fmt.Errorf("%w: there is no link %q", ErrSchedule, name)
		}
		if h.currency != "" && t.Currency != h.currency {
			return WhatIfResult{}, fmt.Errorf("%w: the tariff %s is in %s, plans are in %s", ErrSchedule, t.Name, t.Currency, h.currency)
		}
		what.Rates[l.place] = h.core.Rates(t, l.place)
	}
	is, would, changes, all, err := h.core.WhatIf(h.clock.Now(), what, most)
	if err != nil {
		return WhatIfResult{}, fmt.Errorf("%w: %w", ErrSchedule, err)
	}
	r := WhatIfResult{Currency: h.currency, Is: planned(is), Would: planned(would), Changed: all, Changes: []WhatIfChange{}}
	for _, c := range changes {
		r.Changes = append(r.Changes, WhatIfChange{Device: h.nameOf(c.Number), From: int64(c.From), To: int64(c.To), FromLink: h.linkName(c.FromLink), ToLink: h.linkName(c.ToLink)})
	}
	return r, nil
}

func planned(o core.Outcome) Outcome {
	return Outcome{Spend: o.Spend, Stale: o.Stale, Detect: o.Detect, Short: o.Short, Devices: o.Devices}
}

func (h *Hub) nameOf(number uint32) string {
	if i, ok := h.fleet.ByNumber(number); ok {
		return h.fleet.Device(i).Name
	}
	return strconv.FormatUint(uint64(number), 10)
}

func (h *Hub) linkName(place int) string {
	if place < 0 || place >= len(h.linkList) {
		return ""
	}
	return h.linkList[place].Name
}

// A SilentDevice is one that is not heard as it should be.
type SilentDevice struct {
	Device   string    `json:"device"`
	Number   uint32    `json:"number"`
	Class    string    `json:"class"`
	Dead     float64   `json:"dead"` // probability
	Missed   int       `json:"missed"`
	Link     string    `json:"link"`
	LastSeen time.Time `json:"last_seen"`
	Evidence []string  `json:"evidence"`
	Cause              // what the silence is put down to
}

// Silent returns a page of devices that are late or worse, or of one class only, by number, and the cursor of the next page.
func (h *Hub) Silent(class, cursor string, limit int) (list []SilentDevice, next string, err error) {
	after, err := afterNumber(cursor)
	if err != nil {
		return nil, "", err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	numbers, now := h.fleet.Numbers(), h.clock.Now()
	for _, number := range numbers {
		if int64(number) <= after {
			continue
		}
		i, _ := h.fleet.ByNumber(number)
		s, ok := h.core.Standing(now, core.Place(i))
		if !ok || class == "" && (s.Class == presence.Due || s.Class == presence.Retired) || class != "" && s.Class.String() != class {
			continue
		}
		if len(list) == pageLimit(limit) {
			return list, strconv.FormatUint(uint64(list[len(list)-1].Number), 10), nil
		}
		why := h.why(now, i)
		list = append(list, SilentDevice{
			Cause:  CauseOf(&why),
			Device: h.fleet.Device(i).Name, Number: number, Class: s.Class.String(), Dead: s.Dead, Missed: s.Missed, Link: s.Link,
			LastSeen: time.Unix(s.Last, 0).UTC(), Evidence: s.Lines(),
		})
	}
	return list, "", nil
}

// Runaways are the devices that spend far more than others of their product in this month.
func (h *Hub) Runaways(o ledger.Runaway) []ledger.Finding {
	h.mu.RLock()
	defer h.mu.RUnlock()
	var samples []ledger.Sample
	for t := range h.core.Ledger().Devices(tariff.MonthOf(h.core.Local(h.clock.Now()))) {
		i, ok := h.fleet.ByNumber(t.Device)
		if !ok {
			continue
		}
		money := t.Up.Micros + t.Down.Micros
		if n := len(samples); n > 0 && samples[n-1].Device == t.Device {
			samples[n-1].Micros += money
			continue
		}
		every, _, _ := h.core.Running(core.Place(i))
		samples = append(samples, ledger.Sample{Device: t.Device, Product: h.fleet.Head(i).Product, Micros: money, Interval: time.Duration(every) * time.Second})
	}
	return append([]ledger.Finding{}, o.Find(samples)...)
}

// CloseMonth closes a month for ever; what comes for it from then on is a correction of the next.
func (h *Hub) CloseMonth(ctx context.Context, at tariff.Month) (Spend, error) {
	out := Spend{Month: at, Closed: true, Totals: []SpendTotal{}}
	err := h.do(ctx, func(c *commit) error {
		s, err := h.core.CloseMonth(at, h.clock.Now())
		if err != nil {
			return fmt.Errorf("%w: %w", ErrSchedule, err)
		}
		out.Zone = h.core.Local(h.clock.Now()).Location().String()
		for i := range s.Lines {
			t := totalOf(&s.Lines[i].Total, 0)
			t.Invoice = &s.Lines[i].Invoice
			out.Totals = append(out.Totals, t)
		}
		h.authorised(c, ActorOf(ctx), "month.close", at.String(), "")
		return nil
	})
	return out, err
}

// SpendTotals are what all months that are in memory came to, by link and customer.
func (h *Hub) SpendTotals() []SpendTotal {
	h.mu.RLock()
	defer h.mu.RUnlock()
	l := h.core.Ledger()
	sums, order := make(map[[3]string]*SpendTotal), []*SpendTotal{}
	for _, at := range l.Months() {
		for _, t := range l.Totals(at, ledger.ByLink|ledger.ByCustomer, nil) {
			key := [3]string{t.Link, t.Customer, t.Currency}
			if s := sums[key]; s != nil {
				s.Add(t.Sums)
				continue
			}
			s := totalOf(&t, ledger.ByLink|ledger.ByCustomer)
			sums[key], order = &s, append(order, &s)
		}
	}
	list := make([]SpendTotal, len(order))
	for i, s := range order {
		list[i] = *s
	}
	return list
}
