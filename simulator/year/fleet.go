package year

import (
	"fmt"
	"math"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
	"github.com/godwit-gateway/godwit/simulator/device"
	"github.com/godwit-gateway/godwit/simulator/radio"
	"github.com/godwit-gateway/godwit/simulator/world"
	"github.com/godwit-gateway/godwit/transports"
)

// class is a kind of link, as in package trial.
type class struct {
	name  string
	share float64 // of the fleet
	price scheduler.Micros
	loss  float64
	floor time.Duration // shortest interval that a battery bears
	table time.Duration // interval of the class table
	keeps bool

	bearer transports.Bearer
}

// satellite is the bearer whose modems have numbers.
const satellite transports.Bearer = "sbd"

var classes = []class{
	{name: "cell", share: 0.45, price: 1000, loss: 0.02, floor: 2 * time.Hour, table: 4 * time.Hour, bearer: transports.UDP},
	{name: "sms", share: 0.20, price: 20_000, loss: 0.05, floor: 3 * time.Hour, table: 12 * time.Hour, keeps: true, bearer: transports.SMS},
	{name: "sbd", share: 0.25, price: 120_000, loss: 0.10, floor: 6 * time.Hour, table: 48 * time.Hour, keeps: true, bearer: satellite},
	{name: "idp", share: 0.10, price: 60_000, loss: 0.07, floor: 4 * time.Hour, table: 24 * time.Hour, keeps: true, bearer: satellite},
}

// levels are the importance of a tenth of each class: the middles of tenths of a log-normal distribution, farther apart so that the logarithms spread as
// much as the distribution's.
const (
	levels = 10
	spread = 0.8 // standard deviation of the logarithm
)

var tenths = [levels]float64{-1.7536, -1.1050, -0.7191, -0.4108, -0.1340, 0.1340, 0.4108, 0.7191, 1.1050, 1.7536}

const (
	onBattery = 0.6 // part of the devices
	shortest  = 15 * time.Minute
	longest   = 7 * 24 * time.Hour
	currency  = "EUR"
)

// Setup is what is played.
type Setup struct {
	Devices int
	Length  time.Duration
	Seed    uint64
}

// member is a group of the fleet.
type member struct {
	class   *class
	weight  float64
	battery bool
	count   int
}

// members are the groups of a fleet: by class, importance and battery.
func (s *Setup) members() (list []member) {
	for c := range classes {
		for _, z := range tenths {
			n := float64(s.Devices) * classes[c].share / levels
			with := int(math.Round(n * onBattery))
			list = append(list, member{&classes[c], math.Exp(spread * z), true, max(1, with)}, member{&classes[c], math.Exp(spread * z), false, max(1, int(math.Round(n))-with)})
		}
	}
	return list
}

// floor is the shortest interval that a group bears.
func (m *member) floor() time.Duration {
	if m.battery {
		return m.class.floor
	}
	return shortest
}

// world is the fleet's, under a policy.
func (s *Setup) world(p Policy) (world.Setup, error) {
	const day = 24 * time.Hour
	template, err := codec.NewTemplate(codec.Timing{}, []codec.Field{
		{ID: 1, Name: "battery", Unit: "V", Scale: codec.Decimal{Coef: 1, Exp: -2}, Offset: 1000, Width: 10},
		{ID: 2, Name: "water_level", Unit: "m", Scale: codec.Decimal{Coef: 1, Exp: -2}, Width: 12},
	})
	if err != nil {
		return world.Setup{}, fmt.Errorf("what devices measure: %w", err)
	}
	w := world.Setup{
		Seed: s.Seed, Length: s.Length, Publish: 10 * time.Minute, Keep: 7 * day, Stream: 3 * day, Sample: day,
		Products: []hub.Product{{Name: "buoy", Template: template, Releases: map[uint8]string{}}},
		Schedule: hub.Schedule{Send: p.told, Core: core.Config{Currency: currency, Money: p.budget}},
	}
	c := &w.Schedule.Core
	var tariffs []*tariff.Tariff
	for i := range classes {
		l := &classes[i]
		bills, answers := radio.Tariff{Message: radio.Micros(l.price), Failed: true}, radio.Tariff{Message: radio.Micros(l.price), Failed: true}
		link := world.Link{Name: l.name, Bearer: l.bearer, Ack: hub.AckAsked, Metered: true, Keeps: true, Linger: time.Minute, Limits: transports.Limits{UplinkMax: 140, DownlinkMax: 140, PerMessage: 140}}
		if !l.keeps {
			answers = radio.Tariff{}
			link.Ack, link.Metered, link.Keeps, link.Linger = hub.AckAlways, false, false, 0
		}
		w.Links = append(w.Links, link)
		tariffs = append(tariffs, world.Tariff(l.name, currency, &bills, &answers))
		c.Links = append(c.Links, core.Link{Name: l.name, Tariff: l.name, Deliver: 1 - l.loss, Wakes: l.keeps, Grace: 30 * time.Minute})
	}
	if c.Tariffs, err = tariff.NewBook(tariffs); err != nil {
		return world.Setup{}, fmt.Errorf("tariffs: %w", err)
	}
	first := uint32(1000)
	for i, m := range s.members() {
		g := m.group(fmt.Sprintf("g%d", i), first, p)
		first += uint32(g.Count) //nolint:gosec // the command bounds it
		w.Groups = append(w.Groups, g)
		c.Rules = append(c.Rules, core.Rule{
			Customer: g.Name, Policy: p.law(&m), Weight: m.weight, Gauge: core.Gauge{Field: "battery", Empty: 11.6, Full: 12.8},
		})
	}
	return w, nil
}

// group is a group of the world.
func (m *member) group(name string, first uint32, p Policy) world.Group {
	up := radio.Model{Loss: m.class.loss, Delay: radio.Delay{Least: time.Second, Mean: 5 * time.Second, Most: time.Minute}}
	down := up
	up.Tariff = radio.Tariff{Message: radio.Micros(m.class.price), Failed: true}
	if m.class.keeps {
		down.Tariff = up.Tariff
	}
	g := world.Group{
		Name: name, Customer: name, Count: m.count, First: first, Product: "buoy", Link: m.class.name, Up: up, Down: down, Attrition: 0.12,
		Device: device.Config{
			Version: "1.0.0", Hardware: "rev-a", Build: []byte{1}, CTRBits: 16, TagLen: 8, Interval: max(p.made(m), m.floor()), Silence: 14 * 24 * time.Hour,
			Retry: 30 * time.Second, RetryMax: time.Hour,
		},
	}
	if m.battery {
		power := device.Lead()
		g.Device.Power = &power
	}
	return g
}
