package scheduler

import (
	"math"
	"slices"
)

// maxRounds bounds how often links are chosen anew after prices have moved; fewProper is the share of a fleet whose choices are not worth another
// round.
const (
	maxRounds = 40
	maxDamped = 8 // with allowances
	fewProper = 10_000
)

// rounds chooses links and finds prices in turn until the choices made at the prices are those for which they were found.
//
// Where links cost money alone, what is spent falls as the price rises, but by jumps where devices change links, and the budget may lie within a
// jump: the search is kept between prices at which too much and too little is spent, and ends on the side that spends less, with the price at
// which that side spends the budget. With allowances, there are several prices. Then fewer and fewer devices may change, so that those that are
// indifferent settle on a mixture of links instead of running to and fro.
func (s *Solver) rounds(p *Plan, f *Fleet, b *Budget, pools []pool) {
	lo, hi, solved := 0.0, math.Inf(1), false
	target := float64(b.Money) * perUnit / MonthHours
	for p.Rounds++; ; p.Rounds++ {
		used := p.prices()
		choices, changed := s.load(f, used, p.Rounds, len(pools) > 0)
		if solved && changed <= len(f.Devices)/fewProper {
			return
		}
		if p.Rounds > 1 && len(pools) == 0 {
			if spent, _ := s.spend(used, nil, 1/p.S); spent > target {
				lo = max(lo, p.S)
			} else {
				hi = min(hi, p.S)
			}
		}
		s.price(p, b, pools)
		solved = true
		if !choices || b.Unlimited && len(pools) == 0 || p.Rounds >= maxRounds || p.Rounds >= maxDamped && len(pools) > 0 {
			return
		}
		if len(pools) > 0 || p.S > lo && p.S < hi || p.S >= maxScale || p.Rounds == 1 {
			continue
		}
		if hi <= lo*(1+1e-7) {
			p.S = hi
			s.load(f, p.prices(), 2, false)
			s.price(p, b, pools)
			return
		}
		solved = false
		switch {
		case lo == 0:
			p.S = hi / 4
		case math.IsInf(hi, 1):
			p.S = lo * 4
		default:
			p.S = math.Sqrt(lo) * math.Sqrt(hi)
		}
	}
}

// load makes an entry of each device's choice. It tells whether another choice was possible and how many have changed.
func (s *Solver) load(f *Fleet, at *prices, round int, damped bool) (choices bool, changed int) {
	s.members = append(s.members[:0], make([][]int32, len(at.pools))...)
	s.mixed = make([]bool, len(at.pools))
	s.sketch.from, s.sketch.to = 0, 0
	for i := range s.entries {
		e := &s.entries[i]
		if e.several() {
			choices = true
			d := &f.Devices[i]
			if !damped || round <= 2 || mix(d.Number, uint32(round))%uint32(round-1) == 0 { //nolint:gosec // at most maxRounds
				changed += s.choose(f, i, at)
			}
		}
		if e.pool >= 0 {
			s.members[e.pool] = append(s.members[e.pool], int32(i))
			s.mixed[e.pool] = s.mixed[e.pool] || e.money > 0
		}
	}
	return choices, changed
}

// choose makes a device's entry that of its best choice, and returns 1 if this is another than before.
func (s *Solver) choose(f *Fleet, i int, at *prices) (changed int) {
	e := &s.entries[i]
	via, money, bytes := e.via, e.money, e.bytes
	var c choice
	ways := s.waysOf(i)
	f.choose(&c, &f.Devices[i], ways, at)
	e.take(&c, ways)
	if e.via != via || e.money != money || e.bytes != bytes {
		return 1
	}
	return 0
}

// begin checks all devices and makes their entries.
func (s *Solver) begin(f *Fleet, links []int16, now Secs) error {
	s.now = now
	s.entries = slices.Grow(s.entries[:0], len(f.Devices))[:len(f.Devices)]
	s.ways = s.ways[:0]
	var y way
	for i := range f.Devices {
		if err := f.checkAt(i); err != nil {
			return err
		}
		d, e := &f.Devices[i], &s.entries[i]
		if d.Links[0].Link == 0 {
			*e = entry{pool: -1, via: -1}
			continue
		}
		weight := f.Weigh(d, now)
		f.way(&y, d, links, 0)
		f.enter(e, &y, d, weight, 0)
		e.links, e.ways = 1, int32(len(s.ways)) //nolint:gosec // devices are of 32 bits
		if d.Links[1].Link == 0 && !e.grows {
			e.tune()
			continue
		}
		e.links = uint8(f.ways(&s.later, d, weight, links)) //nolint:gosec // at most MaxVias
		s.ways = append(s.ways, s.later[:e.links]...)
	}
	return nil
}

// waysOf are the entries of a device's links.
func (s *Solver) waysOf(i int) []entry {
	e := &s.entries[i]
	if e.several() {
		return s.ways[e.ways : int(e.ways)+int(e.links)]
	}
	return s.entries[i : i+int(e.links)]
}
