package codec

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What a table shows of a part. The whole of it is in the Inspection.
const (
	hexShown     = 26  // hexadecimal digits
	meaningShown = 120 // characters
)

// AppendTable appends the inspection as a table for people: a line for each part, those within another indented below it.
//
//	offset  length  bytes  name  meaning
//
// Bits stand as offset.bit, with their width in the column of the length and a b behind it; "cut" are those of zero bytes that were not sent. Fractions of
// bits are those of a range code. An exclamation mark leads the reason why a receiver refuses a part, and an equals sign stands before bytes that are plaintext. Characters that could play tricks on a terminal are escaped.
func (in *Inspection) AppendTable(dst []byte) []byte {
	rows := [][5]string{{"offset", "length", "bytes", "name", "meaning"}}
	rows = appendRows(rows, in.Parts, "")
	var width [4]int
	for _, r := range rows {
		for i := range width {
			width[i] = max(width[i], utf8.RuneCountInString(r[i]))
		}
	}
	for _, r := range rows {
		line := make([]byte, 0, 128)
		for i := range width {
			line = append(line, r[i]...)
			for range width[i] - utf8.RuneCountInString(r[i]) + 2 {
				line = append(line, ' ')
			}
		}
		line = append(line, r[4]...)
		dst = append(append(dst, strings.TrimRight(string(line), " ")...), '\n')
	}
	if in.Error != "" {
		dst = append(dst, "! "+printable(in.Error)+"\n"...)
	}
	return dst
}

// String is the table.
func (in *Inspection) String() string { return string(in.AppendTable(nil)) }

func appendRows(rows [][5]string, parts []Part, indent string) [][5]string {
	for i := range parts {
		p := &parts[i]
		offset, length, bytes := strconv.Itoa(p.Offset), strconv.Itoa(p.Length), p.Hex
		if p.Bits > 0 {
			offset += "." + strconv.Itoa(p.Bit)
			if p.Length == 0 {
				offset = "cut"
			}
			length = strconv.Itoa(p.Bits) + "b"
		}
		if p.Cost > 0 {
			offset, length = offset+"."+strconv.Itoa(p.Bit), strconv.FormatFloat(p.Cost, 'f', 2, 64)+"b"
		}
		if len(bytes) > hexShown {
			bytes = bytes[:hexShown] + "…"
		}
		if p.Plaintext && bytes != "" {
			bytes = "=" + bytes
		}
		meaning := cut(p.Meaning)
		if p.Error != "" {
			meaning = strings.TrimLeft(meaning+" ! "+p.Error, " ")
		}
		rows = append(rows, [5]string{offset, length, bytes, indent + printable(p.Name), printable(meaning)})
		rows = appendRows(rows, p.Parts, indent+"  ")
	}
	return rows
}

// cut bounds a text to what a table shows.
func cut(s string) string {
	n := 0
	for i := range s {
		if n++; n > meaningShown {
			return s[:i] + "…"
		}
	}
	return s
}

// printable escapes what is not meant to be seen: names and units come from templates, texts from devices.
func printable(s string) string {
	clean := true
	for _, r := range s {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	q := strconv.Quote(s)
	return q[1 : len(q)-1]
}
