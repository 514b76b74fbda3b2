package idpmodem

import "strings"

// replyMax is the most that is kept of one reply: more than twice what the longest message needs in base64.
const replyMax = 32 << 10

// garbled stands for a reply whose checksum is wrong. at.AT takes it for the end of the reply.
const garbled = "+CME ERROR: checksum"

// booted are what terminals say when they start.
var booted = []string{"ST Version", "RDY"}

// An assembler makes the lines of replies from bytes. Without checksums a line is good as it comes; with them the lines of a reply are held back until its
// checksum has come.
type assembler struct {
	sums bool // replies carry checksums

	raw  []byte // of the reply so far; without checksums, of the line
	at   int    // where in raw the line begins
	held []string
	skip bool // to the end of a line that is too long

	sawSum    bool // a checksum came although none was expected
	restarted bool // the terminal said that it has started
	overlong  int  // replies that were too long
	wrong     int  // replies whose checksum was wrong
}

// begin forgets what is left of an earlier reply.
func (a *assembler) begin() { a.raw, a.at, a.held, a.skip = a.raw[:0], 0, nil, false }

// feed consumes bytes and calls emit for each line that is good.
func (a *assembler) feed(b []byte, emit func(line string)) {
	for _, c := range b {
		if len(a.raw) >= replyMax {
			a.overlong++
			a.begin()
			a.skip = true
		}
		if c != '\r' && c != '\n' {
			if !a.skip {
				a.raw = append(a.raw, c)
			}
			continue
		}
		a.skip = false
		begun := len(a.raw) > 0
		a.end(emit)
		if a.sums && (len(a.raw) > 0 || !begun && c == '\r') { // not what is left of the line end behind a checksum
			a.raw = append(a.raw, c)
			a.at = len(a.raw)
		}
	}
}

// end takes the line that has ended.
func (a *assembler) end(emit func(line string)) {
	line := a.raw[a.at:]
	if sum, ok := parseChecksum(line); ok {
		a.finish(sum, emit)
		return
	}
	text := strings.Trim(string(line), " \x00")
	if !a.sums {
		a.begin()
	}
	if text == "" {
		return
	}
	for _, word := range booted {
		if strings.HasPrefix(text, word) {
			a.restarted = true
			return
		}
	}
	if a.sums {
		a.held = append(a.held, text)
		return
	}
	emit(text)
}

// finish lets the lines of a reply go if its checksum is right.
func (a *assembler) finish(sum int, emit func(line string)) {
	defer a.begin()
	if !a.sums {
		a.sawSum = true
		return
	}
	if !verified(a.raw[:a.at], sum) {
		a.wrong++
		emit(garbled)
		return
	}
	for _, text := range a.held {
		emit(text)
	}
}
