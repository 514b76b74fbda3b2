package trial

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/godwit-gateway/godwit/scheduler"
)

// Tuned is a policy that follows a budget: so much money in a month of 365/12 days, downlinks included.
type Tuned func(f *Fleet, monthly scheduler.Micros) (Policy, error)

// Figure is something of a year that depends on the budget, about as a power of it.
type Figure struct {
	Name  string
	Of    func(*Result) float64
	Power float64
}

// The figures at which policies are compared.
var (
	Mean  = Figure{Name: "mean", Of: (*Result).Mean, Power: -1}
	P95   = Figure{Name: "p95", Of: func(r *Result) float64 { return r.Quantile(0.95) }, Power: -1}
	Money = Figure{Name: "money", Of: func(r *Result) float64 { return float64(r.Spent) }, Power: 1}
)

// What Match looks for, after how many years it takes the best one, and how far off that may be: a small fleet has much luck in it.
const (
	matched = 0.002
	tries   = 8
	most    = 0.03
)

// ErrMatch is wrapped by what Match says when it has found no budget.
var ErrMatch = errors.New("no budget was found")

// Match looks for the budget at which a figure of a year is what is wanted, within 0.2 %, and begins at a guess.
func Match(ctx context.Context, f *Fleet, tuned Tuned, figure Figure, want float64, guess scheduler.Micros) (*Result, scheduler.Micros, error) {
	var best *Result
	var bestAt scheduler.Micros
	bestOff := math.Inf(1)
	at, was, wasOff := math.Log(float64(guess)), 0.0, 0.0
	for try := 0; try < tries && bestOff > matched; try++ {
		budget := scheduler.Micros(math.Exp(at))
		r, err := tuned.run(ctx, f, budget)
		if err != nil {
			return nil, 0, err
		}
		off := math.Log(figure.Of(r) / want)
		if math.Abs(off) < bestOff {
			best, bestAt, bestOff = r, budget, math.Abs(off)
		}
		power := figure.Power
		if found := (off - wasOff) / (at - was); try > 0 && found/power > 0.2 && found/power < 5 {
			power = found
		}
		was, wasOff = at, off
		at -= max(-1, min(1, off/power))
	}
	if bestOff > most {
		return nil, 0, fmt.Errorf("%w for %s %g: the nearest of %d years is off by %.1f %%", ErrMatch, figure.Name, want, tries, 100*bestOff)
	}
	return best, bestAt, nil
}

func (tuned Tuned) run(ctx context.Context, f *Fleet, monthly scheduler.Micros) (*Result, error) {
	p, err := tuned(f, monthly)
	if err != nil {
		return nil, err
	}
	return Run(ctx, f, p)
}

// calendar is the days of each month of a year that is no leap year.
var calendar = [12]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// Overspend is by which part of its plan the dearest month exceeded it, each planned by its length in days; below 0: none did.
func (r *Result) Overspend(monthly scheduler.Micros) float64 {
	worst, day := -1.0, 0
	for _, length := range calendar {
		var spent scheduler.Micros
		for _, s := range r.Daily[day : day+length] {
			spent += s
		}
		day += length
		worst = max(worst, float64(spent)/(float64(monthly)*float64(length)*12/365)-1)
	}
	return worst
}
