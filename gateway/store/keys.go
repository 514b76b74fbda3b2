package store

import (
	"encoding/binary"
	"math"
	"time"
)

// The key table. Numbers are big-endian, so that keys sort as their numbers do; the first byte is the kind of row.
//
//	f  number u32  epoch u32  counter u64                 frame as received
//	t  number u32  time u48  epoch u32  counter u64       time index of frames: Unix milliseconds of receipt
//	d  number u32                                         device and session, encoded by package fleet
//	n  name                                               number of the device
//	a  len u8 bearer  len u16 id  number u32              addresses a device was heard from or is reached at
//	k  number u32  version u32                            device key, wrapped
//	p  seq u64                                            part of a concatenated message
//	g  number u32  set u8  index u16                      fragment of a device's message; index 65535: it became whole
//	b  number u32  epoch u32  counter u64                 frame parked until its base arrives
//	q  seq u64                                            quarantine
//	o  oseq u64                                           outbox: events, contiguous
//	x  base, meta                                         outbox: what precedes the oldest row; the publisher's own state
//	l  ref u64                                            downlink
//	s  number u32                                         when a device speaks and what it runs, encoded by package scheduler/core
//	c  account                                            what was charged, key and row encoded by package scheduler/ledger
//	r  key                                                releases and rollouts, key and row encoded by package rollout
//	h  seq u64                                            authorisations, contiguous, encoded by package audit
//	m  0 name                                             the store's own state
//	m  name                                               state of others, by name
const (
	prefixFrame      = 'f'
	prefixFragment   = 'g'
	prefixTime       = 't'
	prefixDevice     = 'd'
	prefixName       = 'n'
	prefixAddress    = 'a'
	prefixKey        = 'k'
	prefixPart       = 'p'
	prefixParked     = 'b'
	prefixQuarantine = 'q'
	prefixEvent      = 'o'
	prefixOutbox     = 'x'
	prefixDownlink   = 'l'
	prefixMeta       = 'm'
	prefixSchedule   = 's'
	prefixAccount    = 'c'
	prefixRollout    = 'r'
	prefixAudit      = 'h'
)

// kinds lists the prefixes with their names, in the order of the key space.
var kinds = []struct {
	prefix byte
	name   string
}{
	{prefixAddress, "addresses"},
	{prefixParked, "parked"},
	{prefixAccount, "accounts"},
	{prefixDevice, "devices"},
	{prefixFrame, "frames"},
	{prefixFragment, "fragments"},
	{prefixAudit, "audit"},
	{prefixKey, "keys"},
	{prefixDownlink, "downlinks"},
	{prefixMeta, "meta"},
	{prefixName, "names"},
	{prefixEvent, "outbox"},
	{prefixPart, "parts"},
	{prefixQuarantine, "quarantine"},
	{prefixRollout, "rollouts"},
	{prefixSchedule, "schedules"},
	{prefixTime, "times"},
	{prefixOutbox, "outbox_meta"},
}

// Keys of single rows.
var (
	keyFormat        = []byte("m\x00format")
	keyPartSeq       = []byte("m\x00part")
	keyQuarantineSeq = []byte("m\x00quarantine")
	keyOutboxBase    = []byte("xbase")
	keyPublisherMeta = []byte("xmeta")
)

// Sizes of keys.
const (
	frameKeySize      = 1 + 4 + 4 + 8
	timeKeySize       = 1 + 4 + 6 + 4 + 8
	deviceKeySize     = 1 + 4
	wrappedKeySize    = 1 + 4 + 4
	sequencedKeySize  = 1 + 8
	addressNumberSize = 4
)

// timeMax is the last time that fits a time index key, in Unix milliseconds: some 8,900 years.
const timeMax = 1<<48 - 1

// clampMillis is t in Unix milliseconds, within what a time index key can hold.
func clampMillis(t time.Time) uint64 {
	if t.IsZero() || t.Unix() < 0 {
		return 0
	}
	if t.Unix() > timeMax/1000-1 {
		return timeMax
	}
	return uint64(t.UnixMilli())
}

