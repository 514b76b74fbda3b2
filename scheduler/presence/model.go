package presence

import (
	"errors"
	"fmt"
	"slices"
)

// A Config says what is the same for all devices of a fleet.
type Config struct {
	Links    []Link
	Bursts   []Burst
	Cells    int     // cells are 1 to Cells; 0: none is known
	Products int     // products are 0 to Products-1
	Silent   int     // so many missed contacts are silence; 0: 3
	Presumed float64 // a device at least so likely dead is presumed so; 0: Sure
}

// Presets of Config.Presumed: what is more likely than not, and what can be relied on.
const (
	Likely = 0.5
	Sure   = 0.9
)

// ErrConfig is wrapped by errors about a Config that cannot be used.
var ErrConfig = errors.New("unusable configuration of presence")

// A Model is what the fleet has taught about misses, outages and deaths. It belongs to one goroutine, or to who holds its lock.
type Model struct {
	config   Config
	day      int64 // the number of the day up to which weights have faded
	rows     []row // rows of each link
	links    []attempts
	cells    []attempts
	products []attrition
	polls    []answers // of each link
	hushes   hushes
}

// New is a model that has seen nothing.
func New(c Config) (*Model, error) {
	if c.Silent == 0 {
		c.Silent = 3
	}
	if c.Presumed == 0 {
		c.Presumed = Sure
	}
	switch {
	case len(c.Links) == 0 || len(c.Links) > 256 || len(c.Bursts) > 255 || c.Products < 1 || c.Products > 1<<16 || c.Cells < 0 || c.Cells >= 1<<16:
		return nil, fmt.Errorf("%d links, %d bursts, %d products, %d cells: %w", len(c.Links), len(c.Bursts), c.Products, c.Cells, ErrConfig)
	case c.Silent < 1 || !(c.Presumed > 0 && c.Presumed < 1):
		return nil, fmt.Errorf("silent after %d missed, presumed dead at %g: %w", c.Silent, c.Presumed, ErrConfig)
	}
	for _, l := range c.Links {
		if l.Jitter >= 500 {
			return nil, fmt.Errorf("link %s: jitter of %d thousandths, want less than 500: %w", l.Name, l.Jitter, ErrConfig)
		}
	}
	for _, b := range c.Bursts {
		if len(b) >= exact || !slices.IsSorted(b) {
			return nil, fmt.Errorf("burst %v, want at most %d contacts, ascending: %w", b, exact-1, ErrConfig)
		}
	}
	n := len(c.Links)
	return &Model{
		config: c, rows: make([]row, n*rows), links: make([]attempts, n), cells: make([]attempts, c.Cells+1),
		products: make([]attrition, c.Products), polls: make([]answers, n),
	}, nil
}

// Grow makes room for so many cells, of which there may be more by and by. What is known of the others stays.
func (m *Model) Grow(cells int) {
	m.config.Cells = min(max(cells, m.config.Cells), 1<<16-1)
	for len(m.cells) <= m.config.Cells {
		m.cells = append(m.cells, attempts{})
	}
}

// Keep takes over what another model has learned, as far as both are of the same links and cells, and of products: was has the place in the other model
// of each of m's, -1 for one that it does not have.
func (m *Model) Keep(from *Model, was []int) {
	m.day, m.hushes = from.day, from.hushes
	if len(m.links) == len(from.links) {
		copy(m.rows, from.rows)
		copy(m.links, from.links)
		copy(m.polls, from.polls)
	}
	if len(m.cells) == len(from.cells) {
		copy(m.cells, from.cells)
	}
	for i, j := range was[:min(len(was), len(m.products))] {
		if j >= 0 && j < len(from.products) {
			m.products[i] = from.products[j]
		}
	}
}

// Leave takes what a device adds to its product's expected deaths out of them, before Join gives it to another product, or in another model.
func (m *Model) Leave(d *Device) { m.product(d).deaths -= int64(d.dead) }

// Join makes a device that no product has one of a product.
func (m *Model) Join(d *Device, product uint16) {
	d.product = product
	m.product(d).deaths += int64(d.dead)
}

func (m *Model) link(i uint8) *Link { return &m.config.Links[min(int(i), len(m.config.Links)-1)] }

func (m *Model) curve(link, r int) curve {
	at := m.rows[min(link, len(m.config.Links)-1)*rows:]
	return curve{own: &at[r], link: &at[linkRow]}
}

func (m *Model) product(d *Device) *attrition {
	return &m.products[min(int(d.product), len(m.products)-1)]
}

// rowOf is the row in which a run of the schedule counts.
func (s *schedule) rowOf(d *Device) int {
	if len(s.burst) != 0 {
		return burstRow
	}
	return octave(d.every)
}

// fade lets days pass.
func (m *Model) fade(now int64) {
	today := now / day
	if m.day == 0 {
		m.day = today
	}
	for ; m.day < today; m.day++ {
		if today-m.day > 3650 {
			m.day = today - 3650
		}
		for i := range m.rows {
			m.rows[i].fade()
		}
		for _, group := range [2][]attempts{m.links, m.cells} {
			for i := range group {
				group[i].n *= fadeUsual
				group[i].missed *= fadeUsual
			}
		}
	}
}

