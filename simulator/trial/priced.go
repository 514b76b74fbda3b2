package trial

import (
	"fmt"

	"github.com/godwit-gateway/godwit/scheduler"
)

// priced is package scheduler at work, as the gateway uses it: it plans each morning at the pace of a budget, decides at each contact, and learns how
// likely each device is to be heard.
type priced struct {
	now     scheduler.Secs // at which the year begins
	tables  scheduler.Fleet
	planned []scheduler.Device // those that a plan is made for
	heard   []int64
	learned []scheduler.Delivery
	solver  scheduler.Solver
	plan    scheduler.Plan
	pace    scheduler.Pace
	spent   Morning
}

// newYear is when the year of a trial begins: at the start of 2026, in seconds since 1970.
const newYear = 1_767_225_600

// gone is after how many intervals without an uplink a device has no part in plans until it is heard again.
const gone = 6

// Priced is the policy of package scheduler, with a policy's settings. No battery of the fleet is asked for more than it can bear.
func Priced(settings scheduler.Policy) Tuned {
	return func(f *Fleet, monthly scheduler.Micros) (Policy, error) {
		p := &priced{
			now: newYear, pace: scheduler.Pace{Month: scheduler.Micros(float64(monthly) * scheduler.MonthHours * float64(Hour) / float64(month))},
			tables: f.tables(settings), heard: make([]int64, len(f.All)), learned: make([]scheduler.Delivery, len(f.All)),
		}
		return p, p.Plan(Morning{Attention: f.attention()})
	}
}

// tables are the fleet as the scheduler sees it, all its devices under one policy.
func (f *Fleet) tables(settings scheduler.Policy) scheduler.Fleet {
	s := scheduler.Fleet{Policies: []scheduler.Policy{settings}, Devices: make([]scheduler.Device, len(f.All))}
	for c, t := range byClass {
		s.Links = append(s.Links, scheduler.Link{
			Name: Class(c).String(), Deliver: t.arrives, Energy: float64(Hour),
			Up: scheduler.Rate{Fixed: t.up, Failed: true}, Down: scheduler.Rate{Fixed: t.down, Failed: true},
		})
	}
	for i := range f.All {
		s.Devices[i] = planned(i, &f.All[i])
	}
	return s
}

// planned is a device as the scheduler sees it. A contact takes as many millijoules as an hour has seconds, so the floor gives the power.
func planned(number int, d *Device) scheduler.Device {
	s := scheduler.Device{Number: uint32(number), Weight: float32(d.Weight), Boost: attention} //nolint:gosec // a place in the fleet
	s.Links[0].Link = uint8(d.Class) + 1                                                       //nolint:gosec // there are four
	if d.Battery {
		s.Power = float32(Hour) / float32(d.Floor)
	}
	return s
}

// attention is which devices are in an episode when the year begins.
func (f *Fleet) attention() []int64 {
	until := make([]int64, len(f.All))
	for i := range f.All {
		w := f.All[i].weights()
		until[i] = w.attention()
	}
	return until
}

// Plan implements Policy.
func (p *priced) Plan(m Morning) error {
	now := p.now + scheduler.Secs(m.At)
	down := m.Changes - p.spent.Changes
	p.pace.Spent(now, m.Spent-p.spent.Spent-down, down)
	p.spent = m
	p.planned = p.planned[:0]
	for i := range p.tables.Devices {
		d := &p.tables.Devices[i]
		p.attend(d, m.Attention[i])
		if d.Current == 0 || m.At-p.heard[i] <= gone*int64(d.Current) {
			p.planned = append(p.planned, *d)
		}
	}
	living := p.tables
	living.Devices = p.planned
	previous := &p.plan
	if p.plan.Devices == 0 {
		previous = nil
	}
	plan, err := p.solver.Solve(&living, &scheduler.Budget{Money: p.pace.Money()}, previous, now)
	if err != nil {
		return fmt.Errorf("%d devices: %w", len(p.planned), err)
	}
	p.plan = plan
	return nil
}

// attend says until when a device has its operators' attention.
func (p *priced) attend(d *scheduler.Device, until int64) {
	d.BoostEnds = 0
	if until > 0 {
		d.BoostEnds = uint32(p.now + scheduler.Secs(until)) //nolint:gosec // until 2106
	}
}

// Join implements Policy.
func (p *priced) Join(device int) int64 {
	d := &p.tables.Devices[device]
	decision := scheduler.Decide(&p.plan, &p.tables, d, scheduler.Occasion{Now: p.now})
	d.Current = uint32(decision.Interval) //nolint:gosec // at most the policy's limit
	return int64(decision.Interval)
}

// Contact implements Policy.
func (p *priced) Contact(c Contact) (int64, bool) {
	d := &p.tables.Devices[c.Device]
	l := &p.learned[c.Device]
	l.Observe(c.Missed+1, 1)
	link := &p.tables.Links[d.Links[0].Link-1]
	d.Links[0].Deliver = l.Via(link.Deliver)
	now := p.now + scheduler.Secs(c.At)
	p.heard[c.Device] = c.At
	d.Heard, d.Current = uint32(now), uint32(c.Interval) //nolint:gosec // until 2106
	p.attend(d, c.Attention)
	decision := scheduler.Decide(&p.plan, &p.tables, d, scheduler.Occasion{Now: now})
	return int64(decision.Interval), decision.Send != scheduler.SendNone
}

// Wait implements Policy.
func (*priced) Wait(_ int, _, interval int64) int64 { return interval }
