package radio

// luck is what chance holds for one payload: a single draw of the link's source, from which a number for each purpose is derived when it is
// asked for. So what is drawn for one purpose never depends on what was drawn for another one, and what no model asks for costs nothing.
type luck uint64

// purpose is what a number is drawn for.
type purpose uint64

const (
	byLoss purpose = iota
	byPause
	byDuplicate
	byReorder
	byDelay
	byHoldBack
	byCut
	byCutSize
	byPhase
	byJitter
	bySky
)

// uniform is the n-th number of a purpose, from [0, 1).
func (k luck) uniform(p purpose, n int) float64 {
	const bits = 53 // of a float64's fraction
	return float64(k.mix(p, n)>>(64-bits)) / (1 << bits)
}

// mix is the output function of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), its state being what is asked for.
func (k luck) mix(p purpose, n int) uint64 {
	x := uint64(k) + (uint64(p)<<32+uint64(n)+1)*0x9e3779b97f4a7c15 //nolint:gosec // a place in a sequence
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
