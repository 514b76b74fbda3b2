package tariff

import (
	"errors"
	"fmt"
	"time"
)

// ErrDate is wrapped by errors about text that is no date or month.
var ErrDate = errors.New("no date")

// A Date is a day of the calendar, as year*10000 + month*100 + day; 0 is none.
type Date int32

// DateOf is the day of a time in the time's own zone.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date(y*10000 + int(m)*100 + d) //nolint:gosec // a year of this millennium
}

// ParseDate reads a day as 2026-11-29.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < 1970 {
		return 0, fmt.Errorf("%q: %w, want YYYY-MM-DD", s, ErrDate)
	}
	return DateOf(t), nil
}

// Begins is the day's first moment in a zone.
func (d Date) Begins(zone *time.Location) time.Time {
	return time.Date(int(d/10000), time.Month(d/100%100), int(d%100), 0, 0, 0, 0, zone)
}

// String is the day as YYYY-MM-DD, "" for none.
func (d Date) String() string {
	if d == 0 {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d/10000, d/100%100, d%100)
}

// MarshalText writes what String does.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what ParseDate does.
func (d *Date) UnmarshalText(text []byte) error {
	v, err := ParseDate(string(text))
	*d = v
	return err
}

// Month is the month of the day.
func (d Date) Month() Month { return Month(d/10000*12 + d/100%100 - 1) }

// Days are those of the calendar from one on and before another.
type Days struct {
	From  Date `json:"from"`
	Until Date `json:"until,omitempty"` // 0: they go on
}

// Has reports whether a day is one of them.
func (d Days) Has(day Date) bool { return day >= d.From && (d.Until == 0 || day < d.Until) }

// A Month is a month of the calendar: year*12 + month - 1.
type Month int32

// MonthOf is the month of a time in the time's own zone.
func MonthOf(t time.Time) Month {
	y, m, _ := t.Date()
	return Month(y*12 + int(m) - 1) //nolint:gosec // a year of this millennium
}

// ParseMonth reads a month as 2026-11.
func ParseMonth(s string) (Month, error) {
	t, err := time.Parse("2006-01", s)
	if err != nil || t.Year() < 1970 {
		return 0, fmt.Errorf("%q: %w, want YYYY-MM", s, ErrDate)
	}
	return MonthOf(t), nil
}

// Next is the month after it.
func (m Month) Next() Month { return m + 1 }

// Begins is the month's first moment in a zone.
func (m Month) Begins(zone *time.Location) time.Time {
	return time.Date(int(m/12), time.Month(m%12+1), 1, 0, 0, 0, 0, zone)
}

// Days is how many days the month has.
func (m Month) Days() int { return m.Next().Begins(time.UTC).AddDate(0, 0, -1).Day() }

// Day is one of the month's days, by its number.
func (m Month) Day(n int) Date { return Date(m/12*10000 + (m%12+1)*100 + Month(n)) } //nolint:gosec // at most 31

// String is the month as YYYY-MM.
func (m Month) String() string { return fmt.Sprintf("%04d-%02d", m/12, m%12+1) }

// MarshalText writes what String does.
func (m Month) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads what ParseMonth does.
func (m *Month) UnmarshalText(text []byte) error {
	v, err := ParseMonth(string(text))
	*m = v
	return err
}
