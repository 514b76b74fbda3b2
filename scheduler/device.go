package scheduler

import (
	"errors"
	"fmt"
)

// A Device is what planning needs to know of one device: 72 bytes, so that a million of them can be built and solved at once.
type Device struct {
	Number    uint32
	Weight    float32      // what it costs, relative to other devices, that the gateway's knowledge is an hour old, each hour
	Growth    float32      // bytes an hour that pile up between two statuses and go with the next one
	Power     float32      // milliwatts that contacts may take so that the battery lasts, see SparePower; 0: no battery
	Boost     float32      // factor on Weight during an episode of attention; 0 and 1: none
	Heard     uint32       // seconds since 1970 of the last contact; 0: never
	Updated   uint32       // seconds since 1970 of the last boot of new software; 0: none whose failure is still to be feared
	BoostEnds uint32       // seconds since 1970 at which the episode is expected to end
	Current   uint32       // seconds of the interval that the device runs: the last one it acknowledged; 0: unknown
	Status    uint16       // bytes of a status
	Policy    uint8        // place in Fleet.Policies
	Hazard    uint8        // place in Fleet.Hazards, plus 1; 0: updates are not feared
	Via       uint8        // place in Links of the link that the device uses now, plus 1; 0: unknown
	Battery   uint8        // percent, for LawBands; 0: unknown, taken for full
	Links     [MaxVias]Via // in the order in which chains fall back
	Quiet     uint16       // share of the contacts of its interval that quiet hours take from it, in 65535ths
	Rest      uint16       // minutes by which they raise the mean age of what is known of it
	Cap       Micros       // that it may spend in a month of 31 days; 0: no limit
}

// A Fleet is what is planned together because one budget pays for it. Devices are in ascending order of their numbers, so that sums do not depend
// on who collected them.
type Fleet struct {
	Links    []Link   // at most 255
	Policies []Policy // at most 256
	Hazards  []Hazard // at most 255
	Devices  []Device
}

// ErrFleet is wrapped by errors about a fleet, a policy or a budget that cannot be planned.
var ErrFleet = errors.New("cannot be planned")

// SparePower is Device.Power for a battery: the milliwatts that are left for contacts when energy millijoules shall last for life while the device
// takes idle milliwatts on its own. It fails if nothing is left.
func SparePower(energy float64, life Secs, idle float64) (float32, error) {
	spare := energy/float64(life) - idle
	if life <= 0 || !(spare > 0) {
		return 0, fmt.Errorf("battery of %.0f mJ for %.0f h beside an idle power of %.3f mW: %w", energy, life.Hours(), idle, ErrFleet)
	}
	return float32(spare), nil
}

// Weigh is the device's weight at a moment: what it is in itself, more during an episode of attention, and the fear of what was just installed.
func (f *Fleet) Weigh(d *Device, now Secs) float64 {
	w := float64(d.Weight)
	if d.Boost > 0 && now < Secs(d.BoostEnds) {
		w *= float64(d.Boost)
	}
	if d.Hazard > 0 && d.Updated > 0 {
		w += f.Hazards[d.Hazard-1].Weight(now - Secs(d.Updated))
	}
	return w
}
