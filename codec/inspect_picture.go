package codec

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// What a picture shows of an item.
const (
	pictureBytes = 16 // in a row
	pictureRow   = 8  // bytes in a row of bits
	pictureRows  = 16 // of an item
	letters      = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// AppendPicture appends the inspection as a picture in text: for each item the bytes under a ruler, with a letter under each for the part that
// it belongs to; the bits of its header; and the plaintext, a letter under each bit where parts are of bits. Where fields share the bits of a
// range code, a bit has the letter of the one that is under way where it begins.
func (in *Inspection) AppendPicture(dst []byte) []byte {
	for i := range in.Parts {
		p := &in.Parts[i]
		if i > 0 {
			dst = append(dst, '\n')
		}
		title := fmt.Sprintf("%s %d: %s", printable(p.Name), i+1, byteCount(p.Length))
		if p.Meaning != "" {
			title += ", " + printable(cut(p.Meaning))
		}
		dst = append(dst, title+"\n\n"...)
		dst = appendBytePicture(dst, p)
		for j := range p.Parts {
			dst = appendInner(dst, &p.Parts[j])
		}
	}
	if in.Error != "" {
		dst = append(dst, "\n! "+printable(in.Error)+"\n"...)
	}
	return dst
}

func byteCount(n int) string {
	if n == 1 {
		return "1 byte"
	}
	return strconv.Itoa(n) + " bytes"
}

// appendInner draws what a part of an item has within: a header its bits, a plaintext its fields.
func appendInner(dst []byte, p *Part) []byte {
	switch {
	case p.Name == "header" && p.Length == 1:
		return appendHeaderPicture(dst, p)
	case len(p.Parts) == 0:
		return dst
	}
	dst = fmt.Appendf(dst, "\n%s: %s\n\n", printable(p.Name), printable(cut(p.Meaning)))
	if ofBits(p.Parts) {
		return appendBitPicture(dst, p, leaves(p.Parts, ""))
	}
	dst = appendBytePicture(dst, p)
	for i := range p.Parts {
		dst = appendInner(dst, &p.Parts[i])
	}
	return dst
}

// ofBits reports whether parts begin and end within bytes.
func ofBits(parts []Part) bool {
	for i := range parts {
		if parts[i].Bits > 0 || parts[i].Cost > 0 {
			return true
		}
	}
	return false
}

// leaves are the parts that have none within, with the names of those around them.
func leaves(parts []Part, around string) []Part {
	var out []Part
	for _, p := range parts {
		p.Name = around + p.Name
		if len(p.Parts) == 0 {
			out = append(out, p)
			continue
		}
		out = append(out, leaves(p.Parts, p.Name+" ")...)
	}
	return out
}

func letter(i int) byte {
	if i < len(letters) {
		return letters[i]
	}
	return '*'
}

// appendBytePicture draws bytes in rows of 16, each part's letter under its bytes, and says below what the letters are.
func appendBytePicture(dst []byte, p *Part) []byte {
	b, _ := hex.DecodeString(p.Hex)
	owner := make([]byte, len(b))
	for i := range p.Parts {
		q := &p.Parts[i]
		from := min(max(q.Offset-p.Offset, 0), len(b))
		for j := range owner[from:min(from+q.Length, len(b))] {
			owner[from+j] = letter(i)
		}
	}
	if len(b) > 0 {
		dst = append(dst, "         0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f\n"...)
	}
	for row := 0; row*pictureBytes < len(b); row++ {
		from := row * pictureBytes
		if row == pictureRows {
			dst = fmt.Appendf(dst, "  … %d bytes more\n", len(b)-from)
			break
		}
		to := min(from+pictureBytes, len(b))
		dst = append(fmt.Appendf(dst, "  %04x  ", p.Offset+from), ruled(b[from:to])...)
		if len(p.Parts) > 0 {
			dst = append(append(dst, "        "...), spans(owner[from:to])...)
		}
	}
	return appendLegend(dst, p.Parts)
}

// ruled is a row of bytes in hex.
func ruled(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		fmt.Fprintf(&s, "%02x ", c)
	}
	return strings.TrimRight(s.String(), " ") + "\n"
}

