package verdict

// Power is how likely an update that silences a share of devices comes to what halts it within so many devices of one group, exactly, by silence in
// the burst alone: null is the probability that a living device is silent through it, weight the part of alpha that is staked on this group, 1 if
// there is no other. Devices are resolved one after the other.
func Power(devices int, null, share, weight, alpha float64) float64 {
	p := newPower(null, share, weight, alpha)
	for range devices {
		p.step()
	}
	return p.halted
}

// Size is the smallest number of devices whose Power is at least what is wanted; 0 if that is more than limit.
func Size(power, null, share, weight, alpha float64, limit int) int {
	p := newPower(null, share, weight, alpha)
	for n := 1; n <= limit; n++ {
		if p.step(); p.halted >= power {
			return n
		}
	}
	return 0
}

// A power follows a canary, device by device.
type power struct {
	silent    float64         // probability that a device is silent
	miss      [shares]float64 // logarithms of the evidence of a silent device and of one that was heard
	hear      [shares]float64
	threshold float64
	paths     []float64 // probability of so many silent ones, without a halt
	n         int
	halted    float64
}

func newPower(null, share, weight, alpha float64) *power {
	p := &power{silent: share + float64((1-share)*null), threshold: 1 / float64(alpha*weight), paths: []float64{1}}
	for i, q := range shareGrid {
		p.miss[i] = ln((q + float64((1-q)*null)) / null)
		p.hear[i] = ln(1 - q)
	}
	return p
}

// step adds a device.
func (p *power) step() {
	p.n++
	p.paths = append(p.paths, 0)
	for x := len(p.paths) - 1; x >= 0; x-- {
		p.paths[x] *= 1 - p.silent
		if x > 0 {
			p.paths[x] += float64(p.paths[x-1] * p.silent)
		}
		if p.paths[x] == 0 {
			continue
		}
		sum := 0.0
		for i := range shareGrid {
			sum += exp(float64(float64(x)*p.miss[i]) + float64(float64(p.n-x)*p.hear[i]))
		}
		if sum/shares >= p.threshold {
			p.halted += p.paths[x]
			p.paths = p.paths[:x]
		}
	}
}
