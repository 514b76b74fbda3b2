package rollout

import (
	"fmt"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/gateway/rollout/verdict"
)

// rule is what a move needs, and where it leads.
type rule struct {
	from   []State
	to     State
	role   Role
	other  bool // somebody else than who created and submitted it
	remark bool
	act    ActionKind
}

var rules = map[Move]rule{
	Submit:   {from: []State{Draft}, to: Submitted, role: Operator, act: ActSubmitted},
	Approve:  {from: []State{Submitted}, to: Approved, role: Approver, other: true, remark: true, act: ActApproved},
	Deny:     {from: []State{Submitted}, to: Denied, role: Approver, other: true, remark: true, act: ActDenied},
	Start:    {from: []State{Approved}, to: Running, role: Operator, act: ActStarted},
	Pause:    {from: []State{Running}, to: Paused, role: Operator, act: ActPaused},
	Resume:   {from: []State{Paused}, to: Running, role: Operator, act: ActResumed},
	Halt:     {from: []State{Running, Paused}, to: Halted, role: Operator, remark: true, act: ActHalted},
	Override: {from: []State{Halted}, to: Running, role: Approver, other: true, remark: true, act: ActOverridden},
	Advance:  {from: []State{Running}, to: Running, role: Approver, other: true, remark: true},
	Stop:     {from: []State{Draft, Submitted, Approved, Running, Paused, Halted}, to: Stopped, role: Operator, act: ActStopped},
}

// allowed reports why an actor may not make a move.
func (r *rollout) allowed(by Actor, move Move, remark string) error {
	x, ok := rules[move]
	if !ok {
		return fmt.Errorf("move %d: %w", move, ErrUnknown)
	}
	subject := fmt.Sprintf("%s rollout %d", move, r.ID)
	switch {
	case by.Name == "" || by.Name == ByMachine || by.Role < x.role:
		return fmt.Errorf("%s as %q, %s: %w", subject, by.Name, by.Role, ErrForbidden)
	case x.other && (by.Name == r.By || by.Name == r.Submitter):
		return fmt.Errorf("%s as %q: %w", subject, by.Name, ErrSameActor)
	case x.remark && remark == "":
		return fmt.Errorf("%s: %w", subject, ErrRemark)
	case len(remark) > textMax:
		return fmt.Errorf("%s: remark of %d bytes, %d are the most: %w", subject, len(remark), textMax, ErrInvalid)
	case !slices.Contains(x.from, r.State):
		return fmt.Errorf("%s that is %s: %w", subject, r.State, ErrState)
	}
	return nil
}

// Act makes a move. An error changes nothing.
func (m *Machine) Act(now time.Time, by Actor, id ID, move Move, remark string) (Authorisation, error) {
	r := m.rollouts[id]
	if r == nil {
		return Authorisation{}, fmt.Errorf("rollout %d: %w", id, ErrUnknown)
	}
	if err := r.allowed(by, move, remark); err != nil {
		return Authorisation{}, err
	}
	m.now = now
	if err := m.possible(r, move); err != nil {
		return Authorisation{}, err
	}
	if move == Start {
		return m.start(now, by, id, remark)
	}
	was := r.State
	a := m.moved(now, by, r, move, remark)
	switch move {
	case Submit:
		r.Submitter = by.Name
	case Approve:
		r.Approver = by.Name
	case Override:
		// What people halted by themselves costs no evidence. A version that is held would be held again at once.
		if r.judge.Verdict().Action == verdict.Halt || len(r.Held) > 0 {
			r.judge.Override(now.Unix())
			m.dirty.judge(r.ID)
		}
		r.Warned, r.Held = false, nil
	case Advance:
		m.openWave(now, r, by)
	case Stop:
		m.end(now, r, was)
	default:
	}
	return a, nil
}

// start is a start at once.
func (m *Machine) start(now time.Time, by Actor, id ID, remark string) (Authorisation, error) {
	s, err := m.Starting(now, by, id, remark)
	if err != nil {
		return Authorisation{}, err
	}
	defer s.Cancel()
	for s.Some(m.config.Fleet.Len()) {
	}
	s.Sort()
	return s.Begin(now)
}

// moved brings a rollout where a move leads.
func (m *Machine) moved(now time.Time, by Actor, r *rollout, move Move, remark string) Authorisation {
	a := Authorisation{Time: now, Actor: by, What: "rollout." + move.String(), Subject: r.subject(), Remark: remark, Detail: r.line()}
	x := rules[move]
	r.enter(now, x.to)
	r.Reason = remark
	r.note(now, by, a.What, remark)
	m.dirty.head(r.ID)
	if x.act != 0 {
		m.tell(r, Action{Kind: x.act, Time: now, Reason: remark, Actor: by})
	}
	return a
}

// possible reports what else stands in the way of a move.
func (m *Machine) possible(r *rollout, move Move) error {
	switch move {
	case Submit, Approve, Start, Resume, Override, Advance:
		rel := m.release(r)
		if rel == nil {
			return fmt.Errorf("release %s %s: %w", r.Spec.Product, r.Spec.Version, ErrUnknown)
		}
		if !rel.Withdrawn.IsZero() {
			return fmt.Errorf("%s rollout %d: %s is withdrawn: %w", move, r.ID, rel.subject(), ErrState)
		}
		if move == Advance && r.opened() >= r.last() {
			return fmt.Errorf("%s rollout %d: all waves are open: %w", move, r.ID, ErrState)
		}
	default:
	}
	return nil
}

// Create makes a rollout, as a draft.
func (m *Machine) Create(now time.Time, by Actor, s Spec) (ID, Authorisation, error) {
	if by.Name == "" || by.Name == ByMachine || by.Role < Operator {
		return 0, Authorisation{}, fmt.Errorf("create a rollout as %q, %s: %w", by.Name, by.Role, ErrForbidden)
	}
	if err := m.checkSpec(&s); err != nil {
		return 0, Authorisation{}, err
	}
	if len(m.rollouts) >= rolloutsMax {
		return 0, Authorisation{}, fmt.Errorf("%d rollouts are the most: %w", rolloutsMax, ErrInvalid)
	}
	id := ID(m.number())
	r := &rollout{head: head{ID: id, Spec: s, State: Draft, By: by.Name, Created: now.UTC(), Numbers: []uint32{uint32(id)}}}
	r.note(now, by, "rollout.create", s.Remark)
	m.put(r)
	m.dirty.head(id)
	m.tell(r, Action{Kind: ActCreated, Time: now, Reason: s.Remark, Actor: by})
	return id, Authorisation{Time: now, Actor: by, What: "rollout.create", Subject: r.subject(), Remark: s.Remark, Detail: r.line()}, nil
}

// number is the next number on air: of a rollout, or of another try of one.
func (m *Machine) number() uint32 {
	m.numbers++
	for slices.Contains(m.reserved, m.numbers) {
		m.numbers++
	}
	return m.numbers
}

// subject names the rollout for the chain of audit.
func (r *rollout) subject() string { return fmt.Sprintf("rollout %d", r.ID) }

// line says in a sentence what is allowed or forbidden.
func (r *rollout) line() string {
	s := &r.Spec
	return fmt.Sprintf("%q: %s %s, %d waves, %g held out, soak %d, deadline %d, consent %t, safe %t, state %s",
		s.Name, s.Product, s.Version, len(s.Waves), s.HoldOut, s.Soak, s.Deadline, s.Consent, s.Safe, r.State)
}
