package main

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/gateway/api"
	"github.com/godwit-gateway/godwit/gateway/config"
	"github.com/godwit-gateway/godwit/gateway/hub"
)

// commandFlags are what all commands to a device share.
type commandFlags struct {
	Device string `arg:"" help:"Name or number."`
	Link   string `help:"Name of a link; by default the one that the device was last heard on."`
	TTL    string `name:"ttl" help:"How long it is worth sending, as 2h or 1d." default:"1d"`
}

// ttlMax is how long a downlink may be worth sending.
const ttlMax = 7 * 24 * time.Hour

// send posts a command and shows the downlink that it became.
func (c *commandFlags) send(e *env, r api.CommandRequest) error {
	var err error
	r.Link = c.Link
	if r.TTL, err = c.ttl(); err != nil {
		return err
	}
	return c.post(e, "commands", r)
}

// ttl is the time to live in seconds.
func (c *commandFlags) ttl() (int, error) {
	ttl, err := config.ParseDuration(c.TTL)
	if err != nil || ttl < time.Second || ttl > ttlMax {
		return 0, fmt.Errorf("%w: --ttl %s: want 1s to 7d", errUsage, c.TTL)
	}
	return int(ttl / time.Second), nil
}

// post hands something for the device to the gateway and shows the downlink that it became.
func (c *commandFlags) post(e *env, what string, r any) error {
	client, err := e.client()
	if err != nil {
		return err
	}
	var d hub.DownlinkRecord
	if err := client.Post(e.ctx, "/devices/"+url.PathEscape(c.Device)+"/"+what, nil, r, &d); err != nil {
		return err
	}
	return e.printDownlinks(d, []hub.DownlinkRecord{d})
}

// seconds reads a duration in whole seconds of 32 bits.
func seconds(flag, text string) (uint32, error) {
	if text == "" {
		return 0, nil
	}
	d, err := config.ParseDuration(text)
	if err != nil || d < time.Second || d/time.Second > 1<<32-1 {
		return 0, fmt.Errorf("%w: %s %s: want 1s or more", errUsage, flag, text)
	}
	return uint32(d / time.Second), nil
}

type deviceRequestCmd struct {
	commandFlags
	What []string `help:"What the device is to send: keyframe, hello, poll (whatever waits)." enum:"keyframe,hello,poll" required:""`
}

// Help shows an example.
func (deviceRequestCmd) Help() string {
	return `The request is sealed and queued; it is on disk when the command returns. On a link that can only answer,
as UDP, it leaves with the answer to the device's next frame. What is on its way: godwit message list.

Example:
  godwit device request buoy-2001 --what keyframe,hello`
}

// Run queues the request.
func (c *deviceRequestCmd) Run(e *env) error { return c.send(e, api.CommandRequest{Request: c.What}) }

type deviceTimeCmd struct{ commandFlags }

// Help shows an example.
func (deviceTimeCmd) Help() string {
	return `The device is told what time it is when the frame leaves.

Example:
  godwit device time buoy-2001 --ttl 2h`
}

// Run queues the time.
func (c *deviceTimeCmd) Run(e *env) error { return c.send(e, api.CommandRequest{Time: true}) }

type deviceSleepCmd struct {
	commandFlags
	For string `help:"How long nothing will come, as 6h; by default until the device speaks." placeholder:"DURATION"`
}

// Help shows an example.
func (deviceSleepCmd) Help() string {
	return `Example:
  godwit device sleep buoy-2001 --for 6h`
}

// Run queues the leave to sleep.
func (c *deviceSleepCmd) Run(e *env) error {
	n, err := seconds("--for", c.For)
	if err != nil {
		return err
	}
	return c.send(e, api.CommandRequest{Sleep: &api.SleepCommand{Seconds: n}})
}

// slotMax is the highest slot of a device for a template.
const slotMax = 6

type deviceTemplateCmd struct {
	commandFlags
	Slot    uint8  `help:"Slot of the device, 0 to 6." default:"0"`
	Product string `help:"Product whose template it is; by default the device's own."`
}

// Help shows an example.
func (deviceTemplateCmd) Help() string {
	return `The record of the device follows when its next hello says that it has the template.

Example:
  godwit device template buoy-2001 --slot 1 --product buoy-demo`
}

// Run queues the assignment.
func (c *deviceTemplateCmd) Run(e *env) error {
	if c.Slot > slotMax {
		return fmt.Errorf("%w: --slot %d: want 0 to %d", errUsage, c.Slot, slotMax)
	}
	return c.send(e, api.CommandRequest{Template: &api.TemplateCommand{Slot: c.Slot, Product: c.Product}})
}

type devicePolicyCmd struct {
	commandFlags
	Interval string            `help:"Time between statuses, as 1h." placeholder:"DURATION"`
	Links    []string          `help:"Bearers, in the order in which to try them." placeholder:"BEARER"`
	Quiet    []string          `help:"Hours of UTC in which only alarms are sent, as 22:00-05:00; none takes them away." placeholder:"SPAN"`
	Deadband map[string]uint32 `help:"Least change of a field that is worth sending, in its steps, as battery=5." placeholder:"FIELD=STEPS"`
	Revision uint32            `help:"A number that names the policy."`
}

// Help shows an example.
func (devicePolicyCmd) Help() string {
	return `What is left out stays as it is on the device. What the device owes is reckoned from the interval once it says that it runs it.
Nothing is expected in quiet hours; until it says that it keeps them, neither in those that it had before.
Where devices are told what is planned (schedule.mode = "send") the plan has it changed back: there a [[policy]] is for that.

Example:
  godwit device policy buoy-2001 --interval 1h --links udp,sms --quiet 22:00-05:00 --deadband battery=5`
}

// Run queues the policy.
func (c *devicePolicyCmd) Run(e *env) error {
	if c.Interval == "" && len(c.Links)+len(c.Quiet)+len(c.Deadband) == 0 {
		return fmt.Errorf("%w: nothing to say: want --interval, --links, --quiet or --deadband", errUsage)
	}
	p := api.PolicyCommand{Links: c.Links, Deadbands: c.Deadband, Revision: c.Revision}
	var err error
	if p.Interval, err = seconds("--interval", c.Interval); err != nil {
		return err
	}
	if p.Quiet, err = quietMinutes(c.Quiet); err != nil {
		return err
	}
	return c.send(e, api.CommandRequest{Policy: &p})
}

// quietMinutes is the minutes of spans as a policy has them: nil if there are none, empty if those that there were are to be taken away.
func quietMinutes(spans []string) ([]uint16, error) {
	if slices.Equal(spans, []string{"none"}) {
		return []uint16{}, nil
	}
	var list []uint16
	for _, span := range spans {
		from, to, _ := strings.Cut(span, "-")
		for _, at := range []string{from, to} {
			minute, err := minuteOfDay(at)
			if err != nil {
				return nil, fmt.Errorf("%w: --quiet %s: want hours as in 22:00-05:00, or none alone", errUsage, span)
			}
			list = append(list, minute)
		}
		if n := len(list); list[n-2] == list[n-1] {
			return nil, fmt.Errorf("%w: --quiet %s: the span is empty", errUsage, span)
		}
	}
	return list, nil
}

func minuteOfDay(text string) (uint16, error) {
	hours, minutes, _ := strings.Cut(text, ":")
	h, err := strconv.ParseUint(hours, 10, 8)
	if err != nil || h > 23 {
		return 0, errUsage
	}
	m, err := strconv.ParseUint(minutes, 10, 8)
	if err != nil || m > 59 {
		return 0, errUsage
	}
	return uint16(60*h + m), nil
}
