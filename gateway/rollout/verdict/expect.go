package verdict

import "math"

// quantiles are 2.5 and 97.5 % of gamma distributions, by events. A verdict is asked for far more often than a control is silent, and they take long.
type quantiles [manyEvents + 1][2]float64

// of are those of so many events and a half.
func (q *quantiles) of(events int64) (low, high float64) {
	shape := float64(events) + 0.5
	if events > manyEvents {
		return gammaQuantile(shape, 0.025), gammaQuantile(shape, 0.975)
	}
	if q[events][1] == 0 {
		q[events] = [2]float64{gammaQuantile(shape, 0.025), gammaQuantile(shape, 0.975)}
	}
	return q[events][0], q[events][1]
}

// expect is how many events are to be expected at a risk if controls had so many at theirs: mean and 95 % interval of a gamma distribution, which
// begins with half an event at the usual hazard.
func (q *quantiles) expect(events int64, controls, risk float64) (mean, low, high float64) {
	scale := risk / (controls + 0.5)
	low, high = q.of(events)
	return float64((float64(events) + 0.5) * scale), float64(low * scale), float64(high * scale)
}

// manyEvents is from where on the cube-root approximation of Wilson and Hilferty is good to 3e-4.
const manyEvents = 200

// gammaQuantile is where the gamma distribution of a half-integer shape reaches p, which is 0.025 or 0.975.
func gammaQuantile(shape, p float64) float64 {
	if shape > manyEvents {
		z := 1.959963984540054
		if p < 0.5 {
			z = -z
		}
		c := 1 - 1/(9*shape) + z/(3*math.Sqrt(shape))
		return shape * float64(float64(c*c)*c)
	}
	low, high := 0.0, 2*shape+20
	for range 60 {
		middle := 0.5 * (low + high)
		if gammaBelow(shape, middle) < p {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}

// gammaBelow is the gamma distribution of a half-integer shape, by its series.
func gammaBelow(shape, x float64) float64 {
	log := -0.5 * ln(math.Pi) // of 1 / gamma(1/2), then of x^shape / gamma(shape+1)
	for a := 0.5; a <= shape; a++ {
		log -= ln(a)
	}
	log += float64(shape*ln(x)) - x
	term, sum := 1.0, 1.0
	for n := 1.0; term > 1e-16*sum; n++ {
		term *= x / (shape + n)
		sum += term
	}
	return exp(log) * sum
}
