package codec

import "fmt"

// A Kind is what a sealed frame carries.
type Kind uint8

// Kinds of frames.
const (
	KindDelta    Kind = iota // a status against an earlier one
	KindKeyframe             // a status on its own
	KindBatch                // several statuses
	KindExtended             // a message: the first byte of the plaintext is its type
)

// String names the kind.
func (k Kind) String() string {
	switch k {
	case KindDelta:
		return "delta"
	case KindKeyframe:
		return "keyframe"
	case KindBatch:
		return "batch"
	case KindExtended:
		return "extended"
	default:
		return "invalid"
	}
}

// A Header is the first byte of a sealed frame.
//
//	 7   6   5   4   3   2   1   0
//	+---+---+---+---+---+---+---+---+
//	| kind  |   slot    |   base    |
//	+---+---+---+---+---+---+---+---+
//
// In kinds 0 to 2, slot is the template slot, 0 to 6. In a keyframe, base 1 asks for an acknowledgement and 0 does not. In an extended frame,
// slot 0 means that the counter has its usual width, slot 1 that it is whole in 5 bytes, slot 7 that the frame is a clear control frame
// whose type is in base; bit 0 of base asks for an acknowledgement.
type Header byte

// MakeHeader puts a header together. Bits of slot and base beyond their three are lost.
func MakeHeader(k Kind, slot, base uint8) Header {
	return Header(byte(k)<<6 | slot&7<<3 | base&7)
}

// Kind is the top two bits.
func (h Header) Kind() Kind { return Kind(h >> 6) }

// Slot is the middle three bits.
func (h Header) Slot() uint8 { return uint8(h>>3) & 7 }

// Base is the low three bits.
func (h Header) Base() uint8 { return uint8(h) & 7 }

// Slots of an extended frame.
const (
	extendedShort    = 0
	extendedExplicit = 1
	extendedControl  = 7
)

// slotReserved is the template slot that version 1 does not have.
const slotReserved = 7

// check refuses the headers that version 1 does not know, so that they can get a meaning.
func (h Header) check() error {
	switch h.Kind() {
	case KindDelta, KindBatch:
		if h.Slot() == slotReserved {
			return errReserved
		}
	case KindKeyframe:
		if h.Slot() == slotReserved || h.Base() > 1 {
			return errReserved
		}
	case KindExtended:
		switch h.Slot() {
		case extendedShort, extendedExplicit:
			if h.Base() > 1 {
				return errReserved
			}
		case extendedControl:
			return ErrControl
		default:
			return errReserved
		}
	}
	return nil
}

// checkWidths refuses widths that version 1 does not have for such a frame: a message has a tag of 8 bytes on any link.
func (h Header) checkWidths(ctrBits, tagLen uint8) error {
	if ctrBits != 8 && ctrBits != 16 || tagLen != 8 && (tagLen != 4 || h.Kind() == KindExtended) {
		return fmt.Errorf("%s frame, %d counter bits, tag of %d bytes: %w", h.Kind(), ctrBits, tagLen, ErrMalformed)
	}
	return nil
}
