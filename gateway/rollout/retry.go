package rollout

import (
	"fmt"
)

// triesMax is how often a rollout may be retried.
const triesMax = 200

// retried finds the devices that a retry is for.
func (m *Machine) retried(r *rollout, id ID, by Actor, numbers []uint32, remark string) (list []*device, err error) {
	switch {
	case r == nil:
		return nil, fmt.Errorf("rollout %d: %w", id, ErrUnknown)
	case by.Name == "" || by.Name == ByMachine || by.Role < Operator:
		return nil, fmt.Errorf("retry rollout %d as %q, %s: %w", id, by.Name, by.Role, ErrForbidden)
	case r.State != Running && r.State != Paused:
		return nil, fmt.Errorf("retry rollout %d that is %s: %w", id, r.State, ErrState)
	case len(remark) > textMax:
		return nil, fmt.Errorf("retry rollout %d: remark of %d bytes, %d are the most: %w", id, len(remark), textMax, ErrInvalid)
	case len(r.Numbers) >= triesMax:
		return nil, fmt.Errorf("retry rollout %d: %d tries are the most: %w", id, triesMax, ErrState)
	}
	if len(numbers) == 0 {
		for i := range r.devices {
			if d := &r.devices[i]; d.retriable() {
				list = append(list, d)
			}
		}
	}
	for _, n := range numbers {
		d := r.find(n)
		if d == nil {
			return nil, fmt.Errorf("retry rollout %d: device %d is not in it: %w", id, n, ErrUnknown)
		}
		if !d.retriable() {
			return nil, fmt.Errorf("retry rollout %d: device %d is %s: %w", id, n, d.standing, ErrState)
		}
		list = append(list, d)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("retry rollout %d: no device failed, declined, deferred or was given up: %w", id, ErrState)
	}
	return list, nil
}

func (d *device) retriable() bool {
	switch d.standing {
	case Failed, Declined, Deferred, RolledBack, Expired:
		return true
	case Superseded: // it is another rollout's
		return false
	default:
		return d.is(flagGivenUp) && d.standing != Confirmed && d.standing != Soaking
	}
}

func retryLine(list []*device, numbers []uint32) string {
	if len(numbers) == 0 {
		return fmt.Sprintf("all %d devices", len(list))
	}
	return fmt.Sprintf("%d devices, the first is %d", len(list), list[0].number)
}
