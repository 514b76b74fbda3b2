package store

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"
)

// A FrameKey names a frame: device, epoch of its keys, counter. No two frames have the same.
type FrameKey struct {
	Number  uint32
	Epoch   uint32
	Counter uint64
}

// A Frame is one frame as it was received. Times are kept in milliseconds.
type Frame struct {
	Hash       [8]byte // of header and plaintext: tells a repeat from a counter that was used twice
	Link       string  // name of the configured transport
	Bearer     string
	From       string // what the network or the packet claimed
	Ref        string // the network's own id
	SentAt     time.Time
	ReceivedAt time.Time
	TagLen     uint8
	Weak       bool // accepted on a short tag while forgeries were about
	Header     byte
	Plaintext  []byte
	State      []byte // what a delta of a later frame is counted from, if the plaintext alone does not tell
	Raw        []byte // as it came over the air
	Charged    bool   // its transmission was booked at a tariff, for this frame
	Billed     int64  // of Charged: bytes
	Micros     int64  // of Charged: millionths of the tariff's currency
	Adopted    bool   // a marker without content, taken over from the stream: the frame is known and its bytes are lost
}

// A frame row:
//
//	version  flags  hash 8  header  tag_len  [received]  [received − sent]  bearer  link  [from]  [ref]  [len state]  [billed  micros]  len plaintext  raw
//
// The members in brackets are there if their flag is set.
const (
	frameAdopted = 1 << iota
	frameWeak
	frameReceived
	frameSent
	frameFrom
	frameRef
	frameState
	frameCharged
	frameFlags = 1<<iota - 1
)

// heldBack is how much older than its receipt a frame's network time may be before its place in the time index says little about
// what its device sent around then.
const heldBack = time.Hour

// PutFrame adds a frame and its place in the time index. The key must be new: what a device sent is never overwritten. The same frame may be put
// again with its State once its base is known.
func (b *Batch) PutFrame(k FrameKey, f *Frame) {
	b.key = appendFrameKey(b.key[:0], k)
	b.value = appendFrame(b.value[:0], f)
	b.set(b.key, b.value)
	b.key = appendTimeKey(b.key[:0], k, clampMillis(f.ReceivedAt))
	b.value = b.value[:0]
	if f.Adopted || !f.SentAt.IsZero() && f.ReceivedAt.Sub(f.SentAt) > heldBack {
		b.value = append(b.value, rowVersion)
	}
	b.set(b.key, b.value)
}

func (f *Frame) flags() byte {
	var flags byte
	for _, v := range []struct {
		set  bool
		flag byte
	}{
		{f.Adopted, frameAdopted},
		{f.Weak, frameWeak},
		{!f.ReceivedAt.IsZero(), frameReceived},
		{!f.SentAt.IsZero(), frameSent},
		{f.From != "", frameFrom},
		{f.Ref != "", frameRef},
		{len(f.State) > 0, frameState},
		{f.Charged, frameCharged},
	} {
		if v.set {
			flags |= v.flag
		}
	}
	return flags
}

func appendFrame(dst []byte, f *Frame) []byte {
	flags := f.flags()
	dst = append(dst, rowVersion, flags)
	dst = append(dst, f.Hash[:]...)
	dst = append(dst, f.Header, f.TagLen)
	received := int64(0)
	if flags&frameReceived != 0 {
		received = millis(f.ReceivedAt)
		dst = binary.AppendUvarint(dst, zigzag(received))
	}
	if flags&frameSent != 0 {
		dst = binary.AppendUvarint(dst, zigzag(received-millis(f.SentAt)))
	}
	dst = appendBearer(dst, f.Bearer)
	dst = appendString(dst, f.Link)
	if flags&frameFrom != 0 {
		dst = appendString(dst, f.From)
	}
	if flags&frameRef != 0 {
		dst = appendString(dst, f.Ref)
	}
	if flags&frameState != 0 {
		dst = appendBytes(dst, f.State)
	}
	if flags&frameCharged != 0 {
		dst = binary.AppendUvarint(dst, uint64(max(0, f.Billed)))
		dst = binary.AppendUvarint(dst, zigzag(f.Micros))
	}
	dst = appendBytes(dst, f.Plaintext)
	return append(dst, f.Raw...)
}

