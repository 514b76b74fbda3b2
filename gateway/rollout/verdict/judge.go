package verdict

import (
	"errors"
	"fmt"

	"github.com/godwit-gateway/godwit/scheduler/presence"
)

// Place names a device: a small dense number that the caller gives.
type Place = uint32

// A Stratum is what devices have in common that are compared with each other.
type Stratum struct {
	Group
	Link uint8 // index in Config.Links
}

// A Group is what an update may harm while it spares others.
type Group struct {
	Product uint16
	From    uint16 // the version that the device ran when the rollout began, by any numbering of the caller
}

// A Config says what a rollout is judged by. The zero value of a probability is its default.
type Config struct {
	Alpha    float64 // probability of halting an update that does no harm; 0: 0.01
	Beta     float64 // probability of promoting one that harms a share of Excess; 0: 0.05
	Excess   float64 // share of lost devices that a wave must speak against before the next one opens; 0: 0.03
	Failures float64 // share of updates that may report a failure without harm; 0: 0.005
	Groups   []Group // those of the rollout's devices; further ones count in what is common to all
	Links    []presence.Link
	Bursts   []presence.Burst
}

// ErrConfig is wrapped by errors about a Config that cannot be used, ErrSnapshot by those about bytes that are no snapshot of this package.
var (
	ErrConfig   = errors.New("unusable configuration of a verdict")
	ErrSnapshot = errors.New("no snapshot of a verdict")
)

// A Judge weighs what is heard during one rollout. It belongs to one goroutine, or to who holds its lock.
type Judge struct {
	config Config
	now    int64
}

// New is a Judge for a rollout that starts now. What the living miss as usual is read from the model once, so that neither the rollout nor a restart
// changes what it is held against.
func New(now int64, c Config, m *presence.Model) (*Judge, error) {
	if len(c.Links) == 0 || len(c.Groups) == 0 {
		return nil, fmt.Errorf("%d links, %d groups: %w", len(c.Links), len(c.Groups), ErrConfig)
	}
	_ = m
	return &Judge{config: c, now: now}, nil
}

// Contact says that the device was heard now, and must be heard again after an interval: the longest that it may be running. 0: it need not be. All
// devices count that the rollout may be compared with, also those that it does not touch.
func (j *Judge) Contact(now int64, p Place, s Stratum, interval uint32) {}

// Assign says that a wave opens now with these devices. They are no controls any more from here on, heard or not.
func (j *Judge) Assign(now int64, places []Place) {}

// Start says that the device's last contact delivered the update, or announced the boot: it will be away for the downtime in seconds, then follows the
// burst, an index in Config.Bursts or -1 for none, until it is heard. Called again, as for a second try, it starts anew.
func (j *Judge) Start(now int64, p Place, burst int, downtime uint32) {}

// Report says how the update of a started device ended by its own word: confirmed, or failed or rolled back. Only the first word counts. A device
// that failed runs the old software, and its silence is not the update's any more.
func (j *Judge) Report(now int64, p Place, failed bool) {}

// Leave takes the device out of all comparisons, without a judgement: it was retired, updated otherwise, or moved.
func (j *Judge) Leave(now int64, p Place) {}

// Veto says that the link is out, or is back: missed contacts over it are no evidence meanwhile. The Judge sees outages among its controls by itself.
func (j *Judge) Veto(now int64, link uint8, on bool) {}

// Override says that an operator goes on in spite of the evidence. It is put aside and gathered anew, against a threshold twice as high as before.
func (j *Judge) Override(now int64) {}

// Poll lets time pass. How often it is called does not matter for what is decided, only for when.
func (j *Judge) Poll(now int64) {}

// Verdict is what is to be done with the rollout, by what was told so far.
func (j *Judge) Verdict() Verdict { return Verdict{} }

// Suspect is how likely the update is behind the silence of a device that was started and has missed a contact since; ok is false for any other.
func (j *Judge) Suspect(p Place) (s Suspicion, ok bool) { return Suspicion{}, false }
