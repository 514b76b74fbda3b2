package session

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/godwit-gateway/godwit/codec"
)

// Limits of a Parcel: however bad the way is, it costs no more than this.
const (
	ParcelTries  = 8           // of one fragment
	ParcelSpare  = ParcelTries // repeats beyond one of each fragment
	parcelFormat = 1
)

// A Parcel sends a message that does not fit into one frame: in rounds, of which each holds what is not known to have arrived. The first round
// is the whole message. A round ends with a fragment that asks for a fragment status, and the next one begins when a status came. It is a pure
// machine; what a method changes must be durable before anything is sent that follows from it, so that a restart neither forgets what arrived
// nor what was spent.
type Parcel struct {
	split  *codec.Splitter
	tries  []uint8 // by index: how often it left
	next   int     // indices below it had their turn in this round
	asked  int     // index of the last fragment that ended a round, −1 if none did
	spare  int     // repeats that are left, of all fragments together
	probes int     // how often the last round's end was asked about again
	heard  bool    // a status came since the last fragment left
	scraps []uint16
}

// NewParcel cuts a message, the plaintext of a frame of kind 3, into fragments whose plaintext has up to room bytes.
func NewParcel(set uint8, message []byte, room int) (*Parcel, error) {
	s, err := codec.NewSplitter(set, message, room)
	if err != nil {
		return nil, err
	}
	return &Parcel{split: s, tries: make([]uint8, s.Fragments()), asked: -1, spare: s.Fragments() + ParcelSpare}, nil
}

// Set is the sender's name for the message.
func (p *Parcel) Set() uint8 { return p.split.Set() }

// Len is how many bytes the message has.
func (p *Parcel) Len() int { return p.split.Len() }

// Message is the whole message. It belongs to the Parcel.
func (p *Parcel) Message() []byte { return p.split.Message() }

// Tries is how often a fragment left.
func (p *Parcel) Tries(index uint16) int { return int(p.tries[index]) }

// Left is how often fragments left, all of them together.
func (p *Parcel) Left() (n int) {
	for _, tries := range p.tries {
		n += int(tries)
	}
	return n
}

// Fragments is their number, and how many of them are known to have arrived.
func (p *Parcel) Fragments() (all, arrived int) {
	p.scraps = p.split.Missing(p.scraps[:0], p.split.Fragments())
	return p.split.Fragments(), p.split.Fragments() - len(p.scraps)
}

// Done reports whether all of them arrived.
func (p *Parcel) Done() bool { return p.split.Done() }

// Next is the fragment that comes next, and whether it ends the round, so that it must ask for a status. It is false while the parcel waits for a
// status, and at its end: if it is done, and if it is Exhausted.
func (p *Parcel) Next() (index uint16, last, ok bool) {
	at, _ := p.turn()
	if at < 0 || p.Exhausted() {
		return 0, false, false
	}
	return p.scraps[at], at == len(p.scraps)-1, true
}

// turn lists what is missing in scraps, and finds there the fragment whose turn it is, and whether a status that came begins a round with it. It is
// −1 if it is none's turn.
func (p *Parcel) turn() (at int, begins bool) {
	p.scraps = p.split.Missing(p.scraps[:0], p.split.Fragments())
	at, _ = slices.BinarySearch(p.scraps, uint16(p.next)) //nolint:gosec // at most FragmentsMax
	switch {
	case at < len(p.scraps):
		return at, false
	case len(p.scraps) > 0 && p.heard:
		return 0, true
	default:
		return -1, false
	}
}

// spent reports whether a fragment may not leave any more.
func (p *Parcel) spent(index uint16) bool {
	return p.tries[index] >= ParcelTries || p.tries[index] > 0 && p.spare == 0
}

// Exhausted reports whether the parcel cannot go on: what comes next may not be sent again. What left in the running round may have arrived, so only
// where a status begins a round does all count that it says is missing: a part of it would be paid for in vain. While the parcel waits, it is the
// fragment that would ask again, so a caller gives the status its time before it takes this for the end.
func (p *Parcel) Exhausted() bool {
	at, begins := p.turn()
	switch {
	case p.Done():
		return false
	case at < 0:
		return p.asked >= 0 && p.spent(uint16(p.asked)) //nolint:gosec // at most FragmentsMax
	case begins:
		repeats := 0
		for _, index := range p.scraps {
			if p.tries[index] >= ParcelTries {
				return true
			}
			if p.tries[index] > 0 {
				repeats++
			}
		}
		return repeats > p.spare
	default:
		return p.spent(p.scraps[at])
	}
}

