package rollout

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/gateway/rollout/verdict"
)

// bricked are the shares of silenced devices for which a forecast says how likely it is that the rollout halts.
var bricked = [...]float64{0.01, 0.03, 0.1}

// nullSilence is the probability that a living device is silent through the programme after its boot, for forecasts: between the 0.0002 of short
// programmes on good links and the 0.005 of poor ones.
const nullSilence = 0.001

// Plan is what a rollout would be like. cost is what an offer and its answers to a device cost, in millionths of a currency; nil: nothing is known of
// costs. It changes nothing.
func (m *Machine) Plan(now time.Time, s Spec, cost func(at Place) (micros int64, currency string)) (Forecast, error) {
	p, err := m.Planning(now, s, cost)
	if err != nil {
		return Forecast{}, err
	}
	for p.Some(m.config.Fleet.Len()) {
	}
	return p.Forecast(), nil
}

// A Planning is a Plan in the making, of some devices at a time, so that frames need not wait until it is done. Each device counts as it is when it is
// looked at.
type Planning struct {
	m     *Machine
	r     *rollout // as it would be
	next  int      // place
	now   time.Time
	cost  func(at Place) (micros int64, currency string)
	reach [][]time.Duration // intervals of the devices of each wave; unknown ones are as long as can be
	found Forecast
}

// Planning begins a Plan.
func (m *Machine) Planning(now time.Time, s Spec, cost func(at Place) (micros int64, currency string)) (*Planning, error) {
	if err := m.checkSpec(&s); err != nil {
		return nil, err
	}
	p := &Planning{
		m: m, r: &rollout{head: head{ID: ID(m.numbers + 1), Spec: s, Numbers: []uint32{m.numbers + 1}}}, now: now, cost: cost,
		reach: make([][]time.Duration, len(s.Waves)), found: Forecast{Refused: map[string]int{}, Remarks: []string{}},
	}
	for i := range s.Waves {
		p.found.Waves = append(p.found.Waves, WaveForecast{Wave: i + 1, Strata: map[string]int{}, Cost: map[string]int64{}})
	}
	return p, nil
}

// Some looks at the next devices, so many at most. It reports whether there are more.
func (p *Planning) Some(most int) (more bool) {
	end := min(p.next+most, p.m.config.Fleet.Len())
	for ; p.next < end; p.next++ {
		p.add(Place(p.next)) //nolint:gosec // places are of 32 bits
	}
	return p.next < p.m.config.Fleet.Len()
}

// Forecast is what was found, once there are no more. It asks nothing of the machine, which may be used by others meanwhile: it takes a while.
func (p *Planning) Forecast() Forecast {
	p.sum()
	return p.found
}

// add adds a device.
func (p *Planning) add(at Place) {
	m, r, f := p.m, p.r, &p.m.facts
	m.config.Fleet.Facts(at, f)
	if f.Version == r.Spec.Version && f.Product == r.Spec.Product {
		p.found.Already++
		return
	}
	d, ok := r.member(p.now, at, f)
	if !ok {
		return
	}
	p.found.Devices++
	if d.wave == held {
		p.found.HeldOut++
		return
	}
	if reason, _ := m.admits(m.release(r), f, p.now); reason != NoReason {
		p.found.Refused[reason.String()]++
		return
	}
	w := &p.found.Waves[d.wave-1]
	w.Devices++
	link := "never heard"
	if !f.Last.IsZero() && f.Link >= 0 && f.Link < len(m.config.Links) {
		link = m.config.Links[f.Link]
	}
	w.Strata[link]++
	every := f.Interval
	if every <= 0 || f.Last.IsZero() {
		every = math.MaxInt64
	}
	p.reach[d.wave-1] = append(p.reach[d.wave-1], every)
	if p.cost != nil {
		if micros, currency := p.cost(at); currency != "" {
			w.Cost[currency] += micros
		}
	}
}

// sum adds the waves up and says what to expect of each.
func (p *Planning) sum() {
	s := &p.r.Spec
	for i := range p.found.Waves {
		w := &p.found.Waves[i]
		w.Total = w.Devices
		if i > 0 {
			w.Total += p.found.Waves[i-1].Total
		}
		w.Reports = answers(p.reach[i], s.Waves[i].Reported)
		for _, q := range bricked {
			w.Power = append(w.Power, PowerForecast{Bricked: q, Power: verdict.Power(min(w.Total, powerMost), nullSilence, q, 1, alpha)})
		}
		if w.Reports < 0 {
			p.found.Remarks = append(p.found.Remarks, fmt.Sprintf("wave %d: it is not known how often enough of its devices call to say when %g %% will have reported", w.Wave, 100*s.Waves[i].Reported))
			w.Reports = 0
		}
	}
	if len(p.found.Waves) > 1 {
		need := verdict.Size(0.8, nullSilence, 0.03, 1, alpha, sizeMost)
		if first := p.found.Waves[0].Total; first < need {
			p.found.Remarks = append(p.found.Remarks, fmt.Sprintf("the first wave has %d devices; to see within it that 3 %% are silenced takes %d (with 80 %%)", first, need))
		}
	}
	if p.found.HeldOut == 0 {
		p.found.Remarks = append(p.found.Remarks, "no device is held out: once the last wave is open there is little left to compare with")
	}
	if p.found.Devices == 0 {
		p.found.Remarks = append(p.found.Remarks, "no device matches")
	}
}

// What forecasts of power are made for.
const (
	alpha     = 0.01
	powerMost = 2000 // devices; what more there are does not matter any more
	sizeMost  = 2000
)

// answers is after which time a share of devices should have reported: called for the offer, and once more with the new software. -1: it
// is not known how often they call.
func answers(every []time.Duration, share float64) time.Duration {
	if len(every) == 0 {
		return 0
	}
	slices.Sort(every)
	at := every[min(int(math.Ceil(share*float64(len(every)))), len(every))-1]
	if at == math.MaxInt64 {
		return -1
	}
	return at * time.Duration(2)
}
