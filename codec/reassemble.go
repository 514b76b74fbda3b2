package codec

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"time"
)

// Limits of what one device may have under way.
const (
	FragmentSetsMax  = 4         // messages, complete ones that are remembered included
	FragmentBytesMax = 128 << 10 // bytes of fragments
	FragmentTTL      = 24 * time.Hour
)

// A FragmentOutcome is what became of a fragment.
type FragmentOutcome uint8

// Outcomes of a fragment.
const (
	FragmentKept      FragmentOutcome = iota + 1 // others are missing
	FragmentDuplicate                            // it was there
	FragmentComplete                             // it made the message whole
	FragmentCorrupt                              // it was the last one missing, and the whole does not fit its check: all are forgotten
)

// A Reassembly is what a fragment did.
type Reassembly struct {
	Outcome FragmentOutcome
	Message []byte  // of FragmentComplete: the plaintext of a frame of kind 3
	Dropped []uint8 // sets that were forgotten for it; it may be the fragment's own, which then began anew
}

// A Reassembler puts the messages of one device together from fragments that come in any order, more than once, and from a sender that
// may have forgotten that it used a set before. Its fragments are authentic: a device can spoil no messages but its own. It is a pure
// machine, bounded in memory whatever comes. The zero Reassembler is empty.
type Reassembler struct {
	sets []*fragmentSet // the one that was heard longest ago first
}

// fragmentSet is a message under way, or one that became whole and is remembered so that late repeats are known for what they are.
type fragmentSet struct {
	id    uint8
	last  uint16
	heard time.Time
	parts map[uint16][]byte // data by index, of a message under way
	sums  []byte            // of one that became whole: checkLen bytes of the hash of each fragment
	bytes int               // of parts
	size  int               // of each fragment but the last; 0: not known yet
}

// What is kept takes memory besides its bytes, by which one byte of a long message would cost most: so much for a set and for a fragment under way.
const (
	setCost  = 512
	partCost = 96
)

func (s *fragmentSet) done() bool { return s.sums != nil }

func (s *fragmentSet) count() int { return len(s.parts) + len(s.sums)/checkLen }

// has reports whether a fragment arrived.
func (s *fragmentSet) has(index uint16) bool { return s.done() || s.parts[index] != nil }

// Add takes a fragment that arrived at a time. It keeps a copy of its data.
func (r *Reassembler) Add(now time.Time, f *Fragment) Reassembly {
	out := Reassembly{Outcome: FragmentKept, Dropped: r.Expire(now)}
	s := r.find(f.Set)
	if s != nil {
		switch {
		case s.holds(f):
			r.touch(s, now)
			out.Outcome = FragmentDuplicate
			return out
		case !s.takes(f):
			out.Dropped = append(out.Dropped, r.drop(s)) // the set's name is used again
			s = nil
		}
	}
	if s == nil {
		s = &fragmentSet{id: f.Set, last: f.Last, parts: make(map[uint16][]byte)}
	}
	r.touch(s, now)
	s.put(f)
	out.Dropped = r.bound(out.Dropped, s)
	if s.count() <= int(s.last) {
		return out
	}
	if out.Message = s.message(); out.Message == nil {
		out.Outcome = FragmentCorrupt
		out.Dropped = append(out.Dropped, r.drop(s))
		return out
	}
	out.Outcome = FragmentComplete
	for i := range s.last + 1 {
		sum := sha256.Sum256(s.parts[i])
		s.sums = append(s.sums, sum[:checkLen]...)
	}
	s.parts, s.bytes = nil, 0
	return out
}

func (r *Reassembler) find(id uint8) *fragmentSet {
	for _, s := range r.sets {
		if s.id == id {
			return s
		}
	}
	return nil
}

// touch gives a set its place by the time when it was heard.
func (r *Reassembler) touch(s *fragmentSet, now time.Time) {
	if now.After(s.heard) {
		s.heard = now
	}
	r.drop(s)
	i := len(r.sets)
	for i > 0 && r.sets[i-1].heard.After(s.heard) {
		i--
	}
	r.sets = slices.Insert(r.sets, i, s)
}