// spans draws each run of one letter as a bar below its bytes.
func spans(owner []byte) string {
	var s strings.Builder
	for i, c := range owner {
		switch {
		case i == 0 || owner[i-1] != c:
			s.WriteByte(c)
			s.WriteByte('-')
		default:
			s.WriteString("--")
		}
		if i+1 < len(owner) && owner[i+1] == c {
			s.WriteByte('-')
		} else {
			s.WriteByte(' ')
		}
	}
	return strings.TrimRight(s.String(), " ") + "\n"
}

// appendLegend says what the letters are, and what a part takes.
func appendLegend(dst []byte, parts []Part) []byte {
	width := 0
	for i := range parts {
		width = max(width, len([]rune(printable(parts[i].Name))))
	}
	for i := range parts {
		p := &parts[i]
		takes := byteCount(p.Length)
		switch {
		case p.Cost > 0:
			takes = strconv.FormatFloat(p.Cost, 'f', 2, 64) + " bits"
		case p.Bits == 1:
			takes = "1 bit"
		case p.Bits > 0:
			takes = strconv.Itoa(p.Bits) + " bits"
		}
		meaning := printable(cut(p.Meaning))
		if p.Bits > 0 && p.Length == 0 {
			meaning += " (cut: zeros)"
		}
		if p.Error != "" {
			meaning += " ! " + printable(p.Error)
		}
		name := printable(p.Name)
		line := fmt.Sprintf("  %c  %s%s  %10s  %s", letter(i), name, strings.Repeat(" ", width-len([]rune(name))), takes, meaning)
		dst = append(append(dst, strings.TrimRight(line, " ")...), '\n')
	}
	return dst
}

// appendHeaderPicture draws the bits of a header.
func appendHeaderPicture(dst []byte, p *Part) []byte {
	b, err := hex.DecodeString(p.Hex)
	if err != nil || len(b) != 1 {
		return dst
	}
	h := Header(b[0])
	bits := fmt.Sprintf("%08b", b[0])
	base := map[Kind]string{KindDelta: "base", KindBatch: "base", KindKeyframe: "ask", KindExtended: "ask"}[h.Kind()]
	if h.Kind() == KindExtended && h.Slot() == extendedControl {
		base = "type"
	}
	dst = fmt.Appendf(dst, "\nheader %02x: %s\n\n   7 6   5 4 3   2 1 0\n", b[0], printable(p.Meaning))
	dst = fmt.Appendf(dst, "  +-----+-------+-------+\n  | %c %c | %c %c %c | %c %c %c |\n  +-----+-------+-------+\n", bits[0], bits[1], bits[2], bits[3], bits[4], bits[5], bits[6], bits[7])
	return fmt.Appendf(dst, "    kk     sss     bbb\n    %-5s  %-6s  %s\n", "= "+strconv.Itoa(int(h.Kind())), "= "+strconv.Itoa(int(h.Slot())),
		fmt.Sprintf("= %d  %s, slot, %s", h.Base(), h.Kind(), base))
}

// appendBitPicture draws bits in rows of 8 bytes, with the letter of its part under each.
func appendBitPicture(dst []byte, p *Part, parts []Part) []byte {
	b, _ := hex.DecodeString(p.Hex)
	owner := []byte(strings.Repeat(" ", 8*len(b)))
	for i := range parts {
		q := &parts[i]
		from, n := 8*(q.Offset-p.Offset)+q.Bit, q.Bits
		switch {
		case q.Cost > 0: // up to the next
			n = len(owner)
		case n == 0:
			n = 8 * q.Length
		}
		for j := max(from, 0); j < min(from+n, len(owner)); j++ {
			owner[j] = letter(i)
		}
	}
	for row := 0; row*pictureRow < len(b); row++ {
		from := row * pictureRow
		if row == pictureRows {
			dst = fmt.Appendf(dst, "  … %d bytes more\n", len(b)-from)
			break
		}
		var ruler, digits, names strings.Builder
		for i := from; i < min(from+pictureRow, len(b)); i++ {
			fmt.Fprintf(&ruler, "%-9d", p.Offset+i)
			fmt.Fprintf(&digits, "%08b ", b[i])
			names.Write(owner[8*i : 8*i+8])
			names.WriteByte(' ')
		}
		for _, line := range []string{ruler.String(), digits.String(), names.String()} {
			dst = append(append(dst, strings.TrimRight("  "+line, " ")...), '\n')
		}
	}
	return appendLegend(dst, parts)
}
