package codec

import (
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// A Part is a run of bytes of a transmission, and what it means. Parts stand in the order of their bytes; those within a part cover it.
//
// Fields of a keyframe begin and end within bytes: for them Bits is the width, Bit is the place of the first bit in the byte at Offset,
// counted from the most significant one, and Hex is the value of these bits, right-aligned. Those of a range code share its bits: they have no
// length, Cost says what they take, and Offset and Bit where that begins.
type Part struct {
	Offset    int     `json:"offset"` // in the transmission, in bytes
	Length    int     `json:"length"` // in bytes; for bits, of all bytes that they touch, 0 if these were cut as zeros
	Bit       int     `json:"bit,omitempty"`
	Bits      int     `json:"bits,omitempty"` // 0: whole bytes
	Cost      float64 `json:"cost,omitempty"` // of a range code: bits, in fractions
	Hex       string  `json:"hex"`
	Plaintext bool    `json:"plaintext,omitempty"` // Hex is what stands behind the sealed bytes of this place
	Name      string  `json:"name"`
	Meaning   string  `json:"meaning,omitempty"`
	Error     string  `json:"error,omitempty"` // why a receiver refuses it
	Parts     []Part  `json:"parts,omitempty"`
}

// An Inspection is a transmission taken apart. Encoded as JSON it is the tree of its parts; AppendTable writes it for people.
type Inspection struct {
	Length int    `json:"length"`
	Opened int    `json:"opened"` // items whose tag verified under the keys at hand
	Parts  []Part `json:"parts"`  // an item each, and what could not be delimited
	Error  string `json:"error,omitempty"`
}

// InspectOptions is what the record of a device knows and no frame says. Without it an inspection shows the structure; with a key it opens.
type InspectOptions struct {
	CTRBits   uint8     // 8 or 16; 0: both are tried with a key, without one 8 is taken for granted
	TagLen    uint8     // 4 or 8; 0: likewise, 8 first
	Direction Direction // of sealed frames
	Number    uint32    // of the device, where the frame does not name it
	Epoch     uint32
	Salt      []byte    // of the epoch
	DeviceKey *[32]byte // opens sealed frames and verifies acknowledgements
	Join      *Join     // the attempt that a challenge or an acceptance is for
	Challenge *Nonce    // the challenge that a join confirm answers
	FleetKey  *[32]byte // gives the device key of any number, if DeviceKey is nil
	Highest   uint64    // highest counter known, if Seen; for an acknowledgement the last one that the device used
	Seen      bool
	Templates [slotReserved]*Template // by slot
	Base      *State                  // that a delta or batch is counted from, if that is not a frame before it in the transmission
	Reference time.Time               // completes the time of a keyframe; zero: it stays modulo its window
}

// deviceKey is the key to try for a device, nil if there is none.
func (o *InspectOptions) deviceKey(number uint32) *[32]byte {
	if o.DeviceKey != nil || o.FleetKey == nil {
		return o.DeviceKey
	}
	k := FleetDeviceKey(*o.FleetKey, number)
	return &k
}

// Inspect takes a transmission apart, be it what it may: it never fails, it shows what can be read up to the place where a receiver stops, and
// says there why. Options may be nil.
//
// It shows, with offset, length and bytes of each: the items and their CBOR heads; connection ids; of a sealed frame header, counter, ciphertext
// and tag; of an acknowledgement its counters and MAC; the pairs of an open map; the four elements of a signed item. With a device's key
// and a fitting counter it shows the plaintext in place of the ciphertext: type and body of a message, the pairs of a hello, and with a template
// each field of a keyframe with the bits that carry it, and each field of a delta or batch with the fractions of bits that it costs, if what it is
// counted from stands before it in the transmission or is given. That a tag verified says nothing of the counter's being new: for that there must be
// a store. Without a key it cannot tell a good frame from a forged one, nor how wide counter and tag are.
//
// Neither keys nor anything derived from them are shown, but plaintext is: who may see the result is the caller's business.
func Inspect(raw []byte, o *InspectOptions) Inspection {
	if o == nil {
		o = new(InspectOptions)
	}
	x := inspector{o: o}
	in := Inspection{Length: len(raw), Parts: []Part{}}
	if len(raw) == 0 {
		in.Error = "no bytes"
		return in
	}
	at := 0
	for n := 0; at < len(raw) && n < ItemsMax && at < TransmissionMax; n++ {
		p := x.item(raw[at:min(len(raw), TransmissionMax)], at)
		in.Parts = append(in.Parts, p)
		at += p.Length
	}
	if at < len(raw) {
		in.Parts = append(in.Parts, Part{
			Offset: at, Length: len(raw) - at, Hex: hex.EncodeToString(raw[at:]), Name: "rest",
			Error: fmt.Sprintf("a transmission ends after %d items or %d bytes", ItemsMax, TransmissionMax),
		})
	}
	in.Opened = x.opened
	in.Error = firstError(in.Parts)
	return in
}

// InspectPlaintext takes the plaintext of a frame apart that somebody else opened. Offsets count from its first byte.
func InspectPlaintext(h Header, plaintext []byte, o *InspectOptions) []Part {
	if o == nil {
		o = new(InspectOptions)
	}
	x := inspector{o: o}
	return x.plaintext(h, plaintext, 0)
}

// firstError names the first part that has an error, with its place.
func firstError(parts []Part) string {
	for i := range parts {
		p := &parts[i]
		if inner := firstError(p.Parts); inner != "" {
			return inner
		}
		if p.Error != "" {
			return fmt.Sprintf("byte %d: %s: %s", p.Offset, p.Name, p.Error)
		}
	}
	return ""
}

// An inspector carries the options through the parts.
type inspector struct {
	o      *InspectOptions
	opened int
	here   *frameID           // the frame that is open, if its counter is known
	states map[frameID]*State // after the frames before it
}

// bytesPart is a part of whole bytes.
func bytesPart(b []byte, at int, name, meaning string) Part {
	return Part{Offset: at, Length: len(b), Hex: hex.EncodeToString(b), Name: name, Meaning: meaning}
}

// item takes the first item of b apart. Where its end cannot be found, the part reaches to the end of b.
func (x *inspector) item(b []byte, at int) Part {
	it, _, err := NextItem(b)
	if err != nil {
		p := bytesPart(b, at, "item", "")
		p.Error = err.Error()
		p.Parts = x.broken(b, at)
		return p
	}
	p := bytesPart(it.Raw, at, "item", it.Form.String())
	switch it.Form {
	case FormSealed, FormAddressed:
		number := x.o.Number
		if it.Form == FormAddressed {
			number = it.CID
		}
		p.Parts = envelope(it.Raw, at)
		p.Parts = append(p.Parts, x.sealed(it.Content, number, at+len(it.Raw)-len(it.Content))...)
	case FormOpen:
		p.Parts = cborParts(it.Raw, at, openKeys)
	case FormSigned:
		p.Parts = signedParts(it.Raw, at)
	}
	return p
}

// envelope shows what stands before the content of a sealed item. b may be cut anywhere, or go wrong: what can be read is shown.
func envelope(b []byte, at int) []Part {
	var parts []Part
	rest := b
	take := func(after []byte, name, meaning string) {
		parts = append(parts, bytesPart(rest[:len(rest)-len(after)], at+len(b)-len(rest), name, meaning))
		rest = after
	}
	if b[0] == 0x82 {
		take(b[1:], "array", "array of 2")
		cid, after, err := head(rest, 0)
		if err != nil {
			return append(parts, brokenPart(rest, at+len(b)-len(rest), "cid", err))
		}
		take(after, "cid", fmt.Sprintf("device number %d", cid))
	}
	n, after, err := head(rest, 2)
	if err != nil {
		return append(parts, brokenPart(rest, at+len(b)-len(rest), "head", err))
	}
	take(after, "head", fmt.Sprintf("byte string of %d bytes", n))
	return parts
}

func brokenPart(b []byte, at int, name string, err error) Part {
	p := bytesPart(b, at, name, "")
	p.Error = err.Error()
	return p
}

// broken shows what can be read of an item that NextItem refuses.
func (x *inspector) broken(b []byte, at int) []Part {
	switch c := b[0]; {
	case c >= 0xa0 && c <= 0xbb:
		return cborParts(b, at, openKeys)
	case c == 0xd2:
		return signedParts(b, at)
	case c < 0x40 || c > 0x5b && c != 0x82:
		return nil
	}
	parts := envelope(b, at)
	last := parts[len(parts)-1]
	if last.Error != "" {
		return parts
	}
	content := b[last.Offset+last.Length-at:]
	p := bytesPart(content, last.Offset+last.Length, "content", fmt.Sprintf("%d bytes are here", len(content)))
	if len(content) > 0 {
		p.Parts = []Part{headerPart(content[0], p.Offset), bytesPart(content[1:], p.Offset+1, "rest", "not read")}
	}
	return append(parts, p)
}

// headerPart explains the header of a sealed frame.
func headerPart(b byte, at int) Part {
	h := Header(b)
	p := bytesPart([]byte{b}, at, "header", fmt.Sprintf("%s, slot %d, base %d", h.Kind(), h.Slot(), h.Base()))
	asked := h.Base() == 1
	switch err := h.check(); {
	case errors.Is(err, ErrControl):
		p.Meaning = fmt.Sprintf("clear control frame, type %d %s", h.Base(), ControlType(h.Base()))
		return p
	case err != nil:
		p.Error = err.Error()
		return p
	}
	switch h.Kind() {
	case KindKeyframe:
		p.Meaning = fmt.Sprintf("keyframe, template slot %d", h.Slot())
	case KindExtended:
		p.Meaning = "message"
		if h.Slot() == extendedExplicit {
			p.Meaning = "message with its whole counter"
		}
	default:
		p.Meaning = fmt.Sprintf("%s, template slot %d, base %d", h.Kind(), h.Slot(), h.Base())
		asked = false
	}
	if asked {
		p.Meaning += ", asks for an acknowledgement"
	}
	return p
}