// bound forgets the sets that were not heard of for longest, until the limits hold. One set alone is within them.
func (r *Reassembler) bound(dropped []uint8, keep *fragmentSet) []uint8 {
	for len(r.sets) > FragmentSetsMax || r.bytes() > FragmentBytesMax {
		s := r.sets[0]
		if s == keep {
			s = r.sets[1]
		}
		dropped = append(dropped, r.drop(s))
	}
	return dropped
}

func (r *Reassembler) drop(s *fragmentSet) uint8 {
	r.sets = slices.DeleteFunc(r.sets, func(t *fragmentSet) bool { return t == s })
	return s.id
}

func (r *Reassembler) bytes() int {
	n := 0
	for _, s := range r.sets {
		n += s.bytes
	}
	return n
}

// holds reports whether this very fragment is there.
func (s *fragmentSet) holds(f *Fragment) bool {
	switch {
	case f.Last != s.last:
		return false
	case s.done():
		sum := sha256.Sum256(f.Data)
		return bytes.HasPrefix(s.sums[int(f.Index)*checkLen:], sum[:checkLen])
	default:
		return s.has(f.Index) && bytes.Equal(s.parts[f.Index], f.Data)
	}
}

// takes reports whether a fragment can be of the set's message.
func (s *fragmentSet) takes(f *Fragment) bool {
	switch {
	case f.Last != s.last || s.has(f.Index):
		return false
	case f.Index < s.last:
		return (s.size == 0 || len(f.Data) == s.size) && len(s.parts[s.last]) <= len(f.Data)
	default:
		return s.size == 0 || len(f.Data) <= s.size
	}
}

func (s *fragmentSet) put(f *Fragment) {
	s.parts[f.Index] = bytes.Clone(f.Data)
	s.bytes += len(f.Data)
	if f.Index < s.last {
		s.size = len(f.Data)
	}
}

// message is the whole without its check; nil if it does not fit.
func (s *fragmentSet) message() []byte {
	whole := make([]byte, 0, s.bytes)
	for i := range s.last + 1 {
		whole = append(whole, s.parts[i]...)
	}
	n := len(whole) - checkLen
	if n <= 0 || n > FragmentedMax || fragmentCheck(whole[:n]) != [checkLen]byte(whole[n:]) {
		return nil
	}
	return whole[:n:n]
}

// Status is what is known of a set.
func (r *Reassembler) Status(set uint8) FragmentStatus {
	st := FragmentStatus{Set: set}
	s := r.find(set)
	if s == nil {
		return st
	}
	for st.Missing <= s.last && s.has(st.Missing) {
		st.Missing++
	}
	for i := st.Missing + 1; i <= s.last; i++ {
		if s.has(i) {
			bit := int(i - st.Missing - 1)
			for len(st.Bitmap) <= bit/8 {
				st.Bitmap = append(st.Bitmap, 0)
			}
			st.Bitmap[bit/8] |= 1 << (bit % 8)
		}
	}
	return st
}

// Progress is how many fragments of a set there are, of how many, and how many bytes they have; all are 0 for one that is not known.
func (r *Reassembler) Progress(set uint8) (have, of, size int) {
	s := r.find(set)
	if s == nil {
		return 0, 0, 0
	}
	return s.count(), int(s.last) + 1, s.bytes
}

// Expire forgets the sets that were not heard of for 24 hours and returns their names.
func (r *Reassembler) Expire(now time.Time) []uint8 {
	var ids []uint8
	for len(r.sets) > 0 && now.Sub(r.sets[0].heard) >= FragmentTTL {
		ids = append(ids, r.drop(r.sets[0]))
	}
	return ids
}

// Empty reports whether nothing is under way and nothing remembered.
func (r *Reassembler) Empty() bool { return len(r.sets) == 0 }

// Memory is about how much of it the sets take, in bytes.
func (r *Reassembler) Memory() int {
	n := 0
	for _, s := range r.sets {
		n += setCost + s.bytes + partCost*len(s.parts) + len(s.sums)
	}
	return n
}