// decodeFrame reads a frame row. State, Plaintext and Raw alias it.
func decodeFrame(b []byte) (Frame, error) {
	var f Frame
	r := newRow("frame", b)
	flags := r.byte()
	copy(f.Hash[:], r.take(8))
	f.Header, f.TagLen = r.byte(), r.byte()
	f.Adopted, f.Weak = flags&frameAdopted != 0, flags&frameWeak != 0
	received := int64(0)
	if flags&frameReceived != 0 {
		received = r.signed()
		f.ReceivedAt = r.at(received)
	}
	if flags&frameSent != 0 {
		f.SentAt = r.at(received - r.signed())
	}
	f.Bearer, f.Link = r.bearer(), r.string()
	if flags&frameFrom != 0 {
		f.From = r.present()
	}
	if flags&frameRef != 0 {
		f.Ref = r.present()
	}
	if flags&frameState != 0 {
		if f.State = r.bytes(); len(f.State) == 0 {
			r.fail("empty where a flag says otherwise")
		}
	}
	if flags&frameCharged != 0 {
		f.Charged, f.Billed, f.Micros = true, int64(r.limited(math.MaxInt64)), r.signed() //nolint:gosec // limited
	}
	f.Plaintext = r.bytes()
	f.Raw = r.rest()
	return f, r.end("frame")
}

// present reads a string whose flag says that it is not empty.
func (r *row) present() string {
	s := r.string()
	if s == "" {
		r.fail("empty where a flag says otherwise")
	}
	return s
}

// Frame reads one frame. False: there is none, or not any more.
func (s *Store) Frame(k FrameKey) (Frame, bool, error) {
	value, ok, err := s.get(appendFrameKey(nil, k))
	if !ok || err != nil {
		return Frame{}, false, err
	}
	f, err := decodeFrame(value)
	if err != nil {
		return Frame{}, false, fmt.Errorf("frame %d.%d.%d: %w", k.Number, k.Epoch, k.Counter, err)
	}
	return f, true, nil
}

// FrameHash reads the content hash of a frame, for callers that want to know no more than whether they have it. It is Frame without
// the allocations.
func (s *Store) FrameHash(k FrameKey) (hash [8]byte, ok bool, err error) {
	var buf [32]byte
	value, closer, err := s.db.Get(appendFrameKey(buf[:0], k))
	if err != nil {
		return hash, false, ignoreMissing(err)
	}
	r := newRow("frame", value)
	r.byte()
	copy(hash[:], r.take(8))
	if err := closer.Close(); err != nil {
		return hash, false, fmt.Errorf("read frame: %w", err)
	}
	return hash, r.err == nil, r.err
}

// nearScan bounds how many frames FrameNear looks at in each direction.
const nearScan = 64

// FrameNear finds the device's frame whose receipt is closest to t, by the time index. Frames that the network had held back themselves,
// and markers taken over from the stream, tell nothing about t and are passed over.
func (s *Store) FrameNear(number uint32, t time.Time) (FrameKey, bool, error) {
	it, err := s.iter(timesOf(number))
	if err != nil {
		return FrameKey{}, false, err
	}
	at := clampMillis(t)
	seek := appendTimePrefix(nil, number, at)
	best, distance, found := FrameKey{}, uint64(math.MaxUint64), false
	look := func() bool {
		if len(it.Value()) > 0 {
			return false
		}
		k, ms, ok := parseTimeKey(it.Key())
		if d := max(ms, at) - min(ms, at); ok && d < distance {
			best, distance, found = k, d, true
		}
		return true
	}
	for ok, n := it.SeekGE(seek), 0; ok && n < nearScan && !look(); n++ {
		ok = it.Next()
	}
	for ok, n := it.SeekLT(seek), 0; ok && n < nearScan && !look(); n++ {
		ok = it.Prev()
	}
	return best, found, closeIter(it)
}