// What must be known of a cell: attempts by which it is seen what is usual there, and of late by which it is seen that it is well.
const (
	cellKnown = 100
	cellTells = 8
)

// compared is the cell that the device is compared with; 0: with its link, for too little is known of its cell, or too few speak there to tell that it is
// well while the link is not.
func (m *Model) compared(d *Device) uint16 {
	if d.cell == 0 || int(d.cell) >= len(m.cells) || m.cells[d.cell].n < cellKnown {
		return 0
	}
	c, l := &m.cells[d.cell], &m.links[min(int(d.link), len(m.links)-1)]
	if n, _ := c.recent(); n < cellTells && c.since < l.since {
		return 0
	}
	return d.cell
}

// control is what the device is compared with.
func (m *Model) control(d *Device) *attempts {
	if cell := m.compared(d); cell != 0 {
		return &m.cells[cell]
	}
	return &m.links[min(int(d.link), len(m.links)-1)]
}

// OutageOf is what is known of the cell that a device is compared with, or of its link: then the cell is 0.
func (m *Model) OutageOf(d *Device) (o Outage, cell uint16) {
	return m.control(d).outage(), m.compared(d)
}

// observe counts a first attempt of the device for its link and its cell: one that was met now, or missed when its window closed.
func (m *Model) observe(d *Device, now, closed int64, missed bool) {
	m.links[min(int(d.link), len(m.links)-1)].observe(now, closed, missed)
	if d.cell != 0 && int(d.cell) < len(m.cells) {
		m.cells[d.cell].observe(now, closed, missed)
	}
}

// returned says to its link and its cell that the device is heard, whose first attempt was counted as missed when its window closed.
func (m *Model) returned(d *Device, now, closed int64) {
	m.links[min(int(d.link), len(m.links)-1)].returned(now, closed)
	if d.cell != 0 && int(d.cell) < len(m.cells) {
		m.cells[d.cell].returned(now, closed)
	}
}

// Contact says that the device was heard now: the run of misses that this ends is learned from, and its schedule starts anew. It returns how many
// contacts were missed. A time before the last contact, of a frame that was long under way or of a clock that was set back, changes nothing.
func (m *Model) Contact(d *Device, now int64) int {
	if now < d.Last() {
		return 0
	}
	m.fade(now)
	s := m.schedule(d)
	k := s.missed(now)
	if s.period != 0 {
		due := now >= s.opens(k+1)
		if k != 0 || due {
			c := m.curve(int(d.link), s.rowOf(d))
			c.own.add(k, due)
			c.link.add(k, due)
		}
		first := min(s.closes(1), now)
		counted := d.flags&flagFirstMissed != 0
		switch {
		case k != 0 && !counted: // nobody looked when its window closed
			m.observe(d, now, first, true)
			counted = true
		case k == 0 && due && !counted:
			m.observe(d, now, now, false)
		}
		if counted {
			m.returned(d, now, first)
		}
	}
	p := m.product(d)
	p.exposure += now - d.Last()
	p.deaths -= int64(d.dead)
	d.heard, d.delay, d.after, d.burst, d.dead, d.flags = seconds(now), 0, 0, 0, 0, 0
	return int(k)
}

// Check looks at a device that Next said is due: what it has missed since is counted, and its standing is returned.
func (m *Model) Check(d *Device, now int64) Standing {
	m.fade(now)
	s := m.schedule(d)
	if s.missed(now) != 0 && d.flags&flagFirstMissed == 0 {
		d.flags |= flagFirstMissed
		m.observe(d, now, s.closes(1), true)
	}
	st := m.Standing(d, now)
	if st.Missed != 0 && st.Class != Retired {
		share := uint8(st.Dead * 255)
		m.product(d).deaths += int64(share) - int64(d.dead)
		d.dead = share
	}
	return st
}

// Outage is what is known of a link, by its index; Cell of a cell.
func (m *Model) Outage(link int) Outage { return m.links[link].outage() }

// Cell is what is known of a cell's outages.
func (m *Model) Cell(cell int) Outage { return m.cells[cell].outage() }

// Pass lets time pass for outages of links and cells, so that one ends that nobody speaks over. To be called once an hour.
func (m *Model) Pass(now int64) {
	m.fade(now)
	for _, group := range [2][]attempts{m.links, m.cells} {
		for i := range group {
			group[i].advance(now)
		}
	}
}

// attrition is what is known of a product's deaths. All of it is integer: the order in which it came does not matter.
type attrition struct {
	deaths   int64 // in 255ths
	exposure int64 // seconds between contacts
}

const month = 30.4375 * day

// hazard is deaths per second: 1 % in a month before anything is known, as heavy as 300 device months.
func (a *attrition) hazard() float64 {
	return (3 + float64(max(a.deaths, 0))/255) / (300*month + float64(a.exposure))
}

// Attrition is the deaths per device and month of a product, by its index.
func (m *Model) Attrition(product int) float64 {
	return m.products[min(max(product, 0), len(m.products)-1)].hazard() * month
}
