package smsmodem

// lineMax is the longest line that is kept: twice what the longest PDU needs. What is longer is noise.
const lineMax = 1024

// A splitter makes lines of bytes. Both CR and LF end a line, empty lines are nothing, and a '>' at the start of a line is the prompt of
// +CMGS, which no line end follows.
type splitter struct {
	line    []byte
	skip    bool // to the next line end: the line is too long
	dropped int  // lines that were too long
}

// feed consumes bytes and calls emit for each line, and prompt for each prompt. What emit gets is valid until it returns.
func (s *splitter) feed(b []byte, emit func(line []byte), prompt func()) {
	for _, c := range b {
		switch {
		case c == '\r' || c == '\n':
			line := s.line
			for len(line) > 0 && line[len(line)-1] == ' ' {
				line = line[:len(line)-1]
			}
			if len(line) > 0 && !s.skip {
				emit(line)
			}
			s.line, s.skip = s.line[:0], false
		case s.skip, c == 0, c == ' ' && len(s.line) == 0:
			// Power-up leaves NULs on the line, and some modems put a space before what they say.
		case c == '>' && len(s.line) == 0:
			prompt()
		case len(s.line) == lineMax:
			s.skip = true
			s.dropped++
		default:
			s.line = append(s.line, c)
		}
	}
}
