package main

import (
	"fmt"

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

type spendBudgetsCmd struct{}

// Help shows an example.
func (spendBudgetsCmd) Help() string {
	return `The forecast is without rental and other fees to come, which are booked when a month is closed; it is not known before a
whole day is over on which anything was spent. A budget is spent at the time that is told if the days go on as they are
expected; there is none if it lasts.

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
			switch f := b.Forecast; {
			case f == nil:
			case !f.Known():
				cells[7] = e.notKnownYet()
			default:
				cells[7], cells[8], cells[9] = f.Expected, f.Low, f.High
			}
			row(cells...)
		}
	})
}

// notKnownYet stands in tables where a number will be; in CSV nothing does.
func (e *env) notKnownYet() string {
	if e.cli.Output == "csv" {
		return ""
	}
	return "not known yet"
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
