package world

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/godwit-gateway/godwit/gateway/audit"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/rollout"
	"github.com/godwit-gateway/godwit/simulator/device"
)

// Two operators: what one of them wants, the other one must approve.
var (
	planner  = audit.Actor{Name: "planner", Role: "operator"}
	approver = audit.Actor{Name: "approver", Role: "approver"}
)

func (w *world) as(a audit.Actor) context.Context { return hub.WithActor(w.ctx, a) }

// Pauses of operators.
const (
	operatorBack = 10 * time.Minute // where the gateway was down
	haltedAfter  = 3 * time.Hour    // until they do something about a halt
)

// planRollouts lays down what operators will do.
func (w *world) planRollouts() {
	for i := range w.setup.Releases {
		w.appoint(w.setup.Releases[i].At, func() error { return w.makeKnown(i) })
	}
	for i := range w.setup.Rollouts {
		r := &w.setup.Rollouts[i]
		w.appoint(r.At, func() error { return w.roll(r) })
	}
}

// appoint has operators do something, later where the gateway is down then.
func (w *world) appoint(after time.Duration, do func() error) {
	w.schedule.plan(w.setup.Start.Add(after), func() { w.meet(do) })
}

func (w *world) meet(do func() error) {
	if w.healing {
		return
	}
	if !w.gateway.up {
		w.schedule.plan(w.now.Add(operatorBack), func() { w.meet(do) })
		return
	}
	w.fail(do())
	w.gateway.transmit()
}

// makeKnown tells the gateway of a release. One that it knows of already, it knew before its disk was an older copy.
func (w *world) makeKnown(i int) error {
	r := w.updates.releases[i]
	if _, err := w.gateway.hub.AddRelease(w.as(approver), r); err != nil && !errors.Is(err, rollout.ErrExists) {
		return fmt.Errorf("%w: release %s: %w", ErrBroken, r.Version, err)
	}
	return nil
}

// roll creates a rollout, has it approved and starts it.
func (w *world) roll(r *Rollout) error {
	for i := range w.updates.releases { // a disk that was lost since took them along
		if w.updates.releases[i].Product == r.Product && w.setup.Releases[i].At <= r.At {
			if err := w.makeKnown(i); err != nil {
				return err
			}
		}
	}
	h := w.gateway.hub
	s, err := h.CreateRollout(w.as(planner), r.Spec)
	if err != nil {
		return fmt.Errorf("%w: rollout %s: %w", ErrBroken, r.Name, err)
	}
	if _, err = h.MoveRollout(w.as(planner), s.ID, rollout.Submit, ""); err != nil {
		return fmt.Errorf("%w: submit rollout %s: %w", ErrBroken, r.Name, err)
	}
	if _, err = h.MoveRollout(w.as(planner), s.ID, rollout.Approve, "mine"); err == nil {
		return fmt.Errorf("%w: rollout %s was approved by who created it", ErrBroken, r.Name)
	}
	for _, m := range []rollout.Move{rollout.Approve, rollout.Start} {
		if _, err = h.MoveRollout(w.as(approver), s.ID, m, "as planned"); err != nil {
			return fmt.Errorf("%w: rollout %s, move %d: %w", ErrBroken, r.Name, m, err)
		}
	}
	w.noticed["rollout that was started"]++
	begun := w.now.Sub(w.setup.Start)
	for _, m := range r.Moves {
		w.appoint(begun+m.After, func() error { return w.move(s.ID, m.Move) })
	}
	if r.Halted != HaltedLeave {
		w.attend(s.ID, r)
	}
	return nil
}

// move is something that an operator tries, whether or not it is possible as things are.
func (w *world) move(id rollout.ID, m rollout.Move) error {
	var err error
	if m == 0 {
		_, err = w.gateway.hub.RetryRollout(w.as(planner), id, nil, "again")
	} else {
		_, err = w.gateway.hub.MoveRollout(w.as(approver), id, m, "by hand")
	}
	if err == nil {
		w.noticed["move of an operator in a rollout"]++
	}
	if err != nil && !errors.Is(err, rollout.ErrState) && !errors.Is(err, rollout.ErrUnknown) {
		return fmt.Errorf("%w: rollout %d, move %d: %w", ErrBroken, id, m, err)
	}
	return nil
}

// attend has an operator look at a rollout now and then, and do about a halt what is planned.
func (w *world) attend(id rollout.ID, r *Rollout) {
	w.schedule.plan(w.now.Add(haltedAfter), func() {
		w.meet(func() error {
			var s rollout.Summary
			var err error
			w.gateway.hub.LookAtRollouts(func(_ time.Time, m *rollout.Machine) { s, err = m.Get(id) })
			switch {
			case errors.Is(err, rollout.ErrUnknown), s.State == rollout.Stopped, s.State == rollout.Completed:
				return nil // it is over, or went with a disk
			case err != nil:
				return err
			case s.State == rollout.Halted && r.Halted == HaltedStop:
				return w.move(id, rollout.Stop)
			case s.State == rollout.Halted:
				err = w.move(id, rollout.Override)
			}
			w.attend(id, r)
			return err
		})
	})
}

