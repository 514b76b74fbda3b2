package main

import (
	"fmt"

	"github.com/godwit-gateway/godwit/gateway/api"
)

// rolloutMove is what all moves take.
type rolloutMove struct {
	Rollout uint32 `arg:"" help:"Its number."`
	Remark  string `help:"Why; it stands in the book of authorisations." placeholder:"TEXT"`
}

// move makes the move that a path names.
func (c *rolloutMove) move(e *env, name string) error {
	client, err := e.client()
	if err != nil {
		return err
	}
	var r api.Rollout
	if err := client.Post(e.ctx, rolloutPath(c.Rollout)+"/"+name, nil, api.RemarkRequest{Remark: c.Remark}, &r); err != nil {
		return err
	}
	return e.print(r, "", func(row func(...any)) { rolloutRows(&r, row) })
}

// rolloutRemarkedMove is a move of which it must be said why.
type rolloutRemarkedMove struct {
	Rollout uint32 `arg:"" help:"Its number."`
	Remark  string `help:"Why; it stands in the book of authorisations." placeholder:"TEXT" required:""`
}

func (c *rolloutRemarkedMove) move(e *env, name string) error {
	if c.Remark == "" {
		return fmt.Errorf("%w: --remark is empty: say why", errUsage)
	}
	return (*rolloutMove)(c).move(e, name)
}

type rolloutSubmitCmd struct{ rolloutMove }

// Help shows an example.
func (rolloutSubmitCmd) Help() string {
	return `Example:
  godwit rollout submit 7 --remark "tested on the bench"`
}

// Run submits.
func (c *rolloutSubmitCmd) Run(e *env) error { return c.move(e, "submit") }

type rolloutApproveCmd struct{ rolloutRemarkedMove }

// Help shows an example.
func (rolloutApproveCmd) Help() string {
	return `It takes a token of the role approver, other than the ones that created and submitted the rollout.

Example:
  godwit rollout approve 7 --remark "release notes read, canary is large enough"`
}

// Run approves.
func (c *rolloutApproveCmd) Run(e *env) error { return c.move(e, "approve") }

type rolloutDenyCmd struct{ rolloutRemarkedMove }

// Help shows an example.
func (rolloutDenyCmd) Help() string {
	return `Example:
  godwit rollout deny 7 --remark "not in the harvest season"`
}

// Run denies.
func (c *rolloutDenyCmd) Run(e *env) error { return c.move(e, "deny") }

type rolloutStartCmd struct{ rolloutMove }

// Help shows an example.
func (rolloutStartCmd) Help() string {
	return `The first wave opens; its devices are offered the release when they speak next.

Example:
  godwit rollout start 7`
}

// Run starts.
func (c *rolloutStartCmd) Run(e *env) error { return c.move(e, "start") }

type rolloutPauseCmd struct{ rolloutMove }

// Help shows an example.
func (rolloutPauseCmd) Help() string {
	return `Devices that have the offer go on with it. No time passes for the rollout until it is resumed.

Example:
  godwit rollout pause 7 --remark "storm in the north"`
}

// Run pauses.
func (c *rolloutPauseCmd) Run(e *env) error { return c.move(e, "pause") }

type rolloutResumeCmd struct{ rolloutMove }

// Help shows an example.
func (rolloutResumeCmd) Help() string {
	return `Example:
  godwit rollout resume 7`
}

// Run resumes.
func (c *rolloutResumeCmd) Run(e *env) error { return c.move(e, "resume") }

type rolloutHaltCmd struct{ rolloutRemarkedMove }

// Help shows an example.
func (rolloutHaltCmd) Help() string {
	return `Only an approver can go on with a halted rollout. The gateway halts one by itself when the evidence that it does harm is
strong enough.

Example:
  godwit rollout halt 7 --remark "three customers called"`
}

// Run halts.
func (c *rolloutHaltCmd) Run(e *env) error { return c.move(e, "halt") }

type rolloutOverrideCmd struct{ rolloutRemarkedMove }

// Help shows an example.
func (rolloutOverrideCmd) Help() string {
	return `What was seen so far is put aside, and evidence is gathered anew against a threshold twice as high. It takes a token of the
role approver, other than the ones that created and submitted the rollout.

Example:
  godwit rollout override 7 --remark "the devices were switched off by their owner"`
}

// Run overrides.
func (c *rolloutOverrideCmd) Run(e *env) error { return c.move(e, "override") }

type rolloutAdvanceCmd struct{ rolloutRemarkedMove }

// Help shows an example.
func (rolloutAdvanceCmd) Help() string {
	return `Example:
  godwit rollout advance 7 --remark "the canary is fine, the rest sleeps until spring"`
}

// Run opens the next wave.
func (c *rolloutAdvanceCmd) Run(e *env) error { return c.move(e, "advance") }

type rolloutStopCmd struct{ rolloutMove }

// Help shows an example.
func (rolloutStopCmd) Help() string {
	return `Nothing more is offered, and nothing can be resumed. Devices that have the offer may still install it.

Example:
  godwit rollout stop 7 --remark "2.5.1 follows"`
}

// Run stops.
func (c *rolloutStopCmd) Run(e *env) error { return c.move(e, "stop") }

type rolloutRetryCmd struct {
	rolloutMove
	Device []string `help:"Only these devices, by name or number." placeholder:"DEVICE"`
}

// Help shows an example.
func (rolloutRetryCmd) Help() string {
	return `Those that failed, declined, deferred or were given up are offered the release when they speak next.

Example:
  godwit rollout retry 7
  godwit rollout retry 7 --device buoy-2012 --remark "memory was freed"`
}

// Run retries.
func (c *rolloutRetryCmd) Run(e *env) error {
	client, err := e.client()
	if err != nil {
		return err
	}
	var r api.RetryResult
	if err := client.Post(e.ctx, rolloutPath(c.Rollout)+"/retry", nil, api.RetryRequest{Devices: c.Device, Remark: c.Remark}, &r); err != nil {
		return err
	}
	return e.print(r, "", func(row func(...any)) { row(fmt.Sprintf("%d %s offered it again", r.Devices, areDevices(r.Devices))) })
}

func areDevices(n int) string {
	if n == 1 {
		return "device is"
	}
	return "devices are"
}
