package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/gateway/api"
	"github.com/godwit-gateway/godwit/gateway/config"
	"github.com/godwit-gateway/godwit/gateway/rollout"
)

type rolloutShowCmd struct {
	Rollout uint32 `arg:"" help:"Its number."`
}

// Help shows an example.
func (rolloutShowCmd) Help() string {
	return `Example:
  godwit rollout show 7`
}

// rolloutShown is a rollout with its waves, as JSON.
type rolloutShown struct {
	api.Rollout
	Waves []api.RolloutWave `json:"waves"`
}

// Run shows.
func (c *rolloutShowCmd) Run(e *env) error {
	client, err := e.client()
	if err != nil {
		return err
	}
	var s rolloutShown
	if err := client.Get(e.ctx, rolloutPath(c.Rollout), nil, &s.Rollout); err != nil {
		return err
	}
	if s.Waves, err = list[api.RolloutWave](e, rolloutPath(c.Rollout)+"/waves"); err != nil {
		return err
	}
	return e.print(s, "", func(row func(...any)) {
		rolloutRows(&s.Rollout, row)
		for i := range s.Waves {
			w := &s.Waves[i]
			row(fmt.Sprintf("wave %d", w.Wave), fmt.Sprintf("%.3g %%, %d %s", 100*w.Share, w.Devices, plural(w.Devices, "device")))
			if !w.Opened.IsZero() {
				row("", "opened "+cell(w.Opened)+" by "+w.By)
				continue
			}
			for _, g := range w.Gates {
				if !g.Open {
					row("", fmt.Sprintf("held back by %s: %s, wants %s", g.Name, g.Have, g.Want))
				}
			}
		}
	})
}

type rolloutReportCmd struct {
	Rollout uint32 `arg:"" help:"Its number."`
}

// Help shows an example.
func (rolloutReportCmd) Help() string {
	return `The first line says it all: who reported on which day, who is silent, and how many would be without the update. Below stand
the customers that are behind, and the devices whose owners should be called before they notice.

Example:
  godwit rollout report 7
  godwit rollout report 7 -o json | jq -r '.calls[] | [.device.customer, .device.name, .why] | @csv'`
}

// Run reports.
func (c *rolloutReportCmd) Run(e *env) error {
	client, err := e.client()
	if err != nil {
		return err
	}
	var r api.RolloutReport
	if err := client.Get(e.ctx, rolloutPath(c.Rollout)+"/report", nil, &r); err != nil {
		return err
	}
	return e.print(r, "", func(row func(...any)) {
		row(r.Line)
		row(r.Verdict)
		row(fmt.Sprintf("%d long silences, %.1f would be without the update (95 %%: %.1f to %.1f)", r.Events, r.Usual, r.Low, r.High))
		for _, s := range survivalRows(r.Survival) {
			row(fmt.Sprintf("%s after the update %.2f %% are still heard (95 %%: %.2f to %.2f; of %d)", every(int64(s.Hours)*3600), 100*s.Share, 100*s.Low, 100*s.High, s.AtRisk))
		}
		for _, b := range r.Behind {
			row(fmt.Sprintf("%s: %d of %d confirmed, %d behind, %d silent, %d declined, %d failed", cell(b.Customer), b.Confirmed, b.Devices, b.Behind,
				b.Silent, b.Declined, b.Failed))
		}
		for i := range r.Calls {
			d := &r.Calls[i].Device
			row(fmt.Sprintf("call %s about %s: %s", cell(d.Customer), cell(d.Name), cell(r.Calls[i].Why)))
		}
	})
}

// survivalRows are the points of a survival curve that people ask for, and the last one.
func survivalRows(list []rollout.SurvivalPoint) (rows []rollout.SurvivalPoint) {
	for i, s := range list {
		if s.Hours == 1 || s.Hours == 24 || s.Hours == 7*24 || i == len(list)-1 {
			rows = append(rows, s)
		}
	}
	return rows
}

type rolloutFunnelCmd struct {
	Rollout uint32 `arg:"" help:"Its number."`
}

// Help shows an example.
func (rolloutFunnelCmd) Help() string {
	return `Example:
  godwit rollout funnel 7
  godwit rollout funnel 7 -o csv`
}

