package hub

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// A ReconcileQuery says what a provider's file is about, and how it is written.
type ReconcileQuery struct {
	Link      string
	Month     tariff.Month
	Columns   ledger.Columns // a Zone of nil is that of the tariff
	Tolerance time.Duration  // by which the times of one transmission may be apart
	Daily     bool           // the file has no more than sums of days
	Most      int            // differences that are listed; 0: all
}

// A ReconcileReport is what a provider's file came to.
type ReconcileReport struct {
	Link     string       `json:"link"`
	Month    tariff.Month `json:"month"`
	Currency string       `json:"currency"`
	Since    time.Time    `json:"since,omitzero"` // records before are deleted, so that the month is not whole; zero: it is
	Devices  int          `json:"devices"`        // of ours that have records of the month
	Unlisted []SpendTotal `json:"unlisted"`       // what is booked as sums only, by cause and direction
	ledger.Reconciliation
}

// toleranceMax bounds how far apart the times of one transmission may be.
const toleranceMax = 7 * 24 * time.Hour

// Reconcile compares what was booked for frames and downlinks of a link and month with a provider's file. It reads the frames of one device after the
// other; whatever is stored meanwhile may or may not be seen.
func (h *Hub) Reconcile(ctx context.Context, q ReconcileQuery, file io.Reader) (ReconcileReport, error) {
	l := h.links[q.Link]
	if l == nil {
		return ReconcileReport{}, fmt.Errorf("%w: there is no link %q", ErrQuery, q.Link)
	}
	if q.Tolerance < 0 || q.Tolerance > toleranceMax {
		return ReconcileReport{}, fmt.Errorf("%w: tolerance %s: want up to %s", ErrQuery, q.Tolerance, toleranceMax)
	}
	h.mu.RLock()
	t := h.core.Tariff(q.Month.Begins(time.UTC).AddDate(0, 0, 14), l.place)
	h.mu.RUnlock()
	if t == nil {
		return ReconcileReport{}, fmt.Errorf("%w: the link %s has no tariff: nothing is booked for it", ErrQuery, q.Link)
	}
	zone := t.Local(time.Time{}).Location()
	r := ReconcileReport{Link: q.Link, Month: q.Month, Currency: t.Currency, Unlisted: []SpendTotal{}}
	c := ledger.Comparison{Tolerance: q.Tolerance, From: q.Month.Begins(zone), To: q.Month.Next().Begins(zone), Most: q.Most}
	if kept := h.clock.Now().Add(-h.retention.Frames); h.retention.Frames > 0 && kept.After(c.From) {
		r.Since = kept
	}
	if q.Columns.Zone == nil {
		q.Columns.Zone = zone
	}
	if q.Daily {
		c.Daily, c.Tolerance = zone, 0
	}
	theirs, err := ledger.ReadRecords(file, &q.Columns)
	if err != nil {
		return ReconcileReport{}, fmt.Errorf("%w: %w", ErrQuery, err)
	}
	with := ledger.NewReconciler(theirs, c)
	if err := h.reconcileAll(ctx, with, &c, l, &r); err != nil {
		return ReconcileReport{}, err
	}
	r.Reconciliation = with.Result()
	h.mu.RLock()
	defer h.mu.RUnlock()
	for _, t := range h.core.Ledger().Totals(q.Month, ledger.ByCause|ledger.ByDirection, func(g *ledger.Group) bool { return g.Link == q.Link && l.unlisted(g) }) {
		r.Unlisted = append(r.Unlisted, totalOf(&t, ledger.ByCause|ledger.ByDirection))
	}
	return r, nil
}

// unlisted reports whether what is booked for a group is kept as sums only: of frames that came again, of senders that nobody knows, of
// sessions that sent nothing, of reports of the network, and of acknowledgements that are answers to a datagram. Who sends a recorded frame again and again must not fill
// the disk.
func (l *link) unlisted(g *ledger.Group) bool {
	switch g.Cause {
	case ledger.CauseRepeat, ledger.CauseUnknown, ledger.CauseCheck, ledger.CauseEmpty:
		return true
	case ledger.CauseAck:
		return g.Direction == tariff.MT && !l.Metered
	case ledger.CauseOther:
		return g.Direction == tariff.MT
	default:
		return false
	}
}

