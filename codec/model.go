package codec

// A model says how likely each decision of a field's delta is: one index into probabilities per decision and context. Its length and order
// are those of SPEC §3.2. An empty model in a template is defaultModel.
//
//	turned  2   measured where the base was not, or the reverse; by whether the base was
//	moved   4   differs from the prediction; by how much the field moved last
//	minus   3   below the prediction; by the direction of the last move
//	more    32  the residual is of a higher class than j; by how much the field moved last, and j (7: any higher)
//	half    6   upper half of class j, 1 to 6 and above
const (
	modelTurned = 0
	modelMoved  = modelTurned + 2
	modelMinus  = modelMoved + activities
	modelMore   = modelMinus + 3
	modelHalf   = modelMore + activities*moreClasses
	modelLen    = modelHalf + halfClasses

	activities  = 4
	moreClasses = 8
	halfClasses = 6
)

type model [modelLen]uint8

// probabilities of a zero in 1/4096: 4096 / (1 + e^(0.26 × (31.5 − i))), rounded, within 1 and 4095.
var probabilities = [64]uint32{
	1, 1, 2, 2, 3, 4, 5, 7, 9, 12, 15, 20, 26, 33, 43, 55, 72, 92, 119, 153, 196, 251, 319, 405, 510, 638, 791, 970, 1176, 1405, 1654, 1915,
	2181, 2442, 2691, 2920, 3126, 3305, 3458, 3586, 3691, 3777, 3845, 3900, 3943, 3977, 4004, 4024, 4041, 4053, 4063, 4070, 4076, 4081, 4084,
	4087, 4089, 4091, 4092, 4093, 4094, 4094, 4095, 4095,
}

// Decisions with the same model in every template.
const (
	modelRare  = 56 // a rare block follows
	modelGroup = 47 // a group is present where it was not, or the reverse
)

// defaultModel suits a reading that often stays and moves by a few steps when it moves.
var defaultModel = func() model {
	var m model
	m[modelTurned], m[modelTurned+1] = 55, 44
	copy(m[modelMoved:], []uint8{37, 30, 26, 24})
	for i := range 3 {
		m[modelMinus+i] = 32
	}
	for a := range activities {
		for j := range moreClasses {
			m[modelMore+a*moreClasses+j] = uint8(35 - 2*a + j/2)
		}
	}
	for i := range halfClasses {
		m[modelHalf+i] = 33
	}
	return m
}()

// activity says how much a field moved last: not at all, up to 2^spread, up to four times that, more.
func activity(moved int64, spread uint8) int {
	if moved < 0 {
		moved = -moved
	}
	switch {
	case moved == 0:
		return 0
	case moved <= 1<<spread:
		return 1
	case moved <= 4<<spread:
		return 2
	default:
		return 3
	}
}

// direction of the last move: none, down, up.
func direction(moved int64) int {
	switch {
	case moved < 0:
		return 1
	case moved > 0:
		return 2
	default:
		return 0
	}
}

// validModel reports whether all indices are into probabilities.
func validModel(m []byte) bool {
	for _, i := range m {
		if int(i) >= len(probabilities) {
			return false
		}
	}
	return true
}
