package tariff

import (
	"cmp"
	"time"
)

// A Balance is what is left of an allowance.
type Balance struct {
	Amount int64     // in bytes, or in what is counted
	Used   int64     // of these
	Sized  bool      // they are bytes
	Begins time.Time // of its period; zero: it has none
	Ends   time.Time // when what is left is lost; zero: never
}

// Balance is how far a pool has come with the allowance that its devices share and that their messages draw on first. False: they share none.
func (t *Tariff) Balance(pool *Meter, at time.Time) (Balance, bool) {
	ev := Event{Direction: MO}
	for i := range t.Terms {
		m := &t.Terms[i]
		a := m.Allowance
		if a == nil || !a.Pooled || !m.takes(&ev, MO) {
			continue
		}
		b := Balance{Amount: m.included(max(pool.Members, 1)), Sized: m.Unit.sized()}
		c := counter{}
		if len(pool.counters) == len(t.Terms) {
			c = pool.counters[i]
		}
		switch month := t.Month(at); {
		case a.Period == Monthly:
			b.Begins, b.Ends = month.Begins(t.zone()), month.Next().Begins(t.zone())
			if c.period != int64(month) {
				c.used = 0
			}
		case a.Valid > 0:
			if c.period == 0 {
				c.period = at.Unix()
			}
			b.Begins = time.Unix(c.period, 0)
			b.Ends = b.Begins.Add(a.Valid)
			if over := !at.Before(b.Ends); over && a.Period == Bundle && a.Renew {
				b.Begins, b.Ends, c.used = at, at.Add(a.Valid), 0
			} else if over {
				c.used = b.Amount
			}
		}
		b.Used = min(c.used, b.Amount)
		return b, true
	}
	return Balance{}, false
}

// included is the amount of an allowance in bytes, or in what is counted.
func (m *Term) included(members int64) int64 {
	a := m.Allowance
	amount := product(a.Amount, cmp.Or(a.Unit, &m.Unit).bytes(m.Size))
	if a.Pooled && a.Each {
		amount = product(amount, members)
	}
	return amount
}

// Each reports whether the devices of the tariff's pool each add to an allowance, so that how many they are has to be known.
func (t *Tariff) Each() bool {
	for i := range t.Terms {
		if a := t.Terms[i].Allowance; a != nil && a.Pooled && a.Each {
			return true
		}
	}
	return false
}
