package silence

import "github.com/godwit-gateway/godwit/scheduler/presence"

// A Quiet is what is known of a device that is not heard. Only Now and Standing must be set: the zero value of any other field means that nothing is
// known there.
type Quiet struct {
	Now      int64
	Heard    bool // ever; Standing means something
	Standing presence.Standing
	Retired  bool // or rejected: nobody waits for it
	Outages  []Disturbance
	Power    Power
	Card     Card
	Update   Installation
}

// A Disturbance is an outage of what the device speaks over, as presence found it or an operator or transport says.
type Disturbance struct {
	Where       string // "link sms", "region 17", as people read it
	Since       int64
	Until       int64   // 0: it goes on
	Probability float64 // that a contact missed in it is missed because of it
}

// Power is what the device said of its battery.
type Power struct {
	Levels []Level // the last ones, oldest first; LevelsMax are enough
	Empty  float64 // at which it falls silent, in the unit of the levels; Full tells the scale
	Full   float64
	Unit   string // for people: "%", "V"
}

// LevelsMax is how many levels of a battery are looked at: the last ones.
const LevelsMax = 24

// A Level is one reading of a battery.
type Level struct {
	At    int64
	Value float64
}

// Card is what speaks for or against the device's card and contract.
type Card struct {
	Refused   int    // downlinks that its network refused for good since it was last heard (unknown or barred subscriber)
	Code      string // what it said last
	Delivered int64  // when the network last said that a downlink reached the device; 0: never

	Operator string // its operator, or the prefix of its number, as people read it; empty: unknown
	Peers    int    // other devices of that operator that owe a contact
	Silent   int    // of them, those that missed more than one
	Others   int    // devices of other operators on the same link that owe a contact
	Quiet    int    // of them, those that missed more than one
}

// An Installation is where the device is with an update.
type Installation struct {
	Rollout string // its name; empty: no update concerns the device
	Version string
	Step    string  // the last that it told, as codec.UpdateStep names it; empty: the offer was not answered
	Since   int64   // when it was at that step
	Judged  bool    // the verdict of the rollout has an opinion:
	Suspect float64 // how likely the update is the reason, of a device of its stratum that is silent as long as this one
}

// A Finding is what a silence is put down to.
type Finding struct {
	Class       Class            // the most likely
	Probability float64          // of it
	Shares      [Classes]float64 // probabilities by class; they sum to one
	Evidence    []string         // short sentences, the weightiest first
}
