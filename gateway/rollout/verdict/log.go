package verdict

import "math"

// Logarithms and exponentials that give the same bits on every processor: math's are assembly on some, and compilers fuse multiplications and
// additions on others.

const (
	ln2Hi = 6.93147180369123816490e-01 // 32 bits, so that a multiple of it is exact
	ln2Lo = 1.90821492927058770002e-10
)

// ln is the natural logarithm of x > 0, within 1e-15 of it.
func ln(x float64) float64 {
	fraction, exponent := math.Frexp(x)
	if fraction < math.Sqrt2/2 {
		fraction *= 2
		exponent--
	}
	s := (fraction - 1) / (fraction + 1)
	square := float64(s * s)
	sum := 0.0
	for n := 23; n >= 1; n -= 2 {
		sum = 1/float64(n) + float64(sum*square)
	}
	k := float64(exponent)
	return float64(k*ln2Hi) + (float64(2*s*sum) + float64(k*ln2Lo))
}

// exp is e^x, within 1e-15 of it; at most e^700.
func exp(x float64) float64 {
	if x < -700 {
		return 0
	}
	x = min(x, 700)
	k := math.Floor(float64(x*(1/math.Ln2)) + 0.5)
	r := (x - float64(k*ln2Hi)) - float64(k*ln2Lo)
	sum := 1.0
	for n := 14; n >= 1; n-- {
		sum = 1 + float64(r*sum)/float64(n)
	}
	return math.Ldexp(sum, int(k))
}

// fixed is a number in units of 2^-40. Evidence and risk are added up in it, so that sums do not depend on the order in which devices were heard.
type fixed int64

const unit = 1 << 40

func fix(x float64) fixed { return fixed(math.Floor(float64(x*unit) + 0.5)) }

func (f fixed) float() float64 { return float64(f) / unit }
