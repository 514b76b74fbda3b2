package world

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
	"github.com/godwit-gateway/godwit/simulator/check"
	"github.com/godwit-gateway/godwit/simulator/device"
	"github.com/godwit-gateway/godwit/simulator/radio"
	"github.com/godwit-gateway/godwit/transports"
)

// mobile is a device, its permanent memory and its radio.
type mobile struct {
	w      *world
	group  int
	called string // by the gateway
	config device.Config
	air           // its first link
	airs   []*air // all of them
	sim    string // its number on the network of the first
	dev    *device.Device
	memory device.Memory
	life   *life
	clone  bool      // not the genuine one
	barred bool      // its network carries nothing for it any more
	on     bool      // at work when it was looked at last
	off    time.Time // when it was not at work last; zero: it always was
	wake   time.Time // when it is looked at next
	cards  int       // that it was given since
	place  int       // in the fleet, counted from 1: what answers to it are routed by
	port   int       // of its address: a mobile network gives another one now and then
	hour   time.Time // since when steps are counted
	steps  int
}

// life is what devices have in common that the gateway must take for one: the genuine one, and its clones.
type life struct {
	cloned bool
	epochs []session.Epoch // that the gateway has had of it

	sealing sealing // that it sealed with last

	taken     time.Time // when a frame of it was
	rekeys    int       // that an operator has tried since
	addressed uint64    // run of the gateway in which an operator has seen that its address is accepted
}

// restless is how many times in an hour a device may look for work: more would empty its battery.
const restless = 20_000

// packet is a payload under way to the gateway.
type packet struct {
	payload []byte
	made    time.Time // its content; for a join, itself
	frame   check.Frame
	join    bool
	cut     bool // it did not arrive whole
}

// told is a payload under way to a device, and the network's reference if the gateway wants to hear of it.
type told struct {
	payload []byte
	ref     string
}

// addMobile puts a device into the world, the i-th of its group.
func (w *world) addMobile(group, i int) error {
	g := &w.setup.Groups[group]
	m := &mobile{w: w, group: group, config: g.Device, air: air{link: w.links[g.Link]}, life: &life{}, on: true, port: 40_000}
	purpose, own := m.settle()
	c := &m.config
	c.Number = g.First + uint32(i) //nolint:gosec // checked
	c.Key = codec.FleetDeviceKey(fleetSecret, c.Number)
	c.Product, c.Template, c.Releases = g.Product, w.products[g.Product].Template, w.products[g.Product].Releases
	c.Images, c.Publisher = w.updates.images[g.Product], w.updates.publisher
	c.Links, c.Stored, c.Ways, c.Seed = []string{string(m.link.Bearer)}, m.link.Keeps, m.ways(g), own.Uint64()
	for i := range c.Ways {
		c.Stored = c.Stored || c.Ways[i].Stored
	}
	if g.Attrition > 0 {
		c.Dies = w.now.Add(time.Duration(min(own.ExpFloat64()/g.Attrition*float64(year), float64(century))))
	}
	m.called, c.SIM = fmt.Sprintf("dev-%d", c.Number), m.card(0)
	w.ledger.Device(m.name(), c.Number, 0)
	if err := m.tune(purpose); err != nil {
		return err
	}
	var err error
	if m.dev, err = device.New(m.config, m.memory, w.now); err != nil {
		return fmt.Errorf("boot: %w", err)
	}
	m.booted()
	return nil
}

// Times of a device's life.
const (
	year    = 365 * 24 * time.Hour
	century = 100 * year // beyond it nothing breaks
)

// settle gives the device its place in the world, and the random numbers of its own; those of its ways up and down follow.
func (m *mobile) settle() (purpose uint64, own *rand.Rand) {
	purpose = drawDevices + 3*uint64(len(m.w.fleet))
	m.w.fleet = append(m.w.fleet, m)
	m.place = len(m.w.fleet)
	return purpose, m.w.setup.stream(purpose)
}

// insert gives the device a card, by which the network knows it from now on.
func (m *mobile) insert(sim string) {
	delete(m.w.bySIM, m.sim)
	m.sim, m.life.addressed = sim, 0
	m.w.bySIM[sim] = m
	m.locate()
}

// name is what the gateway calls the device.
func (m *mobile) name() string { return m.called }

// booted is after a start of the device.
func (m *mobile) booted() {
	m.memory = m.dev.Memory()
	m.soon(m.w.now)
}

// asleep notes whether the device is at work. Where it is not nothing reaches it.
func (m *mobile) asleep() {
	on := m.dev.State() == device.Working
	if !on {
		m.off = m.w.now
	}
	if m.on == on {
		return
	}
	m.on = on
	for _, a := range m.airs {
		a.down.Switch(m.w.now, on)
	}
	if on {
		m.w.noticed["device that came back when its battery was charged"]++
	} else {
		m.w.noticed["device that became "+m.dev.State().String()]++
	}
}

