package atmodem

import (
	"fmt"
	"strconv"
	"strings"
)

// Status of a stored message, <stat> of 27.005 §3.1 in PDU mode.
const (
	statUnread = 0
	statRead   = 1
	statUnsent = 2
	statSent   = 3
	statAll    = 4
)

// A slot holds a message, or none.
type slot struct {
	used   bool
	status int
	pdu    []byte // service centre and TPDU
	tpdu   int    // octets of the TPDU
	part   *part  // of the network's message that it came from; nil for a message or report of another origin
}

// A storage is the SIM's or modem's memory for messages. Its messages survive all resets.
type storage struct {
	name  string
	slots []*slot
}

func newStorage(name string, n int) *storage {
	s := &storage{name: name, slots: make([]*slot, n)}
	for i := range s.slots {
		s.slots[i] = new(slot)
	}
	return s
}

func (s *storage) count() (n int) {
	for _, m := range s.slots {
		if m.used {
			n++
		}
	}
	return n
}

func (s *storage) unread() (n int) {
	for _, m := range s.slots {
		if m.used && m.status == statUnread {
			n++
		}
	}
	return n
}

// free returns the first slot without a message, nil if the storage is full.
func (s *storage) free() *slot {
	for _, m := range s.slots {
		if !m.used {
			return m
		}
	}
	return nil
}

// storage returns a storage by name. MT is the modem's memory and the SIM's after each other.
func (m *machine) storage(name string) (*storage, bool) {
	switch {
	case name == "SM" && len(m.sm.slots) > 0:
		return m.sm, true
	case name == "ME" && len(m.me.slots) > 0:
		return m.me, true
	case name == "SR" && len(m.sr.slots) > 0:
		return m.sr, true
	case name == "MT" && len(m.sm.slots) > 0 && len(m.me.slots) > 0:
		return &storage{name: "MT", slots: append(append([]*slot(nil), m.me.slots...), m.sm.slots...)}, true
	}
	return nil, false
}

func (m *machine) storageNames() (names []string) {
	for _, name := range []string{"SM", "ME", "MT", "SR"} {
		if _, ok := m.storage(name); ok {
			names = append(names, name)
		}
	}
	return names
}

// memory returns the storage that a +CPMS setting chose: 0 to read and delete, 1 to write and send, 2 for new messages.
func (m *machine) memory(i int) *storage {
	s, ok := m.storage(m.set.mem[i])
	if !ok {
		return m.sm
	}
	return s
}

// home returns the storage that a slot is in, and its number there: a message that came into MT lies in one of its halves.
func (m *machine) home(wanted *slot) (name string, index int) {
	for _, s := range []*storage{m.sm, m.me, m.sr} {
		for i, have := range s.slots {
			if have == wanted {
				return s.name, i + 1
			}
		}
	}
	return "", 0
}

// preferred chooses storages and tells how full they are.
func (m *machine) preferred(x *exec) result {
	switch x.verb {
	case verbTest:
		names := `("` + strings.Join(m.storageNames(), `","`) + `")`
		x.info("+CPMS: ", names, ",", names, ",", names)
	case verbRead:
		parts := make([]string, 3)
		m.flap = !m.flap
		for i := range parts {
			s := m.memory(i)
			n := s.count()
			if m.o.Profile.FlapCounts && m.flap {
				n = 0
			}
			parts[i] = fmt.Sprintf(`"%s",%d,%d`, s.name, n, len(s.slots))
		}
		x.info("+CPMS: ", strings.Join(parts, ","))
	case verbSet:
		mem := m.set.mem
		for i := range min(3, len(x.params)) {
			if name := x.text(i); name != "" {
				if _, ok := m.storage(name); !ok {
					return cms(cmsNotAllowed)
				}
				mem[i] = name
			}
		}
		m.set.mem = mem
		m.centre.retryNow() // there may be room now
		counts := make([]string, 3)
		for i := range counts {
			s := m.memory(i)
			counts[i] = fmt.Sprintf("%d,%d", s.count(), len(s.slots))
		}
		x.info("+CPMS: ", strings.Join(counts, ","))
	default:
		return cms(cmsNotAllowed)
	}
	return resultOf(succeeded)
}

// list answers +CMGL in PDU mode. Unread messages are read thereby.
func (m *machine) list(x *exec) result {
	if x.verb == verbTest {
		x.info("+CMGL: (0-4)")
		return resultOf(succeeded)
	}
	status, ok := x.number(0, statUnread, 0, statAll)
	if !ok {
		return cms(cmsNotAllowed)
	}
	for i, s := range m.memory(0).slots {
		if s.used && (status == statAll || s.status == status) {
			x.info(fmt.Sprintf("+CMGL: %d,%d,,%d", i+1, s.status, s.tpdu))
			x.info(m.hex(s))
			if s.status == statUnread {
				s.status = statRead
			}
		}
	}
	return resultOf(succeeded)
}

// recordLen is the length of a SIM's record for a message without the status that it begins with (3GPP TS 51.011 §10.5.3, EF_SMS).
const recordLen = 175

// hex returns a stored PDU as it is told.
func (m *machine) hex(s *slot) string {
	text := fmt.Sprintf("%X", s.pdu)
	if name, _ := m.home(s); m.o.Profile.Padded && name == "SM" && len(s.pdu) < recordLen {
		text += strings.Repeat("FF", recordLen-len(s.pdu))
	}
	return text
}

// slot returns the slot that a command's first parameter names.
func (m *machine) slot(x *exec, memory int) (*slot, bool) {
	s := m.memory(memory)
	i, ok := x.number(0, 0, 1, len(s.slots))
	if !ok || i == 0 {
		return nil, false
	}
	return s.slots[i-1], true
}

func (m *machine) read(x *exec) result {
	if x.verb == verbTest {
		return resultOf(succeeded)
	}
	s, ok := m.slot(x, 0)
	if !ok || !s.used {
		return cms(cmsBadIndex)
	}
	x.info(fmt.Sprintf("+CMGR: %d,,%d", s.status, s.tpdu))
	x.info(m.hex(s))
	if s.status == statUnread {
		s.status = statRead
	}
	return resultOf(succeeded)
}

// remove answers +CMGD: one message, or many of a status (27.005 §3.5.4). That a slot is empty already is no error.
func (m *machine) remove(x *exec) result {
	if x.verb == verbTest {
		x.info("+CMGD: (1-", strconv.Itoa(len(m.memory(0).slots)), "),(0-4)")
		return resultOf(succeeded)
	}
	kind, ok := x.number(1, 0, 0, 4)
	if !ok {
		return cms(cmsNotAllowed)
	}
	if kind == 0 {
		s, ok := m.slot(x, 0)
		if !ok {
			return cms(cmsBadIndex)
		}
		m.erase(s)
		return resultOf(succeeded)
	}
	for _, s := range m.memory(0).slots {
		if kind == 4 || s.status == statRead || kind >= 2 && s.status == statSent || kind >= 3 && s.status == statUnsent {
			m.erase(s)
		}
	}
	return resultOf(succeeded)
}

// erase empties a slot. The network is told that there is memory available (23.040 §3.2.1).
func (m *machine) erase(s *slot) {
	if !s.used {
		return
	}
	part := s.part
	*s = slot{}
	m.stats.Deleted++
	m.centre.retryNow()
	m.settle(part)
}
