package silence

import "math"

// A trend is the course of a battery: a line through its levels.
type trend struct {
	from  int64 // of the first level
	at    float64
	slope float64 // per day, below 0 where it falls
	noise float64 // standard deviation around the line
	mean  float64 // days of the levels' middle
	spent float64 // sum of squares around it
	n     float64
	empty float64
}

const secondsPerDay = 86400

// trend is the line through the last levels; ok is false if they are too few or too near together.
func (p *Power) trend() (t trend, ok bool) {
	levels := p.Levels[max(len(p.Levels)-LevelsMax, 0):]
	if len(levels) < 3 || p.Full <= p.Empty {
		return t, false
	}
	t = trend{from: levels[0].At, n: float64(len(levels)), empty: p.Empty}
	var level float64
	for _, l := range levels {
		t.mean += t.days(l.At) / t.n
		level += l.Value / t.n
	}
	var moved float64
	for _, l := range levels {
		x := t.days(l.At) - t.mean
		t.spent += float64(x * x)
		moved += float64(x * (l.Value - level))
	}
	if t.spent == 0 {
		return t, false
	}
	t.slope, t.at = moved/t.spent, level
	var around float64
	for _, l := range levels {
		d := l.Value - t.level(l.At)
		around += float64(d * d)
	}
	// A line through three points fits any: no battery is known better than to a hundredth of its scale.
	least := (p.Full - p.Empty) / 100
	t.noise = math.Sqrt(around/(t.n-2) + float64(least*least))
	return t, true
}

func (t *trend) days(at int64) float64 { return float64(at-t.from) / secondsPerDay }

// level is what the line says of a time.
func (t *trend) level(at int64) float64 { return t.at + float64(t.slope*(t.days(at)-t.mean)) }

// out is the probability that the battery is empty at a time: that a level predicted from the line, with its error, is below the limit.
func (t *trend) out(at int64) float64 {
	x := t.days(at) - t.mean
	error2 := float64(t.noise*t.noise) * (1 + 1/t.n + float64(x*x)/t.spent)
	return normal((t.empty - t.level(at)) / math.Sqrt(error2))
}

// normal is the distribution function of the normal distribution, by a logistic curve that is within 0.01 of it. math.Exp differs between processors.
func normal(z float64) float64 {
	low := shrink(1.702 * math.Abs(z))
	if z < 0 {
		return low / (1 + low)
	}
	return 1 / (1 + low)
}

// shrink is e^-x for x from 0 on, within a thousandth up to 8 and as good as nothing beyond 40.
func shrink(x float64) float64 {
	const doublings = 16
	if x > 40 {
		return 0
	}
	p := 1 - x/(1<<doublings)
	for range doublings {
		p *= p
	}
	return p
}
