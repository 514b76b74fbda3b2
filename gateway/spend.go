package main

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/godwit-gateway/godwit/gateway/api"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

type spendCmd struct {
	Show    spendShowCmd    `cmd:"" default:"withargs" help:"Show what a month came to."`
	Budgets spendBudgetsCmd `cmd:"" help:"Show budgets and what is left of them in this month."`
	Runaway spendRunawayCmd `cmd:"" help:"List devices that spend far more than others of their product."`
	Close   spendCloseCmd   `cmd:"" help:"Close a month for ever."`

	Reconcile spendReconcileCmd `cmd:"" help:"Compare what was booked with a provider's records."`
}

// monthArg refuses what is no month.
func monthArg(text string) error {
	if _, err := tariff.ParseMonth(text); text != "" && err != nil {
		return fmt.Errorf("%w: month %q: want one as 2026-11", errUsage, text)
	}
	return nil
}

type spendShowCmd struct {
	Month   string   `help:"As 2026-11; by default the one that is." placeholder:"MONTH"`
	By      []string `help:"What sums are kept apart by: customer, link, pool, campaign, cause, direction, correction." enum:"customer,link,pool,campaign,cause,direction,correction" default:"customer,link"`
	Devices bool     `help:"By device and link instead."`

	Customer string `help:"Of this customer only; the forecast too."`
	Link     string `help:"Of this link only."`
	Pool     string `help:"Of this pool only."`
	Campaign string `help:"Of this rollout only, by its number."`

	Limit int `help:"With --devices: at most so many lines; 0 for all." default:"0"`
}

// Help shows an example.
func (spendShowCmd) Help() string {
	return `What the gateway spent itself is downlinks, and answers that it asked for; devices spend the rest by themselves. The
forecast takes the days to come as like the last four weeks; 80 of 100 such forecasts hold.

Example:
  godwit spend
  godwit spend --month 2026-11 --by customer,cause
  godwit spend --customer acme --by link   # with the forecast of this customer
  godwit spend --devices -o json`
}

// Run shows it.
func (c *spendShowCmd) Run(e *env) error {
	if err := monthArg(c.Month); err != nil {
		return err
	}
	q := url.Values{}
	if c.Month != "" {
		q.Set("month", c.Month)
	}
	if c.Devices {
		if c.Customer != "" || c.Link != "" || c.Pool != "" || c.Campaign != "" {
			return fmt.Errorf("%w: --customer, --link, --pool and --campaign are not of --devices", errUsage)
		}
		return c.devices(e, q)
	}
	for name, v := range map[string]string{"by": strings.Join(c.By, ","), "customer": c.Customer, "link": c.Link, "pool": c.Pool, "campaign": c.Campaign} {
		if v != "" {
			q.Set(name, v)
		}
	}
	client, err := e.client()
	if err != nil {
		return err
	}
	var s hub.Spend
	if err := client.Get(e.ctx, "/spend", q, &s); err != nil {
		return err
	}
	return e.printSpend(&s)
}

func (e *env) printSpend(s *hub.Spend) error {
	return e.print(s, "WHAT PRICE OURS CURRENCY COUNT PAYLOAD BILLED", func(row func(...any)) {
		for i := range s.Totals {
			t := &s.Totals[i]
			row(describeTotal(t), t.Micros, t.Ours, t.Currency, t.Count, t.Payload, t.Billed)
		}
		poolRows(s.Pools, row)
		if f := s.Forecast; f != nil {
			row(fmt.Sprintf("%s will come to %s, between %s and %s", s.Month, f.Expected, f.Low, f.High))
		}
		if s.Fees != 0 {
			row(fmt.Sprintf("%s of rental and other fees will be booked when %s is closed", s.Fees, s.Month))
		}
		if s.Zone != "UTC" && s.Zone != "" {
			row("months are those of " + s.Zone)
		}
		if s.Closed {
			row(s.Month.String() + " is closed")
		}
	})
}

// describeTotal names what a sum is of.
func describeTotal(t *hub.SpendTotal) string {
	var parts []string
	for _, s := range []string{t.Customer, t.Link, t.Pool, t.Campaign, t.Cause, t.Direction} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if t.Correction {
		parts = append(parts, "correction")
	}
	if len(parts) == 0 {
		return "all"
	}
	return strings.Join(parts, "/")
}

func (c *spendShowCmd) devices(e *env, q url.Values) error {
	all, err := pages[hub.DeviceSpend](e, "/spend/devices", q, c.Limit)
	if err != nil {
		return err
	}
	return e.print(all, "NUMBER NAME LINK UP DOWN CURRENCY FRAMES_UP FRAMES_DOWN BILLED_UP BILLED_DOWN", func(row func(...any)) {
		for i := range all {
			d := &all[i]
			row(d.Device, d.Name, d.Link, d.Up.Micros, d.Down.Micros, d.Currency, d.Up.Count, d.Down.Count, d.Up.Billed, d.Down.Billed)
		}
	})
}

type spendBudgetsCmd struct{}

// Help shows an example.
func (spendBudgetsCmd) Help() string {
	return `The forecast is without rental and other fees to come, which are booked when a month is closed. A budget is spent at
the time that is told if the days go on as they are expected; there is none if it lasts.

Example:
  godwit spend budgets`
}

// Run shows them.
func (spendBudgetsCmd) Run(e *env) error {
	all, err := list[hub.BudgetState](e, "/budgets")
	if err != nil {
		return err
	}
	return e.print(all, "SCOPE NAME AMOUNT SPENT LEFT CURRENCY HARD EXPECTED LOW HIGH SPENT_AT", func(row func(...any)) {
		for i := range all {
			b := &all[i]
			cells := []any{b.Scope, b.Name, b.Amount, b.Spent.All(), b.Left, b.Currency, b.Hard, "", "", "", b.Out}
			if f := b.Forecast; f != nil {
				cells[7], cells[8], cells[9] = f.Expected, f.Low, f.High
			}
			row(cells...)
		}
	})
}

type spendRunawayCmd struct{}

// Help explains.
func (spendRunawayCmd) Help() string {
	return `A device is compared with others of its product, of which there must be eight, by the robust z-score of what it spent in
this month. The interval is one with which it would spend about the median; give it with
godwit device policy, or, where devices are told what is planned, by a [[policy]].

Example:
  godwit spend runaway`
}

// Run lists them.
func (spendRunawayCmd) Run(e *env) error {
	all, err := list[api.Runaway](e, "/spend/runaways")
	if err != nil {
		return err
	}
	return e.print(all, "NUMBER PRODUCT PRICE MEDIAN SCORE PROPOSED WHY", func(row func(...any)) {
		for i := range all {
			f := &all[i]
			row(f.Device, f.Product, f.Micros, f.Median, f.Score, every(f.Interval), f.Why)
		}
	})
}

type spendCloseCmd struct {
	Month string `arg:"" help:"As 2026-11."`
}

// Help explains.
func (spendCloseCmd) Help() string {
	return `Months are closed in their order, and once they are over. What comes late for a closed month is a correction of the first
that is open. Prints the statement, with invoices rounded as the currency is.

Example:
  godwit spend close 2026-11`
}

// Run closes it.
func (c *spendCloseCmd) Run(e *env) error {
	if err := monthArg(c.Month); err != nil {
		return err
	}
	client, err := e.client()
	if err != nil {
		return err
	}
	var s hub.Spend
	if err := client.Post(e.ctx, "/spend/close", nil, api.CloseRequest{Month: c.Month}, &s); err != nil {
		return err
	}
	return e.printSpend(&s)
}
