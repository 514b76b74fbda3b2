package tariff

import (
	"cmp"
	"fmt"
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
)

// A Tariff is what one provider charges, in one currency, from one day to another. The tags are the keys of a file.
type Tariff struct {
	Name     string `toml:"name"`      // versions of a tariff share it; 1 to 32 of [A-Za-z0-9_-]
	Provider string `toml:"provider"`  // who charges
	Source   string `toml:"source"`    // where the figures were read
	AsOf     Date   `toml:"as_of"`     // when they were
	Note     string `toml:"note"`      // for people
	Currency string `toml:"currency"`  // ISO 4217, "EUR"
	TimeZone string `toml:"time_zone"` // in which days and months are billed, an IANA name; "": UTC

	From  Date `toml:"valid_from"`  // first day; none: since ever
	Until Date `toml:"valid_until"` // last day; none: until further notice

	Pool     string `toml:"pool"`      // name of the pool whose allowances the devices share; "": Name
	LateDays int    `toml:"late_days"` // a month's records may still come so many days after its end

	RelayOnce bool `toml:"relay_once"` // a message from device to device is billed as MO only, not as MO and as MT

	Terms  []Term `toml:"term"`
	Rental Rental `toml:"rental"`

	Zone *time.Location `toml:"-"` // what TimeZone names; nil: UTC
}

// A Term is the price of one thing.
type Term struct {
	Name      string        `toml:"name"`      // for people; "": what it is for
	For       []Kind        `toml:"for"`       // events that it is for; none: messages
	Direction Direction     `toml:"direction"` // of them
	Unit      Unit          `toml:"unit"`
	Size      int64         `toml:"size"`        // bytes of a credit, or of a message that goes in one part (SMS: 140)
	PartSize  int64         `toml:"part_size"`   // bytes of each part of a message that does not (SMS: 134, or 133)
	Header    int64         `toml:"header"`      // bytes added to each message before anything else (IP and UDP: 28)
	Handshake int64         `toml:"handshake"`   // bytes added at the beginning of each session (TLS, DTLS)
	Min       int64         `toml:"min"`         // bytes billed at least; 0: what is empty costs nothing
	Increment int64         `toml:"increment"`   // bytes that what is billed is a multiple of; 0: of a credit its size, else 1
	Order     Order         `toml:"first"`       // which of the two is applied first
	Scope     Scope         `toml:"scope"`       // over which both are
	Interval  time.Duration `toml:"interval"`    // between two records, of scope "interval"
	Multiply  int64         `toml:"multiply"`    // what is billed counts so many times (beams, repeats); 0: once
	Failed    bool          `toml:"failed"`      // transmissions that failed are charged as well
	FreeRider bool          `toml:"free_riding"` // mailbox checks that ride on a message are free

	Allowance *Allowance `toml:"allowance"` // what is included

	Price scheduler.Micros `toml:"price"` // of a unit, beyond the allowance
	Step  int64            `toml:"step"`  // what is beyond the allowance is charged in whole blocks of so many units; 0: as it is
	Tiers []Tier           `toml:"tier"`  // other prices for more, rising
}

// An Allowance is what is included or paid beforehand.
type Allowance struct {
	Amount int64            `toml:"amount"` // in Unit
	Unit   *Unit            `toml:"unit"`   // nil: the term's
	Pooled bool             `toml:"pooled"` // shared by the devices of the pool
	Each   bool             `toml:"each"`   // pooled: every device adds Amount
	Period Period           `toml:"period"`
	Valid  time.Duration    `toml:"valid"` // from the first use; 0: for ever
	Price  scheduler.Micros `toml:"price"` // of a bundle
	Renew  bool             `toml:"renew"` // another bundle is bought when one is used up or over
}

// A Tier is a price that holds for what exceeds an amount within a month.
type Tier struct {
	Above int64            `toml:"above"` // units beyond the allowance
	Price scheduler.Micros `toml:"price"` // of each further unit
}

// Rental is what a line costs without any traffic.
type Rental struct {
	Price      scheduler.Micros `toml:"price"`            // of a month
	ByDay      bool             `toml:"by_day"`           // of a month that is begun or ended within, only the days are paid
	FreeSilent bool             `toml:"free_silent"`      // a month without traffic costs nothing
	Suspended  scheduler.Micros `toml:"suspended"`        // of a month for which the line is suspended, or its part by day, in the place of Price
	Activation scheduler.Micros `toml:"activation"`       // once
	MinMonths  int              `toml:"minimum_months"`   // months that are paid whenever the line ends
	Group      scheduler.Micros `toml:"group"`            // of a month, for the pool as a whole
	GroupOnce  scheduler.Micros `toml:"group_activation"` // once, for the pool as a whole
}

// PoolName is the pool whose allowances the devices share, "" if the tariff has no shared ones.
func (t *Tariff) PoolName() string {
	for i := range t.Terms {
		if a := t.Terms[i].Allowance; a != nil && a.Pooled {
			if t.Pool != "" {
				return t.Pool
			}
			return t.Name
		}
	}
	return ""
}

func (t *Tariff) zone() *time.Location {
	if t.Zone == nil {
		return time.UTC
	}
	return t.Zone
}

// Local is a time in the zone in which the tariff is billed.
func (t *Tariff) Local(at time.Time) time.Time { return at.In(t.zone()) }

// Month is the month in which something is billed that happens at a time.
func (t *Tariff) Month(at time.Time) Month { return MonthOf(t.Local(at)) }

// Closes is when no more records of a month can come, and it may be closed.
func (t *Tariff) Closes(m Month) time.Time {
	return m.Next().Begins(t.zone()).AddDate(0, 0, t.LateDays)
}

// Holds reports whether the tariff is valid at a time.
func (t *Tariff) Holds(at time.Time) bool {
	day := DateOf(t.Local(at))
	return t.From <= day && (t.Until == 0 || day <= t.Until)
}

// String is what the term says, in words.
func (m *Term) String() string {
	s := fmt.Sprintf("%s: %s per %s", m.title(), m.Price, m.Unit)
	if m.Size > 0 {
		s += fmt.Sprintf(" of %d B", m.Size)
	}
	s += m.extras()
	if m.Scope == OfInterval {
		s += fmt.Sprintf(", over records of %s", m.Interval)
	} else if m.Scope != OfMessage {
		s += fmt.Sprintf(", over a %s", m.Scope)
	}
	for _, t := range m.Tiers {
		s += fmt.Sprintf("; above %d: %s", t.Above, t.Price)
	}
	if a := m.Allowance; a != nil {
		s += fmt.Sprintf("; %d %s included for a %s", a.Amount, *cmp.Or(a.Unit, &m.Unit), a.Period)
		if a.Pooled {
			s += ", shared"
		}
	}
	if m.Failed {
		s += "; failures are charged"
	}
	return s
}
