package hub

import (
	"context"
	"fmt"

	"github.com/godwit-gateway/godwit/gateway/audit"
	"github.com/godwit-gateway/godwit/gateway/rollout"
)

// actorIn is who ordered a call, as the machine of rollouts knows actors. What the gateway does by itself it may do.
func actorIn(ctx context.Context) (rollout.Actor, error) {
	a := ActorOf(ctx)
	if a == audit.Gateway {
		return rollout.Actor{Name: a.Name, Role: rollout.Admin}, nil
	}
	role, err := rollout.ParseRole(a.Role)
	return rollout.Actor{Name: a.Name, Role: role}, err
}

// order has the machine do what somebody ordered, and writes that down. It is on disk when order returns; an error has changed nothing.
func (h *Hub) order(ctx context.Context, do func(by rollout.Actor) (rollout.Authorisation, error)) error {
	by, err := actorIn(ctx)
	if err != nil {
		return err
	}
	return h.do(ctx, func(c *commit) error {
		a, err := do(by)
		if err != nil {
			return err
		}
		h.authorised(c, ActorOf(ctx), a.What, a.Subject, joined(a.Remark, a.Detail))
		return nil
	})
}

// AddRelease makes a release known. That its manifest is signed by who may is for the caller to see to.
func (h *Hub) AddRelease(ctx context.Context, r rollout.Release) (rollout.Release, error) {
	if h.products[r.Product] == nil {
		return r, fmt.Errorf("%w: product %q is not configured: want one of %v", ErrQuery, r.Product, h.productNames())
	}
	var out rollout.Release
	err := h.order(ctx, func(by rollout.Actor) (a rollout.Authorisation, err error) {
		if a, err = h.rollouts.Register(h.clock.Now(), by, r); err == nil {
			out, err = h.rollouts.Release(r.Product, r.Version)
		}
		return a, err
	})
	return out, err
}

// WithdrawRelease takes a release back.
func (h *Hub) WithdrawRelease(ctx context.Context, product, version, remark string) (rollout.Release, error) {
	var out rollout.Release
	err := h.order(ctx, func(by rollout.Actor) (a rollout.Authorisation, err error) {
		if a, err = h.rollouts.Withdraw(h.clock.Now(), by, product, version, remark); err == nil {
			out, err = h.rollouts.Release(product, version)
		}
		return a, err
	})
	return out, err
}

// CreateRollout makes a rollout, as a draft.
func (h *Hub) CreateRollout(ctx context.Context, s rollout.Spec) (rollout.Summary, error) {
	var out rollout.Summary
	err := h.order(ctx, func(by rollout.Actor) (rollout.Authorisation, error) {
		id, a, err := h.rollouts.Create(h.clock.Now(), by, s)
		if err == nil {
			out, err = h.rollouts.Get(id)
		}
		return a, err
	})
	return out, err
}

// MoveRollout makes a move.
func (h *Hub) MoveRollout(ctx context.Context, id rollout.ID, m rollout.Move, remark string) (rollout.Summary, error) {
	if m == rollout.Start {
		return h.startRollout(ctx, id, remark)
	}
	var out rollout.Summary
	err := h.order(ctx, func(by rollout.Actor) (rollout.Authorisation, error) {
		a, err := h.rollouts.Act(h.clock.Now(), by, id, m, remark)
		if err == nil {
			out, err = h.rollouts.Get(id)
		}
		return a, err
	})
	return out, err
}

// RetryRollout offers the release anew to devices that failed, declined, deferred or were given up; none named: to all of them. It returns how many
// that are.
func (h *Hub) RetryRollout(ctx context.Context, id rollout.ID, devices []string, remark string) (n int, err error) {
	err = h.order(ctx, func(by rollout.Actor) (a rollout.Authorisation, err error) {
		numbers := make([]uint32, 0, len(devices))
		for _, ref := range devices {
			i, err := h.find(ref)
			if err != nil {
				return a, err
			}
			numbers = append(numbers, h.fleet.Head(i).Number)
		}
		n, a, err = h.rollouts.Retry(h.clock.Now(), by, id, numbers, remark)
		return a, err
	})
	return n, err
}
