package main

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/gateway/api"
	"github.com/godwit-gateway/godwit/gateway/config"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/presence"
)

type scheduleCmd struct {
	Explain scheduleExplainCmd `cmd:"" help:"Say why a device speaks as often as it does, and what is thought of it."`
	Plan    schedulePlanCmd    `cmd:"" help:"Show the plan in force, or what another one would come to."`
	Silent  scheduleSilentCmd  `cmd:"" help:"List devices that are not heard as they should be."`
	Attend  scheduleAttendCmd  `cmd:"" help:"Have a device count for more for a while, so that it speaks more often."`
}

type scheduleExplainCmd struct {
	Device string `arg:"" help:"Name or number."`
}

// Help shows an example.
func (scheduleExplainCmd) Help() string {
	return `Example:
  godwit schedule explain buoy-2001`
}

// Run explains.
func (c *scheduleExplainCmd) Run(e *env) error {
	client, err := e.client()
	if err != nil {
		return err
	}
	var x hub.Explanation
	if err := client.Get(e.ctx, "/devices/"+url.PathEscape(c.Device)+"/schedule", nil, &x); err != nil {
		return err
	}
	return printExplanation(e, &x)
}

func printExplanation(e *env, x *hub.Explanation) error {
	return e.print(x, "", func(row func(...any)) {
		row(x.Sentence)
		row("runs " + runs(x))
		if x.Attention > 1 {
			row(fmt.Sprintf("counts %g times as much until %s: it has attention", x.Attention, cell(x.Until)))
		}
		switch x.Class {
		case "":
		case presence.Due.String(): // nothing is to be explained
			row("heard as it should be")
		case presence.Retired.String():
			row("out of service: nothing is expected of it")
		default:
			row(fmt.Sprintf("%s, %.1f %% dead; put down to %s (%.1f %%)", x.Class, 100*x.Dead, x.Cause.Cause, 100*x.Probability))
		}
		for _, line := range x.Evidence {
			row(line)
		}
		for _, s := range x.Spent {
			row(fmt.Sprintf("this month %s %s up and %s %s down over %s", s.Up.Micros, s.Currency, s.Down.Micros, s.Currency, s.Link))
		}
	})
}

// runs is the interval that a device runs, for people.
func runs(x *hub.Explanation) string {
	text := "an interval that is not known"
	switch {
	case x.Running > 0 && x.Told:
		text = every(x.Running) + ", as it acknowledged"
	case x.Running > 0:
		text = every(x.Running) + ", as it was seen to"
	}
	if x.Pending > 0 {
		text += "; it was told " + every(x.Pending) + " and did not acknowledge that yet"
	}
	return text
}

// every is an interval for people.
func every(seconds int64) string {
	if seconds <= 0 {
		return "-"
	}
	return config.FormatDuration(time.Duration(seconds) * time.Second)
}

type schedulePlanCmd struct {
	WhatIf   bool              `help:"Try another plan; nothing is changed. The other options say which."`
	Budget   string            `help:"Money a month, as 250.00; 0.00: no limit." placeholder:"AMOUNT"`
	Tariff   map[string]string `help:"Tariff of a link." placeholder:"LINK=NAME"`
	Law      string            `help:"Law of all policies: price, fixed, class, bands." enum:"price,fixed,class,bands," default:""`
	Interval string            `help:"Interval of the law, where it wants one." placeholder:"DURATION"`
	Tail     uint8             `help:"Aversion of all policies to long ages, 1 to 4." default:"0"`
	Shortest string            `help:"Shortest interval of all policies." placeholder:"DURATION"`
	Longest  string            `help:"Longest interval of all policies." placeholder:"DURATION"`
	Policy   string            `help:"Change the policy of this name alone." placeholder:"NAME"`
	Changes  int               `help:"Name so many devices that would change." default:"10"`
}