// Run shows the funnel.
func (c *rolloutFunnelCmd) Run(e *env) error {
	all, err := list[api.FunnelStep](e, rolloutPath(c.Rollout)+"/funnel")
	if err != nil {
		return err
	}
	return e.print(all, "STEP REACHED HERE SILENT MEDIAN_AGE CODES", func(row func(...any)) {
		for i := range all {
			s := &all[i]
			row(s.Step, s.Reached, s.Here, s.Silent, every(s.Median), codes(s.Codes))
		}
	})
}

// codes are result codes with how often they came.
func codes(m map[uint8]int) string {
	var list []string
	for code := range 256 {
		if n := m[uint8(code)]; n > 0 {
			list = append(list, fmt.Sprintf("%d: %d", code, n))
		}
	}
	return strings.Join(list, ", ")
}

type rolloutAdoptionCmd struct {
	Rollout uint32 `arg:"" help:"Its number."`
	AsOf    string `help:"As far as was known then, as 2026-12-01T22:00:00Z." placeholder:"TIME"`
	Step    string `help:"Between two points." default:"1d" placeholder:"DURATION"`
}

// Help shows an example.
func (rolloutAdoptionCmd) Help() string {
	return `Devices count when it was, by their own time, not when it became known: with a later --as-of the past is filled in.
Confirmed, in progress, ended and unknown always sum to those that were sent an offer.

Example:
  godwit rollout adoption 7 --step 6h
  godwit rollout adoption 7 --as-of 2026-12-01T22:00:00Z -o csv`
}

// Run shows the curve.
func (c *rolloutAdoptionCmd) Run(e *env) error {
	step, err := config.ParseDuration(c.Step)
	if err != nil || step < time.Minute {
		return fmt.Errorf("%w: --step %s: want a duration of a minute or more", errUsage, c.Step)
	}
	q := url.Values{"step_seconds": {strconv.FormatInt(int64(step/time.Second), 10)}}
	asOf, err := instant("--as-of", c.AsOf)
	if err != nil {
		return err
	}
	if !asOf.IsZero() {
		q.Set("as_of", asOf.UTC().Format(time.RFC3339))
	}
	all, err := list[rollout.AdoptionPoint](e, rolloutPath(c.Rollout)+"/adoption?"+q.Encode())
	if err != nil {
		return err
	}
	return e.print(all, "TIME ATTEMPTED CONFIRMED PROGRESS ENDED UNKNOWN HELD_OUT", func(row func(...any)) {
		for _, p := range all {
			row(p.Time, p.Attempted, p.Confirmed, p.Progress, p.Ended, p.Unknown, p.HeldOut)
		}
	})
}

type rolloutDevicesCmd struct {
	Rollout  uint32 `arg:"" help:"Its number."`
	Standing string `help:"Only devices that stand so, as failed or installing." placeholder:"STANDING"`
	Customer string `help:"Only devices of this customer."`
	Behind   bool   `help:"Only devices that do not run the release, as far as is known."`
	Silent   bool   `help:"Only devices that have not called as they should."`
	Limit    int    `help:"At most so many; 0 for all." default:"0"`
}

// Help shows an example.
func (rolloutDevicesCmd) Help() string {
	return `Example:
  godwit rollout devices 7 --standing installing --silent
  godwit rollout devices 7 --behind --customer acme -o csv`
}

// Run lists.
func (c *rolloutDevicesCmd) Run(e *env) error {
	q := url.Values{}
	for key, v := range map[string]string{"standing": c.Standing, "customer": c.Customer} {
		if v != "" {
			q.Set(key, v)
		}
	}
	for key, v := range map[string]bool{"behind": c.Behind, "silent": c.Silent} {
		if v {
			q.Set(key, "true")
		}
	}
	all, err := pages[api.DeviceUpdate](e, rolloutPath(c.Rollout)+"/devices", q, c.Limit)
	if err != nil {
		return err
	}
	return e.print(all, "NUMBER NAME CUSTOMER WAVE STANDING CODE SINCE LAST_SEEN MISSED SUSPECT CAUSE REASON", func(row func(...any)) {
		for i := range all {
			d := &all[i]
			row(d.Number, d.Name, d.Customer, d.Wave, d.Standing, d.Code, d.Since, d.Last, d.Missed, fmt.Sprintf("%.1f%%", 100*d.Suspect), d.Cause.Cause, d.Reason)
		}
	})
}

