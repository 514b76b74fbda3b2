package directip

import "github.com/godwit-gateway/godwit/transports/recent"

// gapMax is the longest row of messages that is believed to be missing: at one in 40 s, which is what a modem makes at best, more than the network
// keeps. Beyond it the modem was told to begin anew (AT+SBDC).
const gapMax = 4096

// sequence is what is known of a modem's MOMSN, which counts its sessions modulo 65,536; a session that failed gives its number to the next.
type sequence struct {
	last    uint16
	session uint32 // time of the session with it, Unix seconds
	owed    int    // missing messages that nobody was told of yet
}

// sequences follow the MOMSNs of all modems in memory: the first message of each after a start says nothing. That no frame of a device is missed
// across a restart is the business of its own counter, which the sink keeps.
type sequences struct {
	modems  *recent.Map[[imeiLen]byte, sequence]
	missing uint64
	late    uint64
	resets  uint64
}

// claim takes note of a session that did not fail, and returns how many messages are missing before it that nobody was told of.
func (q *sequences) claim(m *originated) int {
	s, known := q.modems.Get(m.imei)
	step := m.momsn - s.last
	switch {
	case !known:
	case step == 0: // again
	case step <= gapMax:
		s.owed += int(step) - 1
		q.missing += uint64(step) - 1
	case m.session < s.session:
		q.late++ // overtaken, and told as missing
		return 0
	default:
		q.resets++
	}
	if step != 0 || !known {
		s.last, s.session = m.momsn, m.session
	}
	owed := s.owed
	s.owed = 0
	q.modems.Put(m.imei, s)
	return owed
}

// owe gives back what claim returned, since nobody could be told.
func (q *sequences) owe(m *originated, n int) {
	if s, known := q.modems.Get(m.imei); known && n > 0 {
		s.owed += n
		q.modems.Put(m.imei, s)
	}
}
