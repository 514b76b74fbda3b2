package atmodem

import (
	"fmt"
	"strconv"
	"time"
)

// ackTime is how long the modem waits for +CNMA (27.005 §3.4.4; the network's own timer is a little longer).
const ackTime = 10 * time.Second

// acknowledge is a message that was handed over without storing it and waits for +CNMA.
type acknowledge struct {
	part *part // nil: none
	due  time.Time
}

// service chooses phase 2+ (27.005 §3.2.1), with which directly handed over messages have to be acknowledged.
func (m *machine) service(x *exec) result {
	switch x.verb {
	case verbTest:
		if m.o.Profile.NoPhase2 {
			x.info("+CSMS: (0)")
			break
		}
		x.info("+CSMS: (0,1)")
	case verbRead:
		x.info("+CSMS: ", strconv.Itoa(m.set.service), ",1,1,1")
	case verbSet:
		n, ok := x.number(0, 0, 0, 1)
		if !ok || n == 1 && m.o.Profile.NoPhase2 {
			return cms(cmsNotAllowed)
		}
		m.set.service = n
		x.info("+CSMS: 1,1,1")
	default:
		return cms(cmsNotAllowed)
	}
	return resultOf(succeeded)
}

// format is PDU mode. Text mode would be another codec for programs of another age.
func (m *machine) format(x *exec) result {
	switch x.verb {
	case verbTest:
		x.info("+CMGF: (0)")
	case verbRead:
		x.info("+CMGF: 0")
	case verbSet:
		if x.text(0) != "0" {
			return cms(cmsNotSupported)
		}
	default:
	}
	return resultOf(succeeded)
}

func (m *machine) centreAddress(x *exec) result {
	switch x.verb {
	case verbRead:
		x.info(`+CSCA: "`, m.set.string(m.sim.smsc), `",`, strconv.Itoa(addressType(m.sim.smsc)))
	case verbSet:
		number, ok := m.set.parseString(x.text(0))
		if !ok || number != "" && !numberPattern.MatchString(number) {
			return cms(cmsBadPDU)
		}
		if x.text(1) == "145" && number != "" && number[0] != '+' {
			number = "+" + number
		}
		m.sim.smsc = number
	case verbTest:
	default:
		return cms(cmsNotAllowed)
	}
	return resultOf(succeeded)
}

// indications chooses what the modem says of new messages and reports (27.005 §3.4.1).
func (m *machine) indications(x *exec) result {
	switch x.verb {
	case verbTest:
		x.info("+CNMI: (0-2),(0-3),(0,2),(0-2),(0,1)")
	case verbRead:
		c := m.set.cnmi
		x.info(fmt.Sprintf("+CNMI: %d,%d,%d,%d,%d", c[0], c[1], c[2], c[3], c[4]))
	case verbSet:
		c := m.set.cnmi
		if !x.numbers([]*int{&c[0], &c[1], &c[2], &c[3], &c[4]}, []int{2, 3, 2, 2, 1}) || c[2] == 1 {
			return cms(cmsNotAllowed)
		}
		m.set.cnmi = c
	default:
		m.set.cnmi = factory().cnmi
	}
	return resultOf(succeeded)
}

// acknowledged answers +CNMA.
func (m *machine) acknowledged(x *exec) result {
	if x.verb == verbTest {
		if m.set.service == 1 {
			x.info("+CNMA: (0-2)")
		}
		return resultOf(succeeded)
	}
	n, ok := x.number(0, 0, 0, 2)
	if !ok || m.await.part == nil {
		return cms(cmsNoAck)
	}
	p := m.await.part
	m.await = acknowledge{}
	if n == 2 { // refused: the network tries again
		p.due = x.now.Add(m.o.Retry)
		m.centre.queue = append(m.centre.queue, p)
		return resultOf(succeeded)
	}
	m.stats.Delivered++
	m.centre.retryNow() // the next one may come
	m.settle(p)
	return resultOf(succeeded)
}

// unacknowledged gives up waiting for +CNMA: the modem hands nothing over any more and the network tries again.
func (m *machine) unacknowledged(now time.Time) {
	p := m.await.part
	m.await = acknowledge{}
	m.set.cnmi[1], m.set.cnmi[3] = 0, 0
	p.due = now.Add(m.o.Retry)
	m.centre.queue = append(m.centre.queue, p)
}

// receive takes a message or report from the network. It reports whether the network may forget it.
func (m *machine) receive(now time.Time, p *part) bool {
	route, direct, stored := m.set.cnmi[1], "+CMT: ,", "+CMTI"
	memory := m.memory(2)
	if m.o.Profile.SIMOnly && len(m.sm.slots) > 0 {
		memory = m.sm
	}
	if p.report {
		route, direct, stored = m.set.cnmi[3], "+CDS: ", "+CDSI"
		if route == 0 {
			return true // nobody wants it
		}
		if route == 1 {
			route = 2 // the numbers of <ds> and <mt> are crossed
		} else {
			route = 1
		}
		if len(m.sr.slots) > 0 {
			memory = m.sr
		}
	}
	if m.set.cnmi[0] != 0 && route == 2 {
		return m.handOver(now, p, direct)
	}
	s := memory.free()
	if s == nil {
		m.stats.Full++
		return false
	}
	pdu := appendSMSC(nil, m.sim.smsc)
	*s = slot{used: true, status: statUnread, pdu: append(pdu, p.tpdu...), tpdu: len(p.tpdu), part: p}
	m.stats.Delivered++
	if route != 0 && m.set.cnmi[0] != 0 {
		name, index := m.home(s)
		m.urc(fmt.Sprintf(`%s: "%s",%d`, stored, name, index))
	}
	return true
}

// handOver gives a message to the terminal without storing it. In phase 2+ it is the terminal's to acknowledge, one at a time.
func (m *machine) handOver(now time.Time, p *part, prefix string) bool {
	if m.await.part != nil || len(m.urcs)+len(m.held) >= urcsMax {
		return false
	}
	pdu := append(appendSMSC(nil, m.sim.smsc), p.tpdu...)
	m.urc(fmt.Sprintf("%s%d\r\n%X", prefix, len(p.tpdu), pdu))
	if m.set.service == 1 {
		m.await = acknowledge{part: p, due: now.Add(ackTime)}
		return true
	}
	m.stats.Delivered++
	m.settle(p)
	return true
}
