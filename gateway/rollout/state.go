package rollout

// A State is that of a rollout.
type State uint8

// States of a rollout. Denied, Stopped and Completed are final.
const (
	Draft State = iota + 1
	Submitted
	Approved
	Denied
	Running
	Paused
	Halted // by the machine, or by people because of what they saw
	Stopped
	Completed
)

// A Role is what an actor may do.
type Role uint8

// Roles, each with all rights of those before it. Nobody approves what the same name created or submitted.
const (
	Viewer Role = iota
	Operator
	Approver
	Admin
)

// An Actor is who wants something: the name of a token, and its role.
type Actor struct {
	Name string `json:"name"`
	Role Role   `json:"role"`
}

// ByMachine is the name under which the machine itself acts.
const ByMachine = "verdict"

// A Move is what people do to a rollout.
type Move uint8

// Moves.
const (
	Submit Move = iota + 1
	Approve
	Deny
	Start
	Pause
	Resume
	Halt
	Override // of a halt: it goes on, and what the verdict has seen so far counts no more
	Advance  // opens the next wave, whatever its gate says
	Stop
)
