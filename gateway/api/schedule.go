package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// WhatIfRequest is a plan that is to be tried. What is left out is as it is.
type WhatIfRequest struct {
	Budget   string            `json:"budget,omitempty" doc:"a month, as 250.00; 0.00: no limit"`
	Tariffs  map[string]string `json:"tariffs,omitempty" doc:"by name of a link: a tariff that the gateway knows"`
	Law      string            `json:"law,omitempty" enum:"price,fixed,class,bands" doc:"of all policies"`
	Interval int64             `json:"interval_seconds,omitempty" minimum:"0" maximum:"31622400" doc:"of the law, where it wants one"`
	Tail     uint8             `json:"tail,omitempty" maximum:"4" doc:"of all policies"`
	Shortest int64             `json:"shortest_seconds,omitempty" minimum:"0" maximum:"31622400" doc:"interval of all policies"`
	Longest  int64             `json:"longest_seconds,omitempty" minimum:"0" maximum:"31622400" doc:"interval of all policies"`
	Policy   string            `json:"policy,omitempty" doc:"the one of this name alone is changed, not all"`
	Most     int               `json:"changes,omitempty" minimum:"0" maximum:"1000" doc:"how many devices that would change are named, the largest changes first"`
}

// AttendRequest says that somebody looks at a device for a while.
type AttendRequest struct {
	Factor  float64 `json:"factor" minimum:"1" maximum:"1000" doc:"by which the device's weight is multiplied; 1 ends it"`
	Seconds int64   `json:"seconds" minimum:"60" maximum:"31622400" doc:"for how long"`
}

// silentClasses are what can be asked for, by the word in a query.
var silentClasses = map[string]string{"": "", "late": "late", "silent": "silent", "outage": "link or region outage", "dead": "presumed dead", "due": "due", "retired": "retired"}

func (a *api) registerSchedule(h huma.API) {
	huma.Register(h, operation(http.MethodGet, "/devices/{device}/schedule", "explain-schedule", "Why a device speaks as often as it does, and what is thought of it", Viewer),
		func(_ context.Context, in *DeviceRef) (*one[hub.Explanation], error) {
			return answered(a.Hub.Explain(in.Device))
		})
	huma.Register(h, operation(http.MethodPost, "/devices/{device}/attend", "attend-device", "Have a device's weight count for more for a while, so that it is told to speak more often", Operator),
		func(ctx context.Context, in *struct {
			DeviceRef
			Body AttendRequest
		},
		) (*one[hub.Explanation], error) {
			return answered(a.Hub.Attend(ctx, in.Device, in.Body.Factor, a.Now().Add(time.Duration(in.Body.Seconds)*time.Second)))
		})
	huma.Register(h, operation(http.MethodGet, "/schedule", "show-plan", "The plan in force", Viewer),
		func(context.Context, *struct{}) (*one[hub.PlanSummary], error) {
			return answered(a.Hub.Plan(), nil)
		})
	huma.Register(h, operation(http.MethodPost, "/schedule/what-if", "what-if", "What another budget, tariff or policy would change; changes nothing", Viewer),
		func(_ context.Context, in *struct{ Body WhatIfRequest }) (*one[hub.WhatIfResult], error) {
			w, err := a.whatIf(&in.Body)
			if err != nil {
				return nil, failed(err)
			}
			return answered(a.Hub.WhatIf(w, in.Body.Most))
		})
	huma.Register(h, operation(http.MethodGet, "/schedule/silent", "list-silent", "Devices that are not heard as they should be, with the evidence", Viewer),
		func(_ context.Context, in *struct {
			Class  string `query:"class" enum:"late,silent,outage,dead,due,retired" doc:"left out: all but due and retired"`
			Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
			Cursor string `query:"cursor"`
		},
		) (*one[Page[hub.SilentDevice]], error) {
			return paged(a.Hub.Silent(silentClasses[in.Class], in.Cursor, in.Limit))
		})
}

func (a *api) whatIf(r *WhatIfRequest) (hub.WhatIf, error) {
	w := hub.WhatIf{Tails: r.Tail, Every: scheduler.Secs(r.Interval), Min: scheduler.Secs(r.Shortest), Max: scheduler.Secs(r.Longest), Only: r.Policy, Tariff: make(map[string]*tariff.Tariff)}
	if r.Budget != "" {
		m, err := scheduler.ParseMicros(r.Budget)
		if err != nil || m < 0 {
			return w, fmt.Errorf("%w: budget %q: want an amount such as 250.00", hub.ErrSchedule, r.Budget)
		}
		w.Money = &m
	}
	if r.Law != "" {
		law, _ := scheduler.ParseLaw(r.Law)
		w.Law = &law
	}
	for link, name := range r.Tariffs {
		t := a.Hub.Tariff(name, a.Now())
		if t == nil {
			return w, fmt.Errorf("%w: no tariff %q holds now", hub.ErrSchedule, name)
		}
		w.Tariff[link] = t
	}
	return w, nil
}

