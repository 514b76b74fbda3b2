package ledger

import (
	"math"
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// A Forecast is what a month will probably come to.
type Forecast struct {
	Month    tariff.Month     `json:"month"`
	Spent    scheduler.Micros `json:"spent"`    // so far
	Expected scheduler.Micros `json:"expected"` // at the end
	Low      scheduler.Micros `json:"low"`      // 80 of 100 such forecasts end between Low and High
	High     scheduler.Micros `json:"high"`
	Days     int              `json:"days"` // that it was learned from; 0: nothing is known but what was spent
}

// Known reports whether the forecast says more than what was spent so far: a whole day is over on which anything was.
func (f *Forecast) Known() bool { return f.Days > 0 }

const (
	forecastDays = 28     // that are looked back to: four weeks, so that each day of the week counts the same
	forecastZ    = 1.2816 // half of an interval of 80 %, in standard deviations
)

// Forecast reckons what the groups that match will have spent in a currency at the end of the month that now is in, in now's zone. It takes the
// days to come as like the last four weeks: their mean, and the spread from one to another. Fees and corrections are spent once, and not
// expected again.
func (l *Ledger) Forecast(currency string, now time.Time, match func(*Group) bool) Forecast {
	at := tariff.MonthOf(now)
	f := Forecast{Month: at}
	takes := func(g *Group) bool { return g.Currency == currency && (match == nil || match(g)) }
	for _, t := range l.Totals(at, 0, takes) {
		f.Spent = t.Micros
	}
	days := l.lastDays(now, takes)
	f.Days, f.Expected, f.Low, f.High = len(days), f.Spent, f.Spent, f.Spent
	if len(days) == 0 {
		return f
	}
	n := float64(len(days))
	mean, spread := moments(days)
	begins := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	passed := float64(now.Sub(begins)) / float64(begins.AddDate(0, 0, 1).Sub(begins)) // of today: one of 23 hours is a day as well
	left := float64(at.Days()-now.Day()+1) - passed
	half := forecastZ * spread * math.Sqrt(left+float64(left*left/n))
	f.Expected = plus(f.Spent, float64(mean*left))
	f.High = plus(f.Spent, float64(mean*left)+half)
	f.Low = plus(f.Spent, max(float64(mean*left)-half, min(float64(mean*left), 0)))
	return f
}

// Reaches is when so much is spent, if the days to come are as expected; zero if it is not in the month that now is in, or was before.
func (f *Forecast) Reaches(amount scheduler.Micros, now time.Time) time.Time {
	if f.Spent >= amount || f.Expected <= amount {
		return time.Time{}
	}
	rest := f.Month.Next().Begins(now.Location()).Sub(now)
	return now.Add(time.Duration(float64(rest) * (float64(amount-f.Spent) / float64(f.Expected-f.Spent)))).Truncate(time.Minute).UTC()
}

// plus adds what was reckoned to what is exact.
func plus(m scheduler.Micros, f float64) scheduler.Micros {
	return scheduler.Micros(add(int64(m), int64(min(max(math.Round(f), -amountMost*256), amountMost*256))))
}

// moments are the mean and the standard deviation. A single day is taken to vary as much as it cost.
func moments(days []float64) (mean, spread float64) {
	for _, d := range days {
		mean += d
	}
	mean /= float64(len(days))
	if len(days) == 1 {
		return mean, math.Abs(mean)
	}
	var squares float64
	for _, d := range days {
		squares += float64((d - mean) * (d - mean))
	}
	return mean, math.Sqrt(squares / float64(len(days)-1))
}

// lastDays is what the last whole days before now cost, the oldest first, from the first on that cost anything.
func (l *Ledger) lastDays(now time.Time, takes func(*Group) bool) []float64 {
	sums := make(map[tariff.Month]*[31]float64)
	days := make([]float64, forecastDays)
	first := forecastDays
	for i := range days {
		day := time.Date(now.Year(), now.Month(), now.Day()-forecastDays+i, 12, 0, 0, 0, time.UTC)
		at := tariff.MonthOf(day)
		if sums[at] == nil {
			sums[at] = l.daily(at, takes)
		}
		days[i] = sums[at][day.Day()-1]
		if days[i] != 0 {
			first = min(first, i)
		}
	}
	return days[first:]
}

func (l *Ledger) daily(at tariff.Month, takes func(*Group) bool) *[31]float64 {
	var exact [31]int64
	if m := l.months[at]; m != nil {
		for _, g := range m.groups {
			if takes(&g.Group) {
				for i, d := range g.days {
					exact[i] = add(exact[i], int64(d))
				}
			}
		}
	}
	var sum [31]float64
	for i, d := range exact {
		sum[i] = float64(d)
	}
	return &sum
}
