package api

import (
	"context"
	"fmt"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/hub"
)

// CommandRequest is what a device itself is told. Exactly one of request, time, sleep, template and policy is given.
type CommandRequest struct {
	Request  []string         `json:"request,omitempty" enum:"keyframe,hello,poll" maxItems:"3" doc:"what the device is to send: a status that needs no other, a hello, what waits"`
	Time     bool             `json:"time,omitempty" doc:"tell it what time it is when the command leaves"`
	Sleep    *SleepCommand    `json:"sleep,omitempty" doc:"nothing more is coming"`
	Template *TemplateCommand `json:"template,omitempty" doc:"give it a template"`
	Policy   *PolicyCommand   `json:"policy,omitempty" doc:"when and over what it is to speak; what is left out stays as it is"`
	Link     string           `json:"link,omitempty" doc:"name of a link; empty: the one that the device was last heard on"`
	TTL      int              `json:"ttl_seconds,omitempty" minimum:"0" maximum:"604800" doc:"how long it is worth sending; 0: a day"`
}

// SleepCommand says how long nothing will come.
type SleepCommand struct {
	Seconds uint32 `json:"seconds,omitempty" doc:"0: until the device speaks"`
}

// TemplateCommand gives the template of a product to a slot.
type TemplateCommand struct {
	Slot    uint8  `json:"slot" maximum:"6"`
	Product string `json:"product,omitempty" doc:"empty: the device's own"`
}

// PolicyCommand says when and over what a device is to speak.
type PolicyCommand struct {
	Interval  uint32            `json:"interval_seconds,omitempty" doc:"between statuses"`
	Links     []string          `json:"links,omitempty" maxItems:"8" doc:"bearers, in the order in which to try them"`
	Quiet     []uint16          `json:"quiet_minutes,omitzero" required:"false" maxItems:"16" doc:"from, to, from, to: minutes of the UTC day in which only alarms are sent; an empty list takes them away"`
	Deadbands map[string]uint32 `json:"deadbands,omitempty" doc:"by name of a field: least change worth sending, in steps of the field"`
	Revision  uint32            `json:"revision,omitempty" doc:"names the policy"`
}

// requestBits are what can be asked for, by name.
var requestBits = map[string]uint8{"keyframe": codec.RequestKeyframe, "hello": codec.RequestHello, "poll": codec.RequestPoll}

func (r *CommandRequest) command() (hub.Command, error) {
	c := hub.Command{Time: r.Time, Link: r.Link, TTL: time.Duration(r.TTL) * time.Second}
	for _, name := range r.Request {
		bit, ok := requestBits[name]
		if !ok {
			return c, fmt.Errorf("%w: request %q: want keyframe, hello or poll", hub.ErrDownlink, name)
		}
		c.Request |= bit
	}
	if r.Sleep != nil {
		c.Sleep = &codec.Sleep{Seconds: r.Sleep.Seconds}
	}
	if r.Template != nil {
		c.Template = &hub.SlotTemplate{Slot: r.Template.Slot, Product: r.Template.Product}
	}
	if p := r.Policy; p != nil {
		c.Policy = &codec.Policy{Interval: p.Interval, Links: p.Links, Quiet: p.Quiet, Revision: p.Revision}
		c.Deadbands = p.Deadbands
	}
	return c, nil
}

func (a *api) registerCommands(h huma.API) {
	registerDownlink(a, h, "commands", "send-command", "Seal a command for a device and queue it", Operator, "command queued",
		func(ctx context.Context, device string, r *CommandRequest) (hub.DownlinkRecord, error) {
			c, err := r.command()
			if err != nil {
				return hub.DownlinkRecord{}, err
			}
			return a.Hub.SendCommand(ctx, device, c)
		})
}
