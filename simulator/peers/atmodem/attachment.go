package atmodem

import (
	"fmt"
	"strconv"
	"time"
)

// attachment is the modem's place in the network.
type attachment struct {
	functionality int       // +CFUN
	since         time.Time // when it is registered, if nothing keeps it from that
	told          bool      // unsolicited result codes said so
	manual        bool      // +COPS=2: deregistered
}

// registered tells whether the network can be used.
func (m *machine) registered(now time.Time) bool {
	return m.plugged && m.booted && m.radio.functionality == 1 && m.sim.unlocked && !m.radio.manual && !now.Before(m.radio.since)
}

// status is the <stat> of +CREG (27.007 §7.2).
func (m *machine) status(now time.Time) int {
	switch {
	case m.registered(now):
		return 1
	case m.radio.functionality == 1 && m.sim.unlocked && !m.radio.manual:
		return 2
	}
	return 0
}

// tell sends the unsolicited codes about registration when it changes.
func (m *machine) tell(now time.Time) {
	if is := m.registered(now); is != m.radio.told && m.booted {
		m.radio.told = is
		for _, r := range []struct {
			name string
			mode int
		}{{"+CREG", m.set.creg}, {"+CGREG", m.set.cgreg}, {"+CEREG", m.set.cereg}} {
			if r.mode > 0 {
				m.urc(fmt.Sprintf("%s: %d%s", r.name, m.status(now), cell(r.mode, is)))
			}
		}
		if is {
			m.centre.retryNow()
		}
	}
}

// cell is the location that mode 2 adds.
func cell(mode int, registered bool) string {
	if mode < 2 || !registered {
		return ""
	}
	return `,"00C3","0000A1B2"`
}

func registration(of func(*settings) *int) func(*machine, *exec) result {
	return func(m *machine, x *exec) result {
		mode := of(&m.set)
		switch x.verb {
		case verbTest:
			x.info(x.name, ": (0-2)")
		case verbRead:
			x.info(fmt.Sprintf("%s: %d,%d%s", x.name, *mode, m.status(x.now), cell(*mode, m.registered(x.now))))
		case verbSet:
			return done(x.numbers([]*int{mode}, []int{2}))
		default:
			*mode = 0
		}
		return resultOf(succeeded)
	}
}

// functionality switches the radio, and the whole modem off and on.
func (m *machine) functionality(x *exec) result {
	switch x.verb {
	case verbTest:
		x.info("+CFUN: (0,1,4),(0,1)")
	case verbRead:
		x.info("+CFUN: ", strconv.Itoa(m.radio.functionality))
	default:
		fun, ok := x.number(0, 1, 0, 4)
		restart, ok2 := x.number(1, 0, 0, 1)
		if !ok || !ok2 || fun == 2 || fun == 3 {
			return cme(50)
		}
		if restart == 1 {
			m.push(x.now, m.set.end()+"OK"+m.set.end(), ActNothing)
			x.reply.step = Step{Do: ActReboot}
			if m.o.Profile.USB {
				x.reply.step = Step{Do: ActMute}
				m.push(x.now.Add(travel), "", ActUnplug)
			}
			return resultOf(succeeded)
		}
		if fun == 1 && m.radio.functionality != 1 {
			m.radio.since = x.now.Add(m.o.Profile.Boot / 2)
		}
		m.radio.functionality = fun
	}
	return resultOf(succeeded)
}

func (m *machine) signal(x *exec) result {
	switch {
	case x.verb == verbTest:
		x.info("+CSQ: (0-31,99),(0-7,99)")
	case m.registered(x.now):
		x.info("+CSQ: ", strconv.Itoa(18+m.rng.IntN(5)), ",99")
	default:
		x.info("+CSQ: 99,99")
	}
	return resultOf(succeeded)
}

func (m *machine) attached(x *exec) result {
	switch x.verb {
	case verbTest:
		x.info("+CGATT: (0,1)")
	case verbRead:
		on := 0
		if m.registered(x.now) {
			on = 1
		}
		x.info("+CGATT: ", strconv.Itoa(on))
	default:
	}
	return resultOf(succeeded)
}

// operator tells and chooses the network; there is one.
func (m *machine) operator(x *exec) result {
	p := &m.o.Profile
	switch x.verb {
	case verbTest:
		x.info(fmt.Sprintf(`+COPS: (2,"%s","%s","%s",2),,(0,1,2,3,4),(0,1,2)`, m.set.string(p.Operator), m.set.string("Godwit"), p.OperatorCode))
		x.reply.took = 2 * time.Second // looks at every channel
	case verbRead:
		if !m.registered(x.now) {
			x.info("+COPS: 0")
			break
		}
		names := [3]string{m.set.string(p.Operator), m.set.string("Godwit"), p.OperatorCode}
		x.info(fmt.Sprintf(`+COPS: 0,%d,"%s",2`, m.set.operatorFormat, names[m.set.operatorFormat]))
	case verbSet:
		mode, ok := x.number(0, 0, 0, 4)
		format, ok2 := x.number(1, m.set.operatorFormat, 0, 2)
		if !ok || !ok2 {
			return cme(50)
		}
		m.set.operatorFormat = format
		if mode != 3 {
			m.radio.manual = mode == 2
		}
	default:
		return cme(50)
	}
	return resultOf(succeeded)
}

// indicators tells battery, signal, service and the like in one line.
func (m *machine) indicators(x *exec) result {
	switch x.verb {
	case verbTest:
		x.info(`+CIND: ("battchg",(0-5)),("signal",(0-5)),("service",(0,1)),("message",(0,1)),("call",(0,1)),("roam",(0,1)),("smsfull",(0,1))`)
	case verbRead:
		bit := map[bool]int{true: 1}
		receive, _ := m.storage(m.set.mem[2])
		x.info(fmt.Sprintf("+CIND: 5,4,%d,%d,0,0,%d", bit[m.registered(x.now)], bit[receive.unread() > 0], bit[receive.free() == nil]))
	default:
	}
	return resultOf(succeeded)
}

func (m *machine) networks(x *exec) result {
	switch x.verb {
	case verbTest:
		x.info("+WS46: (12,22,25,28)")
	case verbRead:
		x.info("+WS46: 25")
	default:
	}
	return resultOf(succeeded)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
