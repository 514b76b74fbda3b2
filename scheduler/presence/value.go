package presence

import "github.com/godwit-gateway/godwit/scheduler"

// Stakes are what depends on knowing whether a device is dead.
type Stakes struct {
	Hour    scheduler.Micros // lost in each hour that a death is not noticed
	False   scheduler.Micros // lost by taking a living device for dead
	Poll    scheduler.Micros // price of a poll
	Verdict bool             // a rollout's verdict hangs on it: Hour includes what further exposure costs, and later polls are considered
}

// A Value is what a poll is worth, in Micros, and whether it is to be made.
type Value struct {
	Worth  float64 // expected loss that the answer saves
	Answer float64 // probability that a living device answers
	Dead   float64 // probability that it is dead now
	After  float64 // and after a poll that is not answered
	Poll   bool
}

// PollValue says whether polling the device now is worth its price.
func (m *Model) PollValue(d *Device, now int64, st Stakes) Value {
	s := m.Standing(d, now)
	v := Value{Dead: s.Dead, Answer: m.polls[min(int(d.link), len(m.polls)-1)].share(s.Missed)}
	if s.Class == Retired || s.Missed == 0 {
		return v
	}
	wait := float64(max(s.Closes-now, 0)) / hour
	loss := func(dead float64) float64 {
		return min(float64(float64(dead*float64(st.Hour))*wait), float64((1-dead)*float64(st.False)))
	}
	silence := v.Dead + float64((1-v.Dead)*(1-v.Answer))
	v.After = v.Dead / silence
	v.Worth = loss(v.Dead) - float64(silence*loss(v.After))
	first := s.Missed == 1 && d.flags&flagPolled == 0
	v.Poll = m.link(d.link).Wakeable && (first || st.Verdict) && v.Worth > float64(st.Poll)
	return v
}

// Polled says that the device is polled now. Whether it answers is told by Answered.
func (m *Model) Polled(d *Device, now int64) {
	s := m.Standing(d, now)
	d.flags |= flagPolled
	a := &m.polls[min(int(d.link), len(m.polls)-1)]
	a.asked[misses(s.Missed)] += 255 - int64(s.Dead*255) // the dead cannot answer
}

// Answered says that the device answered the poll: to be called before Contact.
func (m *Model) Answered(d *Device, now int64) {
	s := m.schedule(d)
	if d.flags&flagPolled == 0 {
		return
	}
	d.flags &^= flagPolled
	m.polls[min(int(d.link), len(m.polls)-1)].heard[misses(int(s.missed(now)))] += 255
}

// answers is how living devices answered polls after no, one, two and more misses, in 255ths.
type answers struct {
	asked, heard [4]int64
}

func misses(k int) int { return min(k, 3) }

// Before anything is measured: shares over a link with a page success of 0.8, as heavy as eight polls.
var usualAnswer = [4]float64{0.8, 0.57, 0.1, 0.06}

func (a *answers) share(k int) float64 {
	i := misses(k)
	return min((float64(8*usualAnswer[i])+float64(a.heard[i])/255)/(8+float64(a.asked[i])/255), 1)
}
