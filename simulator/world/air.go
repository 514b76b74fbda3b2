package world

import (
	"fmt"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/simulator/device"
	"github.com/godwit-gateway/godwit/simulator/radio"
	"github.com/godwit-gateway/godwit/transports"
)

// air is what carries a device's payloads over one of its links.
type air struct {
	link  *Link
	place int // of the link, in Setup.Links
	up    *radio.Link[packet]
	down  *radio.Link[told]
	kept  []packet // what the network has taken, and the gateway not yet
	from  transports.Address
}

// drawBearers is the purpose of random numbers for the radios of devices with several links, beyond those of all devices and of schedules.
const drawBearers = 1 << 41

// tune gives the device its radios and its addresses.
func (m *mobile) tune(purpose uint64) error {
	g := &m.w.setup.Groups[m.group]
	m.airs = []*air{&m.air}
	if err := m.air.tune(m.w, Bearer{g.Link, g.Up, g.Down}, purpose); err != nil {
		return err
	}
	for i, b := range g.Others {
		a := new(air)
		if err := a.tune(m.w, b, drawBearers+uint64(m.place)<<8+3*uint64(i)); err != nil { //nolint:gosec // counts
			return err
		}
		m.airs = append(m.airs, a)
	}
	m.insert(m.config.SIM)
	return nil
}

// tune gives a link its radio. Both ways fade together, and see the same satellites.
func (a *air) tune(w *world, b Bearer, purpose uint64) (err error) {
	a.link = w.links[b.Link]
	a.place = slices.IndexFunc(w.setup.Links, func(l Link) bool { return l.Name == b.Link })
	b.Up.Passes.Seed += purpose
	b.Down.Passes.Seed += purpose
	if a.up, err = radio.New[packet](b.Up, w.setup.stream(purpose+1)); err != nil {
		return fmt.Errorf("radio: %w", err)
	}
	if a.down, err = radio.New[told](b.Down, w.setup.stream(purpose+2)); err != nil {
		return fmt.Errorf("radio: %w", err)
	}
	if b.Up.Bursts == b.Down.Bursts {
		a.down.Share(a.up.Coverage())
	}
	return nil
}

// over is what carries the device's payloads on a link; nil: it is not on it.
func (m *mobile) over(l *Link) *air {
	for _, a := range m.airs {
		if a.link == l {
			return a
		}
	}
	return nil
}

// awake is the link over which the network can reach the device by itself; its first one, if there is none.
func (m *mobile) awake() string {
	for _, a := range m.airs {
		if a.link.Keeps {
			return a.link.Name
		}
	}
	return m.link.Name
}

// outage cuts the device from a link until a time; "": from all of them.
func (m *mobile) outage(link string, until time.Time) {
	for _, a := range m.airs {
		if link == "" || a.link.Name == link {
			a.up.Outage(until)
			a.down.Outage(until)
		}
	}
}

// cut reports whether no link of the device has coverage, as far as that has shown.
func (m *mobile) cut(now time.Time) bool {
	return !slices.ContainsFunc(m.airs, func(a *air) bool { return !a.up.Cut(now) })
}

// underWay counts the payloads that are on the air, and at a network.
func (m *mobile) underWay() (up, kept int) {
	for _, a := range m.airs {
		up, kept = up+a.up.Pending(), kept+len(a.kept)
	}
	return up, kept
}

// locate is where the networks have the device now.
func (m *mobile) locate() {
	for _, a := range m.airs {
		a.from = transports.Address{Bearer: a.link.Bearer, ID: m.sim}
		switch n := m.config.Number; {
		case !a.link.Keeps:
			if m.clone {
				n += 100 << 16 // somewhere else
			}
			a.from.ID = fmt.Sprintf("10.%d.%d.%d:%d", byte(n>>16), byte(n>>8), byte(n), m.port)
		case a != &m.air:
			a.from.ID = m.cardOf(a.link.Bearer, m.copies())
			m.w.bySIM[a.from.ID] = m
		}
	}
}

// copies is the number of a card that no other device has: clones have their own.
func (m *mobile) copies() int {
	if m.clone {
		return cloneCard
	}
	return 0
}

// ways are the device's links as it knows them, where there are several.
func (m *mobile) ways(g *Group) []device.Way {
	if len(g.Others) == 0 {
		return nil
	}
	ways := []device.Way{{Bearer: string(m.link.Bearer), Stored: m.link.Keeps}}
	for _, b := range g.Others {
		l := m.w.links[b.Link]
		ways = append(ways, device.Way{Bearer: string(l.Bearer), Stored: l.Keeps})
	}
	return ways
}

// validateBearers reports links of a group that its devices cannot have together.
func (g *Group) validateBearers(links map[string]*Link) (errs []error) {
	if len(g.Others) == 0 {
		return nil
	}
	used, keeps := make(map[transports.Bearer]bool), false
	for _, b := range append([]Bearer{{g.Link, g.Up, g.Down}}, g.Others...) {
		l := links[b.Link]
		if l == nil {
			return append(errs, fmt.Errorf("%w: group %s speaks over link %q, which is not there", ErrSetup, g.Name, b.Link))
		}
		if used[l.Bearer] {
			errs = append(errs, fmt.Errorf("%w: group %s has two links of the bearer %s, by which policies name them", ErrSetup, g.Name, l.Bearer))
		}
		used[l.Bearer], keeps = true, keeps || l.Keeps
		errs = append(errs, b.Up.Validate(), b.Down.Validate())
	}
	if g.Device.TagLen != 8 || len(g.Others) > othersMost {
		errs = append(errs, fmt.Errorf("%w: group %s has %d links and tags of %d bytes: want at most %d, and tags that hold on each", ErrSetup, g.Name, 1+len(g.Others), g.Device.TagLen, 1+othersMost))
	}
	if keeps {
		for _, name := range append([]string{g.Link}, g.others()...) {
			if l := links[name]; !l.Keeps && l.Ack != hub.AckAlways {
				errs = append(errs, fmt.Errorf("%w: group %s has link %s beside one that keeps payloads: what it carries must be acknowledged always", ErrSetup, g.Name, name))
			}
		}
	}
	return errs
}

// others are the names of the links but the first.
func (g *Group) others() (names []string) {
	for _, b := range g.Others {
		names = append(names, b.Link)
	}
	return names
}
