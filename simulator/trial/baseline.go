package trial

import "math"

// flashed is a policy of devices that do as they were made to: nothing is ever sent to them.
type flashed struct {
	fleet    *Fleet
	interval [classes]int64
}

// Fixed gives all devices of a fleet one interval, in seconds.
func Fixed(f *Fleet, interval int64) Policy { return Table(f, interval, interval, interval, interval) }

// Table gives each class of link an interval, in seconds.
func Table(f *Fleet, cell, sms, sbd, idp int64) Policy {
	return &flashed{fleet: f, interval: [classes]int64{Cell: cell, SMS: sms, SBD: sbd, IDP: idp}}
}

// Join implements Policy.
func (p *flashed) Join(device int) int64 { return p.interval[p.fleet.All[device].Class] }

// Plan implements Policy.
func (*flashed) Plan(Morning) error { return nil }

// Contact implements Policy.
func (*flashed) Contact(c Contact) (int64, bool) { return c.Interval, false }

// Wait implements Policy.
func (*flashed) Wait(_ int, _, interval int64) int64 { return interval }

// voltage stretches the intervals of a table by what is left in the battery.
type voltage struct {
	Policy
	fleet *Fleet
}

// Voltage stretches the intervals of a table where a battery is low, as a Notecard does with its bands of voltage: high leaves the interval as it is,
// normal doubles it, low makes four of it. A battery follows the seasons, each with its own place in them: it is high for 60 % of the year, normal for
// 30 %, low for 10 %.
func Voltage(f *Fleet, table Policy) Policy { return &voltage{Policy: table, fleet: f} }

// Wait implements Policy.
func (p *voltage) Wait(device int, at, interval int64) int64 {
	d := &p.fleet.All[device]
	if !d.Battery {
		return interval
	}
	season := math.Mod(float64(at)/float64(Year)+float64(d.fate>>11)/(1<<53), 1)
	switch distance := math.Abs(season-0.5) * 2; { // 0: midwinter
	case distance < 0.1:
		return 4 * interval
	case distance < 0.4:
		return 2 * interval
	default:
		return interval
	}
}

// backOff doubles intervals while nothing happens.
type backOff struct {
	known []int64 // end of the last episode that the gateway has seen
	told  []int64 // what a device was last told
	next  []int64 // what it waits next
}

// The intervals of BackOff.
const (
	backOffFirst = Hour
	backOffLast  = Day
)

// BackOff begins with an hour, doubles it after each transmission up to a day, and begins again when an episode begins, as soon as the gateway can tell
// the device.
func BackOff(f *Fleet) Policy {
	return &backOff{known: make([]int64, len(f.All)), told: make([]int64, len(f.All)), next: make([]int64, len(f.All))}
}

// Join implements Policy.
func (*backOff) Join(int) int64 { return backOffFirst }

// Plan implements Policy.
func (*backOff) Plan(Morning) error { return nil }

// Contact implements Policy. What is sent is an order to begin again; each differs from the one before.
func (p *backOff) Contact(c Contact) (int64, bool) {
	begins := c.Attention > p.known[c.Device]
	p.known[c.Device] = max(c.Attention, p.known[c.Device])
	return c.Interval + 1, begins
}

// Wait implements Policy.
func (p *backOff) Wait(device int, _, interval int64) int64 {
	if p.told[device] != interval {
		p.told[device], p.next[device] = interval, backOffFirst
	}
	now := p.next[device]
	p.next[device] = min(2*now, backOffLast)
	return now
}
