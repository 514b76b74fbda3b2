package rollout

import (
	"fmt"
	"slices"
	"strings"
)

// named gives a value its name; one that is not among them is its number.
func named[T ~uint8](names []string, v T) string {
	if int(v) < len(names) && names[v] != "" {
		return names[v]
	}
	return fmt.Sprint(uint8(v))
}

// parsed is named back.
func parsed[T ~uint8](what string, names []string, s string) (T, error) {
	if i := slices.Index(names, s); i >= 0 && s != "" {
		return T(i), nil
	}
	known := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == "" })
	return 0, fmt.Errorf("%s %q: %w, want one of %s", what, s, ErrUnknown, strings.Join(known, ", "))
}

var stateNames = []string{
	Draft: "draft", Submitted: "submitted", Approved: "approved", Denied: "denied", Running: "running", Paused: "paused", Halted: "halted",
	Stopped: "stopped", Completed: "completed",
}

// String names the state as the API does.
func (s State) String() string { return named(stateNames, s) }

// ParseState is String back.
func ParseState(s string) (State, error) { return parsed[State]("state", stateNames, s) }

// MarshalText writes the name.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads it.
func (s *State) UnmarshalText(b []byte) (err error) {
	*s, err = ParseState(string(b))
	return err
}

var roleNames = []string{Viewer: "viewer", Operator: "operator", Approver: "approver", Admin: "admin"}

// String names the role as the API does.
func (r Role) String() string { return named(roleNames, r) }

// ParseRole is String back.
func ParseRole(s string) (Role, error) { return parsed[Role]("role", roleNames, s) }

// MarshalText writes the name.
func (r Role) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads it.
func (r *Role) UnmarshalText(b []byte) (err error) {
	*r, err = ParseRole(string(b))
	return err
}

var moveNames = []string{
	Submit: "submit", Approve: "approve", Deny: "deny", Start: "start", Pause: "pause", Resume: "resume", Halt: "halt", Override: "override",
	Advance: "advance", Stop: "stop",
}

// String names the move as the API does.
func (m Move) String() string { return named(moveNames, m) }

var standingNames = []string{
	HeldOut: "held_out", Waiting: "waiting", Eligible: "eligible", Refused: "refused", Offered: "offered", Accepted: "accepted", Declined: "declined",
	Deferred: "deferred", Downloading: "downloading", Downloaded: "downloaded", Verified: "verified", Installing: "installing",
	Rebooting: "rebooting", Soaking: "soaking", Confirmed: "confirmed", RolledBack: "rolled_back", Failed: "failed", Expired: "expired",
	Superseded: "superseded", Outside: "outside",
}

// String names the standing as the API does.
func (s Standing) String() string { return named(standingNames, s) }

// ParseStanding is String back.
func ParseStanding(s string) (Standing, error) { return parsed[Standing]("standing", standingNames, s) }

// MarshalText writes the name.
func (s Standing) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads it.
func (s *Standing) UnmarshalText(b []byte) (err error) {
	*s, err = ParseStanding(string(b))
	return err
}

var reasonNames = []string{
	ReasonMemory: "memory", ReasonVersion: "version", ReasonNewer: "newer", ReasonProduct: "product", ReasonInactive: "inactive", ReasonOver: "over",
}

// String names the reason as the API does.
func (r Reason) String() string { return named(reasonNames, r) }

// ParseReason is String back.
func ParseReason(s string) (Reason, error) { return parsed[Reason]("reason", reasonNames, s) }

// MarshalText writes the name.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads it.
func (r *Reason) UnmarshalText(b []byte) (err error) {
	*r, err = ParseReason(string(b))
	return err
}

var actionNames = []string{
	ActStep: "update.step", ActConfirmed: "update.confirmed", ActFailed: "update.failed", ActRolledBack: "update.rolledback", ActOutside: "update.outside",
	ActCreated: "created", ActSubmitted: "submitted", ActApproved: "approved", ActDenied: "denied", ActStarted: "started", ActWave: "wave",
	ActWarned: "warned", ActSilence: "silence", ActHalted: "halted", ActPaused: "paused", ActResumed: "resumed", ActStopped: "stopped",
	ActCompleted: "completed", ActRetried: "retried", ActOverridden: "overridden",
}

// String is the kind of the event that tells of the action.
func (k ActionKind) String() string { return named(actionNames, k) }
