package scheduler

// An Explanation is why a device is to run an interval: everything that the sentence of String says, for those who show it otherwise.
type Explanation struct {
	Decision
	Currency     string        // as the caller names it; "": none is written
	Law          Law           //
	S            float64       // as Plan.S
	Tail         int           // 1: the square-root law
	Cost         float64       // money of a contact, its bytes from an allowance at the worth of a byte
	Weight       float64       // at this moment
	Base         float64       // Device.Weight
	Loss         float64       // mean age over interval, by losses: the loss factor
	Ideal        Secs          // what the law says without limits and billing steps
	Aim          Secs          // what it says with them, on the grid
	Limits       []Limit       // that there are
	Link         string        // of the aim
	Beaten       []Beaten      // its other links
	Scarce       bool          // money is scarce; otherwise Value is 0
	Value        Micros        // of a weighted stale-hour
	Pool         string        // whose bytes the contact takes; "": none
	PoolReserve  float64       // share of the allowance that is kept back
	Alternatives []Alternative // other intervals
	Was          Secs          // that the device runs; 0: unknown
	Kept         bool          // it is to keep it
	Must         bool          // it runs what it may not
	Worth        float64       // of the change, in downlinks; 0 if nothing would be gained, or telling is free
	Free         bool          // telling is free
	Tolerance    Secs          // by which its next contact may be early or late
	Hours        string        // in which it is to say nothing, as the caller names them; "": none
	Quiet        float64       // share of its contacts that they take from it, which Cost leaves out
	Rest         Secs          // by which they raise the mean age of what is known of it
	Burst        []uint16      // minutes after the boot of an update
}

// A Limit is one limit of an interval.
type Limit struct {
	Name  string
	Every Secs
	Lower bool
	Holds bool // the ideal interval lies beyond it
}

// A Beaten is a link that was not chosen.
type Beaten struct {
	Link    string
	NoCover bool
	Ratio   float64 // of its burden to that of the chosen one
}

// An Alternative is what another interval over the same link would change.
type Alternative struct {
	Every Secs
	Money Micros // more in a mean month
	Age   Secs   // more of mean age
}

// Explain is Decide with its reasons. b is the budget that was solved for.
func Explain(p *Plan, f *Fleet, b *Budget, d *Device, o Occasion) Explanation {
	at := prices{money: p.Price(), pools: p.Pools, links: p.LinkPools}
	var now, later [MaxVias]entry
	ways := now[:f.ways(&now, d, f.Weigh(d, o.Now), at.links)]
	var j judgement
	ways = f.judge(&j, &at, d, o, ways, &later)
	pol := &f.Policies[d.Policy]
	x := Explanation{Decision: j.Decision, Law: pol.Law, S: p.S, Was: Secs(d.Current), Base: float64(d.Weight), Weight: f.Weigh(d, o.Now), Scarce: p.S > 0, Value: p.Value}
	if j.best.via < 0 {
		return x
	}
	c, e := &j.best, &ways[j.best.via]
	var y way
	f.way(&y, d, at.links, c.via)
	x.Tail, x.Loss, x.Aim, x.Kept, x.Must = int(e.tail), y.g, j.aim, j.Send == SendNone, j.must
	x.Cost = c.money
	if at.money > 0 {
		x.Cost = c.price / at.money
	}
	x.Link = f.Links[d.Links[c.via].Link-1].Name
	if e.fixed {
		x.Ideal = pol.every(d, int(d.Links[c.via].Link)-1)
	} else {
		x.Ideal = seconds(spacing(e.weight, c.price, int(e.tail)))
	}
	x.Limits = f.limitsOf(d, &y, c.via, x.Ideal)
	x.Beaten = f.beaten(d, c, &at, ways)
	x.Alternatives = alternatives(d, &y, j.aim)
	if pool := y.pool; pool >= 0 {
		x.Pool = p.Pools[pool].Pool
		for i := range b.Pools {
			if a := &b.Pools[i]; a.Pool == x.Pool && a.Left > 0 {
				x.PoolReserve = min(1, float64(a.Reserve)/float64(a.Left))
			}
		}
	}
	if x.Free = j.downlink == 0 && j.worth > 0; j.worth > 0 && !x.Free {
		x.Worth = j.worth / j.downlink
	}
	running := Secs(d.Current)
	if running == 0 {
		running = x.Interval
	}
	x.Tolerance = running / 20
	x.Quiet, x.Rest = d.quiet(), Secs(d.Rest)*60
	x.Burst = f.burst(d, c.money, y.p, at.money, pol, j.aim)
	return x
}

// burst is the programme that the next update of the device would carry.
func (f *Fleet) burst(d *Device, money, p, price float64, pol *Policy, every Secs) []uint16 {
	if pol.Burst != nil {
		return pol.Burst
	}
	var h *Hazard
	if d.Hazard > 0 {
		h = &f.Hazards[d.Hazard-1]
	}
	return Burst(h, micros(money), p, price, every)
}

// seconds rounds a length in hours; what has no end is the longest that a device can be told.
func seconds(hours float64) Secs { return Secs(min(float64(3600*hours), 1<<32-1) + 0.5) }

func (f *Fleet) limitsOf(d *Device, y *way, via int, ideal Secs) []Limit {
	pol, l := &f.Policies[d.Policy], &f.Links[d.Links[via].Link-1]
	var out []Limit
	add := func(name string, every Secs, lower bool) {
		out = append(out, Limit{Name: name, Every: every, Lower: lower, Holds: lower && ideal < every || !lower && ideal > every})
	}
	if pol.Law == LawPrice {
		add("policy", pol.shortest(), true)
	}
	if l.MinGap > 0 {
		add("link", l.MinGap, true)
	}
	if d.Power > 0 {
		add("battery", seconds(y.battery(d)), true)
	}
	if d.Cap > 0 {
		add("monthly cap", seconds(y.capped(d, 0.01)), true)
	}
	if pol.Law != LawPrice {
		return out
	}
	add("policy", pol.longest(), false)
	if l.MaxGap > 0 {
		add("link", l.MaxGap, false)
	}
	if pol.Stale > 0 {
		add("service level", seconds(y.service(pol)), false)
	}
	return out
}

func (f *Fleet) beaten(d *Device, best *choice, at *prices, ways []entry) (out []Beaten) {
	for i := range ways {
		if i == best.via {
			continue
		}
		b := Beaten{Link: f.Links[d.Links[i].Link-1].Name, NoCover: ways[i].far}
		var c choice
		f.consider(&c, d, &ways[i], at, i)
		b.Ratio = c.burden / best.burden
		out = append(out, b)
	}
	return out
}

// alternatives are what half and twice the interval, and a day, would change.
func alternatives(d *Device, y *way, aim Secs) (out []Alternative) {
	month := func(every Secs) float64 {
		return y.full(size(d, every.Hours())) * MonthHours / every.Hours()
	}
	for _, every := range []Secs{aim / 2, 24 * 3600, aim * 2} {
		if every <= 0 || Nearest(every) == Nearest(aim) {
			continue
		}
		out = append(out, Alternative{Every: every, Money: micros(month(every) - month(aim)), Age: Secs(y.g * float64(every-aim))})
	}
	return out
}