// Help shows an example.
func (schedulePlanCmd) Help() string {
	return `Staleness is the mean age of what is known of devices, by their weights. Detection is how long a device that stops is
not missed, with two contacts.

Example:
  godwit schedule plan
  godwit schedule plan --what-if --budget 120.00
  godwit schedule plan --what-if --tariff sms0=my-new-sms
  godwit schedule plan --what-if --law fixed --interval 24h
  godwit schedule plan --what-if --policy buoys --longest 2d`
}

// Run shows the plan.
func (c *schedulePlanCmd) Run(e *env) error {
	r, err := c.request()
	if err != nil {
		return err
	}
	client, err := e.client()
	if err != nil {
		return err
	}
	if !c.WhatIf {
		var p hub.PlanSummary
		if err := client.Get(e.ctx, "/schedule", nil, &p); err != nil {
			return err
		}
		return e.print(p, "", func(row func(...any)) { planRows(&p, row) })
	}
	var x hub.WhatIfResult
	if err := client.Post(e.ctx, "/schedule/what-if", nil, r, &x); err != nil {
		return err
	}
	return e.print(x, "", func(row func(...any)) {
		row("", "IS", "WOULD BE")
		row("spend a month", money(x.Is.Spend, x.Currency), money(x.Would.Spend, x.Currency))
		row("staleness, hours", fmt.Sprintf("%.1f", x.Is.Stale), fmt.Sprintf("%.1f", x.Would.Stale))
		row("detection, hours", fmt.Sprintf("%.1f", x.Is.Detect), fmt.Sprintf("%.1f", x.Would.Detect))
		if x.Is.Short > 0 || x.Would.Short > 0 {
			row("beyond the budget", money(x.Is.Short, x.Currency), money(x.Would.Short, x.Currency))
		}
		row("devices", x.Is.Devices, x.Would.Devices)
		row("would change", "", x.Changed)
		for _, d := range x.Changes {
			row(d.Device, strings.TrimSpace(every(d.From)+" "+d.FromLink), strings.TrimSpace(every(d.To)+" "+d.ToLink))
		}
	})
}

func (c *schedulePlanCmd) request() (r api.WhatIfRequest, err error) {
	if !c.WhatIf && (c.Budget+c.Law+c.Interval+c.Shortest+c.Longest+c.Policy != "" || len(c.Tariff) > 0 || c.Tail > 0) {
		return r, fmt.Errorf("%w: --budget, --tariff, --law, --interval, --tail, --shortest, --longest and --policy are of --what-if", errUsage)
	}
	if c.Policy != "" && c.Law+c.Interval+c.Shortest+c.Longest == "" && c.Tail == 0 {
		return r, fmt.Errorf("%w: --policy %s: what of it is to be tried? want --law, --interval, --tail, --shortest or --longest", errUsage, c.Policy)
	}
	if c.Tail > scheduler.MaxTail {
		return r, fmt.Errorf("%w: --tail %d: want 1 to %d", errUsage, c.Tail, scheduler.MaxTail)
	}
	if c.Changes < 0 || c.Changes > 1000 {
		return r, fmt.Errorf("%w: --changes %d: want 0 to 1000", errUsage, c.Changes)
	}
	if m, err := scheduler.ParseMicros(c.Budget); c.Budget != "" && (err != nil || m < 0) {
		return r, fmt.Errorf("%w: --budget %s: want an amount such as 250.00", errUsage, c.Budget)
	}
	r = api.WhatIfRequest{Budget: c.Budget, Tariffs: c.Tariff, Law: c.Law, Tail: c.Tail, Policy: c.Policy, Most: c.Changes}
	for _, o := range []struct {
		name, text string
		into       *int64
	}{{"--interval", c.Interval, &r.Interval}, {"--shortest", c.Shortest, &r.Shortest}, {"--longest", c.Longest, &r.Longest}} {
		n, err := seconds(o.name, o.text)
		if err != nil {
			return r, err
		}
		*o.into = int64(n)
	}
	return r, nil
}

