package fleet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// rowVersion is the first byte of a device's row. A row of another version is refused: it was written by a newer gateway.
const rowVersion = 2

// ErrRow is wrapped by the error for a device row that cannot be read.
var ErrRow = errors.New("device row")

// AppendRow appends the device's row to dst: version, then fixed fields, epochs, varints, length-prefixed strings, slots and addresses.
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
func (f *Fleet) Load(row []byte) (Index, error) {
	d, err := ParseRow(row)
	if err != nil {
		return 0, err
	}
	if _, ok := f.byNumber[d.Number]; ok {
		return 0, fmt.Errorf("%w: device %d: %w", ErrRow, d.Number, ErrNumberTaken)
	}
	return f.put(&d), nil
}

// ParseRow reads a device's row.
func ParseRow(row []byte) (Device, error) {
	if len(row) == 0 || row[0] != rowVersion {
		return Device{}, fmt.Errorf("%w: unknown version", ErrRow)
	}
	p := rowParser{b: row[1:]}
	d := Device{State: State(p.byte()), CTRBits: p.byte(), TagLen: p.byte(), ResetCause: p.byte()}
	d.Number = p.uint32()
	d.Session = p.session()
	d.Frames = p.uvarint(1<<64 - 1)
	d.Duplicates = p.uvarint(1<<64 - 1)
	d.FreeMemory = p.uvarint(1<<64 - 1)
	d.BootCount = p.uvarint32()
	d.FirstSeen, d.LastSeen = p.time(), p.time()
	d.Name = string(p.bytes())
	for _, s := range []*string{&d.Product, &d.Customer, &d.KeySource, &d.Version, &d.Build, &d.Hardware, &d.LastLink} {
		*s = string(p.bytes())
	}
	for s := range d.Slots {
		if p.bool() {
			copy(d.Slots[s][:], p.take(len(d.Slots[s])))
		}
	}
	for range min(p.byte(), AddressesMax) {
		d.Addresses = append(d.Addresses, DeviceAddress{
			Bearer: string(p.bytes()), ID: string(p.bytes()), Accepted: p.bool(), FirstSeen: p.time(),
		})
	}
	if p.bad || len(p.b) != 0 {
		return Device{}, fmt.Errorf("%w: %d bytes do not parse", ErrRow, len(row))
	}
	if d.State < Active || d.State > Retired || len(d.Name) > NameMax {
		return Device{}, fmt.Errorf("%w: device %d: state %d, name of %d bytes", ErrRow, d.Number, d.State, len(d.Name))
	}
	return d, nil
}

// rowParser reads a row from the front; after the first thing that does not fit it is bad and reads zeros.
type rowParser struct {
	b   []byte
	bad bool
}

func (p *rowParser) take(n int) []byte {
	if n > len(p.b) {
		p.bad, p.b = true, nil
		return nil
	}
	b := p.b[:n]
	p.b = p.b[n:]
	return b
}

func (p *rowParser) byte() byte {
	if b := p.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (p *rowParser) bool() bool {
	b := p.byte()
	p.bad = p.bad || b > 1
	return b == 1
}

func (p *rowParser) uint32() uint32 {
	if b := p.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (p *rowParser) uint64() uint64 {
	if b := p.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (p *rowParser) uvarint(limit uint64) uint64 {
	v, n := binary.Uvarint(p.b)
	if n <= 0 || v > limit {
		p.bad, p.b = true, nil
		return 0
	}
	p.b = p.b[n:]
	return v
}

func (p *rowParser) time() time.Time {
	return fromMilli(p.varint())
}

func (p *rowParser) bytes() []byte {
	n := p.uvarint(1 << 16)
	if n == 0 {
		return nil
	}
	return p.take(int(n)) //nolint:gosec // at most 2^16
}
