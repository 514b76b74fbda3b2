package codec

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// widths is what a device's record says of its frames.
type widths struct{ ctrBits, tagLen uint8 }

// candidates lists the widths that a frame may have, the likeliest first.
func (o *InspectOptions) candidates(h Header) []widths {
	ctr, tag := []uint8{8, 16}, []uint8{8, 4}
	if o.CTRBits != 0 {
		ctr = []uint8{o.CTRBits}
	}
	if o.Direction == Down {
		ctr = []uint8{16}
	}
	if h.Kind() == KindExtended {
		tag = tag[:1]
		if h.Slot() == extendedExplicit {
			ctr = []uint8{explicitBits}
		}
	} else if o.TagLen != 0 {
		tag = []uint8{o.TagLen}
	}
	var out []widths
	for _, t := range tag {
		for _, c := range ctr {
			out = append(out, widths{c, t})
		}
	}
	return out
}

// sealed takes the content of a sealed item apart.
func (x *inspector) sealed(content []byte, number uint32, at int) []Part {
	if len(content) == 0 {
		return []Part{brokenPart(content, at, "header", ErrTruncated)}
	}
	parts := []Part{headerPart(content[0], at)}
	h := Header(content[0])
	err := h.check()
	if errors.Is(err, ErrControl) {
		return append(parts, x.control(content, number, at)...)
	}
	if err != nil {
		return append(parts, bytesPart(content[1:], at+1, "rest", "not read"))
	}
	candidates := x.o.candidates(h)
	if key := x.o.deviceKey(number); key != nil {
		for _, w := range candidates {
			if opened := x.open(content, number, key, w, at); opened != nil {
				x.opened++
				return append(parts, opened...)
			}
		}
	}
	return append(parts, x.unopened(content, number, candidates, at)...)
}

// unopened shows a sealed frame as it lies there, by the likeliest widths.
func (x *inspector) unopened(content []byte, number uint32, candidates []widths, at int) []Part {
	w := candidates[0]
	s, err := parseWidths(content, w)
	if err != nil && len(candidates) > 1 {
		// Too short for the likeliest: any that fits will do.
		for _, c := range candidates[1:] {
			if other, e := parseWidths(content, c); e == nil {
				s, err, w = other, nil, c
				break
			}
		}
	}
	if err != nil {
		return []Part{brokenPart(content[1:], at+1, "rest", err)}
	}
	sure := ""
	if len(candidates) > 1 {
		sure = ", if its record says so"
	}
	n := 1 + int(w.ctrBits)/8
	end := len(content) - int(w.tagLen)
	tag := bytesPart(content[end:], at+end, "tag", fmt.Sprintf("%d bytes%s", w.tagLen, sure))
	if x.o.deviceKey(number) != nil {
		tag.Error = fmt.Sprintf("does not verify for device %d, epoch %d", number, x.o.Epoch)
		if !x.o.Seen && w.ctrBits != explicitBits {
			tag.Error += "; the highest counter is not given"
		}
	}
	return []Part{
		bytesPart(content[1:n], at+1, "counter", counterMeaning(s.CTR, w.ctrBits)+sure),
		bytesPart(content[n:end], at+n, "ciphertext", fmt.Sprintf("%d bytes", end-n)),
		tag,
	}
}

func parseWidths(content []byte, w widths) (Sealed, error) {
	bits := w.ctrBits
	if bits == explicitBits {
		bits = 16 // ParseSealed finds the whole counter by itself
	}
	return ParseSealed(content, bits, w.tagLen)
}

func counterMeaning(low uint64, bits uint8) string {
	if bits == explicitBits {
		return fmt.Sprintf("%d, whole", low)
	}
	return fmt.Sprintf("low %d bits: %d", bits, low)
}

// open tries one key and one pair of widths. It returns nil if the tag does not verify.
func (x *inspector) open(content []byte, number uint32, key *[32]byte, w widths, at int) []Part {
	s, err := parseWidths(content, w)
	if err != nil {
		return nil
	}
	label := LabelUp8
	switch {
	case x.o.Direction == Down:
		label = LabelDown
	case w.tagLen == 4:
		label = LabelUp4
	}
	p := Position{Direction: x.o.Direction, Number: number, Epoch: x.o.Epoch}
	p.Counter = CompleteCounter(s.CTR, s.CTRBits, x.o.Highest, x.o.Seen)
	c := NewCipher(DeriveSealKey(key, x.o.Salt, label, number, x.o.Epoch))
	plaintext, ok := c.unseal(nil, &s, p)
	if !ok {
		return nil
	}
	n := 1 + int(s.CTRBits)/8
	end := len(content) - int(w.tagLen)
	meaning := counterMeaning(s.CTR, s.CTRBits)
	if s.CTRBits != explicitBits {
		meaning += fmt.Sprintf(" of %d", p.Counter)
	}
	body := bytesPart(plaintext, at+n, "plaintext", fmt.Sprintf("%d bytes", len(plaintext)))
	body.Plaintext = true
	if err := s.checkPlaintext(plaintext); err != nil {
		body.Error = err.Error()
	}
	x.here = &frameID{number: number, counter: p.Counter}
	body.Parts = x.plaintext(s.Header, plaintext, at+n)
	return []Part{
		bytesPart(content[1:n], at+1, "counter", meaning),
		body,
		bytesPart(content[end:], at+end, "tag", fmt.Sprintf("verified: device %d, epoch %d, counter %d, key %s", number, p.Epoch, p.Counter, label)),
	}
}

// control takes a clear control frame apart, behind its header.
func (x *inspector) control(content []byte, number uint32, at int) []Part {
	switch t := ControlType(Header(content[0]).Base()); {
	case t.joinLen() > 0:
		return x.join(content, number, at)
	case t != ControlAck:
		return []Part{brokenPart(content[1:], at+1, "body", ErrUnsupported)}
	}
	f, err := ParseAck(content)
	if err != nil {
		return []Part{brokenPart(content[1:], at+1, "body", err)}
	}
	n := len(content) - ackMACLen
	mac := bytesPart(content[n:], at+n, "mac", fmt.Sprintf("%d bytes", ackMACLen))
	counter, whole := uint64(f.Low), false
	if key := x.o.deviceKey(number); key != nil {
		last := x.o.Highest
		if !x.o.Seen {
			last = uint64(f.Low)
		}
		ackKey := DeriveAckKey(key, x.o.Salt, number, x.o.Epoch)
		if a, err := f.Verify(&ackKey, number, x.o.Epoch, last); err == nil {
			counter, whole = a.Counter, true
			x.opened++
			mac.Meaning = fmt.Sprintf("verified: device %d, epoch %d, counter %d", number, x.o.Epoch, counter)
		} else {
			mac.Error = fmt.Sprintf("does not verify for device %d, epoch %d", number, x.o.Epoch)
		}
	}
	meaning := counterMeaning(uint64(f.Low), 16)
	if whole {
		meaning += fmt.Sprintf(" of %d", counter)
	}
	return []Part{
		bytesPart(content[1:3], at+1, "counter", meaning),
		bytesPart(content[3:n], at+3, "bitmap", ackMeaning(f.Bitmap)),
		mac,
	}
}

// ackMeaning lists what an acknowledgement covers, as distances from its counter.
func ackMeaning(bitmap uint32) string {
	var d []string
	for i := range 32 {
		if bitmap>>i&1 == 1 {
			d = append(d, strconv.Itoa(-1-i))
		}
	}
	if len(d) == 0 {
		return "on disk: the counter"
	}
	return "on disk: the counter and " + strings.Join(d, ", ")
}