func appendFrameKey(dst []byte, k FrameKey) []byte {
	dst = append(dst, prefixFrame)
	dst = binary.BigEndian.AppendUint32(dst, k.Number)
	dst = binary.BigEndian.AppendUint32(dst, k.Epoch)
	return binary.BigEndian.AppendUint64(dst, k.Counter)
}

func parseFrameKey(key []byte) (FrameKey, bool) {
	if len(key) != frameKeySize || key[0] != prefixFrame {
		return FrameKey{}, false
	}
	return FrameKey{
		Number: binary.BigEndian.Uint32(key[1:]), Epoch: binary.BigEndian.Uint32(key[5:]), Counter: binary.BigEndian.Uint64(key[9:]),
	}, true
}

func appendTimeKey(dst []byte, k FrameKey, millis uint64) []byte {
	dst = appendTimePrefix(dst, k.Number, millis)
	dst = binary.BigEndian.AppendUint32(dst, k.Epoch)
	return binary.BigEndian.AppendUint64(dst, k.Counter)
}

// appendTimePrefix is the lowest key of a device at a time.
func appendTimePrefix(dst []byte, number uint32, millis uint64) []byte {
	dst = append(dst, prefixTime)
	dst = binary.BigEndian.AppendUint32(dst, number)
	dst = binary.BigEndian.AppendUint16(dst, uint16(millis>>32)) //nolint:gosec // cut to 48 bits
	return binary.BigEndian.AppendUint32(dst, uint32(millis&math.MaxUint32))
}

func parseTimeKey(key []byte) (k FrameKey, millis uint64, ok bool) {
	if len(key) != timeKeySize || key[0] != prefixTime {
		return FrameKey{}, 0, false
	}
	millis = uint64(binary.BigEndian.Uint16(key[5:]))<<32 | uint64(binary.BigEndian.Uint32(key[7:]))
	return FrameKey{
		Number: binary.BigEndian.Uint32(key[1:]), Epoch: binary.BigEndian.Uint32(key[11:]), Counter: binary.BigEndian.Uint64(key[15:]),
	}, millis, true
}

func appendDeviceKey(dst []byte, number uint32) []byte {
	return binary.BigEndian.AppendUint32(append(dst, prefixDevice), number)
}

func appendNameKey(dst []byte, name string) []byte {
	return append(append(dst, prefixName), name...)
}

// appendAddressPrefix is what all rows of one address have in common. Both lengths are part of it, so that no id is the prefix of another.
func appendAddressPrefix(dst []byte, bearer, id string) []byte {
	bearer, id = cut(bearer, math.MaxUint8), cut(id, math.MaxUint16)
	dst = append(dst, prefixAddress, byte(len(bearer)))
	dst = append(dst, bearer...)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(id))) //nolint:gosec // cut above
	return append(dst, id...)
}

func cut(s string, n int) string { return s[:min(len(s), n)] }

func parseAddressKey(key []byte) (bearer, id string, number uint32, ok bool) {
	if len(key) < 2 {
		return "", "", 0, false
	}
	n := int(key[1])
	rest := key[2:]
	if len(rest) < n+2 {
		return "", "", 0, false
	}
	bearer, rest = string(rest[:n]), rest[n:]
	n = int(binary.BigEndian.Uint16(rest))
	if rest = rest[2:]; len(rest) != n+addressNumberSize {
		return "", "", 0, false
	}
	return bearer, string(rest[:n]), binary.BigEndian.Uint32(rest[n:]), true
}

func appendWrappedKey(dst []byte, number, version uint32) []byte {
	dst = binary.BigEndian.AppendUint32(append(dst, prefixKey), number)
	return binary.BigEndian.AppendUint32(dst, version)
}

// appendSequenced is the key of a row that a sequence number names: events, parts, quarantine, downlinks, authorisations.
func appendSequenced(dst []byte, prefix byte, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, prefix), seq)
}

func parseSequenced(key []byte) (seq uint64, ok bool) {
	if len(key) != sequencedKeySize {
		return 0, false
	}
	return binary.BigEndian.Uint64(key[1:]), true
}

// after is the first key that does not start with prefix.
func after(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}
