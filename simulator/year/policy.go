package year

import (
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
)

// A Policy is how the fleet is told to speak.
type Policy struct {
	Name   string
	told   bool // devices are; otherwise they do as they were made to
	budget scheduler.Micros
	made   func(*member) time.Duration
	law    func(*member) scheduler.Policy
}

// Names of the policies.
const (
	Priced  = "price"
	Fixed   = "fixed 24 h"
	Table   = "class 4/12/48/24 h"
	Voltage = "voltage-variable"
)

func seconds(d time.Duration) scheduler.Secs { return scheduler.Secs(d / time.Second) }

func daily(*member) time.Duration { return 24 * time.Hour }

func table(m *member) time.Duration { return m.class.table }

func plain(*member) scheduler.Policy { return scheduler.Policy{} }

// priced is ours, at a budget of a month.
func priced(budget scheduler.Micros) Policy {
	return Policy{Name: Priced, told: true, budget: budget, made: table, law: func(m *member) scheduler.Policy {
		return scheduler.Policy{Min: seconds(m.floor()), Max: seconds(longest)}
	}}
}

// baselines are what people use instead. Bands of voltage double the interval of the table where a battery is below half, and make four of it below a
// fifth.
func baselines() []Policy {
	return []Policy{
		{Name: Fixed, made: daily, law: plain},
		{Name: Table, made: table, law: plain},
		{Name: Voltage, told: true, made: table, law: func(m *member) scheduler.Policy {
			every := seconds(max(m.class.table, m.floor()))
			return scheduler.Policy{Law: scheduler.LawBands, Every: every, Max: 4 * every, Bands: []scheduler.Band{{Below: 20, Every: 4 * every}, {Below: 50, Every: 2 * every}}}
		}},
	}
}
