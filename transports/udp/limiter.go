package udp

import (
	"encoding/binary"
	"hash/maphash"
	"net/netip"
	"time"

	"github.com/godwit-gateway/godwit/transports"
)

// A limiter drops datagrams from where too many failed, by the rules that Failures states. Not safe for concurrent use.
//
// A bucket is one time, when it will be full again (the virtual scheduling of ITU-T I.371): a token comes back every interval, so a bucket
// that is full in n intervals lacks n tokens.
type limiter struct {
	interval time.Duration // in which a token comes back to a bucket
	room     time.Duration // how far ahead full may be for one token to be left
	all      time.Duration // the bucket of all: when it is full again
	allStep  time.Duration // its interval
	allRoom  time.Duration // as room, for sources that verified
	allHalf  time.Duration // as room, for others
	remember time.Duration
	prefixes *table
	sources  *table
	seed     maphash.Seed
}

// A decision is what becomes of a datagram before the sink.
type decision uint8

const (
	admitted decision = iota
	limitedPrefix
	limitedSource
	limitedTotal
)

// A source is where a datagram came from, as keys of the limiter's tables.
type source struct {
	prefix uint64
	exact  uint64
}

// newLimiter takes limits without zeros. The seed makes it unpredictable which keys meet in a table.
func newLimiter(f Failures, seed uint64) *limiter {
	step := time.Duration(float64(time.Second) / f.Rate)
	allStep := time.Duration(float64(time.Second) / f.Total)
	return &limiter{
		interval: step, room: time.Duration(f.Burst-1) * step,
		allStep: allStep, allRoom: time.Second - allStep, allHalf: time.Second/2 - allStep,
		remember: f.Remember,
		prefixes: newTable(f.Sources, seed), sources: newTable(f.Sources, seed),
		seed: maphash.MakeSeed(),
	}
}

// source returns the keys of a peer. A prefix is its own key, tagged by its family; a source is hashed with a seed that nobody outside
// knows, and two of 65,536 are the same with a chance of 2^-33.
func (l *limiter) source(peer netip.AddrPort) source {
	addr := peer.Addr().Unmap()
	bytes := addr.As16()
	var exact [18]byte
	copy(exact[:], bytes[:])
	binary.BigEndian.PutUint16(exact[16:], peer.Port())
	s := source{exact: maphash.Bytes(l.seed, exact[:]) | 1}
	if addr.Is4() {
		s.prefix = uint64(binary.BigEndian.Uint32(bytes[12:]))&^0xFF | 1
	} else {
		s.prefix = binary.BigEndian.Uint64(bytes[:8])&^0xFF | 2
	}
	return s
}

// admit says whether a datagram may go to the sink. It changes nothing.
func (l *limiter) admit(now time.Duration, s source) decision {
	if e := l.known(now, s); e != nil {
		switch {
		case e.full-now > l.room:
			return limitedSource
		case l.all-now > l.allRoom:
			return limitedTotal
		}
		return admitted
	}
	if e := l.prefixes.find(s.prefix); e != nil && e.full-now > l.room {
		return limitedPrefix
	}
	if l.all-now > l.allHalf {
		return limitedTotal
	}
	return admitted
}

// settle takes the verdict on a datagram that was admitted. Quarantined and Unsettled say nothing of who sent it. Nor does Duplicate: what
// was captured once can be sent again from any number of addresses. It only keeps a source known that was; a stranger stays one, and pays
// nothing either, since a whole fleet behind new ports of one address repeats what was not acknowledged.
func (l *limiter) settle(now time.Duration, s source, v transports.Settlement) {
	switch v {
	case transports.Stored:
		l.sources.take(s.exact).verified = max(now, 1)
	case transports.Duplicate:
		if e := l.known(now, s); e != nil {
			e.verified = max(now, 1)
		}
	case transports.Rejected:
		e := l.known(now, s)
		if e == nil {
			e = l.prefixes.take(s.prefix)
		}
		e.full = max(e.full, now) + l.interval
		l.all = max(l.all, now) + l.allStep
	case transports.Unsettled, transports.Quarantined:
	}
}

// known returns the entry of a source that verified of late, nil for others.
func (l *limiter) known(now time.Duration, s source) *entry {
	if e := l.sources.find(s.exact); e != nil && e.verified > 0 && now-e.verified <= l.remember {
		return e
	}
	return nil
}
