package entropy

import "math"

// Rates of learning, and bounds of what may be believed.
const (
	mixRate   = 0.02
	slowest   = 0.004 // of a context: it forgets after some hundred decisions
	trustFull = 20    // decisions after which a context's word counts in full
	certain   = 1.0 / 65536
)

// slot is what one context has seen of a decision.
type slot struct {
	one  float64 // probability of a one
	seen float64
}

func (s *slot) learn(bit float64) {
	s.seen++
	s.one += (bit - s.one) * math.Max(1/(s.seen+1.5), slowest)
	s.one = min(max(s.one, 1e-5), 1-1e-5)
}

// name identifies a decision: of which field, and which of its decisions.
type name struct {
	field    int16
	decision int16
}

// key identifies a slot: a decision, the number of a context and its value.
type key struct {
	name
	context int16
	value   int64
}

// mixer gives each decision a probability, adds up what that costs and learns from what it was.
type mixer struct {
	slots   map[key]*slot
	weights map[name][]float64
	bits    float64
	guessed bool // each decision was the likelier one

	inputs []float64
	used   []*slot
}

func newMixer() *mixer { return &mixer{slots: make(map[key]*slot), weights: make(map[name][]float64)} }

func stretch(p float64) float64 { return math.Log(p / (1 - p)) }
func squash(x float64) float64  { return 1 / (1 + math.Exp(-x)) }

// decide codes a decision that was predicted from contexts. The first context is always the decision alone.
func (m *mixer) decide(d name, contexts []int64, one bool) {
	m.inputs, m.used = append(m.inputs[:0], 0.3), m.used[:0]
	m.predict(key{name: d, context: -1})
	for i, v := range contexts {
		m.predict(key{name: d, context: int16(i), value: v})
	}
	w := m.weights[d]
	if w == nil {
		w = make([]float64, len(m.inputs))
		for i := range w {
			w[i] = 0.6 / float64(len(m.used))
		}
		w[0] = 0
		m.weights[d] = w
	}
	sum := 0.0
	for i, x := range m.inputs {
		sum += w[i] * x
	}
	p := min(max(squash(sum), certain), 1-certain)
	m.guessed = m.guessed && one == (p > 0.5)
	bit := 0.0
	if one {
		bit = 1
		m.bits -= math.Log2(p)
	} else {
		m.bits -= math.Log2(1 - p)
	}
	for i, x := range m.inputs {
		w[i] += mixRate * (bit - p) * x
	}
	for _, s := range m.used {
		s.learn(bit)
	}
}

// predict adds the word of a context: once as it is, and once as far as it has been seen.
func (m *mixer) predict(k key) {
	s := m.slots[k]
	if s == nil {
		s = &slot{one: 0.5}
		m.slots[k] = s
	}
	x := stretch(s.one)
	m.inputs = append(m.inputs, x, x*min(1, s.seen/trustFull))
	m.used = append(m.used, s)
}

// plain codes bits that nothing is known of.
func (m *mixer) plain(bits float64) {
	m.bits += bits
	m.guessed = false
}