// reconcileAll compares the devices by number. Those that have a name of the file in common, as two between which a SIM was moved, are compared as
// one: the provider does not tell which of them its records are of.
func (h *Hub) reconcileAll(ctx context.Context, with *ledger.Reconciler, c *ledger.Comparison, l *link, r *ReconcileReport) error {
	numbers := h.numbers()
	joint := h.joint(numbers, with, l)
	for _, number := range numbers {
		set := joint[number]
		if set == nil {
			set = []uint32{number}
		}
		if set[0] != number {
			continue // with the first
		}
		var ours []ledger.Record
		var names []string
		for _, number := range set {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("reconcile: %w", err)
			}
			d, ok := h.deviceOf(number)
			if !ok {
				continue
			}
			list, err := h.records(&d, c, l)
			if err != nil {
				return err
			}
			if len(list) > 0 {
				r.Devices++
			}
			ours, names = append(ours, list...), append(names, namesOf(&d, l)...)
		}
		with.Device(ours, names...)
	}
	return nil
}

// joint are the devices that have a name of the file in common with others: for each all of its set, in order.
func (h *Hub) joint(numbers []uint32, with *ledger.Reconciler, l *link) map[uint32][]uint32 {
	first, joint := make(map[string]uint32), make(map[uint32][]uint32)
	setOf := func(number uint32) []uint32 {
		if set := joint[number]; set != nil {
			return set
		}
		return []uint32{number}
	}
	for _, number := range numbers {
		d, ok := h.deviceOf(number)
		if !ok {
			continue
		}
		for _, name := range namesOf(&d, l) {
			if !with.Has(name) {
				continue
			}
			other, ok := first[name]
			if !ok {
				first[name] = number
				continue
			}
			if set, more := setOf(other), setOf(number); set[0] != more[0] {
				set = slices.Concat(set, more)
				slices.Sort(set)
				for _, n := range set {
					joint[n] = set
				}
			}
		}
	}
	return joint
}

func (h *Hub) deviceOf(number uint32) (d fleet.Device, ok bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	i, ok := h.fleet.ByNumber(number)
	if ok {
		d = h.fleet.Device(i)
	}
	return d, ok
}

// namesOf are the names that a provider may have for a device: its addresses on the link, and ours.
func namesOf(d *fleet.Device, l *link) []string {
	names := []string{d.Name, fmt.Sprint(d.Number)}
	for _, a := range d.Addresses {
		if a.Bearer == string(l.Bearer) {
			names = append(names, a.ID, strings.TrimPrefix(a.ID, "+"))
		}
	}
	return names
}

// records are what was booked for a device over a link, in the time of a comparison. What the network held back has come later than it was billed.
func (h *Hub) records(d *fleet.Device, c *ledger.Comparison, l *link) ([]ledger.Record, error) {
	const late = 7 * 24 * time.Hour
	var list []ledger.Record
	from, to := c.From.Add(-c.Tolerance), c.To.Add(c.Tolerance)
	err := h.store.EachFrame(d.Number, from, to.Add(late), func(_ store.FrameKey, f *store.Frame) error {
		rec := ledger.Record{ID: f.From, Time: f.SentAt, Direction: tariff.MO, Billed: f.Billed, Micros: scheduler.Micros(f.Micros)}
		if rec.Time.IsZero() {
			rec.Time = f.ReceivedAt
		}
		if f.Charged && f.Link == l.Name {
			list = append(list, rec)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the frames of %s: %w", d.Name, err)
	}
	id := cmp.Or(d.Accepted(string(l.Bearer)), d.Name)
	err = h.store.EachCharge(d.Number, from, to, func(k *store.Charge) error {
		if k.Link == l.Name {
			list = append(list, ledger.Record{ID: id, Time: k.At, Direction: tariff.MT, Billed: k.Billed, Micros: scheduler.Micros(k.Micros)})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the downlinks of %s: %w", d.Name, err)
	}
	return list, nil
}
