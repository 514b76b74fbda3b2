package tariff

import (
	"fmt"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
)

// Price charges an event to the meters of its device and of its pool, and says what it costs. A nil pool stands for a pool of the device alone.
// The tariff has to be one that Validate finds no fault with; it is not changed.
func (t *Tariff) Price(device, pool *Meter, ev Event) Charge { return t.price(device, pool, &ev, nil) }

// Explain is Price, and says of each term that charges something why.
func (t *Tariff) Explain(device, pool *Meter, ev Event) (Charge, []Line) {
	var lines []Line
	c := t.price(device, pool, &ev, func(l Line) { lines = append(lines, l) })
	return c, lines
}

func (t *Tariff) price(device, pool *Meter, ev *Event, why func(Line)) Charge {
	if pool == nil {
		pool = device
	}
	device.ready(len(t.Terms))
	pool.ready(len(t.Terms))
	at := device.clock(ev.Time)
	if pool != device {
		at = max(at, pool.clock(ev.Time))
	}
	clean(ev)
	var c Charge
	legs := []Direction{ev.Direction}
	if ev.Direction == Relay {
		legs = []Direction{MO, MT}
		if t.RelayOnce {
			legs = legs[:1]
		}
	}
	local := t.Local(time.Unix(at, 0))
	for _, leg := range legs {
		for i := range t.Terms {
			term := &t.Terms[i]
			if !term.takes(ev, leg) {
				continue
			}
			b := bill{term: term, c: &device.counters[i], shared: &device.counters[i], members: 1, ev: ev, at: at, local: local, why: why}
			if term.Allowance != nil && term.Allowance.Pooled {
				b.shared, b.members = &pool.counters[i], max(pool.Members, 1)
			}
			c.add(b.charge())
		}
	}
	return c
}

func (c *Charge) add(o Charge) {
	c.Units, c.Bytes, c.Allowed = sum(c.Units, o.Units), sum(c.Bytes, o.Bytes), sum(c.Allowed, o.Allowed)
	c.Micros = scheduler.Micros(sum(int64(c.Micros), int64(o.Micros)))
}

// clean brings hostile numbers into bounds, far beyond what any link carries.
func clean(ev *Event) {
	for _, n := range []*int64{&ev.Bytes, &ev.Overhead, &ev.Parts, &ev.Items, &ev.Repeats} {
		*n = min(max(*n, 0), most)
	}
	ev.Items, ev.Repeats = max(ev.Items, 1), max(ev.Repeats, 1)
	if ev.Direction == Both {
		ev.Direction = MO
	}
}

// takes reports whether the term is for the event, seen as one in a direction.
func (m *Term) takes(ev *Event, leg Direction) bool {
	switch {
	case m.Direction != Both && m.Direction != leg, ev.Failed && !m.Failed, ev.Kind == MailboxCheck && ev.Riding && m.FreeRider:
		return false
	case ev.Kind == SessionEnd:
		return m.Scope == OfInterval || m.Scope == OfSession || m.Unit == Session
	case len(m.For) == 0:
		return ev.Kind == Message
	default:
		return slices.Contains(m.For, ev.Kind)
	}
}

// bill is one term's charge of one event.
type bill struct {
	term    *Term
	c       *counter // of the device
	shared  *counter // of whoever has the allowance
	members int64    // who add to it
	ev      *Event
	at      int64
	local   time.Time // at, in the tariff's zone
	why     func(Line)
}

