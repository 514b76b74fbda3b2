package hub

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"time"

	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/transports"
)

// failureTable limits how many frames and joins that do not verify are tried for a device from one place. It is a table of fixed size: of a row that is full
// the place that failed last the longest ago gives way, so forged sources cost no memory, and win no more than one burst each.
type failureTable [failureRows][failureWays]failureBucket

const (
	failureRows = 8192
	failureWays = 8
)

type failureBucket struct {
	key     uint64 // 0: free
	at      int64  // Unix milliseconds of the last failure
	level   int64  // milliseconds until it is empty again
	day     int32
	today   uint32
	skipped uint32 // since the day's limit
}

func (t *failureTable) row(key uint64) *[failureWays]failureBucket {
	return &t[key*0x9e3779b97f4a7c15>>(64-13)] // 2^13 rows
}

func (t *failureTable) find(key uint64) *failureBucket {
	row := t.row(key)
	for k := range row {
		if row[k].key == key {
			return &row[k]
		}
	}
	return nil
}

// Time that one failure takes to be forgotten, and how full a bucket may be.
const (
	failureCost = 1000 / failuresPerSecond
	failureRoom = failureBurst * failureCost
)

// leak empties the bucket by the time that went by.
func (b *failureBucket) leak(now time.Time) {
	ms := now.UnixMilli()
	b.level = max(0, b.level-max(0, ms-b.at))
	b.at = ms
	if day := int32(dayOf(now)); b.day != day { //nolint:gosec // until the year 5,881,580
		b.day, b.today, b.skipped = day, 0, 0
	}
}

// admit decides whether one more frame is tried. After the day's limit one in failureSample is, so that a device with a new key or counter is
// heard at last.
func (t *failureTable) admit(key uint64, now time.Time) bool {
	b := t.find(key)
	if b == nil {
		return true
	}
	b.leak(now)
	if b.level > failureRoom-failureCost {
		return false
	}
	if b.today < failuresDay {
		return true
	}
	b.skipped++
	return b.skipped%failureSample == 0
}

// fail counts a frame that did not verify.
func (t *failureTable) fail(key uint64, now time.Time) {
	b := t.find(key)
	if b == nil {
		row := t.row(key)
		b = &row[0]
		for k := range row {
			if row[k].key == 0 {
				b = &row[k]
				break
			}
			if row[k].at < b.at {
				b = &row[k]
			}
		}
		*b = failureBucket{key: key}
	}
	b.leak(now)
	b.level += failureCost
	b.today++
}

// What a place is counted for.
const (
	placeOwn     = iota << 32 // where the device was last heard from
	placeNetwork              // anywhere else
	placeJoins   = 2 << 32    // set for joins
)

// failureSeed keys the hash that names places. It is drawn at each start: whoever knew it could choose numbers whose rows are the row of a device, or
// of its own place, and empty a bucket that is full.
type failureSeed [2]uint64

func drawFailureSeed(random func([]byte)) (s failureSeed) {
	var b [16]byte
	random(b[:])
	s[0], s[1] = binary.LittleEndian.Uint64(b[:8]), binary.LittleEndian.Uint64(b[8:])
	return s
}

func (s *failureSeed) key(source, what uint64) uint64 {
	high, low := bits.Mul64(source^s[0], what^s[1])
	high, low = bits.Mul64(high^low^s[0], s[1]|1)
	return max(1, high^low)
}

// failureKey names the device and the place that a frame comes from. Where the device was last heard from is a place of its own: neighbours in
// its network cannot use up its failures.
func (h *Hub) failureKey(u *transports.Uplink, i fleet.Index) uint64 {
	return h.place(u, i, 0)
}

// joinFailureKey is failureKey for joins, which nothing that fails otherwise may use up: they are the way back of a device that is not
// understood. A number that nobody knows has a place of its own too, so that a flood for one does not keep another one from its first word.
func (h *Hub) joinFailureKey(u *transports.Uplink, number uint32) uint64 {
	if i, ok := h.fleet.ByNumber(number); ok {
		return h.place(u, i, placeJoins)
	}
	return h.failureSeed.key(hashPrefix(&u.From), placeJoins|placeNetwork|uint64(number))
}

func (h *Hub) place(u *transports.Uplink, i fleet.Index, joins uint64) uint64 {
	number := uint64(h.fleet.Head(i).Number)
	if source := hashSource(u.From.ID); int(i) < len(h.routes) && h.routes[i].source == source {
		return h.failureSeed.key(source, joins|placeOwn|number)
	}
	return h.failureSeed.key(hashPrefix(&u.From), joins|placeNetwork|number)
}

// hashPrefix names the network of an IP source, a /24 or /56; other networks name their subscribers.
func hashPrefix(from *transports.Address) uint64 {
	if from.Bearer != transports.UDP {
		return hashSource(from.ID)
	}
	ap, err := netip.ParseAddrPort(from.ID)
	if err != nil {
		return hashSource(from.ID)
	}
	addr, length := ap.Addr().Unmap(), 24
	if addr.Is6() {
		length = 56
	}
	p, err := addr.WithZone("").Prefix(length)
	if err != nil {
		return hashSource(from.ID)
	}
	b := p.Addr().As16()
	return hashSource(string(b[:]))
}
