package world

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
	"github.com/godwit-gateway/godwit/simulator/radio"
)

// drawSchedule is the purpose of random numbers for a schedule, beyond those of all devices.
const drawSchedule = 1 << 40

// drawnLongest is the longest interval that a schedule which is drawn may tell: each device must be heard once all is well.
const drawnLongest = 12 * 3600

// schedule makes up how the gateway plans: in two worlds of three it does, and in most of these devices are told.
func (s *Setup) drawSchedule() error {
	rng := s.stream(drawSchedule)
	if rng.IntN(3) == 0 {
		return nil
	}
	messages := radio.Tariff{Message: radio.Micros(30_000 + rng.IntN(200_000))}
	book, err := tariff.NewBook([]*tariff.Tariff{Tariff(linkSMS, "EUR", &messages, &messages)})
	if err != nil {
		return fmt.Errorf("tariff: %w", err)
	}
	c := core.Config{
		Links:   []core.Link{{Name: linkUDP}, {Name: linkSMS, Tariff: linkSMS, Wakes: true, Grace: time.Duration(1+rng.IntN(60)) * time.Minute}},
		Tariffs: book, Currency: "EUR", Replan: time.Duration(1+rng.IntN(24)) * time.Hour, Rules: []core.Rule{drawRule(rng)},
	}
	budget := scheduler.Micros(1_000_000 + rng.IntN(200_000_000))
	c.Budgets = []ledger.Budget{{Scope: ledger.Scope{Level: ledger.Fleet, Currency: "EUR"}, Amount: budget, Hard: rng.IntN(2) == 0}}
	if rng.IntN(3) > 0 {
		c.Money = budget
	}
	s.Schedule = hub.Schedule{Core: c, Send: rng.IntN(4) > 0}
	return nil
}

// drawRule makes up a rule for all devices.
func drawRule(rng *rand.Rand) core.Rule {
	r := core.Rule{Policy: scheduler.Policy{Name: "drawn", Max: drawnLongest, Tail: uint8(rng.IntN(3))}, Weight: 0.1 + 2*rng.Float64()} //nolint:gosec // at most 2
	if rng.IntN(4) == 0 {
		r.Policy.Law, r.Policy.Every = scheduler.LawFixed, scheduler.Secs(1800+rng.IntN(drawnLongest-1800))
	}
	if rng.IntN(2) == 0 {
		r.Hazard = &scheduler.Hazard{Tau: scheduler.Secs(6 * 3600)}
	}
	return r
}
