package atmodem

import (
	"strconv"
	"strings"
	"time"
)

// A reply is what a command line is answered with.
type reply struct {
	blocks [][]string // information text: the lines of each command
	final  result
	step   Step
	took   time.Duration // by the network
}

// An exec is a command being executed.
type exec struct {
	command
	params
	reply *reply
	now   time.Time
}

// info adds a line of information text.
func (x *exec) info(parts ...string) {
	n := len(x.reply.blocks) - 1
	x.reply.blocks[n] = append(x.reply.blocks[n], strings.Join(parts, ""))
}

// A handler executes one command.
type handler struct {
	run func(m *machine, x *exec) result
	sim bool // needs the SIM, unlocked
	sms bool // errors are +CMS ERROR
}

// execute executes the commands of a line until one fails, and answers for all of them (V.250 §5.2.2).
func (m *machine) execute(now time.Time, line string) {
	m.stats.Commands++
	r := &reply{step: m.director.next(strings.ToUpper(line)), final: resultOf(succeeded)}
	if r.step.Do != ActNothing {
		m.stats.FaultsDone++
	}
	if r.step.Do == ActFail {
		m.fails = true
	}
	if !isEntry(line) && m.spared(r, line) {
		m.finish(now, r)
		return
	}
	commands, err := parseLine(line)
	for i := range commands {
		c := &commands[i]
		r.blocks = append(r.blocks, nil)
		r.final = m.run(&exec{command: *c, params: c.params(), reply: r, now: now})
		if r.final.kind == entering && i < len(commands)-1 {
			m.entry, r.final = nil, resultOf(failed) // nothing can follow a PDU
		}
		if r.final.kind != succeeded {
			break
		}
	}
	if err != nil && r.final.kind == succeeded {
		r.final = resultOf(failed)
	}
	if r.final.kind == entering {
		m.push(now, "\r\n> ", ActNothing)
		return
	}
	m.finish(now, r)
}

// spared tells whether a fault keeps a command from taking effect.
func (m *machine) spared(r *reply, line string) bool {
	if r.step.Applied {
		return false
	}
	switch r.step.Do {
	case ActMute, ActReboot, ActError:
		return true
	case ActUnplug: // replies that say something have to be made before they can be cut
		upper := strings.ToUpper(line)
		return strings.Contains(upper, "+CMGD=") || strings.Contains(upper, "+CMSS=")
	default:
		return false
	}
}

func (m *machine) run(x *exec) result {
	h, ok := lookUp(x.name)
	if !ok {
		if x.name[0] == '+' {
			return cme(4) // operation not supported
		}
		return resultOf(failed)
	}
	if h.sim && !m.sim.unlocked {
		return m.sim.refusal(h.sms)
	}
	if m.fails && aboutMessages[x.name] {
		return cms(cmsFailure)
	}
	return h.run(m, x)
}

// finish answers a command line, with what goes wrong about it.
func (m *machine) finish(now time.Time, r *reply) {
	s := &r.step
	if s.Do == ActError {
		r.blocks, r.final = nil, result{kind: kindOf(m.last), code: s.Code}
	}
	if r.final.kind != succeeded && r.final.kind != custom {
		m.stats.Errors++
	}
	pieces := m.render(r)
	if s.Do == ActURC {
		m.stats.URCs++
		m.held = append(m.held, "\r\n"+s.Text+"\r\n")
	}
	pieces = m.inject(pieces)
	text := strings.Join(pieces, "")
	if s.Do == ActGarbage {
		text = m.director.noise() + text
	}
	due := now.Add(m.director.faults.Reply.Draw(m.rng)).Add(r.took)
	then := ActNothing
	switch s.Do {
	case ActMute:
		text = ""
	case ActDelay:
		due = due.Add(s.For)
	case ActUnplug:
		m.push(due, text[:m.cut(pieces)], ActNothing)
		due = due.Add(travel)
		text, then = "", ActUnplug
	case ActReboot:
		text, then = "", ActReboot
	default:
	}
	m.free = due
	if text != "" || then != ActNothing {
		m.push(due, text, then)
	}
}

// travel is the time that bytes take to a program: what was sent before the cable was pulled has arrived.
const travel = 20 * time.Millisecond

// inject puts the held unsolicited lines between the lines of a reply.
func (m *machine) inject(pieces []string) []string {
	for _, u := range m.held {
		i := m.rng.IntN(max(1, len(pieces)))
		pieces = append(pieces[:i:i], append([]string{u}, pieces[i:]...)...)
	}
	m.held = m.held[:0]
	return pieces
}

// cut returns where a reply breaks off: inside of its longest line, which is a PDU if it has one.
func (m *machine) cut(pieces []string) int {
	before, longest, at := 0, 0, 0
	for _, p := range pieces {
		if len(p) > longest {
			longest, at = len(p), before
		}
		before += len(p)
	}
	if longest < 2 {
		return 0
	}
	return at + 1 + m.rng.IntN(longest-1)
}

// kindOf is how an error of a command line is told.
func kindOf(line string) resultKind {
	if isSMS(line) {
		return cmsError
	}
	return cmeError
}

// aboutMessages are the commands that touch messages. The settings of the service are no part of what can fail.
var aboutMessages = map[string]bool{"+CMGL": true, "+CMGR": true, "+CMGD": true, "+CMGS": true, "+CMGW": true, "+CMSS": true}

// smsCommands fail with +CMS ERROR (3GPP TS 27.005 §3.2.5).
var smsCommands = []string{"+CMG", "+CMS", "+CNM", "+CPMS", "+CSCA", "+CSMS", "+CSMP", "+CSDH", "+CMMS", "+CSCB", "+CSAS", "+CRES"}

func isSMS(line string) bool {
	line = strings.ToUpper(line)
	for _, c := range smsCommands {
		if strings.Contains(line, c) {
			return true
		}
	}
	return false
}

// needsSIM tells whether a command line has business with the SIM.
func needsSIM(line string) bool {
	return isSMS(line) || strings.Contains(line, "+CIMI") || strings.Contains(line, "+CPBR") || strings.Contains(line, "+CNUM")
}

func codeSIMBusy(line string) int {
	if isSMS(line) {
		return 314
	}
	return 14
}

// isEntry tells whether a command line asks for a PDU.
func isEntry(line string) bool {
	line = strings.ToUpper(line)
	return strings.Contains(line, "+CMGS=") || strings.Contains(line, "+CMGW=") && !strings.Contains(line, "+CMGW=?")
}

// render turns a reply into text, in pieces between which nothing belongs together but by order.
func (m *machine) render(r *reply) []string {
	if m.set.quiet && r.final.kind != custom {
		return m.information(r)
	}
	return append(m.information(r), m.final(r.final))
}

func (m *machine) information(r *reply) []string {
	end := m.set.end()
	var pieces []string
	for _, block := range r.blocks {
		for i, line := range block {
			if i == 0 && m.set.verbose {
				line = end + line
			}
			pieces = append(pieces, line+end)
		}
	}
	return pieces
}

func (m *machine) final(f result) string {
	text, number := f.text(m.set.errors)
	if m.set.verbose {
		return m.set.end() + text + m.set.end()
	}
	if number >= 0 {
		text = strconv.Itoa(number)
	}
	return text + m.set.end()[:1]
}
