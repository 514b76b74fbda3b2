package scheduler

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Micros is money: a millionth of the unit of the account's currency. It is an integer, so that sums are exact in any order.
type Micros int64

// microsPerUnit is one unit of a currency in Micros.
const microsPerUnit = 1_000_000

// ErrMoney is wrapped by errors about text that is no amount of money.
var ErrMoney = errors.New("no amount of money")

// ParseMicros reads a decimal number with at most six places, such as 0.16, -3 or 12.000001.
func ParseMicros(s string) (Micros, error) {
	digits, negative := strings.CutPrefix(s, "-")
	whole, places, point := strings.Cut(digits, ".")
	if whole == "" || point && places == "" || len(places) > 6 || strings.Trim(whole+places, "0123456789") != "" {
		return 0, fmt.Errorf("%q, want a decimal with at most 6 places: %w", s, ErrMoney)
	}
	n, err := strconv.ParseInt(whole+places+strings.Repeat("0", 6-len(places)), 10, 64)
	if err != nil || n == math.MaxInt64 {
		return 0, fmt.Errorf("%q is too much: %w", s, ErrMoney)
	}
	if negative {
		n = -n
	}
	return Micros(n), nil
}

// String is the shortest decimal of the amount with at least two places.
func (m Micros) String() string {
	b, _ := m.AppendText(nil) // it never fails
	return string(b)
}

// AppendText appends what String gives.
func (m Micros) AppendText(b []byte) ([]byte, error) {
	n := uint64(m) //nolint:gosec // the sign is dealt with below
	if m < 0 {
		b, n = append(b, '-'), -n
	}
	b = append(strconv.AppendUint(b, n/microsPerUnit, 10), '.')
	places := n % microsPerUnit
	for unit, written := uint64(microsPerUnit/10), 0; written < 2 || places > 0; unit, written = unit/10, written+1 {
		b = append(b, '0'+byte(places/unit))
		places %= unit
	}
	return b, nil
}

// MarshalText writes the amount as String does, for JSON and TOML.
func (m Micros) MarshalText() ([]byte, error) { return m.AppendText(nil) }

// UnmarshalText reads what ParseMicros reads.
func (m *Micros) UnmarshalText(b []byte) error {
	v, err := ParseMicros(string(b))
	if err != nil {
		return err
	}
	*m = v
	return nil
}
