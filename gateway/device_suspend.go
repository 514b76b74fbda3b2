package main

import (
	"fmt"
	"net/url"

	"github.com/godwit-gateway/godwit/gateway/api"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

type deviceSuspendCmd struct {
	Device string `arg:"" help:"Name or number."`
	Link   string `required:"" help:"Of its line on this link."`
	From   string `help:"The first day on which it is suspended, as 2026-12-01, where the link's tariff bills; by default today." placeholder:"DATE"`
}

// Help shows an example.
func (deviceSuspendCmd) Help() string {
	return `Where the network suspends a SIM or a terminal, its rental is from then on what the tariff says in tariff.rental.suspended,
nothing by default: by the day if the tariff is, else of months that are suspended as a whole. The network is not asked to do
it, and nothing else changes. Months that are closed stay as they are.

Example:
  godwit device suspend buoy-2001 --link sbd0 --from 2026-12-01
  godwit device resume buoy-2001 --link sbd0 --from 2027-03-01`
}

// Run suspends.
func (c *deviceSuspendCmd) Run(e *env) error { return e.suspend(c.Device, "suspend", c.Link, c.From) }

type deviceResumeCmd struct {
	Device string `arg:"" help:"Name or number."`
	Link   string `required:"" help:"Of its line on this link."`
	From   string `help:"The first day on which it is not suspended any more, as 2027-03-01; by default today." placeholder:"DATE"`
}

// Help shows an example.
func (deviceResumeCmd) Help() string {
	return `Also sooner than was said before. A line that is resumed from the day on which it was to be suspended never was; one that is
suspended from the day on which it was to be resumed stays suspended. The link may be one that is configured no more.

Example:
  godwit device resume buoy-2001 --link sbd0 --from 2027-03-01`
}

// Run resumes.
func (c *deviceResumeCmd) Run(e *env) error { return e.suspend(c.Device, "resume", c.Link, c.From) }

func (e *env) suspend(device, how, link, from string) error {
	in := api.SuspendRequest{Link: link}
	if from != "" {
		var err error
		if in.From, err = tariff.ParseDate(from); err != nil {
			return fmt.Errorf("%w: --from %w", errUsage, err)
		}
	}
	client, err := e.client()
	if err != nil {
		return err
	}
	var d api.Device
	if err := client.Post(e.ctx, "/devices/"+url.PathEscape(device)+"/"+how, nil, in, &d); err != nil {
		return err
	}
	return e.print(d, "NUMBER NAME LINK SUSPENDED UNTIL", func(row func(...any)) {
		if len(d.Suspensions) == 0 {
			row(d.Number, d.Name, "", "", "")
		}
		for _, s := range d.Suspensions {
			row(d.Number, d.Name, s.Link, s.From.String(), s.Until.String())
		}
	})
}
