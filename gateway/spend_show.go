package main

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/godwit-gateway/godwit/gateway/api"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
)

type spendShowCmd struct {
	Month   string   `help:"As 2026-11; by default the one that is." placeholder:"MONTH"`
	By      []string `help:"What sums are kept apart by: customer, link, pool, campaign, cause, direction, correction; by default customer,link." placeholder:"WHAT"`
	Devices bool     `help:"By device and link instead."`

	Customer string `help:"Of this customer only; the forecast too."`
	Product  string `help:"With --devices: of devices of this product only."`
	Link     string `help:"Of this link only."`
	Pool     string `help:"Of this pool only."`
	Campaign string `help:"Of this rollout only, by its number."`
	Cause    string `help:"Of this cause only, as --by cause names them."`

	Limit int `help:"With --devices: at most so many lines; 0 for all." default:"0"`
}

// Help shows an example.
func (spendShowCmd) Help() string {
	return `What the gateway spent itself is downlinks, and answers that it asked for; devices spend the rest by themselves. The
forecast takes the days to come as like the last four weeks; 80 of 100 such forecasts hold. It is not known before a whole day
is over on which anything was spent.

Devices have an account for each link and month, and count to the customer and product that they are of now; pools, campaigns
and causes are told apart in the sums of all devices only, and fees are in these alone.

Example:
  godwit spend
  godwit spend --month 2026-11 --by customer,cause
  godwit spend --customer acme --by link   # with the forecast of this customer
  godwit spend --cause update --by campaign
  godwit spend --devices --customer acme --product buoy-demo -o csv`
}

// Run shows it.
func (c *spendShowCmd) Run(e *env) error {
	if err := c.check(); err != nil {
		return err
	}
	if c.Devices {
		return c.devices(e)
	}
	if len(c.By) == 0 {
		c.By = []string{"customer", "link"}
	}
	client, err := e.client()
	if err != nil {
		return err
	}
	q := c.query()
	q.Set("by", strings.Join(c.By, ","))
	var s hub.Spend
	if err := client.Get(e.ctx, "/spend", q, &s); err != nil {
		return err
	}
	if len(s.Totals) == 0 {
		c.tellNothing(e, s.Month.String())
	}
	return e.printSpend(&s)
}

// check refuses what no account can answer.
func (c *spendShowCmd) check() error {
	if err := monthArg(c.Month); err != nil {
		return err
	}
	if c.Cause != "" {
		if _, err := ledger.ParseCause(c.Cause); err != nil {
			return fmt.Errorf("%w: --cause: %w", errUsage, err)
		}
	}
	switch {
	case !c.Devices && c.Product != "":
		return fmt.Errorf("%w: --product goes with --devices: only the accounts of devices are known by product", errUsage)
	case c.Devices && len(c.By) > 0:
		return fmt.Errorf("%w: --by does not go with --devices: their accounts are by link", errUsage)
	case c.Devices && (c.Pool != "" || c.Campaign != "" || c.Cause != ""):
		return fmt.Errorf("%w: --pool, --campaign and --cause do not go with --devices: their accounts are by link; --customer, --product and --link do", errUsage)
	}
	if _, err := ledger.ParseBy(c.By); err != nil {
		return fmt.Errorf("%w: --by: %w", errUsage, err)
	}
	return nil
}

// filters are what is asked about, by its name in queries.
func (c *spendShowCmd) filters() [][2]string {
	all := [][2]string{
		{"customer", c.Customer}, {"product", c.Product}, {"link", c.Link}, {"pool", c.Pool}, {"campaign", c.Campaign}, {"cause", c.Cause},
	}
	return slices.DeleteFunc(all, func(f [2]string) bool { return f[1] == "" })
}

func (c *spendShowCmd) query() url.Values {
	q := url.Values{}
	if c.Month != "" {
		q.Set("month", c.Month)
	}
	for _, f := range c.filters() {
		q.Set(f[0], f[1])
	}
	return q
}

// tellNothing says that there is nothing to show, and that the link is not configured if it is not: that may be why.
func (c *spendShowCmd) tellNothing(e *env, month string) {
	var of []string
	for _, f := range c.filters() {
		of = append(of, f[0]+" "+f[1])
	}
	text := "nothing is booked"
	if len(of) > 0 {
		text += " of " + strings.Join(of, " and ")
	}
	text += " in " + month
	if c.Link != "" {
		links, err := list[api.Link](e, "/links")
		if err == nil && !slices.ContainsFunc(links, func(l api.Link) bool { return l.Name == c.Link }) {
			text += "; no link of that name is configured"
		}
	}
	_, _ = fmt.Fprintln(e.stderr, cell(text)) // beside the table, which is empty
}

func (e *env) printSpend(s *hub.Spend) error {
	return e.print(s, "WHAT PRICE OURS CURRENCY COUNT PAYLOAD BILLED", func(row func(...any)) {
		for i := range s.Totals {
			t := &s.Totals[i]
			row(describeTotal(t), t.Micros, t.Ours, t.Currency, t.Count, t.Payload, t.Billed)
		}
		poolRows(s.Pools, row)
		switch f := s.Forecast; {
		case f == nil:
		case !f.Known():
			row(fmt.Sprintf("what %s will come to is not known yet: no whole day is over on which anything was spent", s.Month))
		default:
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

func (c *spendShowCmd) devices(e *env) error {
	all, err := pages[hub.DeviceSpend](e, "/spend/devices", c.query(), c.Limit)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		c.tellNothing(e, cmp.Or(c.Month, "this month"))
	}
	return e.print(all, "NUMBER NAME LINK UP DOWN CURRENCY FRAMES_UP FRAMES_DOWN BILLED_UP BILLED_DOWN", func(row func(...any)) {
		for i := range all {
			d := &all[i]
			row(d.Device, d.Name, d.Link, d.Up.Micros, d.Down.Micros, d.Currency, d.Up.Count, d.Down.Count, d.Up.Billed, d.Down.Billed)
		}
	})
}
