package scheduler

// sketchWidth is how far from a scale a sketch reaches, by ratio.
const sketchWidth = 1.0625

// A sketch sums up the entries outside of pools between two scales: those that are at a limit throughout, those that are at none throughout, and the few
// of which neither is true. Between the scales the search for the price of money needs no more, and another price is found without another pass.
type sketch struct {
	from, to float64              // scales; 0, 0: there is no sketch
	bounded  float64              // money an hour of those at a limit
	free     [MaxTail + 1]float64 // by tail: money an hour at a price of one
	between  []int32              // places of entries
}

// draw makes the sketch about a scale, which is 1/r² in price.
func (k *sketch) draw(entries []entry, r float64) {
	*k = sketch{from: r / sketchWidth, to: r * sketchWidth, between: k.between[:0]}
	var low, high [MaxTail + 1]float64
	scale(&low, 1/(k.from*k.from))
	scale(&high, 1/(k.to*k.to))
	for i := range entries {
		e := &entries[i]
		if e.money == 0 || e.pool >= 0 {
			continue
		}
		from, to, least, most := e.q*low[e.tail], e.q*high[e.tail], 1/e.hi, 1/e.lo
		switch {
		case !(to > least): // as well where nothing is wanted at no price
			k.bounded += float64(e.money * least)
		case from >= most:
			k.bounded += float64(e.money * most)
		case from > least && to < most:
			k.free[e.tail] += float64(e.money * e.q)
		default:
			k.between = append(k.between, int32(i))
		}
	}
}

// spend is the money that its entries spend in an hour, and its slope over the logarithm of the scale.
func (k *sketch) spend(entries []entry, sc *scales) (sum, slope float64) {
	sum = k.bounded
	for tail := 1; tail <= MaxTail; tail++ {
		if k.free[tail] > 0 {
			spent := float64(k.free[tail] * sc.money[tail])
			sum += spent
			slope += float64(spent * slower[tail])
		}
	}
	for _, i := range k.between {
		s, b := entries[i].spend(sc)
		sum += s
		slope += b
	}
	return sum, slope
}

// spend is the money that the entry spends in an hour, and its slope over the logarithm of the scale.
func (e *entry) spend(sc *scales) (sum, slope float64) {
	rate, free := e.rate(sc)
	sum = float64(e.money * rate)
	if free {
		slope = float64(sum * slower[e.tail])
	}
	return sum, slope
}
