package tariff

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
)

var (
	nameForm     = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)
	currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)
)

// Bounds of what a tariff may say. They are far beyond any price list, and keep all sums within their types.
const (
	priceMost = scheduler.Micros(1e15) // a thousand million units of the currency
	bytesMost = int64(1) << 40
)

// ErrTariff is wrapped by the errors of Validate.
var ErrTariff = errors.New("tariff")

// faults collects what is wrong.
type faults struct {
	path string
	list []error
}

func (f *faults) add(key, format string, args ...any) {
	f.list = append(f.list, fault(f.path+key+" "+fmt.Sprintf(format, args...)))
}

// fault is a mistake in a tariff: the key, a space, what is wrong.
type fault string

func (f fault) Error() string        { return string(f) }
func (f fault) Is(target error) bool { return target == ErrTariff }

func (f *faults) within(key string, n, low, high int64) {
	if n < low || n > high {
		f.add(key, "%d is out of range, want %d to %d", n, low, high)
	}
}

func (f *faults) amount(key string, m scheduler.Micros) {
	if m < 0 || m > priceMost {
		f.add(key, "%s is out of range, want 0 to %s", m, priceMost)
	}
}

// Validate joins an error for each mistake; each begins with the key, as in "term[0].price is …", and wraps ErrTariff.
func (t *Tariff) Validate() error {
	f := &faults{}
	if !nameForm.MatchString(t.Name) {
		f.add("name", "%q cannot name a tariff, want 1 to 32 of A-Z a-z 0-9 _ -", t.Name)
	}
	if t.Pool != "" && !nameForm.MatchString(t.Pool) {
		f.add("pool", "%q cannot name a pool, want 1 to 32 of A-Z a-z 0-9 _ -", t.Pool)
	}
	if !currencyForm.MatchString(t.Currency) {
		f.add("currency", `%q is no currency, want three letters of ISO 4217, "EUR"`, t.Currency)
	}
	if t.Until != 0 && t.Until < t.From {
		f.add("valid_until", "%s is before valid_from, %s", t.Until, t.From)
	}
	f.within("late_days", int64(t.LateDays), 0, 366)
	if len(t.Terms) > countersMost {
		f.add("term", "%d are too many, want at most %d", len(t.Terms), countersMost)
	}
	for i := range t.Terms {
		f.path = fmt.Sprintf("term[%d].", i)
		f.term(&t.Terms[i])
		f.twice(t.Terms[:i], &t.Terms[i])
	}
	f.path = "rental."
	r := &t.Rental
	f.amount("price", r.Price)
	f.amount("suspended", r.Suspended)
	f.amount("activation", r.Activation)
	f.amount("group", r.Group)
	f.amount("group_activation", r.GroupOnce)
	f.within("minimum_months", int64(r.MinMonths), 0, 1200)
	return errors.Join(f.list...)
}

func (f *faults) term(m *Term) {
	f.amount("price", m.Price)
	f.within("header", m.Header, 0, bytesMost)
	f.within("handshake", m.Handshake, 0, bytesMost)
	f.within("min", m.Min, 0, bytesMost)
	f.within("increment", m.Increment, 0, bytesMost)
	f.within("size", m.Size, 0, bytesMost)
	f.within("part_size", m.PartSize, 0, bytesMost)
	f.within("step", m.Step, 0, bytesMost)
	f.within("multiply", m.Multiply, 0, 1_000_000)
	for _, k := range m.For {
		if k == SessionEnd {
			f.add("for", "session_end is charged by itself where sessions are")
		}
	}
	if m.Direction > MT {
		f.add("direction", "%s is no direction of a price, want mo, mt or both", m.Direction)
	}
	f.form(m)
	if m.Allowance != nil {
		f.allowance(m)
	}
	for i := range m.Tiers {
		key := fmt.Sprintf("tier[%d].", i)
		f.amount(key+"price", m.Tiers[i].Price)
		f.within(key+"above", m.Tiers[i].Above, 1, bytesMost)
		if i > 0 && m.Tiers[i].Above <= m.Tiers[i-1].Above {
			f.add(key+"above", "%d does not rise above %d", m.Tiers[i].Above, m.Tiers[i-1].Above)
		}
	}
}

// form finds keys that do not go with the unit or the scope.
func (f *faults) form(m *Term) {
	if !m.Unit.sized() {
		for _, o := range []struct {
			key string
			set bool
		}{
			{"min", m.Min > 0},
			{"increment", m.Increment > 0},
			{"scope", m.Scope != OfMessage},
			{"handshake", m.Handshake > 0},
			{"header", m.Header > 0 && m.Unit != Part},
			{"first", m.Order != MinimumFirst},
		} {
			if o.set {
				f.add(o.key, "is for prices by size, not by %s", m.Unit)
			}
		}
	}
	if m.Unit == Credit && m.Size < 1 {
		f.add("size", "is missing: how many bytes a credit has")
	}
	if m.PartSize > 0 && (m.Unit != Part || m.PartSize > m.Size) {
		f.add("part_size", "is for unit = \"part\", and at most size")
	}
	if (m.Scope == OfInterval) != (m.Interval != 0) {
		f.add("interval", "goes with scope = \"interval\", and only with it")
	}
	if m.Interval != 0 && (m.Interval < time.Second || m.Interval > 366*24*time.Hour) {
		f.add("interval", "%s is out of range, want 1s to 366d", m.Interval)
	}
	if m.Handshake > 0 && (m.Scope == OfDay || m.Scope == OfMonth) {
		f.add("handshake", "is of sessions, which a scope of %s does not know", m.Scope)
	}
}

func (f *faults) allowance(m *Term) {
	a := m.Allowance
	f.within("allowance.amount", a.Amount, 1, bytesMost)
	f.amount("allowance.price", a.Price)
	if a.Unit != nil && a.Unit.sized() != m.Unit.sized() {
		f.add("allowance.unit", "%s cannot be counted off %s", m.Unit, *a.Unit)
	}
	if a.Each && !a.Pooled {
		f.add("allowance.each", "is for pooled allowances only")
	}
	if a.Valid < 0 || a.Valid > 100*366*24*time.Hour || a.Valid > 0 && a.Valid < time.Hour {
		f.add("allowance.valid", "%s is out of range, want 1h to 36600d", a.Valid)
	}
	if a.Period == Monthly && a.Valid != 0 {
		f.add("allowance.valid", "a monthly allowance ends with its month")
	}
	if a.Period != Bundle && (a.Price != 0 || a.Renew) {
		f.add("allowance.price", "and renew are for bundles only")
	}
}

// twice finds a second price by size for the same events, which plans could not reckon with.
func (f *faults) twice(before []Term, m *Term) {
	for i := range before {
		o := &before[i]
		if o.Unit.sized() && m.Unit.sized() && (o.Direction == Both || m.Direction == Both || o.Direction == m.Direction) && slices.ContainsFunc(events(o), func(k Kind) bool { return slices.Contains(events(m), k) }) {
			f.add("unit", "term[%d] is a price by size for the same events", i)
		}
	}
}

func events(m *Term) []Kind {
	if len(m.For) == 0 {
		return []Kind{Message}
	}
	return m.For
}
