package rollout

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/scheduler/row"
)

// rowVersion is the first byte of a row of a release, a rollout or a device. Rows of the verdict have their own.
const rowVersion = 1

// append appends a device's row.
func (d *device) append(b []byte) []byte {
	b = append(b, rowVersion, byte(d.wave), byte(d.standing), byte(d.reason), d.code, d.round, d.tries, d.from, d.soak, d.flags)
	for _, v := range []uint32{d.since, d.offered, d.sent, d.waits, d.heard, d.interval, d.soaked, d.settled} {
		b = binary.AppendUvarint(b, uint64(v))
	}
	for _, x := range d.marks() {
		b = appendOrder(b, x.order)
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(x.at)), uint64(x.known))
		b = append(b, flagByte(x.built))
	}
	b = appendOrder(b, d.wrong)
	b = binary.AppendUvarint(b, uint64(len(d.steps)))
	for _, s := range d.steps {
		b = append(b, s.round, byte(s.step), s.code, flagByte(s.over))
		b = binary.AppendUvarint(binary.AppendUvarint(binary.AppendUvarint(b, uint64(s.at)), uint64(s.within)), uint64(s.known))
	}
	b = binary.AppendUvarint(b, uint64(len(d.gaps)))
	for _, g := range d.gaps {
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(g.from)), uint64(g.to))
	}
	return b
}

// marks are the marks of a device in the order of its row.
func (d *device) marks() [5]*mark { return [5]*mark{&d.floor, &d.ran, &d.runs, &d.back, &d.other} }

func appendOrder(b []byte, o Order) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(b, uint64(o.Epoch)), o.Counter)
}

func flagByte(on bool) byte {
	if on {
		return 1
	}
	return 0
}

// reader takes what append wrote from the front.
type reader struct{ row.Reader }

func (r *reader) byte(most byte) byte {
	v := r.Byte()
	if v > most {
		r.Fail()
		return 0
	}
	return v
}

func (r *reader) u32() uint32 { return uint32(r.Uvarint(math.MaxUint32)) } //nolint:gosec // bounded

func (r *reader) order() Order { return Order{r.u32(), r.Uvarint(math.MaxUint64)} }

// parseDevice reads a device's row.
func parseDevice(b []byte) (d device, err error) {
	r := reader{row.Reader{Rest: b}}
	if v := r.byte(math.MaxUint8); v != rowVersion {
		return d, fmt.Errorf("%w: version %d, want %d", ErrRow, v, rowVersion)
	}
	d.wave = int8(r.byte(math.MaxUint8)) //nolint:gosec // as it was written
	d.standing, d.reason = Standing(r.byte(byte(Outside))), Reason(r.byte(byte(ReasonOver)))
	for _, p := range []*byte{&d.code, &d.round, &d.tries, &d.from, &d.soak, &d.flags} {
		*p = r.byte(math.MaxUint8)
	}
	for _, p := range []*uint32{&d.since, &d.offered, &d.sent, &d.waits, &d.heard, &d.interval, &d.soaked, &d.settled} {
		*p = r.u32()
	}
	for _, x := range d.marks() {
		*x = mark{order: r.order(), at: r.u32(), known: r.u32(), built: r.byte(1) == 1}
	}
	d.wrong = r.order()
	for range r.Uvarint(stepsKept) {
		d.steps = append(d.steps, step{
			round: r.byte(math.MaxUint8), step: codec.UpdateStep(r.byte(math.MaxUint8)), code: r.byte(math.MaxUint8), over: r.byte(1) == 1,
			at: r.u32(), within: r.u32(), known: r.u32(),
		})
	}
	for range r.Uvarint(gapsMax) {
		d.gaps = append(d.gaps, gap{r.u32(), r.u32()})
	}
	if !r.Done() || d.standing == 0 || d.wave < held || d.wave > wavesMax || d.round == 0 {
		return d, fmt.Errorf("%w: %d bytes of a device do not parse", ErrRow, len(b))
	}
	return d, nil
}
