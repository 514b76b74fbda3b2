package atmodem

import (
	"fmt"
	"strconv"
	"time"

	"github.com/warthog618/sms/encoding/pdumode"
)

// An entry is a PDU being typed after the prompt.
type entry struct {
	write  bool // +CMGW
	length int  // octets of the TPDU, as announced
	status int  // to store it with
	text   []byte
	cut    int // the cable is pulled when so much was typed; 0: never
	reply  *reply
}

// ask prompts for a PDU.
func (m *machine) ask(x *exec, write bool) result {
	length, ok := x.number(0, 0, 1, 2*tpduMax)
	status, ok2 := x.number(1, statUnsent, statUnread, statSent)
	switch {
	case x.verb == verbTest:
		return resultOf(succeeded)
	case x.verb != verbSet || !ok || !ok2 || length == 0:
		return cms(cmsBadPDU)
	}
	m.entry = &entry{write: write, length: length, status: status, reply: x.reply}
	if x.reply.step.Do == ActUnplug && !x.reply.step.Applied {
		m.entry.cut = 1 + m.rng.IntN(2*length)
	}
	return resultOf(entering)
}

func (m *machine) send(x *exec) result  { return m.ask(x, false) }
func (m *machine) write(x *exec) result { return m.ask(x, true) }

// sendCommand answers +CMGC: there is, but to few networks' knowledge, no SMS-COMMAND.
func (m *machine) sendCommand(x *exec) result {
	if x.verb == verbTest {
		return resultOf(succeeded)
	}
	return cms(cmsNotSupported)
}

// enter takes one byte of a PDU. It reports whether that ended it.
func (m *machine) enter(now time.Time, b byte) bool {
	e := m.entry
	if m.set.echo && b != ctrlZ && m.set.edits(b) {
		m.push(now, string([]byte{b}), ActNothing)
	}
	switch b {
	case escape:
		m.entry = nil
		m.finish(now, &reply{final: resultOf(succeeded)}) // 27.005 §4.3: OK, and nothing was sent
		return true
	case ctrlZ:
		m.entry = nil
		m.entered(now, e)
		return true
	case '\r', '\n', ' ':
		return false
	}
	if len(e.text) < entryMax {
		e.text = append(e.text, b)
	}
	if e.cut > 0 && len(e.text) >= e.cut {
		m.entry = nil
		m.push(now, "", ActUnplug)
		m.free = now
		return true
	}
	return false
}

// entered stores or sends a PDU and answers for it.
func (m *machine) entered(now time.Time, e *entry) {
	r := e.reply
	if m.spared(r, "") && r.step.Do != ActUnplug {
		m.finish(now, r)
		return
	}
	r.blocks = [][]string{nil}
	x := &exec{reply: r, now: now}
	pdu, err := parsePDU(string(e.text), e.length)
	switch {
	case err != nil:
		r.final = cms(cmsBadPDU)
	case e.write:
		r.final = m.store(x, pdu, e)
	default:
		r.final = m.submit(x, pdu, "+CMGS: ")
	}
	m.finish(now, r)
}

// parsePDU decodes what was typed and holds it against the announced length, which does not count the service centre's address.
func parsePDU(text string, length int) (*pdumode.PDU, error) {
	pdu, err := pdumode.UnmarshalHexString(text)
	if err != nil {
		return nil, fmt.Errorf("decode PDU: %w", err)
	}
	if len(pdu.TPDU) != length {
		return nil, fmt.Errorf("%w: TPDU has %d octets, announced were %d", errSyntax, len(pdu.TPDU), length)
	}
	return pdu, nil
}

func (m *machine) store(x *exec, pdu *pdumode.PDU, e *entry) result {
	memory := m.memory(1)
	s := memory.free()
	if s == nil {
		return cms(cmsFull)
	}
	raw := append(appendSMSC(nil, pdu.SMSC.Number()), pdu.TPDU...)
	*s = slot{used: true, status: e.status, pdu: raw, tpdu: len(pdu.TPDU)}
	for i, have := range memory.slots {
		if have == s {
			x.info("+CMGW: ", strconv.Itoa(i+1))
		}
	}
	return resultOf(succeeded)
}

// sendStored answers +CMSS: it sends a message that +CMGW stored.
func (m *machine) sendStored(x *exec) result {
	if x.verb == verbTest {
		return resultOf(succeeded)
	}
	s, ok := m.slot(x, 1)
	if !ok || !s.used || s.status < statUnsent {
		return cms(cmsBadIndex)
	}
	pdu, err := pdumode.UnmarshalBinary(s.pdu)
	if err != nil {
		return cms(cmsBadPDU)
	}
	r := m.submit(x, pdu, "+CMSS: ")
	if r.kind == succeeded {
		s.status = statSent
	}
	return r
}
