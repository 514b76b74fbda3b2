package fleet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/godwit-gateway/godwit/scheduler/row"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// rowVersion is the first byte of a device's row. Rows of the versions before do not tell since when a device is rejected, and older ones neither since when
// it is retired, and none of them of lines that are suspended; one of another version is refused: it was written by a newer gateway.
const (
	rowVersion = 4
	rowRetired = 3
	rowUndated = 2
)

// ErrRow is wrapped by the error for a device row that cannot be read.
var ErrRow = errors.New("device row")

// AppendRow appends the device's row to dst: version, then fixed fields, epochs, varints, length-prefixed strings, slots and addresses,
// since when it is rejected or retired if it is, and for which days its lines are suspended.
func (f *Fleet) AppendRow(dst []byte, i Index) []byte {
	r := f.at(i)
	dst = append(dst, rowVersion, byte(r.state), r.ctrBits, r.tagLen, r.resetCause)
	dst = binary.BigEndian.AppendUint32(dst, r.number)
	dst = f.appendSession(dst, i)
	dst = binary.AppendUvarint(dst, r.frames)
	dst = binary.AppendUvarint(dst, r.duplicates)
	dst = binary.AppendUvarint(dst, r.freeMemory)
	dst = binary.AppendUvarint(dst, uint64(r.bootCount))
	dst = binary.AppendVarint(dst, r.firstSeen)
	dst = binary.AppendVarint(dst, r.lastSeen)
	dst = appendBytes(dst, r.nameBytes())
	for _, id := range [...]uint32{r.product, r.customer, r.keySource, r.version, r.build, r.hardware, r.lastLink} {
		dst = appendString(dst, f.strings.list[id])
	}
	for _, t := range r.slots {
		if t == 0 {
			dst = append(dst, 0)
			continue
		}
		dst = append(dst, 1)
		dst = append(dst, f.templates.list[t][:]...)
	}
	addresses := f.addresses[i]
	dst = append(dst, byte(len(addresses))) //nolint:gosec // at most AddressesMax
	for _, a := range addresses {
		dst = appendString(dst, a.Bearer)
		dst = appendString(dst, a.ID)
		dst = append(dst, boolByte(a.Accepted))
		dst = binary.AppendVarint(dst, milli(a.FirstSeen))
	}
	if r.state.Dismissed() {
		dst = binary.AppendVarint(dst, f.dismissed[i])
	}
	suspended := f.suspended[i]
	dst = append(dst, byte(len(suspended))) //nolint:gosec // at most SuspensionsMax
	for _, s := range suspended {
		dst = appendString(dst, s.Link)
		dst = binary.AppendUvarint(dst, uint64(s.From))  //nolint:gosec // a day is above 0
		dst = binary.AppendUvarint(dst, uint64(s.Until)) //nolint:gosec // as well
	}
	return dst
}

func boolByte(b bool) byte {
	if b {
		return 1
	}
	return 0
}

func appendBytes(dst, b []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(b)))
	return append(dst, b...)
}

func appendString(dst []byte, s string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}

// Load takes a device in from its row. Keys are set apart, by SetKey.
func (f *Fleet) Load(b []byte) (Index, error) {
	d, err := ParseRow(b)
	if err != nil {
		return 0, err
	}
	if _, ok := f.byNumber[d.Number]; ok {
		return 0, fmt.Errorf("%w: device %d: %w", ErrRow, d.Number, ErrNumberTaken)
	}
	return f.put(&d), nil
}

// ParseRow reads a device's row.
func ParseRow(b []byte) (Device, error) {
	if len(b) == 0 || b[0] < rowUndated || b[0] > rowVersion {
		return Device{}, fmt.Errorf("%w: unknown version", ErrRow)
	}
	p := rowParser{row.Reader{Rest: b[1:]}}
	d := Device{State: State(p.Byte()), CTRBits: p.Byte(), TagLen: p.Byte(), ResetCause: p.Byte()}
	d.Number = p.Uint32()
	d.Session = p.session()
	d.Frames = p.uvarint()
	d.Duplicates = p.uvarint()
	d.FreeMemory = p.uvarint()
	d.BootCount = p.uvarint32()
	d.FirstSeen, d.LastSeen = p.time(), p.time()
	d.Name = p.text()
	for _, s := range []*string{&d.Product, &d.Customer, &d.KeySource, &d.Version, &d.Build, &d.Hardware, &d.LastLink} {
		*s = p.text()
	}
	for s := range d.Slots {
		if p.bool() {
			copy(d.Slots[s][:], p.Take(uint64(len(d.Slots[s]))))
		}
	}
	for range min(p.Byte(), AddressesMax) {
		d.Addresses = append(d.Addresses, DeviceAddress{
			Bearer: p.text(), ID: p.text(), Accepted: p.bool(), FirstSeen: p.time(),
		})
	}
	if d.State == Retired && b[0] > rowUndated || d.State == Rejected && b[0] > rowRetired {
		d.Dismissed = p.time()
	}
	if b[0] > rowRetired {
		d.Suspensions = p.suspensions()
	}
	if !p.Done() {
		return Device{}, fmt.Errorf("%w: %d bytes do not parse", ErrRow, len(b))
	}
	if d.State < Active || d.State > Retired || len(d.Name) > NameMax {
		return Device{}, fmt.Errorf("%w: device %d: state %d, name of %d bytes", ErrRow, d.Number, d.State, len(d.Name))
	}
	return d, nil
}

// rowParser is a reader with what rows of devices have besides.
type rowParser struct{ row.Reader }

func (p *rowParser) bool() bool {
	b := p.Byte()
	if b > 1 {
		p.Fail()
	}
	return b == 1
}

func (p *rowParser) uint64() uint64 {
	if b := p.Take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (p *rowParser) uvarint() uint64 { return p.Uvarint(math.MaxUint64) }

func (p *rowParser) uvarint32() uint32 { return uint32(p.Uvarint(math.MaxUint32)) } //nolint:gosec // bounded by its argument

func (p *rowParser) time() time.Time { return fromMilli(p.Varint()) }

func (p *rowParser) suspensions() (list []Suspension) {
	n := p.Byte()
	if n > SuspensionsMax {
		p.Fail()
		return nil
	}
	for range n {
		s := Suspension{Link: p.text(), Days: tariff.Days{From: p.date(), Until: p.date()}}
		if !s.sound() {
			p.Fail()
		}
		list = append(list, s)
	}
	return list
}

func (p *rowParser) date() tariff.Date { return tariff.Date(p.Uvarint(math.MaxInt32)) } //nolint:gosec // bounded by its argument

func (p *rowParser) text() string { return p.Text(1 << 16) }
