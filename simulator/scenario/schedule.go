package scenario

import (
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
	"github.com/godwit-gateway/godwit/simulator/world"
)

// scheduleTable is how the gateway finds out when devices should speak.
type scheduleTable struct {
	Budget   string        `toml:"budget"`
	Hard     bool          `toml:"hard"`
	Send     bool          `toml:"send"`
	Replan   time.Duration `toml:"replan"`
	Law      string        `toml:"law"`
	Every    time.Duration `toml:"every"`
	Shortest time.Duration `toml:"shortest"`
	Longest  time.Duration `toml:"longest"`

	Class map[string]time.Duration `toml:"class"`

	AlarmFactor float64       `toml:"alarm_factor"`
	AlarmFor    time.Duration `toml:"alarm_for"`
}

var currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)

// schedule reads [schedule], for which each group is a customer of its own, with a rule that has its importance. Links cost what their networks do.
func (p *parser) schedule(currency string, links map[string]*link, importance []float64) {
	table, ok := p.table("", p.doc.Tree, "schedule")
	if !ok {
		return
	}
	t := scheduleTable{Send: true, Replan: 6 * time.Hour, Law: "price", Shortest: 15 * time.Minute, Longest: 7 * 24 * time.Hour, AlarmFor: 7 * 24 * time.Hour}
	p.doc.Bind("schedule", table, &t)
	law, known := scheduler.ParseLaw(t.Law)
	switch {
	case !currencyForm.MatchString(currency):
		p.doc.Add("currency", `currency = "EUR"`, "%q is none, and a schedule counts money", currency)
	case !known || law == scheduler.LawBands:
		p.doc.Add("schedule.law", "price, fixed or class", "%q is no law", t.Law)
	case law == scheduler.LawClass && len(t.Class) == 0:
		p.doc.Add("schedule.class", `class = { sms = "6h" }`, "the law class wants intervals by link")
	case (law == scheduler.LawFixed || t.Every != 0) && t.Every < time.Second:
		p.doc.Add("schedule.every", `every = "24h"`, "%s is no interval", t.Every)
	case t.AlarmFactor != 0 && !(t.AlarmFactor >= 1 && t.AlarmFactor <= hub.AttentionMax) || t.AlarmFor < time.Minute:
		p.doc.Add("schedule.alarm_factor", `alarm_factor = 5.0, alarm_for = "7d"`, "%v for %s is no attention", t.AlarmFactor, t.AlarmFor)
	case t.Replan < time.Minute || t.Shortest < time.Second || t.Longest < t.Shortest:
		p.doc.Add("schedule", "", "plans every %s, intervals from %s to %s", t.Replan, t.Shortest, t.Longest)
	}
	c := core.Config{Currency: currency, Replan: t.Replan}
	if t.Budget != "" {
		c.Money = scheduler.Micros(p.money("schedule.budget", t.Budget))
		c.Budgets = []ledger.Budget{{Scope: ledger.Scope{Level: ledger.Fleet, Currency: currency}, Amount: c.Money, Hard: t.Hard}}
	}
	class := p.class(&t, links)
	if p.doc.Err() != nil {
		return
	}
	c.Links, c.Tariffs = p.priced(currency, links)
	for i := range p.setup.Groups {
		g := &p.setup.Groups[i]
		g.Customer = g.Name
		c.Rules = append(c.Rules, core.Rule{Customer: g.Name, Weight: importance[i], Alarm: core.Attention{Factor: t.AlarmFactor, Lasts: t.AlarmFor}, Policy: scheduler.Policy{
			Name: g.Name, Law: law, Every: seconds(t.Every), Class: class, Min: seconds(t.Shortest), Max: seconds(t.Longest),
		}})
	}
	if _, err := core.New(c, p.setup.Start); err != nil {
		p.doc.Add("schedule", "", "%s", err)
		return
	}
	p.setup.Schedule = hub.Schedule{Core: c, Send: t.Send}
}

// class is the intervals of the class table in the order of the links, those that it does not name as every says; nil if there is none. Whatever the law is, the
// report says what it would cost.
func (p *parser) class(t *scheduleTable, links map[string]*link) (list []scheduler.Secs) {
	if len(t.Class) == 0 {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(t.Class)) {
		switch {
		case links[name] == nil:
			p.doc.Add("schedule.class."+name, "", "there is no link %q", name)
		case t.Class[name] < time.Second:
			p.doc.Add("schedule.class."+name, `"24h"`, "%s is no interval", t.Class[name])
		}
	}
	for i := range p.setup.Links {
		name := p.setup.Links[i].Name
		every, ok := t.Class[name]
		if !ok {
			every = t.Every
		}
		if every == 0 {
			p.doc.Add("schedule.class", `every = "24h"`, "there is no interval for link %q, and none for those that are not named", name)
		}
		list = append(list, seconds(every))
	}
	return list
}

func seconds(d time.Duration) scheduler.Secs { return scheduler.Secs(d / time.Second) }

// priced are the links as planning sees them, with the tariffs of their networks.
func (p *parser) priced(currency string, links map[string]*link) ([]core.Link, *tariff.Book) {
	var list []core.Link
	var tariffs []*tariff.Tariff
	for i := range p.setup.Links {
		name := p.setup.Links[i].Name
		n := &links[name].network
		l := core.Link{Name: name, Deliver: 1 - n.Up.Loss, Wakes: p.setup.Links[i].Metered, Grace: max(10*time.Minute, 3*n.Up.Delay.Mean)}
		if t := world.Tariff(name, currency, &n.Up.Tariff, &n.Down.Tariff); len(t.Terms) > 0 {
			l.Tariff, tariffs = name, append(tariffs, t)
		}
		list = append(list, l)
	}
	book, err := tariff.NewBook(tariffs)
	if err != nil {
		p.doc.Add("schedule", "", "%s", err)
	}
	return list, book
}
