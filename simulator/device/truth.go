package device

import (
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/codec"
)

// A What is something that an update did to a device, as it is and not as the device tells it.
type What uint8

// What an update can do.
const (
	Updated    What = iota + 1 // the new software runs and has proved itself
	Failed                     // the device said why, and runs what it ran
	Declined                   // by the owner, or nobody answered in time
	Deferred                   // by the owner, until a time
	Bricked                    // silent for good, at a step or long after the update
	Looping                    // starts again and again
	RolledBack                 // runs what it ran before, at once or after hours
	Draining                   // the new software empties the battery
	Drained                    // which ended the device
	Late                       // away for a while, and then back with the new software
	LogLost                    // the device forgot its steps, and tells none of this update any more
)

// String names what happened.
func (w What) String() string {
	names := [...]string{"nothing", "updated", "failed", "declined", "deferred", "bricked", "reboots in a loop", "rolled back", "drains its battery", "drained", "comes back late", "log lost"}
	return names[min(int(w), len(names)-1)]
}

// A Happening is something that an update did to a device: the truth, which no gateway knows.
type Happening struct {
	What    What
	At      time.Time
	Until   time.Time // of what ends: Deferred, Late
	Rollout uint32
	Version string           // that the update leads to
	Step    codec.UpdateStep // at which it happened
	Code    uint8            // of what the device says itself
}

// happeningsKept is how many are remembered: the last ones.
const happeningsKept = 64

// Happened is what updates did to the device since it was made, oldest first; restarts and lost memories change nothing of it.
func (d *Device) Happened() []Happening { return d.world.happened }

// notes notes the truth.
func (d *Device) notes(h *Happening) {
	w := d.world
	if len(w.happened) == happeningsKept {
		w.happened = slices.Delete(w.happened, 0, 1)
	}
	w.happened = append(w.happened, *h)
}

// happens notes what the update under way did.
func (d *Device) happens(w What, at, until time.Time, code uint8) {
	u := &d.update
	d.notes(&Happening{What: w, At: at, Until: until, Rollout: u.Rollout, Version: u.Version, Step: u.Stage, Code: code})
}
