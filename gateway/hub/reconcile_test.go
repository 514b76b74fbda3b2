package hub_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
	"github.com/godwit-gateway/godwit/transports"
)

// A provider's file is held against the frames and downlinks of its link and month: by any name of the device, with what is missing on either side.
func TestReconcileWithStoredFrames(t *testing.T) {
	b := priced(t)
	d := b.importOne(8)
	b.settled(b.udp(d.to(d.status(3.7))), transports.Stored) // another link
	sent := b.clock.t.Add(time.Hour)
	for n := range 3 {
		b.clock.t = sent.Add(time.Duration(n) * time.Hour)
		b.settled(b.smsFrom(msisdn, d.status(3.7)), transports.Stored)
	}
	again := d.status(3.7)
	b.settled(b.smsFrom(msisdn, again), transports.Stored)
	b.settled(b.smsFrom(msisdn, again), transports.Duplicate)
	if _, err := b.hub.SendMessage(t.Context(), "meter-1", hub.Message{Payload: []byte{1}, Link: "sms"}); err != nil {
		t.Fatal(err)
	}
	b.clock.t = b.clock.t.Add(time.Hour)
	b.transmitSMS()
	down := b.clock.t
	b.clock.t = b.clock.t.Add(48 * time.Hour) // the downlink is forgotten, its charge is not
	if err := b.hub.RetainOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.crash()
	line := func(id string, at time.Time, way, bytes, price string) string {
		return strings.Join([]string{id, at.Format(time.RFC3339), way, bytes, price}, ";") + "\n"
	}
	short := strings.TrimPrefix(msisdn, "+")
	file := "Nummer;Zeit;Weg;Bytes;Preis\n" + line(msisdn, sent.Add(-time.Minute), "MO", "16", "0,02") + line(short, sent.Add(time.Hour), "MO", "16", "0,03") +
		line("2001", down, "MT", "30", "0,02") + line("meter-1", sent.Add(30*time.Minute), "MO", "16", "0,02") + line("+4999", sent, "MO", "16", "0,02") +
		line(msisdn, sent.AddDate(0, 1, 0), "MO", "16", "0,02")
	q := hub.ReconcileQuery{
		Link: "sms", Month: tariff.MonthOf(b.clock.t), Tolerance: 2 * time.Minute,
		Columns: ledger.Columns{ID: "Nummer", Time: "Zeit", Direction: "Weg", MO: "MO", MT: "MT", Price: "Preis", Comma: ';', Decimal: ","},
	}
	r, err := b.hub.Reconcile(t.Context(), q, strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	// The first and the downlink agree, the second has another price; the third and fourth came and are not billed; two are billed that nobody knows.
	if r.Matched != 2 || r.OtherPrice != 1 || r.MissingThere != 2 || r.MissingHere != 2 || r.Outside != 1 || r.Devices != 1 || r.Currency != "EUR" || !r.Since.IsZero() {
		t.Errorf("%+v", r)
	}
	if r.Ours.Records != 5 || r.Ours.Micros != 100_000 || r.Theirs.Micros != 110_000 {
		t.Errorf("ours %+v, theirs %+v", r.Ours, r.Theirs)
	}
	causes := make(map[string]int64)
	for _, u := range r.Unlisted {
		causes[u.Cause] = u.Count
	}
	if causes["repeat"] != 1 {
		t.Errorf("sums only: %+v", r.Unlisted)
	}
	for what, change := range map[string]func(*hub.ReconcileQuery){
		"link": func(q *hub.ReconcileQuery) { q.Link = "ghost" }, "no tariff": func(q *hub.ReconcileQuery) { q.Link = "udp" },
		"no column": func(q *hub.ReconcileQuery) { q.Columns.ID = "IMEI" }, "tolerance": func(q *hub.ReconcileQuery) { q.Tolerance = -1 },
	} {
		bad := q
		change(&bad)
		if _, err := b.hub.Reconcile(t.Context(), bad, strings.NewReader(file)); !errors.Is(err, hub.ErrQuery) {
			t.Errorf("%s: %v", what, err)
		}
	}
	// Sums of days, and a month of which the beginning is forgotten.
	b.retain.Frames = 2 * 24 * time.Hour
	_ = b.store.Close()
	b.open()
	q.Daily, q.Columns = true, ledger.Columns{ID: "id", Time: "day", Layout: time.DateOnly, Price: "eur"}
	r, err = b.hub.Reconcile(t.Context(), q, strings.NewReader("id,day,eur\n2001,2026-03-01,0.10\n"))
	if err != nil || r.Matched != 1 || r.MissingThere != 0 || r.Since.IsZero() {
		t.Errorf("by day: %+v, %v", r, err)
	}
}

// A SIM that was moved to another device bills what both have sent under one name.
func TestReconcileAfterASIMWasMoved(t *testing.T) {
	b := priced(t)
	old := b.device(10)
	b.settled(b.smsFrom(msisdn, old.to(old.status(3.7))), transports.Stored)
	first := b.clock.t
	b.clock.t = first.Add(24 * time.Hour)
	d := b.device(57)
	b.settled(b.smsFrom(msisdn, d.to(d.status(3.7))), transports.Stored)
	b.settled(b.smsFrom("+49170999", b.device(30).to(b.device(30).status(3.7))), transports.Stored)
	file := "id;t;price\n"
	for _, at := range []time.Time{first, b.clock.t} {
		file += msisdn + ";" + at.Format(time.RFC3339) + ";0.02\n"
	}
	q := hub.ReconcileQuery{
		Link: "sms", Month: tariff.MonthOf(b.clock.t), Tolerance: time.Minute, Columns: ledger.Columns{ID: "id", Time: "t", Price: "price", Comma: ';'},
	}
	r, err := b.hub.Reconcile(t.Context(), q, strings.NewReader(file))
	if err != nil || r.Matched != 2 || r.MissingHere != 0 || r.MissingThere != 1 || r.Devices != 3 {
		t.Errorf("%+v, %v", r, err)
	}
}
