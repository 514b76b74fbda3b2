package rollout

import (
	"time"

	"github.com/godwit-gateway/godwit/codec"
)

// An ActionKind says what an Action is.
type ActionKind uint8

// Kinds of actions. Those from ActCreated on are about a rollout, the others about a device.
const (
	ActStep       ActionKind = iota + 1 // a step became known
	ActConfirmed                        // the release runs, and the soak is over
	ActFailed                           // the device says that the update failed
	ActRolledBack                       // it ran the release, and runs something else
	ActOutside                          // it runs another version, without a rollout
	ActCreated
	ActSubmitted
	ActApproved
	ActDenied
	ActStarted
	ActWave    // a wave opened
	ActWarned  // the verdict warns, or warns no more
	ActSilence // more devices are silent than should be, or not any more
	ActHalted
	ActPaused
	ActResumed
	ActStopped
	ActCompleted
	ActRetried
	ActOverridden
)

// An Action is what the caller is to tell the world.
type Action struct {
	Kind    ActionKind
	Rollout ID
	Name    string // of the rollout
	Place   Place  // of those about a device
	Time    time.Time
	Product string
	Version string // of the release; of ActOutside, that runs
	From    string // the version before, if it is known

	Step       codec.UpdateStep // of ActStep
	Code       uint8            // of ActStep and ActFailed
	DeviceTime time.Time        // of ActStep, ActConfirmed, ActRolledBack: when it was
	Earliest   time.Time        // of ActRolledBack: it was after this

	Wave   int    // of ActWave: from 1; 0 is the one device of safe mode
	Warned bool   // of ActWarned and ActSilence: it is so; false: not any more
	Reason string // of ActWarned, ActSilence, ActHalted and what people did: a sentence
	Actor  Actor  // of what people did; the machine is ByMachine

	Audit *Authorisation // an entry for the chain, if the machine itself did this; nil otherwise
}