func planRows(p *hub.PlanSummary, row func(...any)) {
	if p.Planned.IsZero() {
		row("planned", "not yet")
	} else {
		row("planned", p.Planned)
	}
	if p.Failed != "" {
		row("the last plan failed", p.Failed)
	}
	row("devices", p.Devices)
	if p.Quiet > 0 {
		row("with quiet hours", p.Quiet)
	}
	row("money for contacts", money(p.Money, p.Currency)+" a month")
	row("spend as planned", money(p.Spend, p.Currency)+" a month")
	if p.Short > 0 {
		row("beyond the budget", money(p.Short, p.Currency)+" a month, at the longest intervals")
	}
	row("a weighted stale-hour is worth", money(p.Value, p.Currency))
	told := "only shown (schedule.mode is watch)"
	if p.Send {
		told = "told to devices"
	}
	row("intervals are", told)
	poolRows(p.Pools, row)
	for _, class := range []string{"due", "late", "silent", "link or region outage", "presumed dead"} {
		row(class, p.Silent[class])
	}
}

// poolRows shows shared allowances.
func poolRows(list []hub.PoolState, row func(...any)) {
	for i := range list {
		p := &list[i]
		text := fmt.Sprintf("%d of %d %s used", p.Used, p.Amount, p.Unit)
		if !p.Ends.IsZero() {
			text += ", until " + cell(p.Ends)
		}
		if p.Planned > 0 {
			text += fmt.Sprintf("; planned %d a month, %d of them beyond it", p.Planned, p.Beyond)
		}
		row("pool "+p.Name, text)
	}
}

func money(m scheduler.Micros, currency string) string {
	return strings.TrimSpace(m.String() + " " + currency)
}

type scheduleSilentCmd struct {
	Class string `help:"Only late, silent, outage or dead ones." enum:"late,silent,outage,dead," default:""`
	Limit int    `help:"At most so many; 0 for all." default:"0"`
}

// Help shows an example.
func (scheduleSilentCmd) Help() string {
	return `Example:
  godwit schedule silent --class dead -o json | jq -r '.[].device'`
}

// Run lists.
func (c *scheduleSilentCmd) Run(e *env) error {
	q := url.Values{}
	if c.Class != "" {
		q.Set("class", c.Class)
	}
	all, err := pages[hub.SilentDevice](e, "/schedule/silent", q, c.Limit)
	if err != nil {
		return err
	}
	return e.print(all, "DEVICE CLASS DEAD CAUSE LIKELY MISSED LINK LAST_SEEN EVIDENCE", func(row func(...any)) {
		for i := range all {
			d := &all[i]
			row(d.Device, d.Class, fmt.Sprintf("%.1f%%", 100*d.Dead), d.Cause.Cause, fmt.Sprintf("%.1f%%", 100*d.Probability), d.Missed, d.Link, d.LastSeen, strings.Join(d.Evidence, "; "))
		}
	})
}

// pages reads a list page by page; a limit of 0 is all of it.
func pages[T any](e *env, path string, q url.Values, limit int) ([]T, error) {
	if limit < 0 {
		return nil, fmt.Errorf("%w: --limit %d: want 0 or more", errUsage, limit)
	}
	client, err := e.client()
	if err != nil {
		return nil, err
	}
	q.Set("limit", strconv.Itoa(1000))
	all := []T{}
	for {
		var p api.Page[T]
		if err := client.Get(e.ctx, path, q, &p); err != nil {
			return nil, err
		}
		all = append(all, p.Items...)
		if limit > 0 && len(all) >= limit {
			return all[:limit], nil
		}
		if p.Next == "" {
			return all, nil
		}
		q.Set("cursor", p.Next)
	}
}

// list reads a list that has one page.
func list[T any](e *env, path string) ([]T, error) {
	client, err := e.client()
	if err != nil {
		return nil, err
	}
	var p api.Page[T]
	err = client.Get(e.ctx, path, nil, &p)
	return p.Items, err
}
