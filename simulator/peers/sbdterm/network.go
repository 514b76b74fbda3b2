package sbdterm

import "time"

// A session is one under way.
type session struct {
	name   string // of the command, for its answer
	ends   time.Time
	step   Step
	only   bool // it registers and does nothing else
	detach bool // no ring alert comes after it
}

// Statuses that sessions end with by themselves.
const (
	statusNoNetwork = 32
	statusTooSoon   = 36
)

// deliver gives a message to the network.
func (m *machine) deliver(now time.Time, msg MT) {
	m.queue = append(m.queue, msg)
	if m.ringAt.IsZero() {
		m.ringAt = now.Add(m.o.Ring)
	}
}

// ring sends a ring alert that is due. The network knows nothing of one that is not heard, and rings for the next message only, or after a session.
func (m *machine) ring(now time.Time) {
	if m.ringAt.IsZero() || now.Before(m.ringAt) {
		return
	}
	m.ringAt = time.Time{}
	m.stats.Rings++
	if !m.rings || !m.registered || m.sky == 0 || m.session != nil {
		m.stats.Deaf++
		return
	}
	m.ra = true
	m.urcs = append(m.urcs, "SBDRING")
}

// start starts a session. What the MT buffer holds is gone.
func (m *machine) start(now time.Time, s session) {
	if m.mt != nil && !s.only {
		m.stats.Overwritten++
		m.dropMT(Overwritten)
	}
	if len(m.script) > 0 && !s.only {
		s.step, m.script = m.script[0], m.script[1:]
	} else if m.rng.Float64() < m.o.Fail {
		s.step.MO = m.o.Statuses[m.rng.IntN(len(m.o.Statuses))]
	}
	if s.step.MO == 0 && m.sky == 0 {
		s.step.MO = statusNoNetwork
	}
	s.ends = now.Add(m.o.Session.Draw(m.rng))
	m.session = &s
	if !s.only {
		m.stats.Sessions++
	}
}

// dropMT empties the MT buffer.
func (m *machine) dropMT(o Outcome) {
	msg := *m.mt
	m.mt, m.read = nil, false
	if f := m.o.OnSettled; f != nil {
		m.calls = append(m.calls, func() { f(msg, o) })
	}
}

// finish ends the session that is under way.
func (m *machine) finish(now time.Time) {
	s := m.session
	m.session = nil
	switch {
	case s.only:
		m.finishRegistration(now, s)
		return
	case s.step.Power == PowerBefore:
		m.down(now)
		return
	}
	fields := m.talk(now, s)
	switch {
	case s.step.Power == PowerAfter:
		m.down(now)
	case s.step.Unplug:
		m.pull = true
	case !s.step.Mute:
		m.answer(s.name, fields...)
		m.result(true)
	}
}

// talk is what the network and the modem have to say to each other. It returns the fields of the answer.
func (m *machine) talk(now time.Time, s *session) []int {
	momsn := int(m.momsn)
	if s.step.MO >= 5 {
		m.stats.Failed++
		return []int{s.step.MO, momsn, 2, 0, 0, 0}
	}
	m.momsn++
	m.registered, m.ra, m.ringAt = !s.detach, m.ra && m.o.FlagStays, time.Time{}
	if m.mo != nil {
		m.stats.MOs++
		if f := m.o.OnMO; f != nil {
			mo := MO{Payload: append([]byte(nil), m.mo...), MOMSN: uint16(momsn), At: now} //nolint:gosec // it was one
			m.calls = append(m.calls, func() { f(mo) })
		}
	} else {
		m.stats.Checks++
	}
	if s.step.MTFail && len(m.queue) > 0 {
		m.waiting = len(m.queue)
		return []int{s.step.MO, momsn, 2, 0, 0, m.waiting}
	}
	if len(m.queue) == 0 {
		if m.mo == nil {
			m.stats.Empty++
		}
		m.waiting = 0
		return []int{s.step.MO, momsn, 0, 0, 0, 0}
	}
	msg := m.queue[0]
	m.queue = m.queue[1:]
	m.mt, m.read, m.mtmsn = &msg, false, int(m.number)
	m.number++
	m.waiting = len(m.queue)
	return []int{s.step.MO, momsn, 1, m.mtmsn, len(msg.Payload), m.waiting}
}

// finishRegistration ends what only registers.
func (m *machine) finishRegistration(now time.Time, s *session) {
	code := s.step.MO
	if !m.since.IsZero() && now.Sub(m.since) < m.o.Register {
		code = statusTooSoon
	}
	if code == 0 {
		m.since = now
		m.registered = true
		if len(m.queue) > 0 {
			m.ringAt = now.Add(m.o.Ring)
		}
	}
	m.answer("+SBDREG", m.registration(), code)
	m.result(true)
}

func (m *machine) registration() int {
	if m.registered {
		return 2
	}
	return 0
}

// held reports whether the session under way must not end.
func (m *machine) held() bool { return m.hold && !m.session.only }
