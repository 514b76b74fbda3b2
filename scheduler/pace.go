package scheduler

import (
	"math"
	"slices"
)

// A Pace is the receding horizon by which money is spent: what was spent less than planned, or more, is made up for within two weeks and never by the
// end of a month, and what downlinks took lately is left free for them. It is a value that can be stored. The zero Pace with Month set is one
// that begins.
type Pace struct {
	Month    Micros  // to be spent in a mean month
	Cap      Micros  // that no month may exceed; 0: none
	Ahead    float64 // micro-units planned and not spent so far; negative: overspent
	Downlink float64 // micro-units an hour that downlinks took lately
	At       Secs    // until when spending has been counted; 0: not begun
}

const (
	paceHours  = 14 * 24
	paceLeast  = 0.6
	paceMost   = 1.4
	capPlanned = 0.96 // of a cap that devices and calendars may exceed by the rest
)

// Spent counts what was spent until now since the last call: by contacts, and by downlinks.
func (p *Pace) Spent(now Secs, contacts, downlinks Micros) {
	if p.At == 0 || now <= p.At {
		p.At = max(p.At, now)
		p.Ahead -= float64(contacts) + float64(downlinks)
		p.Ahead = p.bounded(p.Ahead)
		return
	}
	hours := (now - p.At).Hours()
	p.At = now
	p.Ahead = p.bounded(p.Ahead + float64(p.perHour()*hours) - float64(contacts) - float64(downlinks))
	keep := 1 / (1 + hours/paceHours) // an average over two weeks, whatever the steps in which it is told
	p.Downlink = float64(p.Downlink*keep) + float64(float64(downlinks)/hours*(1-keep))
}

// bounded forgets what the pace could not make up for in two weeks.
func (p *Pace) bounded(ahead float64) float64 {
	most := float64(p.perHour() * paceHours)
	return min(max(ahead, most*(paceLeast-1)), most*(paceMost-1))
}

func (p *Pace) perHour() float64 {
	month := p.Month
	if p.Cap > 0 {
		month = min(month, Micros(math.Floor(capPlanned*float64(p.Cap)*MonthHours/capHours)))
	}
	return float64(month) / MonthHours
}

// Money is Budget.Money at this moment.
func (p *Pace) Money() Micros {
	base := p.perHour()
	rate := min(max(base+p.Ahead/paceHours, paceLeast*base), paceMost*base) - p.Downlink
	return Micros(math.Floor(float64(max(rate, 0)*MonthHours) + 0.5))
}

// Reserve is Allowance.Reserve for traffic that is not planned: of what it took in earlier periods, the amount that a share of them, such as 0.8, did
// not exceed. It is 0 if there is none.
func Reserve(earlier []int64, share float64) int64 {
	if len(earlier) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(earlier))
	at := int(math.Ceil(share*float64(len(sorted)))) - 1
	return sorted[min(max(at, 0), len(sorted)-1)]
}