// soon looks at the device at a time, if that is before it is looked at anyway.
func (m *mobile) soon(at time.Time) {
	if m.wake.After(m.w.now) && !at.Before(m.wake) {
		return
	}
	m.wake = at
	m.w.schedule.visit(at, m)
}

// visit looks at the device, unless it was to be looked at earlier since.
func (m *mobile) visit(a *appointment) {
	if m.wake.Equal(a.at()) {
		m.wake = time.Time{}
		m.w.fail(m.step())
	}
}

// step does what is due: hears, speaks, and lets the radio carry.
func (m *mobile) step() error {
	now := m.w.now
	if now.Sub(m.hour) >= time.Hour {
		m.hour, m.steps = now, 0
	}
	if m.steps++; m.steps > restless {
		return fmt.Errorf("%w: device %d has looked for work %d times within an hour", ErrBroken, m.config.Number, m.steps)
	}
	for _, a := range m.airs {
		for d, ok := a.down.Due(now); ok; d, ok = a.down.Due(now) {
			if err := m.told(a, &d); err != nil {
				return err
			}
		}
	}
	out, wake, err := m.dev.Poll(now)
	if err != nil {
		return fmt.Errorf("%w: device %d: %w", ErrBroken, m.config.Number, err)
	}
	m.memory = m.dev.Memory() // before anything that relies on it leaves
	m.asleep()
	for i := range out {
		if err := m.speak(&out[i]); err != nil {
			return err
		}
	}
	if len(out) > 0 {
		wake = now // what the network did not take may be due again
	}
	for _, a := range m.airs {
		m.arrive(a)
		for _, next := range []func() (time.Time, bool){a.up.Next, a.down.Next} {
			if at, ok := next(); ok && (wake.IsZero() || at.Before(wake)) {
				wake = at
			}
		}
	}
	if !wake.IsZero() {
		m.soon(maxTime(wake, now.Add(time.Millisecond)))
	}
	return nil
}

// arrive takes what a network has carried, and hands it to the gateway.
func (m *mobile) arrive(a *air) {
	now := m.w.now
	for d, ok := a.up.Due(now); ok; d, ok = a.up.Due(now) {
		p := d.Item
		if d.Failed {
			m.refused(a, &p)
			continue
		}
		if p.cut = d.Size < len(p.payload); p.cut {
			p.payload = p.payload[:d.Size]
		}
		a.kept = append(a.kept, p)
	}
	m.deliver(a)
}

// refused tells the device that the network did not take a frame.
func (m *mobile) refused(a *air, p *packet) {
	if a.link.Keeps && !p.join {
		m.dev.Failed(device.Frame{Epoch: p.frame.Epoch, Counter: p.frame.Counter}, m.w.now)
		m.soon(m.w.now)
	}
}

