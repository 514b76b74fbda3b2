package rollout

// held is the wave of devices that are held out.
const held = -1

// Lot is the place of a device in a rollout, 0 to 1: by chance, always the same, and unlike the one in any other rollout. It is the top 53 bits of a
// hash of both numbers (SplitMix64 over rollout<<32 | device, twice).
func Lot(id ID, number uint32) float64 {
	x := mix(mix(uint64(id)<<32 | uint64(number)))
	return float64(x>>11) / (1 << 53)
}

// mix is a step of SplitMix64 (Steele, Lea and Flood, 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// wave is the wave of a device, from 1, or held. The lots just below 1 are held out.
func (s *Spec) wave(lot float64) int8 {
	if lot >= 1-s.HoldOut {
		return held
	}
	share := lot / (1 - s.HoldOut)
	for i := range s.Waves {
		if share < s.Waves[i].Share {
			return int8(i) + 1
		}
	}
	return int8(len(s.Waves)) //nolint:gosec // as above
}
