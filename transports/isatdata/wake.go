package isatdata

import (
	"slices"
	"time"
)

// wakePeriods are the wake-up periods of terminals by their code. Code 0 has no period of sleep: the terminal listens every 5 s.
var wakePeriods = [...]time.Duration{
	5 * time.Second, 30 * time.Second, time.Minute, 3 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Minute, 5 * time.Minute,
	15 * time.Minute, 20 * time.Minute,
}

// WakeCode returns the code of a period; false if terminals do not have it.
func WakeCode(period time.Duration) (code int, ok bool) {
	for code, p := range wakePeriods {
		if p == period {
			return code, true
		}
	}
	return 0, false
}

// WakePeriods returns the periods that terminals have, the shortest first.
func WakePeriods() []time.Duration {
	periods := slices.Clone(wakePeriods[:])
	slices.Sort(periods)
	return periods
}
