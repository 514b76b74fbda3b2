package demo

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/gateway/api"
	"github.com/godwit-gateway/godwit/gateway/rollout"
)

// soak is in how many contacts a truck must be heard with new software until that counts as confirmed.
const soak = 2

// A Rollout is how far the trucks' update has come, as the gateway knows it.
type Rollout struct {
	ID        uint32         `json:"id"`
	Version   string         `json:"version"`
	State     string         `json:"state"`
	Devices   int            `json:"devices"`
	Attempted int            `json:"attempted"` // that were sent an offer
	Standings map[string]int `json:"standings"` // devices by where they stand
}

// rollOut leads the trucks to the next release, once all are known: one person makes the rollout and starts it, another one approves it.
func (d *demo) rollOut(ctx context.Context, trucks []*member) error {
	if !d.known(ctx, trucks) {
		return nil
	}
	r, err := d.software.publish(d.release)
	if err != nil {
		return err
	}
	second, err := d.gateway.second(ctx)
	if err != nil {
		return err
	}
	first := d.gateway.client
	if err := first.Post(ctx, "/releases", nil, &api.ReleaseRequest{Manifest: r.signed, URL: r.url}, new(api.Release)); err != nil {
		return fmt.Errorf("make the release known: %w", err)
	}
	spec := api.RolloutSpec{Name: "trucks to " + r.version, Product: truckProduct, Version: r.version, Soak: soak, Consent: true, Remark: "the demo's update"}
	var made api.Rollout
	if err := first.Post(ctx, "/rollouts", nil, &spec, &made); err != nil {
		return fmt.Errorf("make the rollout: %w", err)
	}
	for _, move := range []struct {
		by     *api.Client
		move   rollout.Move
		remark string
	}{{first, rollout.Submit, ""}, {second, rollout.Approve, "looked at by a second person"}, {first, rollout.Start, ""}} {
		path := fmt.Sprintf("/rollouts/%d/%s", made.ID, move.move)
		if err := move.by.Post(ctx, path, nil, &api.RemarkRequest{Remark: move.remark}, &made); err != nil {
			return fmt.Errorf("%s the rollout: %w", move.move, err)
		}
	}
	d.rollout.Store(made.ID)
	d.o.Say("rollout %d leads the trucks to %s; try: %s --config %s rollout report %d", made.ID, r.version, d.o.Program, d.site.Config, made.ID)
	return nil
}

// known waits until the gateway knows all devices. It is false if the demo ends before.
func (d *demo) known(ctx context.Context, members []*member) bool {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if !slices.ContainsFunc(members, func(m *member) bool { _, err := d.gateway.node.Hub().Device(m.name); return err != nil }) {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-d.quiet:
			return false
		case <-tick.C:
		}
	}
}

// approver is the name of the token of another person.
const approver = "demo-approver"

// second is that person's client. Each demo makes the token anew, and keeps it to itself.
func (g *gateway) second(ctx context.Context) (*api.Client, error) {
	_ = g.client.Delete(ctx, "/tokens/"+approver) // an earlier demo may have left it
	var made api.NewToken
	if err := g.client.Post(ctx, "/tokens", nil, &api.TokenRequest{Name: approver, Role: "approver"}, &made); err != nil {
		return nil, fmt.Errorf("token of a second person: %w", err)
	}
	return api.NewClient(g.node.APIAddress(), made.Token), nil
}

// releases is how many the gateway knows of the trucks' software.
func (g *gateway) releases() (n int) {
	g.node.Hub().LookAtRollouts(func(_ time.Time, m *rollout.Machine) {
		for _, r := range m.Releases() {
			if r.Product == truckProduct {
				n++
			}
		}
	})
	return n
}

// view is a rollout as it stands; nil: there is none yet.
func (g *gateway) view(id uint32) (v *Rollout) {
	g.node.Hub().LookAtRollouts(func(_ time.Time, m *rollout.Machine) {
		s, err := m.Get(rollout.ID(id))
		if err != nil {
			return
		}
		v = &Rollout{
			ID: id, Version: s.Spec.Version, State: s.State.String(), Devices: s.Devices, Attempted: s.Attempted, Standings: make(map[string]int),
		}
		for standing, n := range s.Standings {
			v.Standings[standing.String()] = n
		}
	})
	return v
}

// String is how the rollout stands, for people.
func (r *Rollout) String() string {
	var parts []string
	for _, standing := range slices.Sorted(maps.Keys(r.Standings)) {
		parts = append(parts, fmt.Sprintf("%d %s", r.Standings[standing], standing))
	}
	return fmt.Sprintf("rollout %d to %s, %s: %d devices, %s", r.ID, r.Version, r.State, r.Devices, strings.Join(parts, ", "))
}
