package tariff

import (
	"cmp"
	"math"

	"github.com/godwit-gateway/godwit/scheduler"
)

// Rate is what one more message costs in a direction beyond all allowances: what plans reckon with. Terms that a Rate has no words for come as
// near as it can: a session's or record's minimum and increment count for each message, as if it went in a session of its own; those of a day or a
// month count for none; of tiers the first counts; parts of long messages are as large as the first; an increment whose minimum comes last has it
// first. From mobile to mobile the price is that of both ways, by the steps of the way up where they differ. A price per byte of less than some micros is brought to whole micros by a larger increment, with an error of at most 5 %.
func (t *Tariff) Rate(d Direction) scheduler.Rate {
	if d == Relay {
		up := t.Rate(MO)
		if !t.RelayOnce {
			join(&up, t.Rate(MT))
		}
		return up
	}
	r := scheduler.Rate{}
	ev := Event{Direction: d}
	clean(&ev)
	for i := range t.Terms {
		m := &t.Terms[i]
		if !m.takes(&ev, ev.Direction) {
			continue
		}
		times := scheduler.Micros(max(m.Multiply, 1))
		if m.Allowance != nil {
			r.Pool = t.allowanceName(m.Allowance)
		}
		r.Failed = r.Failed || m.Failed
		switch {
		case m.Unit == Part && m.PartSize > 0:
			r.Header, r.Min, r.Inc, r.Price = whole(m.Header), 1, whole(m.Size), m.Price*times
		case !m.Unit.sized():
			r.Fixed += m.Price * times
		default:
			m.marginal(&r, times)
		}
	}
	return r
}

// join adds the other way of what is sent once and billed twice.
func join(r *scheduler.Rate, other scheduler.Rate) {
	r.Fixed, r.Failed, r.Pool = r.Fixed+other.Fixed, r.Failed || other.Failed, cmp.Or(r.Pool, other.Pool)
	switch {
	case other.Price == 0:
	case r.Price == 0:
		r.Header, r.Min, r.Inc, r.Price = other.Header, other.Min, other.Inc, other.Price
	default:
		r.Header, r.Min = max(r.Header, other.Header), max(r.Min, other.Min)
		r.Price += scheduler.Micros(math.Round(float64(other.Price) * float64(max(r.Inc, 1)) / float64(max(other.Inc, 1))))
	}
}

// allowanceName is the pool of an allowance: a device's own is named after the tariff.
func (t *Tariff) allowanceName(a *Allowance) string {
	if a.Pooled {
		return t.PoolName()
	}
	return t.Name
}

// marginal puts a price by size into a rate.
func (m *Term) marginal(r *scheduler.Rate, times scheduler.Micros) {
	step := m.Increment
	if step == 0 && m.Unit == Credit {
		step = m.Size
	}
	least := m.Min
	if m.Scope == OfDay || m.Scope == OfMonth {
		step, least = 0, 0
	}
	step = max(step, 1)
	r.Header, r.Min = whole(sum(m.Header, m.Handshake)), whole(least)
	if m.Price == 0 {
		r.Inc = whole(step)
		return
	}
	per, each := m.Unit.bytes(m.Size), product(product(step, int64(times)), int64(m.Price)) // a step costs each/per micros
	for k := max(per/each, 1); ; k++ {
		want := float64(k) * float64(each) / float64(per)
		price := math.Round(want)
		if math.Abs(price-want) <= 0.05*want {
			r.Inc, r.Price = whole(product(step, k)), scheduler.Micros(min(price, most))
			return
		}
	}
}

// whole is a number of bytes as rates have it.
func whole(n int64) int { return int(min(max(n, 0), math.MaxInt32)) }
