package fleet

import (
	"encoding/binary"

	"github.com/godwit-gateway/godwit/codec/session"
)

// Flags of the epochs in a row.
const (
	rowSecond    = 1 << iota // there is a second epoch
	rowPrevious              // and it is the previous one
	rowChallenge             // there is a challenge, or was one lately
	rowLeast                 // some epochs are refused
)

// appendSession appends the device's epochs: flags, the current epoch, what is of no epoch, the least one that is taken if there is such, the second one and the challenge if there are any.
func (f *Fleet) appendSession(dst []byte, i Index) []byte {
	g := f.Session(i)
	var flags byte
	if g.Role != session.Alone {
		flags |= rowSecond
	}
	if g.Role == session.Previous {
		flags |= rowPrevious
	}
	if g.ChallengeAt != 0 || g.ChallengedAt != 0 {
		flags |= rowChallenge
	}
	if g.Least != 0 {
		flags |= rowLeast
	}
	dst = append(dst, flags)
	dst = appendEpoch(dst, &g.Current)
	for _, v := range [...]uint32{g.Allocated, g.Boot, g.Guard, g.Failures} {
		dst = binary.AppendUvarint(dst, uint64(v))
	}
	if flags&rowLeast != 0 {
		dst = binary.AppendUvarint(dst, uint64(g.Least))
	}
	if flags&rowSecond != 0 {
		dst = appendEpoch(dst, &g.Second)
		dst = binary.AppendVarint(dst, g.Until)
		dst = binary.AppendUvarint(dst, g.Limit)
	}
	if flags&rowChallenge != 0 {
		dst = append(dst, g.Challenge[:]...)
		dst = binary.AppendVarint(dst, g.ChallengeAt)
		dst = binary.AppendVarint(dst, g.ChallengedAt)
	}
	return dst
}

func appendEpoch(dst []byte, e *session.Epoch) []byte {
	dst = binary.AppendUvarint(dst, uint64(e.Number))
	if e.Number > 0 {
		dst = append(dst, e.Salt[:]...)
	}
	dst = append(dst, boolByte(e.Counters.Seen))
	dst = binary.BigEndian.AppendUint64(dst, e.Counters.Window)
	dst = binary.AppendUvarint(dst, e.Counters.Highest)
	dst = binary.AppendUvarint(dst, e.Counters.Floor)
	dst = binary.AppendUvarint(dst, e.Down)
	return binary.AppendVarint(dst, e.Since)
}

// session reads what appendSession writes.
func (p *rowParser) session() session.Gateway {
	var g session.Gateway
	flags := p.Byte()
	if flags >= 2*rowLeast || flags&rowPrevious != 0 && flags&rowSecond == 0 {
		p.Fail()
	}
	g.Current = p.epoch()
	for _, v := range []*uint32{&g.Allocated, &g.Boot, &g.Guard, &g.Failures} {
		*v = p.uvarint32()
	}
	if flags&rowLeast != 0 {
		g.Least = p.uvarint32()
	}
	if flags&rowSecond != 0 {
		g.Role = session.Pending
		if flags&rowPrevious != 0 {
			g.Role = session.Previous
		}
		g.Second = p.epoch()
		g.Until = p.Varint()
		g.Limit = p.uvarint()
	}
	if flags&rowChallenge != 0 {
		copy(g.Challenge[:], p.Take(uint64(len(g.Challenge))))
		g.ChallengeAt, g.ChallengedAt = p.Varint(), p.Varint()
	}
	return g
}

func (p *rowParser) epoch() session.Epoch {
	e := session.Epoch{Number: p.uvarint32()}
	if e.Number > 0 {
		copy(e.Salt[:], p.Take(session.SaltLen))
	}
	e.Counters.Seen = p.bool()
	e.Counters.Window = p.uint64()
	e.Counters.Highest = p.uvarint()
	e.Counters.Floor = p.uvarint()
	e.Down = p.uvarint()
	e.Since = p.Varint()
	return e
}