// knowledge says that the gateway's disk was never another one, so that it knows all that it ever knew.
func (w *world) knowledge() bool {
	return w.faults[kindRestored]+w.faults[kindDisk]+w.faults[kindLoss] == 0
}

// checkRollouts holds what the gateway says of rollouts against what became of the devices.
func (w *world) checkRollouts() error {
	if len(w.setup.Rollouts) == 0 {
		return nil
	}
	var errs []error
	w.gateway.hub.LookAtRollouts(func(now time.Time, m *rollout.Machine) {
		for _, s := range m.List() {
			errs = append(errs, w.checkBands(now, m, s.ID), w.checkStandings(now, m, &s))
		}
	})
	return errors.Join(errs...)
}

// checkBands requires that adoption sums up, at each time and whatever was known.
func (w *world) checkBands(now time.Time, m *rollout.Machine, id rollout.ID) error {
	for _, asOf := range []time.Time{now, now.Add(-w.setup.Length / 2)} {
		points, err := m.Adoption(now, id, asOf, 6*time.Hour)
		if err != nil {
			return fmt.Errorf("%w: adoption of rollout %d: %w", ErrBroken, id, err)
		}
		for _, p := range points {
			if p.Confirmed < 0 || p.Progress < 0 || p.Ended < 0 || p.Unknown < 0 || p.Confirmed+p.Progress+p.Ended+p.Unknown != p.Attempted {
				return fmt.Errorf("%w: the bands of rollout %d do not sum: %+v", ErrBroken, id, p)
			}
		}
	}
	return nil
}

// checkStandings requires that who counts as updated was, and that nobody was touched who was held out.
func (w *world) checkStandings(now time.Time, m *rollout.Machine, s *rollout.Summary) error {
	devices, err := m.Devices(now, s.ID, func(*rollout.DeviceView) bool { return true })
	if err != nil {
		return fmt.Errorf("%w: devices of rollout %d: %w", ErrBroken, s.ID, err)
	}
	of := make(map[uint32]*mobile, len(w.fleet))
	for _, x := range w.fleet {
		if !x.clone {
			of[x.config.Number] = x
		}
	}
	for i := range devices {
		v := &devices[i]
		x := of[v.Number]
		if x == nil || x.life.cloned {
			continue
		}
		if err := w.checkStanding(v, x, s); err != nil {
			return fmt.Errorf("%w: rollout %d, device %d is %s: %w", ErrBroken, s.ID, v.Number, v.Standing, err)
		}
	}
	return nil
}

var (
	errNeverRan   = errors.New("it never ran the release")
	errRunsOther  = errors.New("it went back to another version, and was heard since")
	errWasDead    = errors.New("it was dead before it could have been confirmed")
	errWasHeldOut = errors.New("an update was done to it")
	errDidNot     = errors.New("that did not happen to it")
)

// fate is what updates to a version did to a device.
type fate struct {
	did   map[device.What]bool
	ended time.Time // when one ended it; zero: none did
	left  bool      // it was brought to another version since
}

func fateOf(x *mobile, version string) fate {
	f := fate{did: make(map[device.What]bool)}
	for _, h := range x.dev.Happened() {
		if h.Version != version {
			f.left = f.left || h.What == device.Updated && len(f.did) > 0
			continue
		}
		f.did[h.What] = true
		if h.What == device.Bricked || h.What == device.Drained {
			f.ended = h.At
		}
	}
	return f
}

// checkStanding holds where a device is said to stand against what happened to it.
func (w *world) checkStanding(v *rollout.DeviceView, x *mobile, s *rollout.Summary) error {
	if !w.knowledge() || w.faults[kindForgets] > 0 { // what a device has forgotten it runs no more
		return nil
	}
	f, runs := fateOf(x, s.Spec.Version), x.dev.Version() == s.Spec.Version
	ran := runs || f.did[device.Updated] || f.did[device.Late] || f.did[device.Looping] || f.did[device.LogLost]
	switch v.Standing {
	case rollout.HeldOut:
		if len(f.did) > 0 {
			return errWasHeldOut
		}
	case rollout.Confirmed:
		switch {
		case !ran:
			return errNeverRan
		case !f.ended.IsZero() && v.Ran.After(f.ended):
			return errWasDead
		case !runs && x.on && !f.left && !f.did[device.Looping]:
			return errRunsOther
		}
	case rollout.RolledBack:
		if !f.did[device.RolledBack] && !f.did[device.Looping] && !f.left {
			return errDidNot
		}
	case rollout.Failed:
		if !f.did[device.Failed] {
			return errDidNot
		}
	case rollout.Declined:
		if !f.did[device.Declined] {
			return errDidNot
		}
	default:
	}
	return nil
}
