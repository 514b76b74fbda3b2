package core

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// A Link is a way to devices, as planning sees it.
type Link struct {
	Name    string
	Tariff  string  // in Config.Tariffs; "": it costs nothing
	Deliver float64 // probability that an attempt arrives, before more is known; 0 is 0.95
	Energy  float64 // millijoules of an attempt
	Least   time.Duration
	Most    time.Duration // between two contacts, as modem and subscription allow; 0: no limit
	Retries uint8         // by the device, within a contact
	Wakes   bool          // devices can be reached at any time
	Relays  bool          // the gateway's end is a mobile of the network too, so that messages go from mobile to mobile (tariff.Relay)
	Jitter  float64       // share of the interval by which contacts may be late; 0 is 0.05
	Grace   time.Duration // for delivery; 0 is 10 min
}

// A Rule says what holds for some devices. The first that matches counts; a device that none matches is planned by the zero Policy with a weight of 1.
type Rule struct {
	Product, Customer string // "": any
	Policy            scheduler.Policy
	Hazard            *scheduler.Hazard // fear of an update; nil: none
	Weight            float64           // of an hour of not knowing; 0 is 1
	Cap               scheduler.Micros  // of a device and month; 0: none
	Energy, Idle      float64           // of its battery: millijoules that are left, milliwatts that it takes by itself; 0: no battery
	Life              time.Duration     // that the battery must last
	Stakes            *Stakes           // nil: devices are not asked to speak
	Gauge             Gauge             // how full it is, for LawBands
	Alarm             Attention         // that an alarm of the device itself draws
}

// Attention is by how much a device counts for more, and for how long; a Factor of 0 is none.
type Attention struct {
	Factor float64
	Lasts  time.Duration
}

// A Gauge is where a status says how full a battery is.
type Gauge struct {
	Field       string  // of the product's template; "": it does not say
	Empty, Full float64 // values of it, in its unit
}

// Percent is how full the battery is at a value of the field.
func (g *Gauge) Percent(v float64) float64 { return 100 * (v - g.Empty) / (g.Full - g.Empty) }

// Config is what a Core is made of. It is not changed.
type Config struct {
	Links    []Link // at most 64, by the place by which they are named
	Rules    []Rule // at most 200
	Tariffs  *tariff.Book
	Currency string           // of Money
	Money    scheduler.Micros // to be spent by contacts in a month; 0: no limit
	Cap      scheduler.Micros // that no month may exceed; 0: none
	Pools    []Pool           // those of tariffs that are not named have one member, and nothing in reserve
	Budgets  []ledger.Budget
	Replan   time.Duration // between two plans; 0 is 6 h
	Regions  []Region      // the first that has a device counts
}

// Limits of a configuration.
const (
	linksMax = 64
	rulesMax = 200
)

// ErrConfig is wrapped by errors about a configuration that cannot be.
var ErrConfig = errors.New("configuration of schedules")

// What a configuration leaves open.
const (
	deliverDefault = 0.95
	replanDefault  = 6 * time.Hour
	statusDefault  = 32 // bytes
)

func (c *Config) check() error {
	if len(c.Links) > linksMax || len(c.Rules) > rulesMax {
		return fmt.Errorf("%d links and %d rules, %d and %d are the most: %w", len(c.Links), len(c.Rules), linksMax, rulesMax, ErrConfig)
	}
	for i := range c.Links {
		l := &c.Links[i]
		if l.Tariff != "" && (c.Tariffs == nil || len(c.Tariffs.Versions(l.Tariff)) == 0) {
			return fmt.Errorf("link %s: there is no tariff %q: %w", l.Name, l.Tariff, ErrConfig)
		}
	}
	return c.checkRegions()
}

// fleet is the tables that devices name things in. The last policy is that of devices that no rule matches.
func (c *Config) fleet(now time.Time) scheduler.Fleet {
	var f scheduler.Fleet
	for i := range c.Links {
		f.Links = append(f.Links, c.link(&c.Links[i], now))
	}
	for i := range c.Rules {
		r := &c.Rules[i]
		f.Policies = append(f.Policies, r.Policy)
		h := scheduler.Hazard{Tau: 1}
		if r.Hazard != nil {
			h = *r.Hazard
		}
		f.Hazards = append(f.Hazards, h)
	}
	f.Policies = append(f.Policies, scheduler.Policy{})
	return f
}

// link is a link at the rates that hold now.
func (c *Config) link(l *Link, now time.Time) scheduler.Link {
	s := scheduler.Link{
		Name: l.Name, Deliver: l.Deliver, Energy: l.Energy, MinGap: secs(l.Least), MaxGap: secs(l.Most), Retries: l.Retries, Wakeable: l.Wakes,
	}
	if s.Deliver == 0 {
		s.Deliver = deliverDefault
	}
	if t := c.tariff(l, now); t != nil {
		r := l.rates(t)
		s.Up, s.Down = r[0], r[1]
	}
	return s
}

// rates are what one more message costs by a tariff, up and down.
func (l *Link) rates(t *tariff.Tariff) [2]scheduler.Rate {
	if l.Relays {
		r := t.Rate(tariff.Relay)
		return [2]scheduler.Rate{r, r}
	}
	return [2]scheduler.Rate{t.Rate(tariff.MO), t.Rate(tariff.MT)}
}

// tariff is that of a link at a time; where none holds, the last one goes on.
func (c *Config) tariff(l *Link, at time.Time) *tariff.Tariff {
	if l.Tariff == "" || c.Tariffs == nil {
		return nil
	}
	if t := c.Tariffs.At(l.Tariff, at); t != nil {
		return t
	}
	if v := c.Tariffs.Versions(l.Tariff); len(v) > 0 {
		return v[len(v)-1]
	}
	return nil
}

// zone is the one in which all links are billed; UTC if they differ, or none has a tariff.
func (c *Config) zone() *time.Location {
	var zone *time.Location
	for i := range c.Links {
		if c.Links[i].Tariff == "" || c.Tariffs == nil {
			continue
		}
		for _, t := range c.Tariffs.Versions(c.Links[i].Tariff) {
			z := t.Local(time.Time{}).Location()
			if zone != nil && z.String() != zone.String() {
				return time.UTC
			}
			zone = z
		}
	}
	if zone == nil {
		return time.UTC
	}
	return zone
}

// rule is the place of the first rule for a device; len(Rules) if there is none.
func (c *Config) rule(product, customer string) int {
	i := slices.IndexFunc(c.Rules, func(r Rule) bool {
		return (r.Product == "" || r.Product == product) && (r.Customer == "" || r.Customer == customer)
	})
	if i < 0 {
		return len(c.Rules)
	}
	return i
}

// secs is a length of time in whole seconds.
func secs(d time.Duration) scheduler.Secs { return scheduler.Secs(d / time.Second) }

// stamp is a moment in seconds since 1970, within what a device's record holds.
func stamp(t time.Time) uint32 { return uint32(min(max(t.Unix(), 0), math.MaxUint32)) }