func (b *bill) charge() Charge {
	var n int64 // billed: bytes of what is sized, else a number
	var c Charge
	if b.term.Unit.sized() {
		n = b.measure()
		c.Bytes, c.Units = n, n
		if b.term.Unit == Credit {
			c.Units = n / max(b.term.Size, 1)
		}
	} else {
		n = b.count()
		c.Bytes, c.Units = product(n, max(b.term.Size, 0)), n
		if b.term.Size == 0 && b.term.Unit == PerMessage && b.ev.Kind == Message {
			c.Bytes = sum(b.ev.Bytes, b.ev.Overhead)
		}
	}
	if b.ev.Closed || b.ev.Kind == SessionEnd {
		b.close()
	}
	if n == 0 {
		return Charge{}
	}
	over := n
	if b.term.Allowance != nil {
		var bought scheduler.Micros
		c.Allowed, bought = b.take(n)
		c.Micros, over = bought, n-c.Allowed
	}
	if month := int64(MonthOf(b.local)); b.shared.month != month {
		b.shared.month, b.shared.over = month, 0
	}
	before := b.term.cost(b.shared.over)
	b.shared.over = sum(b.shared.over, over)
	c.Micros = scheduler.Micros(sum(int64(c.Micros), int64(b.term.cost(b.shared.over)-before)))
	if b.why != nil {
		b.why(b.line(c))
	}
	return c
}

// measure is how many bytes more are billed now that the event has come.
func (b *bill) measure() int64 {
	m, ev := b.term, b.ev
	var raw int64
	if ev.Kind != SessionEnd {
		raw = sum(sum(ev.Bytes, ev.Overhead), m.Header)
	}
	times := product(max(m.Multiply, 1), ev.Repeats)
	if m.Scope == OfMessage || m.Scope == OfSession && ev.Session == 0 {
		if ev.Kind == SessionEnd {
			return 0
		}
		return product(m.billed(sum(raw, m.Handshake)), times)
	}
	began, first := b.record()
	if first && ev.Kind != SessionEnd {
		raw = sum(raw, m.Handshake)
	}
	var n int64
	if began > 0 {
		n = product(began-1, m.billed(0))
		b.c.raw, b.c.billed = 0, 0
	}
	b.c.raw = sum(b.c.raw, raw)
	whole := m.billed(b.c.raw)
	n, b.c.billed = sum(n, whole-b.c.billed), whole
	return product(n, times)
}

// billed is how many bytes are billed for a record of so many.
func (m *Term) billed(raw int64) int64 {
	step := m.Increment
	if step == 0 && m.Unit == Credit {
		step = m.Size
	}
	if m.Order == IncrementFirst {
		return max(roundUp(raw, step), m.Min)
	}
	return roundUp(max(raw, m.Min), step)
}

// record moves on to the record that the event is in. It says how many began on the way, and whether a session did.
func (b *bill) record() (began int64, first bool) {
	m, ev, c := b.term, b.ev, b.c
	if m.Scope == OfDay || m.Scope == OfMonth {
		index := int64(MonthOf(b.local))
		if m.Scope == OfDay {
			index = int64(DateOf(b.local))
		}
		if !c.open || c.index != index {
			c.open, c.index, began = true, index, 1
		}
		return began, false
	}
	if c.session == ev.Session && ev.Session != 0 {
		switch {
		case c.open:
			index := max(b.interval(c.opened), c.index) // not before what was billed
			began, c.index = index-c.index, index
			return began, false
		case ev.Kind == SessionEnd:
			return 0, false // it has ended before
		}
	}
	if ev.Session == 0 && ev.Kind == SessionEnd {
		return 0, false
	}
	opened := b.at
	if !ev.Opened.IsZero() {
		opened = min(max(ev.Opened.Unix(), 0), b.at)
	}
	c.open, c.session, c.opened, c.index = true, ev.Session, opened, b.interval(opened)
	return c.index + 1, true
}

// interval is the number of the record that a session is in. One that ends just as a record is full begins no other.
func (b *bill) interval(opened int64) int64 {
	if b.term.Scope != OfInterval {
		return 0
	}
	every := max(int64(b.term.Interval/time.Second), 1)
	since := max(b.at-opened, 0)
	if b.ev.Kind == SessionEnd && since > 0 {
		since--
	}
	return since / every
}

// close ends the record with its session.
func (b *bill) close() {
	if b.c.session == b.ev.Session && b.term.Scope != OfDay && b.term.Scope != OfMonth {
		b.c.open = false
	}
}