// CloseRequest names a month.
type CloseRequest struct {
	Month string `json:"month" doc:"2026-11" pattern:"^[0-9]{4}-[0-9]{2}$"`
}

// MonthQuery names a month in a query.
type MonthQuery struct {
	Month string `query:"month" doc:"as 2026-11; left out: the one that is, in the zone that the answer names"`
}

func (in *MonthQuery) month() (tariff.Month, error) { return monthOf(in.Month) }

func monthOf(text string) (tariff.Month, error) {
	if text == "" {
		return 0, nil
	}
	m, err := tariff.ParseMonth(text)
	if err != nil {
		return 0, fmt.Errorf("%w: month %q: want one as 2026-11", hub.ErrQuery, text)
	}
	return m, nil
}

func (a *api) registerSpend(h huma.API) {
	huma.Register(h, operation(http.MethodGet, "/spend", "show-spend", "What was spent in a month, and what it will probably come to", Viewer),
		func(_ context.Context, in *struct {
			MonthQuery
			By       []string `query:"by" doc:"what sums are kept apart by: customer, link, pool, campaign, cause, direction, correction"`
			Customer string   `query:"customer" doc:"of this one only, the forecast too"`
			Link     string   `query:"link" doc:"of this one only"`
			Pool     string   `query:"pool" doc:"of this one only"`
			Campaign string   `query:"campaign" doc:"of this one only: the number of a rollout"`
			Cause    string   `query:"cause" doc:"of this one only: status, message, fee and so on"`
		},
		) (*one[hub.Spend], error) {
			at, err := in.month()
			if err != nil {
				return nil, failed(err)
			}
			by, err := ledger.ParseBy(slices.DeleteFunc(in.By, func(s string) bool { return s == "" }))
			if err != nil {
				return nil, failed(fmt.Errorf("%w: %w", hub.ErrQuery, err))
			}
			if in.Cause != "" {
				if _, err := ledger.ParseCause(in.Cause); err != nil {
					return nil, failed(fmt.Errorf("%w: %w", hub.ErrQuery, err))
				}
			}
			only := hub.SpendFilter{Customer: in.Customer, Link: in.Link, Pool: in.Pool, Campaign: in.Campaign, Cause: in.Cause}
			return answered(a.Hub.Spend(at, by, only), nil)
		})
	huma.Register(h, operation(http.MethodGet, "/spend/devices", "list-device-spend", "What devices spent in a month, by number", Viewer),
		func(_ context.Context, in *struct {
			MonthQuery
			Customer string `query:"customer" doc:"of devices that are this one's now"`
			Product  string `query:"product" doc:"of devices of this one"`
			Link     string `query:"link" doc:"over this one only"`
			Limit    int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
			Cursor   string `query:"cursor"`
		},
		) (*one[Page[hub.DeviceSpend]], error) {
			at, err := in.month()
			if err != nil {
				return nil, failed(err)
			}
			return paged(a.Hub.DeviceSpends(at, hub.DeviceSpendFilter{Customer: in.Customer, Product: in.Product, Link: in.Link}, in.Cursor, in.Limit))
		})
	huma.Register(h, operation(http.MethodGet, "/spend/runaways", "list-runaways", "Devices that spend far more than others of their product, with a policy that would quieten them", Viewer),
		func(context.Context, *struct{}) (*one[Page[Runaway]], error) {
			var items []Runaway
			for _, f := range a.Hub.Runaways(ledger.Runaway{}) {
				items = append(items, Runaway{f, int64(f.Interval / time.Second)})
			}
			return page(items, ""), nil
		})
	huma.Register(h, operation(http.MethodGet, "/budgets", "list-budgets", "Budgets, what is left of them in this month, and what it will probably come to", Viewer),
		func(context.Context, *struct{}) (*one[Page[hub.BudgetState]], error) {
			return page(a.Hub.Budgets(true), ""), nil
		})
	a.registerReconcile(h)
	huma.Register(h, operation(http.MethodPost, "/spend/close", "close-month", "Close a month for ever: what comes late for it is a correction of the next", Operator),
		func(ctx context.Context, in *struct{ Body CloseRequest }) (*one[hub.Spend], error) {
			at, err := monthOf(strings.TrimSpace(in.Body.Month))
			if err != nil {
				return nil, failed(err)
			}
			s, err := a.Hub.CloseMonth(ctx, at)
			if err == nil {
				a.note(ctx, "month closed", in.Body.Month)
			}
			return answered(s, err)
		})
}

// A Runaway is a device that spends far more than others of its product.
type Runaway struct {
	ledger.Finding
	Interval int64 `json:"interval" doc:"seconds; with it the device would spend about the median; 0: no policy can be blamed"`
}
