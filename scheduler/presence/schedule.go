package presence

import "math"

// A Link is what must be known of a link to say when a contact over it is missed.
type Link struct {
	Name     string
	Grace    uint32 // seconds that a contact may be under way
	Jitter   uint16 // thousandths of the interval by which a device may be early or late
	Wakeable bool   // a device can be polled over it
}

// A Burst is a programme of contacts after an update, in seconds after the device is back, ascending.
type Burst []uint32

// A schedule is the contacts that a device owes: those of its burst that come before the first regular window, then the regular ones.
type schedule struct {
	origin  int64 // from which regular contacts count
	period  int64 // seconds; 0: none is owed
	other   int64 // the start of the pending schedule
	pending int64 // its period; 0: none
	grace   int64
	jitter  int64 // thousandths
	burst   Burst
	hush    *hush // nil: it has no quiet hours
}

func (m *Model) schedule(d *Device) schedule {
	l := m.link(d.link)
	s := schedule{
		origin: d.Last() + int64(d.delay), period: int64(d.every), pending: int64(d.pendingEvery),
		grace: int64(l.Grace), jitter: int64(l.Jitter), hush: m.hush(d),
	}
	if s.pending != 0 {
		p := m.link(d.pendingLink)
		s.grace, s.jitter = max(s.grace, int64(p.Grace)), max(s.jitter, int64(p.Jitter))
		s.other = max(s.origin, d.Last()+int64(d.after))
	}
	if d.Retired() || s.hush != nil && s.hush.awake == 0 {
		s.period = 0
	}
	if i := int(d.burst) - 1; i >= 0 && i < len(m.config.Bursts) && s.period != 0 {
		b, regular := m.config.Bursts[i], s.opens(1)
		for n := range b {
			if s.hush.quiet(s.origin + int64(b[n])) {
				b = b[:n+1] // one contact when they end is for all that fall into them, and who knows for how many after that
				break
			}
		}
		s.burst = b
		for n := len(b); n > 0 && s.closes(int64(n))-1 > regular; n = len(s.burst) {
			s.burst = b[:n-1]
		}
	}
	return s
}

// slack is by how much the k-th regular contact of a period may be early or late: jitters of three and more contacts add up like a random walk.
func (s *schedule) slack(k, period int64) int64 {
	spread := float64(k)
	if k > 3 {
		spread = math.Sqrt(float64(3 * k))
	}
	return int64(spread * float64(s.jitter*period/1000))
}

// due is when the k-th contact of a period since a time is due, by the device's own clock, which stands still in its quiet hours: then a short interval does not go
// on, and of a longer one what falls into them is due when they end.
func (s *schedule) due(since, k, period int64) int64 {
	if s.hush.covers(period) {
		return s.hush.own(since) + k*period
	}
	return s.hush.own(since + k*period)
}

// left is the time at which a window has closed by the device's own clock. Where a short interval, which it runs or may run, has led through quiet hours it is one
// interval later: whether the device says at their end what was due in them, or with the next contact, is its own affair.
func (s *schedule) left(own int64) int64 {
	at, h := s.hush.real(own), s.hush
	if at-s.origin == own-h.own(s.origin) {
		return at
	}
	for _, every := range [...]int64{max(s.period, s.pending), min(s.period, s.pending)} {
		if h.covers(every) {
			return h.real(own + every)
		}
	}
	return at
}

// most is an upper bound of the contacts of a period since a time that may be missed now.
func (s *schedule) most(since, period, now int64) int64 {
	if s.hush.covers(period) {
		return (s.hush.own(now) - s.hush.own(since)) / period
	}
	return (now - since) / period
}

// at is when opportunity k from 1 is expected, opens when its window opens, closes the first second at which it is missed.
func (s *schedule) at(k int64) int64 {
	if k <= int64(len(s.burst)) {
		return s.hush.real(s.promised(k))
	}
	k -= int64(len(s.burst))
	own := s.due(s.origin, k, s.period)
	if s.pending != 0 {
		own = max(own, s.due(s.other, k, s.pending))
	}
	return s.hush.real(own)
}

// promised is when contact k of the burst is due by the device's own clock.
func (s *schedule) promised(k int64) int64 { return s.hush.own(s.origin + int64(s.burst[k-1])) }

func (s *schedule) opens(k int64) int64 {
	if k <= int64(len(s.burst)) {
		return s.hush.real(s.promised(k))
	}
	k -= int64(len(s.burst))
	own := s.due(s.origin, k, s.period) - s.slack(k, s.period)
	if s.pending != 0 {
		own = min(own, s.due(s.other, k, s.pending)-s.slack(k, s.pending))
	}
	return s.hush.real(own)
}

func (s *schedule) closes(k int64) int64 {
	if k <= int64(len(s.burst)) {
		return s.hush.real(s.promised(k) + s.grace + 1)
	}
	k -= int64(len(s.burst))
	own := s.due(s.origin, k, s.period) + s.slack(k, s.period)
	if s.pending != 0 {
		own = max(own, s.due(s.other, k, s.pending)+s.slack(k, s.pending))
	}
	return s.left(own + s.grace + 1)
}

// missed is how many opportunities are missed now; more than maxRun are not told apart.
func (s *schedule) missed(now int64) int64 {
	if s.period == 0 {
		return 0
	}
	k := int64(0)
	for k < int64(len(s.burst)) && s.closes(k+1) <= now {
		k++
	}
	if k < int64(len(s.burst)) || s.closes(k+1) > now {
		return k
	}
	// Windows close at their time plus a slack that grows with k: the division is an upper bound, and the slack a few intervals at most.
	hi := s.most(s.origin, s.period, now)
	if s.pending != 0 {
		hi = min(hi, s.most(s.other, s.pending, now))
	}
	k = min(k+max(hi, 0), maxRun)
	for s.closes(k) > now {
		k--
	}
	return k
}

// Missed is how many contacts the device owes by now, and Window the next one: from when to when it is expected. The times are Never for a device
// that owes none.
func (m *Model) Missed(d *Device, now int64) int {
	s := m.schedule(d)
	return int(s.missed(now))
}

// Window is when the next contact is expected: from, to, and after closes it is missed.
func (m *Model) Window(d *Device, now int64) (opens, expected, closes int64) {
	s := m.schedule(d)
	if s.period == 0 {
		return Never, Never, Never
	}
	k := s.missed(now) + 1
	return s.opens(k), s.at(k), s.closes(k)
}

// Next is when the device's standing may change without its being heard: when Check is due.
func (m *Model) Next(d *Device, now int64) int64 {
	s := m.schedule(d)
	if s.period == 0 {
		return Never
	}
	k := s.missed(now)
	if k >= maxRun {
		return Never
	}
	return s.closes(edges[bin(k)+1])
}