// count is the number of what is billed.
func (b *bill) count() int64 {
	m, ev := b.term, b.ev
	times := product(max(m.Multiply, 1), ev.Repeats)
	switch m.Unit {
	case Session:
		known := b.c.open && ev.Session != 0 && b.c.session == ev.Session
		if known || ev.Kind == SessionEnd {
			return 0
		}
		b.c.open, b.c.session = true, ev.Session
		return times
	case Part:
		return product(m.parts(ev), times)
	case Item:
		return product(ev.Items, times)
	default:
		return times
	}
}

// parts is how many a message goes in.
func (m *Term) parts(ev *Event) int64 {
	n := sum(ev.Bytes, m.Header)
	switch {
	case ev.Parts > 0:
		return ev.Parts
	case n <= m.Size || m.PartSize <= 0:
		return 1
	default:
		return n/m.PartSize + min(n%m.PartSize, 1)
	}
}

// take takes what it can of n from the allowance, and says what had to be paid to have one.
func (b *bill) take(n int64) (taken int64, bought scheduler.Micros) {
	a, c := b.term.Allowance, b.shared
	amount := b.term.included(b.members)
	if a.Period == Monthly {
		if month := int64(MonthOf(b.local)); c.period != month {
			c.period, c.used = month, 0
		}
		taken = min(n, max(amount-c.used, 0))
		c.used += taken
		return taken, 0
	}
	over := c.period != 0 && a.Valid > 0 && b.at-c.period >= int64(a.Valid/time.Second)
	bundle := a.Period == Bundle
	if c.period == 0 || over && bundle && a.Renew {
		c.period, c.used, over = b.at, 0, false
		if bundle {
			bought = a.Price
		}
	}
	if over {
		return 0, 0
	}
	taken = min(n, max(amount-c.used, 0))
	c.used += taken
	if rest := n - taken; rest > 0 && bundle && a.Renew && amount > 0 {
		more := rest/amount + min(rest%amount, 1)
		bought = scheduler.Micros(sum(int64(bought), product(more, int64(a.Price))))
		c.period, c.used, taken = b.at, rest-product(more-1, amount), n
	}
	return taken, bought
}

// cost is the price of so much in a month beyond the allowance.
func (m *Term) cost(n int64) scheduler.Micros {
	per := m.Unit.bytes(m.Size)
	if m.Step > 0 {
		n = roundUp(n, product(m.Step, per))
	}
	var all int64
	price, from := m.Price, int64(0)
	for i := range m.Tiers {
		above := product(m.Tiers[i].Above, per)
		if n <= above {
			break
		}
		all = sum(all, int64(portion(above-from, price, per)))
		price, from = m.Tiers[i].Price, above
	}
	return scheduler.Micros(sum(all, int64(portion(n-from, price, per))))
}

// line says of a charge why.
func (b *bill) line(c Charge) Line {
	m := b.term
	l := Line{Term: m.title(), Units: c.Units, Bytes: c.Bytes, Allowed: c.Allowed, Micros: c.Micros}
	switch {
	case m.Unit == Credit:
		l.Text = fmt.Sprintf("%d B%s: %d credits of %d B", b.ev.Bytes, m.extras(), c.Units, m.Size)
	case m.Unit.sized():
		l.Text = fmt.Sprintf("%d B%s: %d B billed in its %s", b.ev.Bytes, m.extras(), c.Bytes, m.Scope)
	default:
		l.Text = fmt.Sprintf("%d × %s", c.Units, m.Unit)
	}
	if c.Allowed > 0 {
		l.Text += fmt.Sprintf(", %d of the allowance", c.Allowed)
	}
	return l
}

func (m *Term) title() string {
	if m.Name != "" {
		return m.Name
	}
	return fmt.Sprintf("%s per %s", m.Direction, m.Unit)
}

// extras names what comes on top of a payload.
func (m *Term) extras() string {
	var s string
	if m.Header > 0 {
		s += fmt.Sprintf(" and %d B of header", m.Header)
	}
	if m.Min > 0 {
		s += fmt.Sprintf(", at least %d B", m.Min)
	}
	if m.Increment > 1 {
		s += fmt.Sprintf(", in steps of %d B", m.Increment)
	}
	return s
}