// Sent notes that a fragment leaves, and whether it ends the round.
func (p *Parcel) Sent(index uint16, last bool) {
	if p.tries[index] > 0 {
		p.spare--
	}
	p.tries[index]++
	p.next, p.heard = int(index)+1, false
	if last {
		p.asked = int(index)
	}
}

// Unsent notes that a fragment that was Sent did not leave: its turn comes again, and it cost nothing. How often that may happen is the caller's to
// limit, by time.
func (p *Parcel) Unsent(index uint16) {
	p.next = min(p.next, int(index))
	if p.tries[index] == 0 {
		return
	}
	if p.tries[index]--; p.tries[index] > 0 {
		p.spare = min(p.spare+1, len(p.tries)+ParcelSpare)
	}
}

// Probe has the fragment that ended the round leave again: nothing was heard for long, so it was lost, or the answer was. It reports false if
// the round has not ended, and at the parcel's end.
func (p *Parcel) Probe() bool {
	if at, _ := p.turn(); at >= 0 || p.asked < 0 || p.Done() || p.Exhausted() {
		return false
	}
	p.next = p.asked
	p.probes++
	return true
}

// Probes is how often it was asked in vain since the last status.
func (p *Parcel) Probes() int { return p.probes }

// Take applies a status, which is the truth: the other side may have lost what it had. It reports false for one of another set.
func (p *Parcel) Take(st *codec.FragmentStatus) bool {
	if !p.split.Take(st) {
		return false
	}
	p.heard, p.probes = true, 0
	return true
}

// Arrived notes that a fragment is known to have arrived, where each frame is acknowledged.
func (p *Parcel) Arrived(index uint16) { p.split.Arrived(index) }

// AppendPlaintext appends the plaintext of a fragment.
func (p *Parcel) AppendPlaintext(dst []byte, index uint16) ([]byte, error) {
	return p.split.AppendPlaintext(dst, index)
}

// AppendState appends all that a Parcel is, for permanent memory: a version, varints, the tries of each fragment, and the splitter's own.
func (p *Parcel) AppendState(dst []byte) []byte {
	heard := int64(0)
	if p.heard {
		heard = 1
	}
	dst = append(dst, parcelFormat)
	for _, v := range [...]int64{int64(len(p.tries)), int64(p.next), int64(p.asked), int64(p.spare), int64(p.probes), heard} {
		dst = binary.AppendVarint(dst, v)
	}
	return p.split.AppendState(append(dst, p.tries...))
}

// ParseParcel is AppendState back.
func ParseParcel(b []byte) (*Parcel, error) {
	broken := fmt.Errorf("state of a parcel: %w", codec.ErrMalformed)
	if len(b) == 0 || b[0] != parcelFormat {
		return nil, broken
	}
	b = b[1:]
	var v [6]int64
	for i := range v {
		x, n := binary.Varint(b)
		if n <= 0 {
			return nil, broken
		}
		v[i], b = x, b[n:]
	}
	count, next, asked, spare, probes, heard := v[0], v[1], v[2], v[3], v[4], v[5]
	if count < 2 || count > codec.FragmentsMax || count > int64(len(b)) || next < 0 || next > count || asked < -1 || asked >= count ||
		spare < 0 || spare > count+ParcelSpare || probes < 0 || probes > ParcelTries || heard < 0 || heard > 1 {
		return nil, broken
	}
	split, err := codec.ParseSplitter(b[count:])
	if err != nil {
		return nil, err
	}
	if split.Fragments() != int(count) {
		return nil, broken
	}
	return &Parcel{
		split: split, tries: slices.Clone(b[:count]), next: int(next), asked: int(asked), spare: int(spare), probes: int(probes), heard: heard == 1,
	}, nil
}