// told is what comes of a downlink: it arrives, whole or cut, or the network gives it up. Who wanted a report gets it.
func (m *mobile) told(a *air, d *radio.Delivery[told]) error {
	state := transports.ReportFailed
	if !d.Failed {
		if err := m.hear(d.Item.payload[:d.Size]); err != nil {
			return err
		}
		state = transports.ReportDelivered
	}
	if d.Item.ref == "" || d.Copy > 0 || !m.w.gateway.up {
		return nil // a report that nobody takes is lost
	}
	err := m.w.gateway.hub.Report(m.w.ctx, transports.Report{Transport: a.link.Name, To: a.from, Ref: d.Item.ref, ReceivedAt: m.w.now, State: state})
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// hear hands a downlink to the device. What it acknowledges must never be lost from here on.
func (m *mobile) hear(payload []byte) error {
	before := m.memory
	acknowledged, err := m.dev.Receive(payload)
	m.memory = m.dev.Memory()
	m.w.note(m.config.Number, payload, "down")
	if err != nil {
		m.w.noticed["downlink refused by its device"]++ // of an earlier epoch, or damaged
	}
	if m.memory.Current.Number < before.Current.Number && !before.Blank {
		return fmt.Errorf("%w: device %d went from epoch %d back to %d", ErrBroken, m.config.Number, before.Current.Number, m.memory.Current.Number)
	}
	if x := m.w.setup.Watch; x != nil && len(acknowledged) > 0 {
		x.Acknowledged(m.w.now, m.group, m.config.Number, len(acknowledged))
	}
	for _, f := range acknowledged {
		m.w.ledger.Acknowledged(m.frame(f))
	}
	return nil
}

func (m *mobile) frame(f device.Frame) check.Frame {
	return check.Frame{Number: m.config.Number, Epoch: f.Epoch, Counter: f.Counter}
}

// speak sends one transmission.
func (m *mobile) speak(tx *device.Transmission) error {
	w := m.w
	w.sent++
	w.note(m.config.Number, tx.Payload, "sent")
	a := m.airs[tx.Way]
	if !tx.Join {
		content, err := contentOf(tx.Payload)
		if err != nil {
			return err
		}
		if err := m.sealedUp(tx.Frame, content); err != nil {
			return err
		}
		w.ledger.Sent(m.frame(tx.Frame))
	}
	if w.setup.Chaos {
		w.capture(tx.Payload)
	}
	if x := w.setup.Watch; x != nil {
		x.Sent(w.now, m.line(a), len(tx.Payload), tx.Try, tx.Join)
	}
	p := packet{payload: tx.Payload, made: tx.Made, frame: m.frame(tx.Frame), join: tx.Join}
	if tx.Join {
		p.made = w.now
	}
	sent := a.up.Carry(w.now, p, len(tx.Payload))
	m.dev.Retried(sent.Tries-1, len(tx.Payload))
	m.billed(a, true, sent.Cost)
	switch {
	case !a.link.Keeps || tx.Join:
	case sent.Copies > 0:
		m.dev.Taken(tx.Frame)
	case !sent.Reported:
		m.dev.Failed(tx.Frame, w.now)
	}
	m.memory = m.dev.Memory()
	return nil
}

// deliver hands what has come through the air to the gateway. Datagrams that it does not take are lost; short messages are kept.
func (m *mobile) deliver(a *air) {
	kept := a.kept
	a.kept = nil
	for i, p := range kept {
		if m.w.gateway.up && a.link.Linger > 0 {
			m.w.gateway.gather(m, a, p)
			continue
		}
		v, ok := m.w.gateway.take(m.uplink(a, p.payload))
		if !ok {
			if a.link.Keeps {
				a.kept = append(a.kept, kept[i:]...)
				m.soon(m.w.now.Add(comeBack))
			}
			return
		}
		m.settled(a, &p, v)
	}
}

func (m *mobile) uplink(a *air, payload []byte) transports.Uplink {
	u := transports.Uplink{Transport: a.link.Name, ReceivedAt: m.w.now, Payload: payload, From: a.from}
	if !a.link.Keeps {
		u.Window = transports.Window{ID: uint64(m.place), Until: m.w.now.Add(30 * time.Second)} //nolint:gosec // a count
	}
	return u
}

// settled is told what the gateway says of a payload.
func (m *mobile) settled(a *air, p *packet, v *transports.Verdict) {
	if x := m.w.setup.Watch; x != nil {
		x.Taken(m.w.now, m.line(a), p.made, len(p.payload), v.Settlement)
	}
	taken := v.Settlement == transports.Stored || v.Settlement == transports.Duplicate
	if p.cut && taken {
		m.w.fail(fmt.Errorf("%w: what is left of a payload of device %d was settled as %s: %x", ErrBroken, m.config.Number, v.Settlement, p.payload))
	}
	if m.life.cloned && !a.link.Metered && v.Settlement == transports.Quarantined { // where forgeries are not kept
		m.w.noticed[noticedReuse]++
	}
	if a.link.Keeps && !p.join && taken {
		m.w.ledger.Acknowledged(p.frame) // its message is deleted: nothing else has it
	}
	if len(v.Reply) > 0 {
		m.w.spent(a.link, len(v.Reply))
		m.carry(a, told{payload: append([]byte(nil), v.Reply...)})
	}
	if v.Settlement == transports.Stored {
		m.life.taken, m.life.rekeys = m.w.now, 0
		if !p.join {
			m.w.recovery.well(m.w.now, m)
		}
		m.w.recorder.record(m.w.now, m, a, p.payload)
	}
	if m.w.setup.Chaos || p.join {
		m.noteEpochs()
	}
}

// line names the device on a link to the watcher.
func (m *mobile) line(a *air) Line {
	return Line{Group: m.group, Link: a.place, Number: m.config.Number}
}

// billed tells what the network charges for a payload.
func (m *mobile) billed(a *air, up bool, cost radio.Micros) {
	if x := m.w.setup.Watch; x != nil && cost > 0 {
		x.Billed(m.w.now, m.line(a), up, cost)
	}
}

// carry sends a downlink through the air.
func (m *mobile) carry(a *air, t told) {
	if x := m.w.setup.Watch; x != nil {
		x.Told(m.w.now, m.line(a), len(t.payload))
	}
	m.billed(a, false, a.down.Carry(m.w.now, t, len(t.payload)).Cost)
	if at, ok := a.down.Next(); ok {
		m.soon(maxTime(at, m.w.now))
	}
}

// restartDevice cuts the power of a device. lost: its memory is gone too.
func (m *mobile) restartDevice(lost bool) {
	if lost {
		m.memory = device.Erased()
	}
	dev, err := m.dev.Reboot(m.memory, m.w.now)
	if err != nil {
		m.w.fail(fmt.Errorf("boot: %w", err))
		return
	}
	m.dev = dev
	m.booted()
}
