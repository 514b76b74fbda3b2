package year_test

import (
	"slices"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/simulator/year"
)

// TestCompare plays a small fleet for some days under each policy: nothing is below the bound, the table of people's policies is whole, and at an equal
// mean prices cost less than one interval for all.
func TestCompare(t *testing.T) {
	var played []year.Row
	fleet := year.Setup{Devices: 60, Length: 10 * 24 * time.Hour, Seed: 1}
	rows, err := fleet.Compare(t.Context(), nil, func(r year.Row) error {
		played = append(played, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 6 {
		t.Fatalf("%d rows", len(rows))
	}
	for i := range rows {
		r := &rows[i]
		if !(r.Monthly > 0 && r.Mean > 0 && r.P95 > r.Mean && r.Bound >= 1 && r.Frames > 0) {
			t.Errorf("%+v", r)
		}
		if (i%2 == 1) != (r.Against != "") || (r.Against != "") != (r.OfMonthly > 0) {
			t.Errorf("%+v: compared with %q", r, r.Against)
		}
	}
	again, err := fleet.Compare(t.Context(), played, func(r year.Row) error {
		t.Errorf("%s was played again", r.Policy)
		return nil
	})
	if err != nil || !slices.Equal(again, rows) {
		t.Errorf("from what was played: %v, %+v", err, again)
	}
	if r := rows[1]; r.Against != year.Fixed || r.OfMonthly > 0.9 {
		t.Errorf("at the mean of one interval for all, prices take %.2f of its money", r.OfMonthly)
	}
}
