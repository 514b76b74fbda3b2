package world

import (
	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
	"github.com/godwit-gateway/godwit/simulator/radio"
)

// Tariff is what a network bills, as the gateway's schedule has it. Units that are included are those of a device and a month.
func Tariff(name, currency string, up, down *radio.Tariff) *tariff.Tariff {
	t := &tariff.Tariff{Name: name, Provider: "simulated", Currency: currency}
	for _, way := range []struct {
		direction tariff.Direction
		bills     *radio.Tariff
	}{{tariff.MO, up}, {tariff.MT, down}} {
		b := way.bills
		if b.Message > 0 {
			t.Terms = append(t.Terms, tariff.Term{Direction: way.direction, Unit: tariff.PerMessage, Price: scheduler.Micros(b.Message), Failed: b.Failed})
		}
		if b.Unit == 0 {
			continue
		}
		m := tariff.Term{
			Direction: way.direction, Unit: tariff.Credit, Size: int64(b.Unit), Header: int64(b.Overhead), Min: int64(b.Least),
			Price: scheduler.Micros(b.Price), Failed: b.Failed,
		}
		if b.Included > 0 {
			m.Allowance = &tariff.Allowance{Amount: int64(b.Included), Period: tariff.Monthly} //nolint:gosec // units of a month
		}
		t.Terms = append(t.Terms, m)
	}
	return t
}
