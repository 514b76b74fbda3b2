package presence

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Never is the time at which nothing is due.
const Never = math.MaxInt64

// A Policy is what a device was told: how often it is to speak, and over which link.
type Policy struct {
	Interval uint32 // seconds; 0: it speaks when it has something to say, and is never late
	Link     uint8  // index in Config.Links
}

// A Device is what must be remembered of one to know whether it is silent: 32 bytes without pointers. The zero Device is never due.
type Device struct {
	heard        uint32 // the last contact, in seconds since 1970
	delay        uint32 // its schedule starts so many seconds later
	after        uint32 // the pending policy was sent so many seconds after the last contact
	every        uint32 // the interval of the policy in force
	pendingEvery uint32 // that of the pending one; 0: none
	product      uint16
	cell         uint16 // index in Config.Cells; 0: unknown
	link         uint8  // of the policy in force
	pendingLink  uint8
	burst        uint8 // 1 + index in Config.Bursts; 0: none
	dead         uint8 // what it adds to its product's expected deaths, in 255ths
	flags        uint8
	hush         uint16 // its quiet hours, as the model numbers them, which is no part of the snapshot; 0: none
}

const (
	flagFirstMissed = 1 << iota // its first attempt was counted as missed
	flagPolled                  // it was polled since it was last heard
	flagRetired
)

// NewDevice is a device heard now that runs the policy.
func NewDevice(now int64, p Policy, product, cell uint16) Device {
	return Device{heard: seconds(now), every: p.Interval, link: p.Link, product: product, cell: cell}
}

// Product is the one whose attrition the device teaches.
func (d *Device) Product() uint16 { return d.product }

// Last is when the device was last heard.
func (d *Device) Last() int64 { return int64(d.heard) }

// InForce is the policy that the device acknowledged last, and Pending the one that it may have taken since; ok is false if there is none.
func (d *Device) InForce() Policy { return Policy{d.every, d.link} }

// Pending is the policy that was sent and not acknowledged.
func (d *Device) Pending() (p Policy, ok bool) {
	return Policy{d.pendingEvery, d.pendingLink}, d.pendingEvery != 0
}

// Offer says that a policy was sent now. Until it is acknowledged the device may run this one, one offered before, or the one in force: the longest
// interval is what can be held against it.
func (d *Device) Offer(now int64, p Policy) {
	if p == d.InForce() && d.pendingEvery == 0 {
		return
	}
	if p.Interval == 0 {
		p.Interval = math.MaxUint32 // nothing can be held against a device that may have taken it
	}
	if p.Interval >= d.pendingEvery {
		d.pendingEvery, d.pendingLink = p.Interval, p.Link
	}
	d.after = seconds(now - d.Last())
}

// Acknowledge says that the device reported the policy at its last contact. Nothing is pending any more; one sent since is offered again.
func (d *Device) Acknowledge(p Policy) {
	d.every, d.link, d.pendingEvery, d.pendingLink, d.after = p.Interval, p.Link, 0, 0, 0
}

// Burst says that the last contact delivered an update: the device is away for the downtime in seconds, then follows the programme, an index in
// Config.Bursts, until it is heard. Its regular contacts start after the downtime too.
func (d *Device) Burst(programme uint8, downtime uint32) { d.burst, d.delay = programme+1, downtime }

// Cell is the cell in which the device is; 0: unknown.
func (d *Device) Cell() uint16 { return d.cell }

// Locate says in which cell the device is; 0: unknown.
func (d *Device) Locate(cell uint16) { d.cell = cell }

// Retire takes the device out: it is never due again until it is heard. A death that was presumed stays one.
func (d *Device) Retire() { d.flags |= flagRetired }

// Retired reports whether the device was taken out.
func (d *Device) Retired() bool { return d.flags&flagRetired != 0 }

// Polled reports whether the device was polled since it was last heard.
func (d *Device) Polled() bool { return d.flags&flagPolled != 0 }

func seconds(n int64) uint32 {
	return uint32(min(max(n, 0), math.MaxUint32))
}

// deviceVersion is the first byte of a device's encoding, deviceSize the length.
const (
	deviceVersion = 1
	deviceSize    = 1 + 8 + 4 + 4 + 5 + 5 + 2 + 2 + 3
)

// ErrSnapshot is wrapped by errors about bytes that are no snapshot of this package.
var ErrSnapshot = errors.New("no snapshot of presence")

// AppendBinary appends the device's snapshot: a version and 33 bytes, big-endian.
func (d *Device) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, deviceVersion)
	b = binary.BigEndian.AppendUint64(b, uint64(d.heard))
	b = binary.BigEndian.AppendUint32(b, d.delay)
	b = binary.BigEndian.AppendUint32(b, d.after)
	for _, p := range [2]Policy{{d.every, d.link}, {d.pendingEvery, d.pendingLink}} {
		b = append(binary.BigEndian.AppendUint32(b, p.Interval), p.Link)
	}
	b = binary.BigEndian.AppendUint16(b, d.product)
	b = binary.BigEndian.AppendUint16(b, d.cell)
	return append(b, d.burst, d.dead, d.flags), nil
}

// UnmarshalBinary reads what AppendBinary wrote.
func (d *Device) UnmarshalBinary(b []byte) error {
	if len(b) != deviceSize || b[0] != deviceVersion {
		return fmt.Errorf("device of %d bytes, want %d of version %d: %w", len(b), deviceSize, deviceVersion, ErrSnapshot)
	}
	if b[deviceSize-1] >= flagRetired<<1 {
		return fmt.Errorf("device with flags %#x: %w", b[deviceSize-1], ErrSnapshot)
	}
	if last := binary.BigEndian.Uint64(b[1:]); last > math.MaxUint32 {
		return fmt.Errorf("device heard at %d: %w", last, ErrSnapshot)
	}
	u32 := func(at int) uint32 { return binary.BigEndian.Uint32(b[at:]) }
	*d = Device{
		heard: seconds(int64(binary.BigEndian.Uint64(b[1:]))), //nolint:gosec // two's complement
		delay: u32(9), after: u32(13),
		every: u32(17), link: b[21], pendingEvery: u32(22), pendingLink: b[26],
		product: binary.BigEndian.Uint16(b[27:]), cell: binary.BigEndian.Uint16(b[29:]),
		burst: b[31], dead: b[32], flags: b[33],
	}
	return nil
}
