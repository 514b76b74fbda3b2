package scheduler_test

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/scheduler"
)

func TestMicrosText(t *testing.T) {
	for text, want := range map[string]scheduler.Micros{"0": 0, "0.16": 160_000, "-3": -3_000_000, "12.000001": 12_000_001, "9000000000000.5": 9_000_000_000_000_500_000} {
		if got, err := scheduler.ParseMicros(text); err != nil || got != want {
			t.Errorf("%s: %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-", ".5", "1.", "1.0000001", "1e3", "+1", "1,5", "10000000000000", " 1", "--1"} {
		if got, err := scheduler.ParseMicros(text); !errors.Is(err, scheduler.ErrMoney) {
			t.Errorf("%q: %d, %v, want ErrMoney", text, got, err)
		}
	}
	if got := scheduler.Micros(math.MinInt64).String(); got != "-9223372036854.775808" {
		t.Errorf("the least amount is written %s", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		m := scheduler.Micros(rapid.Int64Range(math.MinInt64+2, math.MaxInt64-1).Draw(t, "m"))
		if back, err := scheduler.ParseMicros(m.String()); err != nil || back != m {
			t.Fatalf("%d is written %s and read %d, %v", m, m, back, err)
		}
	})
}

func TestRate(t *testing.T) {
	sbd, credit, idp, skylo := scheduler.Rate{Min: 10, Price: 1}, scheduler.Rate{Min: 1, Inc: 50, Price: 1}, scheduler.Rate{Min: 15, Inc: 10, Price: 1}, scheduler.Rate{Header: 28, Min: 50, Price: 1}
	for _, c := range []struct {
		rate         scheduler.Rate
		size, billed int
	}{{sbd, 9, 10}, {sbd, 10, 10}, {sbd, 11, 11}, {credit, 0, 50}, {credit, 50, 50}, {credit, 51, 100}, {idp, 7, 20}, {skylo, 8, 50}, {skylo, 50, 78}} {
		if got := c.rate.Billed(c.size); got != c.billed {
			t.Errorf("%+v: %d bytes are billed as %d, want %d", c.rate, c.size, got, c.billed)
		}
		if r := c.rate; r.Cost(c.size+r.Room(c.size)) != r.Cost(c.size) || r.Cost(c.size+r.Room(c.size)+1) == r.Cost(c.size) {
			t.Errorf("%+v: room of %d at %d bytes is not all that is free", r, r.Room(c.size), c.size)
		}
	}
}
