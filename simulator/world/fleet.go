package world

import (
	"fmt"
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
	config device.Config
	link   *Link
	sim    string // its number on the network
	dev    *device.Device
	memory device.Memory
	up     *radio.Link[packet]
	down   *radio.Link[[]byte]
	kept   []packet  // what the network has taken, and the gateway not yet
	wake   time.Time // when it is looked at next
	port   int       // of its address: a mobile network gives another one now and then
	from   transports.Address
	hour   time.Time // since when steps are counted
	steps  int
	epochs []session.Epoch // that the gateway has had of it
}

// restless is how many times in an hour a device may look for work: more would empty its battery.
const restless = 20_000

// packet is a payload under way to the gateway.
type packet struct {
	payload []byte
	made    time.Time // its content; for a join, itself
	frame   check.Frame
	join    bool
}

// addMobile puts a device into the world, the i-th of its group.
func (w *world) addMobile(group, i int) error {
	g := &w.setup.Groups[group]
	purpose := drawDevices + 3*uint64(len(w.fleet)) //nolint:gosec // of the device, of the ways up and down
	m := &mobile{w: w, group: group, config: g.Device, link: w.links[g.Link], port: 40_000}
	c := &m.config
	c.Number = g.First + uint32(i) //nolint:gosec // checked
	c.Key = codec.FleetDeviceKey(fleetSecret, c.Number)
	c.Product, c.Template = g.Product, w.products[g.Product].Template
	c.Links, c.Stored, c.Seed = []string{string(m.link.Bearer)}, m.link.Keeps, w.setup.stream(purpose).Uint64()
	m.sim = fmt.Sprintf("+4917%08d", c.Number)
	m.locate()
	var err error
	if m.up, err = radio.New[packet](g.Up, w.setup.stream(purpose+1)); err != nil {
		return fmt.Errorf("radio: %w", err)
	}
	if m.down, err = radio.New[[]byte](g.Down, w.setup.stream(purpose+2)); err != nil {
		return fmt.Errorf("radio: %w", err)
	}
	w.fleet = append(w.fleet, m)
	w.bySIM[m.sim], w.byNumber[c.Number] = m, m
	w.ledger.Device(m.name(), c.Number, 0)
	return m.boot()
}

// locate is where the network has the device now.
func (m *mobile) locate() {
	m.from = transports.Address{Bearer: m.link.Bearer, ID: m.sim}
	if !m.link.Keeps {
		n := m.config.Number
		m.from.ID = fmt.Sprintf("10.%d.%d.%d:%d", byte(n>>16), byte(n>>8), byte(n), m.port)
	}
}

// name is what the gateway calls the device.
func (m *mobile) name() string { return fmt.Sprintf("dev-%d", m.config.Number) }

// boot starts the device with what its memory holds.
func (m *mobile) boot() error {
	var err error
	if m.dev, err = device.New(m.config, m.memory, m.w.now); err != nil {
		return fmt.Errorf("boot: %w", err)
	}
	m.memory = m.dev.Memory()
	m.soon(m.w.now)
	return nil
}

// soon looks at the device at a time, if that is before it is looked at anyway.
func (m *mobile) soon(at time.Time) {
	if m.wake.After(m.w.now) && !at.Before(m.wake) {
		return
	}
	m.wake = at
	m.w.schedule.plan(at, func() {
		if m.wake.Equal(at) {
			m.wake = time.Time{}
			m.w.fail(m.step())
		}
	})
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
	for d, ok := m.down.Due(now); ok; d, ok = m.down.Due(now) {
		if err := m.hear(d.Item); err != nil {
			return err
		}
	}
	out, wake, err := m.dev.Poll(now)
	if err != nil {
		return fmt.Errorf("%w: device %d: %w", ErrBroken, m.config.Number, err)
	}
	m.memory = m.dev.Memory() // before anything that relies on it leaves
	for i := range out {
		if err := m.speak(&out[i]); err != nil {
			return err
		}
	}
	if len(out) > 0 {
		wake = now // what the network did not take may be due again
	}
	for d, ok := m.up.Due(now); ok; d, ok = m.up.Due(now) {
		m.kept = append(m.kept, d.Item)
	}
	m.deliver()
	for _, next := range []func() (time.Time, bool){m.up.Next, m.down.Next} {
		if at, ok := next(); ok && (wake.IsZero() || at.Before(wake)) {
			wake = at
		}
	}
	if !wake.IsZero() {
		m.soon(maxTime(wake, now.Add(time.Millisecond)))
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
	m.w.note("down", m.config.Number, payload)
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
	w.note("sent", m.config.Number, tx.Payload)
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
		x.Sent(w.now, m.group, m.config.Number, len(tx.Payload), tx.Try, tx.Join)
	}
	p := packet{payload: tx.Payload, made: tx.Made, frame: m.frame(tx.Frame), join: tx.Join}
	if tx.Join {
		p.made = w.now
	}
	took := m.up.SendSized(w.now, p, len(tx.Payload)) > 0
	switch {
	case !m.link.Keeps || tx.Join:
	case took:
		m.dev.Taken(tx.Frame)
	default:
		m.dev.Failed(tx.Frame, w.now)
	}
	m.memory = m.dev.Memory()
	return nil
}

// deliver hands what has come through the air to the gateway. Datagrams that it does not take are lost; short messages are kept.
func (m *mobile) deliver() {
	kept := m.kept
	m.kept = nil
	for i, p := range kept {
		if m.w.gateway.up && m.link.Linger > 0 {
			m.w.gateway.gather(m, p)
			continue
		}
		v, ok := m.w.gateway.take(m.uplink(p.payload))
		if !ok {
			if m.link.Keeps {
				m.kept = append(m.kept, kept[i:]...)
				m.soon(m.w.now.Add(comeBack))
			}
			return
		}
		m.settled(&p, v)
	}
}

func (m *mobile) uplink(payload []byte) transports.Uplink {
	u := transports.Uplink{Transport: m.link.Name, ReceivedAt: m.w.now, Payload: payload, From: m.from}
	if !m.link.Keeps {
		u.Window = transports.Window{ID: uint64(m.config.Number), Until: m.w.now.Add(30 * time.Second)}
	}
	return u
}

// settled is told what the gateway says of a payload.
func (m *mobile) settled(p *packet, v *transports.Verdict) {
	if x := m.w.setup.Watch; x != nil {
		x.Taken(m.w.now, m.group, m.config.Number, p.made, len(p.payload), v.Settlement)
	}
	if m.link.Keeps && !p.join && (v.Settlement == transports.Stored || v.Settlement == transports.Duplicate) {
		m.w.ledger.Acknowledged(p.frame) // its message is deleted: nothing else has it
	}
	if len(v.Reply) > 0 {
		m.carry(append([]byte(nil), v.Reply...))
	}
	if v.Settlement == transports.Stored {
		m.w.recorder.record(m.w.now, m, p.payload)
	}
	m.noteEpochs()
}

// carry sends a downlink through the air.
func (m *mobile) carry(payload []byte) {
	if x := m.w.setup.Watch; x != nil {
		x.Told(m.w.now, m.group, m.config.Number, len(payload))
	}
	m.down.SendSized(m.w.now, payload, len(payload))
	if at, ok := m.down.Next(); ok {
		m.soon(maxTime(at, m.w.now))
	}
}

// restartDevice cuts the power of a device. lost: its memory is gone too.
func (m *mobile) restartDevice(lost bool) {
	if lost {
		m.memory = device.Erased()
	}
	m.w.fail(m.boot())
}
