package store

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"
)

// A Part is one part of a concatenated message, as 3GPP TS 23.040 §9.2.3.24.1 has them. Parts wait on disk for the others, so that the
// network may forget each as it comes.
type Part struct {
	Link, Bearer, From string
	SentAt, ReceivedAt time.Time
	Port               uint16 // destination port, 0 if none
	Ref                uint16 // the sender's reference
	RefBits            uint8  // 8 or 16
	Total, Seq         uint8
	Payload            []byte
	Done               bool // its message became whole; kept so that a part that comes again is known for what it is
}

// partDone is the only flag of a part row.
const partDone = 1

func appendPart(dst []byte, p *Part) []byte {
	done := byte(0)
	if p.Done {
		done = partDone
	}
	dst = append(dst, rowVersion, done, p.RefBits, p.Total, p.Seq)
	dst = binary.AppendUvarint(dst, uint64(p.Ref))
	dst = binary.AppendUvarint(dst, uint64(p.Port))
	dst = appendTime(dst, p.SentAt)
	dst = appendTime(dst, p.ReceivedAt)
	dst = appendBearer(dst, p.Bearer)
	dst = appendString(dst, p.Link)
	dst = appendString(dst, p.From)
	return append(dst, p.Payload...)
}

// decodePart reads a part row. Payload aliases it.
func decodePart(b []byte) (Part, error) {
	r := newRow("part", b)
	flags := r.byte()
	if flags&^partDone != 0 {
		r.fail("unknown flags")
	}
	p := Part{Done: flags&partDone != 0, RefBits: r.byte(), Total: r.byte(), Seq: r.byte()}
	p.Ref = uint16(r.limited(math.MaxUint16))  //nolint:gosec // limited
	p.Port = uint16(r.limited(math.MaxUint16)) //nolint:gosec // limited
	p.SentAt, p.ReceivedAt = r.time(), r.time()
	p.Bearer, p.Link, p.From = r.bearer(), r.string(), r.string()
	p.Payload = r.rest()
	return p, r.end("part")
}

// PutPart adds a part and returns the number of its row.
func (b *Batch) PutPart(p *Part) (seq uint64) {
	seq = b.s.partSeq.Add(1)
	b.ReplacePart(seq, p)
	return seq
}

// ReplacePart writes a part in the place of the one with that number.
func (b *Batch) ReplacePart(seq uint64, p *Part) {
	b.key = appendSequenced(b.key[:0], prefixPart, seq)
	b.value = appendPart(b.value[:0], p)
	b.set(b.key, b.value)
}

// DeletePart forgets a part.
func (b *Batch) DeletePart(seq uint64) {
	b.key = appendSequenced(b.key[:0], prefixPart, seq)
	b.delete(b.key)
	b.keepSequence(keyPartSeq, b.s.partSeq.Load())
}

// EachPart calls f with every part, in the order in which they came. The part is f's to keep. An error of f ends the walk.
func (s *Store) EachPart(f func(seq uint64, p *Part) error) error {
	return s.each(prefixPart, func(key, value []byte) error {
		seq, ok := parseSequenced(key)
		if !ok {
			return fmt.Errorf("%w: part key %x", ErrRow, key)
		}
		p, err := decodePart(append([]byte(nil), value...))
		if err != nil {
			return fmt.Errorf("part %d: %w", seq, err)
		}
		return f(seq, &p)
	})
}
