package device

import (
	"slices"
	"time"
)

// A Way is one of several bearers of a device. A frame goes over the first one; where that brings no acknowledgement, or the network does not take it,
// over the next; after the last one it is the turn of the first again. Each frame begins with the first: what is cheap is tried before what is not.
type Way struct {
	Bearer string // as Config.Links and policies name it
	Stored bool   // as Config.Stored
	Tries  int    // transmissions of a frame before the next way carries it; 0 means 3
}

// triesUsual is how often a frame is sent before another way carries it.
const triesUsual = 3

// equip makes what follows from several ways. Where one of them keeps frames, no frame asks for an acknowledgement: those that do not must be answered
// always.
func (c *Config) equip() {
	if len(c.Ways) == 0 {
		return
	}
	c.Links, c.Stored = nil, false
	for i := range c.Ways {
		w := &c.Ways[i]
		if w.Tries == 0 {
			w.Tries = triesUsual
		}
		c.Links, c.Stored = append(c.Links, w.Bearer), c.Stored || w.Stored
	}
}

// prefer puts the ways in the order that a policy names; those that it does not name follow as they were.
func (d *Device) prefer(bearers []string) {
	if len(d.ways) == 0 {
		return
	}
	order := make([]int, 0, len(d.ways))
	for _, b := range bearers {
		if i := slices.IndexFunc(d.config.Ways, func(w Way) bool { return w.Bearer == b }); i >= 0 && !slices.Contains(order, i) {
			order = append(order, i)
		}
	}
	for _, i := range d.ways {
		if !slices.Contains(order, i) {
			order = append(order, i)
		}
	}
	d.ways = order
}

// way is what carries a frame now, by its place in Config.Ways; 0 where there is one.
func (d *Device) way(p *pending) int {
	if len(d.ways) == 0 {
		return 0
	}
	return d.ways[p.way]
}

// stored reports whether what carries a frame keeps it.
func (d *Device) stored(p *pending) bool {
	if len(d.ways) == 0 {
		return d.config.Stored
	}
	return d.config.Ways[d.way(p)].Stored
}

// fallBack notes a transmission of a frame, over the next way if this one had its tries.
func (d *Device) fallBack(p *pending) {
	p.tries++
	if len(d.ways) == 0 {
		return
	}
	if p.tried >= d.config.Ways[d.way(p)].Tries {
		p.way, p.tried = (p.way+1)%len(d.ways), 0
	}
	p.tried++
}

// refused notes that the network did not take a frame: another way may at once.
func (d *Device) refused(p *pending, now time.Time) {
	p.due = now.Add(min(d.config.Retry<<min(p.tries, 10), d.config.RetryMax))
	if len(d.ways) > 0 {
		p.tried = d.config.Ways[d.way(p)].Tries
		if p.way+1 < len(d.ways) {
			p.due = now.Add(time.Second)
		}
	}
}

// addressed reports whether a frame carries the connection id: where it may come over a link that does not name the device, or the gateway may not
// know the address yet.
func (d *Device) addressed() bool {
	return !d.config.Stored || d.config.Unnamed || d.known < knownAfter || slices.ContainsFunc(d.config.Ways, func(w Way) bool { return !w.Stored })
}
