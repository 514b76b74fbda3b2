package api

import (
	"bytes"
	"context"
	"fmt"
	"mime"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
)

// ReconcileQuery says what a provider's file is about, and how it is written.
type ReconcileQuery struct {
	Link      string `query:"link" required:"true" doc:"name of a link"`
	Month     string `query:"month" required:"true" doc:"as 2026-11, in the zone of the link's tariff"`
	Device    string `query:"device" default:"device" doc:"column of the device: an address of it on the link, its name or number"`
	Time      string `query:"time" default:"time" doc:"column of the time"`
	Billed    string `query:"bytes" doc:"column of what is billed; left out: there is none"`
	Price     string `query:"price" doc:"column of the price; left out: there is none"`
	Direction string `query:"direction" doc:"column of the direction; left out: there is none"`
	MO        string `query:"mo" default:"MO" doc:"what that column has for messages of devices"`
	MT        string `query:"mt" default:"MT" doc:"what that column has for messages to devices"`
	Layout    string `query:"layout" doc:"of times, as Go's package time has it, or unix; left out: RFC 3339"`
	Zone      string `query:"zone" doc:"of times that do not say theirs, as Europe/Berlin; left out: that of the tariff"`
	Comma     string `query:"comma" doc:"between columns; left out: a comma"`
	Decimal   string `query:"decimal" doc:"in prices, a comma or a point; left out: a point"`
	Unit      int64  `query:"unit" minimum:"1" maximum:"1000000000" default:"1" doc:"bytes that one of what is billed stands for"`
	Tolerance int    `query:"tolerance_seconds" minimum:"0" maximum:"604800" default:"120" doc:"by which the times of one transmission may be apart"`
	Daily     bool   `query:"daily" doc:"the file has no more than a sum for each device and day"`
	Most      int    `query:"limit" minimum:"1" maximum:"100000" default:"1000" doc:"differences that are listed; all are counted"`
}

func (a *api) registerReconcile(h huma.API) {
	op := operation(http.MethodPost, "/spend/reconcile", "reconcile-spend", "Compare what was booked for a link in a month with a provider's records, as a CSV file; changes nothing", Operator)
	op.MaxBodyBytes = importMax
	huma.Register(h, op, func(ctx context.Context, in *struct {
		ReconcileQuery
		Type    string `header:"Content-Type" hidden:"true"`
		RawBody []byte `contentType:"text/csv"`
	},
	) (*one[hub.ReconcileReport], error) {
		if kind, _, _ := mime.ParseMediaType(in.Type); kind != "" && kind != "text/csv" {
			return nil, problem(http.StatusUnsupportedMediaType, "unsupported-media-type", "records are text/csv, not "+kind)
		}
		q, err := in.query()
		if err != nil {
			return nil, failed(err)
		}
		return answered(a.Hub.Reconcile(ctx, q, bytes.NewReader(in.RawBody)))
	})
}

func (in *ReconcileQuery) query() (q hub.ReconcileQuery, err error) {
	q = hub.ReconcileQuery{
		Link: in.Link, Tolerance: time.Duration(in.Tolerance) * time.Second, Daily: in.Daily, Most: in.Most,
		Columns: ledger.Columns{
			ID: in.Device, Time: in.Time, Billed: in.Billed, Price: in.Price, Direction: in.Direction, MO: in.MO, MT: in.MT, Layout: in.Layout,
			Unit: in.Unit, Decimal: in.Decimal,
		},
	}
	if q.Month, err = monthOf(in.Month); err != nil {
		return q, err
	}
	if in.Zone != "" {
		if q.Columns.Zone, err = time.LoadLocation(in.Zone); err != nil {
			return q, fmt.Errorf("%w: zone %q: want one as Europe/Berlin", hub.ErrQuery, in.Zone)
		}
	}
	if in.Decimal != "" && in.Decimal != "." && in.Decimal != "," {
		return q, fmt.Errorf("%w: decimal %q: want a point or a comma", hub.ErrQuery, in.Decimal)
	}
	if in.Comma != "" {
		r, n := utf8.DecodeRuneInString(in.Comma)
		if n != len(in.Comma) || r == utf8.RuneError || r == '"' || r == '\r' || r == '\n' {
			return q, fmt.Errorf("%w: comma %q: want one character", hub.ErrQuery, in.Comma)
		}
		q.Columns.Comma = r
	}
	return q, nil
}
