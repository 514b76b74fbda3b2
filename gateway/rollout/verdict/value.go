package verdict

// Action is what is to be done with a rollout.
type Action uint8

// Actions. Halt stays until it is overridden; Warn holds the next wave back; Promote says that what is out speaks for opening it.
const (
	Continue Action = iota
	Promote
	Warn
	Halt
)

// Component is one way of gathering evidence.
type Component uint8

// The components.
const (
	Burst    Component = iota // B: silent in the burst after the update
	Cycle                     // B2: silent in a regular contact of the week after it
	Failure                   // what devices report themselves
	Paired                    // A1: against controls of the same stratum at the same time, whatever else happens
	Across                    // A2: against all others on the same link, which may be twice as good
	Historic                  // C: against what was usual before, and is in the controls now

	Components
)

// A Verdict is what the evidence says at one moment. Evidence is a factor: how much more likely what was seen is if the update does harm; 1 is none.
type Verdict struct {
	Action    Action
	Reasons   []string            // why, a line each, for people
	Evidence  [Components]float64 // now
	Peak      [Components]float64 // highest since the rollout began or was overridden
	Average   float64             // of the components, for display; 5 and more is a warning
	Threshold float64             // at which the evidence of a family halts: 1/alpha, twice that after an override
	Halted    int64               // when it was reached; 0: it was not
	By        Component           // and by which, the largest share
	Overrides int
	Groups    []Standing // in the order of Config.Groups
}

// A Standing is how a group does.
type Standing struct {
	Group
	Started  int     // devices that have got the update
	Resolved int     // of them, heard since
	Silent   int     // of them, silent now for longer than hardly any living device
	Failed   int     // of them, reported as failed
	Expected float64 // how many would be silent by the controls
	Low      float64 // 95 % of what would be expected lies from here ...
	High     float64 // ... to here
	Harm     float64 // share of devices that the update silences: mean of what is likely now
	Evidence float64 // that it does harm to this group
	Halt     bool    // the group is to be halted by itself
	Promote  bool    // less than Config.Excess are harmed, with an error of at most Config.Beta
}

// A Suspicion is about one silent device.
type Suspicion struct {
	Update  float64 // probability that the update silenced it
	Harm    float64 // share of devices of its group that it silences, mean of what is likely now
	Usual   float64 // probability that a device unharmed is silent as long
	Missed  int     // contacts missed since the update or the last contact after it
	Started int64
	Last    int64 // contact
}
