package codec

import "slices"

// IntervalCodes is how many interval codes there are.
const IntervalCodes = 64

// quarters are 15 minutes × 2^(j/4) in 2^-20 s, rounded.
var quarters = [4]uint32{943_718_400, 1_122_276_636, 1_334_619_360, 1_587_138_839}

// IntervalOfCode is the interval that a code below IntervalCodes stands for, in seconds: 15 minutes × 2^(code/4), rounded to a second (SPEC
// §4.4, F-079). They reach from 15 minutes to 574 days; the next one is 19 % longer.
func IntervalOfCode(code uint8) uint32 {
	return (quarters[code%4]>>(19-code/4%16) + 1) / 2
}

// CodeOfInterval is the code of an interval in seconds, if it has one.
func CodeOfInterval(seconds uint32) (code uint8, ok bool) {
	i, ok := slices.BinarySearch(intervals[:], seconds)
	return uint8(i), ok
}

var intervals = func() (all [IntervalCodes]uint32) {
	for code := range all {
		all[code] = IntervalOfCode(uint8(code))
	}
	return all
}()