// updateRows is where a device stands in a rollout, with its steps.
func updateRows(d *api.DeviceUpdate, row func(...any)) {
	line := fmt.Sprintf("%s since %s", d.Standing, cell(d.Since))
	if d.Reason != "" {
		line += ": " + d.Reason
	}
	if d.Suspect > 0 {
		line += fmt.Sprintf("; %.1f %% likely silenced by the update", 100*d.Suspect)
	}
	row(fmt.Sprintf("rollout %d", d.Rollout), line)
	if d.Missed > 0 {
		row("", fmt.Sprintf("missed %d contacts: %s with %.0f %%", d.Missed, d.Cause.Cause, 100*d.Probability))
		for _, why := range d.Why {
			row("", why)
		}
	}
	for _, s := range d.History {
		row("", fmt.Sprintf("%s %s, code %d, known %s", cell(s.At), s.Step, s.Code, cell(s.Known)))
	}
}

type rolloutWatchCmd struct {
	Rollout uint32 `arg:"" help:"Its number."`
	Since   string `help:"Begin with what happened from then on: a duration back, as 2h or 1d, or a time as 2026-01-31T12:00:00Z; by default now."`
	Max     int    `help:"End after so many events."`
}

// Help shows an example.
func (rolloutWatchCmd) Help() string {
	return `Prints how the rollout stands, then what happens to it, and ends with it: with exit code 1 if it was denied or stopped. With -o json
each line but the first is an event as it stands on the stream.

Example:
  godwit rollout watch 7
  godwit rollout watch 7 --since 1d`
}

var errUnfinished = errors.New("the rollout ended without being completed")

// Run watches.
func (c *rolloutWatchCmd) Run(e *env) error {
	if c.Max < 0 {
		return fmt.Errorf("%w: --max %d: want 0 or more", errUsage, c.Max)
	}
	since := time.Now()
	if c.Since != "" {
		var err error
		if since, err = parseSince(c.Since, since); err != nil {
			return err
		}
	}
	client, err := e.client()
	if err != nil {
		return err
	}
	var r api.Rollout
	if err := client.Get(e.ctx, rolloutPath(c.Rollout), nil, &r); err != nil {
		return err
	}
	if err := e.print(r, "", func(row func(...any)) { rolloutRows(&r, row) }); err != nil {
		return err
	}
	if over, err := ended(r.State); over && c.Since == "" {
		return err
	}
	n := 0
	q := url.Values{"subject": {fmt.Sprintf("godwit.v1.*.rollout.%d.>", c.Rollout)}, "since": {since.UTC().Format(time.RFC3339)}}
	err = client.Events(e.ctx, q, func(ev api.StreamEvent) error {
		what := ev.Subject[strings.LastIndexByte(ev.Subject, '.')+1:]
		if err := c.show(e, what, ev); err != nil {
			return err
		}
		if over, err := ended(what); over {
			return errors.Join(err, errEnough)
		}
		if n++; n == c.Max {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) && !errors.Is(err, errUnfinished) {
		return nil
	}
	if errors.Is(err, errUnfinished) {
		return errUnfinished
	}
	return err
}

// ended reports whether a rollout is over.
func ended(state string) (bool, error) {
	switch state {
	case "completed":
		return true, nil
	case "denied", "stopped":
		return true, errUnfinished
	}
	return false, nil
}

func (c *rolloutWatchCmd) show(e *env, what string, ev api.StreamEvent) error {
	if e.cli.Output == "json" {
		_, err := fmt.Fprintf(e.stdout, "%s\n", ev.Payload)
		return written(err)
	}
	var x struct {
		Time time.Time
		Data struct {
			Wave        int
			Reason, Who string
		}
	}
	if err := json.Unmarshal(ev.Payload, &x); err != nil {
		return fmt.Errorf("event %d: %w", ev.Sequence, err)
	}
	line := what
	if x.Data.Wave > 0 {
		line += " " + strconv.Itoa(x.Data.Wave)
	}
	_, err := fmt.Fprintf(e.stdout, "%s  %s  %s  %s\n", cell(x.Time), line, cell(x.Data.Who), cell(x.Data.Reason))
	return written(err)
}
