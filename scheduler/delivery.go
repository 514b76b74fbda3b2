package scheduler

// A Delivery learns how likely an attempt of one device over one link arrives. What is expected of the link counts as priorAttempts attempts; what
// was seen fades, so that the last memoryAttempts or so decide. The zero Delivery has seen nothing.
type Delivery struct {
	Arrived, Attempts float32
}

const (
	priorAttempts  = 20
	memoryAttempts = 200
)

// Observe adds attempts that were seen, of which some arrived: after a gap of k intervals, k and 1.
func (l *Delivery) Observe(attempts, arrived int) {
	for range min(attempts, 4*memoryAttempts) {
		l.Attempts = float32(l.Attempts*(1-1.0/memoryAttempts)) + 1
		l.Arrived = float32(l.Arrived * (1 - 1.0/memoryAttempts))
		if arrived > 0 {
			l.Arrived++
			arrived--
		}
	}
}

// Probability is what is believed, given what is expected of the link.
func (l *Delivery) Probability(link float64) float64 {
	return (float64(priorAttempts*link) + float64(l.Arrived)) / (priorAttempts + float64(l.Attempts))
}

// Via is Probability in the form of Via.Deliver.
func (l *Delivery) Via(link float64) uint16 {
	return uint16(min(max(float64(65535*l.Probability(link)), 1), 65535))
}
