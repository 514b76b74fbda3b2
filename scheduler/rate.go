package scheduler

// A Rate is what one more transmission costs in one direction: the form to which the terms of a tariff are brought for planning. The zero Rate is
// free.
type Rate struct {
	Fixed  Micros // for each transmission, whatever its size
	Header int    // bytes that are counted on top of each payload, before anything else
	Min    int    // bytes billed at least
	Inc    int    // what is billed is rounded up to multiples of so many bytes; 0 and 1: it is not
	Price  Micros // of Inc bytes
	Pool   string // the allowance from which the bytes come first; "": none
	Failed bool   // a transmission that never arrives is billed as well
}

// Billed is how many bytes are billed for a payload of a size in bytes.
func (r *Rate) Billed(size int) int {
	n := max(size+r.Header, r.Min)
	if r.Inc > 1 {
		n = (n + r.Inc - 1) / r.Inc * r.Inc
	}
	return n
}

// Cost is the price of a payload of a size in bytes.
func (r *Rate) Cost(size int) Micros {
	n := max(size+r.Header, r.Min)
	if r.Inc > 1 {
		n = (n + r.Inc - 1) / r.Inc
	}
	return r.Fixed + Micros(n)*r.Price
}

// Room is how many bytes a payload of a size may grow without costing more.
func (r *Rate) Room(size int) int { return r.Billed(size) - r.Header - size }
