package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// Schedule is about how often devices speak, and what that may cost.
type Schedule struct {
	Mode     string           `toml:"mode"`     // watch: intervals are found and shown; send: devices are told them
	Currency string           `toml:"currency"` // ISO 4217; "": that of the links' tariffs
	Budget   scheduler.Micros `toml:"budget"`   // a month, for what devices send; 0: no limit
	Cap      scheduler.Micros `toml:"cap"`      // that no month may exceed; 0: none
	Replan   time.Duration    `toml:"replan"`   // between two plans
}

// A Policy says how intervals are found for some devices. What is zero stands for what the scheduler says.
type Policy struct {
	Name       string                   `toml:"name"`
	Product    string                   `toml:"product"`       // "": any
	Customer   string                   `toml:"customer"`      // "": any
	Law        string                   `toml:"law"`           // price, fixed, class, bands
	Weight     float64                  `toml:"weight"`        // of an hour of not knowing, in proportion to other devices
	Tail       int                      `toml:"tail"`          // 1: the mean age counts, 2: its square, to 4
	Shortest   time.Duration            `toml:"shortest"`      // interval
	Longest    time.Duration            `toml:"longest"`       // interval
	NeverOlder time.Duration            `toml:"never_older"`   // service level: what is known of a device
	Miss       float64                  `toml:"miss"`          // probability that it is, by loss
	Interval   time.Duration            `toml:"interval"`      // of law fixed, and what is left over by class and bands
	Class      map[string]time.Duration `toml:"class"`         // of law class: by name of a link
	Bands      []Band                   `toml:"band"`          // of law bands, ascending
	Horizon    time.Duration            `toml:"horizon"`       // how long a new interval is expected to be right
	Burst      []uint16                 `toml:"burst_minutes"` // after the boot of an update, rising
	Cap        scheduler.Micros         `toml:"cap"`           // of a device and month; 0: none
	Hazard     *Hazard                  `toml:"hazard"`        // nil: updates are not feared
	Battery    *Battery                 `toml:"battery"`       // nil: none
	Poll       *Poll                    `toml:"poll"`          // nil: devices are not asked to speak
	Alarm      *Alarm                   `toml:"alarm"`         // nil: a device's own alarm changes nothing
}

// An Alarm is what it does that a device raises one: its weight counts for more for a while.
type Alarm struct {
	Factor float64       `toml:"factor"` // by which the weight is multiplied
	For    time.Duration `toml:"for"`
}

// A Poll is what depends on knowing whether a device is dead. Where there is one, a device that can be woken is asked to speak after its first missed contact,
// once, if that is worth more than request and answer cost.
type Poll struct {
	Hour  scheduler.Micros `toml:"death_hour"`  // lost in each hour that a death is not noticed
	False scheduler.Micros `toml:"false_alarm"` // lost by taking a living device for dead
}

// A Band is an interval while the battery is below a level.
type Band struct {
	Below    int           `toml:"below"` // percent
	Interval time.Duration `toml:"interval"`
}

// Hazard is the fear of an update.
type Hazard struct {
	Chance float64       `toml:"chance"` // that it breaks a device
	Mean   time.Duration `toml:"mean"`   // time until it does
	Loss   float64       `toml:"loss"`   // of an hour of a failure that nobody knows of, in the unit of weights
}

// Battery is what a device lives on.
type Battery struct {
	Energy float64       `toml:"energy_mj"` // millijoules that are left
	Idle   float64       `toml:"idle_mw"`   // milliwatts that the device takes without contacts
	Life   time.Duration `toml:"life"`      // that it must last
	Field  string        `toml:"field"`     // of statuses that tells how full it is; "": none does
	Empty  float64       `toml:"empty"`     // value of it
	Full   float64       `toml:"full"`
}

// A Pool is what a tariff does not say of the allowance that its devices share.
type Pool struct {
	Name    string   `toml:"name"`    // pool of a tariff that a link has, by default the tariff's name
	Members int64    `toml:"members"` // lines, where each adds to the allowance
	Reserve *float64 `toml:"reserve"` // share of what is left that is kept for what is not planned; nil: as earlier months had it
	Hard    bool     `toml:"hard"`    // no plan buys anything beyond it
}

// A Budget is what may be spent in a month.
type Budget struct {
	Scope  string           `toml:"scope"` // fleet, customer, link, pool, device
	Name   string           `toml:"name"`  // of which; of a device its number, "" each that has no budget of its own
	Amount scheduler.Micros `toml:"amount"`
	Hard   bool             `toml:"hard"` // the gateway sends nothing that would exceed it
}

// Contact is what contacts over a link are like. What is zero stands for what the scheduler says.
type Contact struct {
	Deliver float64       `toml:"deliver"`   // probability that an attempt arrives, before more is known
	Energy  float64       `toml:"energy_mj"` // millijoules of an attempt
	Least   time.Duration `toml:"least"`     // between two contacts
	Most    time.Duration `toml:"most"`      // between two contacts
	Retries int           `toml:"retries"`   // by the device, within a contact
	Jitter  float64       `toml:"jitter"`    // share of the interval by which contacts may be late
	Grace   time.Duration `toml:"grace"`     // for delivery by the network
	Wakes   bool          `toml:"wakes"`     // devices listen all the time, so that they can be asked to speak; those on SMS do
}

// Limits of the values.
const (
	policiesMax = 200
	weightMax   = 1e9
	membersMax  = 100_000_000
	longestMost = 366 * 24 * time.Hour
)

func (ps *problems) checkSchedule(c *Config) {
	s := &c.Schedule
	ps.oneOf("schedule.mode", s.Mode, "watch", "send")
	ps.within("schedule.replan", s.Replan, time.Minute, 7*24*time.Hour)
	ps.notNegative("schedule.budget", s.Budget)
	ps.notNegative("schedule.cap", s.Cap)
	if s.Cap > 0 && s.Budget > s.Cap {
		ps.add("schedule.cap", "0.00: none", "%s is less than the budget of %s", s.Cap, s.Budget)
	}
	ps.checkCurrency(c)
	if len(c.Policies) > policiesMax {
		ps.add("policy", "", "%d policies: %d are the most", len(c.Policies), policiesMax)
	}
	for i := range c.Policies {
		path := fmt.Sprintf("policy[%d]", i)
		ps.checkPolicy(c, path, &c.Policies[i])
		ps.checkWhom(c, path, &c.Policies[i], c.Policies[:i])
	}
	ps.checkPools(c)
	ps.checkRegions(c)
	for i := range c.Budgets {
		ps.checkBudget(c, fmt.Sprintf("budget[%d]", i), &c.Budgets[i], c.Budgets[:i])
	}
}

// checkCurrency finds the currency in which all links are priced: what costs less can be told in one only.
func (ps *problems) checkCurrency(c *Config) {
	s := &c.Schedule
	if s.Currency != "" && (len(s.Currency) != 3 || strings.Trim(s.Currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "") {
		ps.add("schedule.currency", `"EUR"`, "%q is no currency by ISO 4217", s.Currency)
		return
	}
	says := "schedule.currency is " + s.Currency
	for _, name := range slices.Sorted(maps.Keys(c.Links)) {
		for _, t := range c.Book.Versions(c.Links[name].Tariff) {
			if s.Currency == "" {
				s.Currency, says = t.Currency, fmt.Sprintf("the tariff %s of link %s is in %s", t.Name, name, t.Currency)
			}
			if t.Currency != s.Currency {
				ps.add(join("link", name)+".tariff", "schedules compare the prices of links: have a [[tariff]] of this link with its prices in "+s.Currency,
					"the tariff %s is in %s, but %s", t.Name, t.Currency, says)
				break
			}
		}
	}
	if s.Currency == "" && (s.Budget > 0 || s.Cap > 0 || len(c.Budgets) > 0) {
		ps.add("schedule.currency", `"EUR"`, "is missing: there are budgets, and no link has a tariff that tells it")
	}
}

func (ps *problems) checkPolicy(c *Config, path string, p *Policy) {
	if p.Name == "" || len(p.Name) > 64 {
		ps.add(path+".name", "1 to 64 bytes, for people", "%q cannot name a policy", p.Name)
	}
	law, ok := scheduler.ParseLaw(p.Law)
	if !ok {
		ps.oneOf(path+".law", p.Law, "price", "fixed", "class", "bands")
	}
	ps.between(path+".weight", p.Weight, 0, weightMax)
	ps.between(path+".tail", float64(p.Tail), 0, scheduler.MaxTail)
	ps.between(path+".miss", p.Miss, 0, 0.5)
	ps.notNegative(path+".cap", p.Cap)
	for key, d := range map[string]time.Duration{"shortest": p.Shortest, "longest": p.Longest, "never_older": p.NeverOlder, "interval": p.Interval, "horizon": p.Horizon} {
		ps.length(path+"."+key, d)
	}
	if short, long := p.limits(); short > long {
		ps.add(path+".longest", "", "the longest interval, %s, is shorter than the shortest, %s", long, short)
	}
	if ok && law != scheduler.LawPrice && p.Interval == 0 {
		ps.add(path+".interval", `"24h"`, "is missing: the law %s wants it", law)
	}
	ps.checkClass(c, path, p, law)
	ps.checkBands(path, p, law)
	if len(p.Burst) > 16 || !slices.IsSorted(p.Burst) || len(slices.Compact(slices.Clone(p.Burst))) != len(p.Burst) {
		ps.add(path+".burst_minutes", "[10, 60, 240, 720]", "want at most 16 numbers of minutes that rise")
	}
	if h := p.Hazard; h != nil {
		ps.between(path+".hazard.chance", h.Chance, 0, 1)
		ps.between(path+".hazard.loss", h.Loss, 0, weightMax)
		ps.within(path+".hazard.mean", h.Mean, time.Second, longestMost)
	}
	if s := p.Poll; s != nil {
		for key, m := range map[string]scheduler.Micros{"death_hour": s.Hour, "false_alarm": s.False} {
			if m <= 0 {
				ps.add(path+".poll."+key, `"20.00"`, "%s: want what is at stake, or no poll", m)
			}
		}
	}
	if a := p.Alarm; a != nil {
		ps.between(path+".alarm.factor", a.Factor, 1, hub.AttentionMax)
		ps.within(path+".alarm.for", a.For, time.Minute, longestMost)
	}
	if b := p.Battery; b != nil {
		ps.checkBattery(path+".battery", b)
	}
}

// checkWhom finds a policy that is for nobody: of a product that is not there, or after others that have all of its devices.
func (ps *problems) checkWhom(c *Config, path string, p *Policy, before []Policy) {
	if at := slices.IndexFunc(c.Products, func(o hub.Product) bool { return o.Name == p.Product }); p.Product != "" && at < 0 {
		ps.add(path+".product", "known are "+productNames(c), "there is no product %q", p.Product)
	} else if b := p.Battery; at >= 0 && b != nil && b.Field != "" {
		fields := c.Products[at].Template.Fields()
		if !slices.ContainsFunc(fields, func(f codec.Field) bool { return f.Name == b.Field }) {
			ps.add(path+".battery.field", "", "product %s has no field %q", p.Product, b.Field)
		}
	}
	if at := slices.IndexFunc(before, func(o Policy) bool {
		return (o.Product == "" || o.Product == p.Product) && (o.Customer == "" || o.Customer == p.Customer)
	}); at >= 0 {
		ps.add(path+".name", "the first policy that matches counts: put it before the others", "%q is for nobody: policy[%d] has all of its devices", p.Name, at)
	}
}

// limits are the ends of the interval with what the scheduler has for those that are not set.
func (p *Policy) limits() (shortest, longest time.Duration) {
	shortest, longest = p.Shortest, p.Longest
	if shortest == 0 {
		shortest = time.Duration(scheduler.DefaultMin) * time.Second
	}
	if longest == 0 {
		longest = max(time.Duration(scheduler.DefaultMax)*time.Second, shortest)
	}
	return shortest, longest
}

func (ps *problems) checkClass(c *Config, path string, p *Policy, law scheduler.Law) {
	if len(p.Class) > 0 && law != scheduler.LawClass {
		ps.add(path+".class", `law = "class"`, "is of the law class only")
	}
	for _, name := range slices.Sorted(maps.Keys(p.Class)) {
		at := path + ".class." + name
		if _, ok := c.Links[name]; !ok {
			ps.add(at, "known are "+strings.Join(slices.Sorted(maps.Keys(c.Links)), ", "), "there is no link %q", name)
		}
		ps.within(at, p.Class[name], time.Second, longestMost)
	}
}

func (ps *problems) checkBands(path string, p *Policy, law scheduler.Law) {
	if law == scheduler.LawBands && (p.Battery == nil || p.Battery.Field == "") {
		ps.add(path+".battery.field", `field = "battery", empty = 3.3, full = 4.1`, "is missing: bands are by how full the battery is")
	}
	if len(p.Bands) > 0 && law != scheduler.LawBands {
		ps.add(path+".band", `law = "bands"`, "is of the law bands only")
	}
	for i, b := range p.Bands {
		at := fmt.Sprintf("%s.band[%d]", path, i)
		if b.Below < 1 || b.Below > 100 || i > 0 && b.Below <= p.Bands[i-1].Below {
			ps.add(at+".below", "percent, rising from band to band", "%d is no level", b.Below)
		}
		ps.within(at+".interval", b.Interval, time.Second, longestMost)
	}
}

func (ps *problems) checkBattery(path string, b *Battery) {
	if b.Field != "" && !(b.Empty < b.Full) {
		ps.add(path+".full", "empty = 3.3, full = 4.1", "%v is not above %v, at which the battery is empty", b.Full, b.Empty)
	}
	if b.Field != "" && b.Energy == 0 && b.Life == 0 {
		return // it is a gauge only
	}
	ps.between(path+".energy_mj", b.Energy, 1, 1e12)
	ps.between(path+".idle_mw", b.Idle, 0, 1e9)
	ps.within(path+".life", b.Life, 24*time.Hour, 100*longestMost)
	if _, err := scheduler.SparePower(b.Energy, secs(b.Life), b.Idle); err != nil && b.Life > 0 {
		ps.add(path+".life", "", "nothing is left for contacts: %v", err)
	}
}

// tariffPools are the pools that tariffs have.
func (c *Config) tariffPools() map[string]bool {
	known := make(map[string]bool)
	for _, name := range c.Book.Names() {
		for _, t := range c.Book.Versions(name) {
			if pool := t.PoolName(); pool != "" {
				known[pool] = true
			}
		}
	}
	return known
}

// checkPools holds the pools against those of the links' tariffs.
func (ps *problems) checkPools(c *Config) {
	known, configured := c.tariffPools(), make(map[string]*Pool)
	for i := range c.Pools {
		p, path := &c.Pools[i], fmt.Sprintf("pool[%d]", i)
		if configured[p.Name] != nil {
			ps.add(path+".name", "", "the pool %q stands twice", p.Name)
		}
		configured[p.Name] = p
		ps.between(path+".members", float64(p.Members), 0, membersMax)
		if p.Reserve != nil {
			ps.between(path+".reserve", *p.Reserve, 0, 0.95)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Links)) {
		versions := c.Book.Versions(c.Links[name].Tariff)
		at := slices.IndexFunc(versions, (*tariff.Tariff).Each)
		if at < 0 {
			continue
		}
		if pool := versions[at].PoolName(); configured[pool] == nil || configured[pool].Members == 0 {
			ps.add(join("link", name)+".tariff", fmt.Sprintf("have a [[pool]] with name = %q and members = 250", pool),
				"each line adds to the allowance of the pool %q: how many are there?", pool)
		}
	}
	for i := range c.Pools {
		if p := &c.Pools[i]; !known[p.Name] {
			ps.add(fmt.Sprintf("pool[%d].name", i), "known are "+strings.Join(slices.Sorted(maps.Keys(known)), ", "), "no tariff has a pool %q", p.Name)
		}
	}
}

// levels are what a budget can be of, by the word for it.
var levels = map[string]ledger.Level{
	"fleet": ledger.Fleet, "customer": ledger.OfCustomer, "link": ledger.OfLink, "pool": ledger.OfPool, "device": ledger.OfDevice,
}

func (ps *problems) checkBudget(c *Config, path string, b *Budget, before []Budget) {
	ps.notNegative(path+".amount", b.Amount)
	level, ok := levels[b.Scope]
	switch _, link := c.Links[b.Name]; {
	case !ok:
		ps.oneOf(path+".scope", b.Scope, "fleet", "customer", "link", "pool", "device")
	case level == ledger.Fleet && b.Name != "":
		ps.add(path+".name", "leave it out", "the fleet has no name")
	case level == ledger.OfLink && !link:
		ps.add(path+".name", "known are "+strings.Join(slices.Sorted(maps.Keys(c.Links)), ", "), "there is no link %q", b.Name)
	case level == ledger.OfDevice:
		if n, err := strconv.ParseUint(b.Name, 10, 32); b.Name != "" && (err != nil || n == 0) {
			ps.add(path+".name", `"1001"; none: each device that has no budget of its own`, "%q is not the number of a device", b.Name)
		}
	case level != ledger.Fleet && b.Name == "":
		ps.add(path+".name", "", "is missing: which %s?", b.Scope)
	case level == ledger.OfPool && !c.tariffPools()[b.Name]:
		ps.add(path+".name", "known are "+strings.Join(slices.Sorted(maps.Keys(c.tariffPools())), ", "), "no tariff has a pool %q", b.Name)
	}
	if slices.ContainsFunc(before, func(o Budget) bool { return o.Scope == b.Scope && o.Name == b.Name }) {
		ps.add(path+".scope", "", "the budget of %s stands twice", strings.TrimSpace(b.Scope+" "+b.Name))
	}
}

func (ps *problems) checkContact(path string, k *Contact) {
	ps.between(path+".deliver", k.Deliver, 0, 1)
	ps.between(path+".energy_mj", k.Energy, 0, 1e9)
	ps.between(path+".retries", float64(k.Retries), 0, 16)
	ps.between(path+".jitter", k.Jitter, 0, 0.49)
	for key, d := range map[string]time.Duration{"least": k.Least, "most": k.Most, "grace": k.Grace} {
		ps.length(path+"."+key, d)
	}
	if k.Most > 0 && k.Most < k.Least {
		ps.add(path+".most", "", "%s is less than the least, %s", k.Most, k.Least)
	}
}

// between adds a number that is out of range, or none.
func (ps *problems) between(key string, v, low, high float64) {
	if !(v >= low && v <= high) {
		ps.add(key, fmt.Sprintf("want %g to %g", low, high), "%g is out of range", v)
	}
}

// length adds a length of time that cannot be one of schedules. 0 is as good as none.
func (ps *problems) length(key string, d time.Duration) {
	if d != 0 {
		ps.within(key, d, time.Second, longestMost)
	}
}

func (ps *problems) notNegative(key string, m scheduler.Micros) {
	if m < 0 {
		ps.add(key, "", "%s is less than nothing", m)
	}
}

func secs(d time.Duration) scheduler.Secs { return scheduler.Secs(d / time.Second) }

// HubSchedule is the schedule as the hub takes it. Its links are in the order of their names.
func (c *Config) HubSchedule() hub.Schedule {
	s := &c.Schedule
	k := core.Config{
		Tariffs: c.Book, Currency: s.Currency, Money: s.Budget, Cap: s.Cap, Replan: s.Replan, Budgets: c.budgets(), Regions: c.regions(),
	}
	names := slices.Sorted(maps.Keys(c.Links))
	for _, name := range names {
		l := c.Links[name]
		t := &l.Contact
		k.Links = append(k.Links, core.Link{
			Name: name, Tariff: l.Tariff, Wakes: l.SMSModem != nil || t.Wakes, Relays: l.SBDModem != nil || l.IDPModem != nil, Deliver: t.Deliver, Energy: t.Energy, Least: t.Least, Most: t.Most,
			Retries: uint8(t.Retries), Jitter: t.Jitter, Grace: t.Grace, //nolint:gosec // checked
		})
	}
	for _, p := range c.Pools {
		k.Pools = append(k.Pools, core.Pool(p))
	}
	for i := range c.Policies {
		k.Rules = append(k.Rules, c.Policies[i].rule(names))
	}
	return hub.Schedule{Core: k, Send: s.Mode == "send"}
}

// rule is a policy as the scheduler takes it.
func (p *Policy) rule(links []string) core.Rule {
	law, _ := scheduler.ParseLaw(p.Law)
	short, long := p.limits()
	r := core.Rule{
		Product: p.Product, Customer: p.Customer, Weight: p.Weight, Cap: p.Cap,
		Policy: scheduler.Policy{
			Name: p.Name, Law: law, Tail: uint8(p.Tail), Min: secs(short), Max: secs(long), Stale: secs(p.NeverOlder), Miss: p.Miss, //nolint:gosec // checked
			Every: secs(p.Interval), Horizon: secs(p.Horizon), Burst: p.Burst,
		},
	}
	if law == scheduler.LawClass {
		for _, name := range links {
			r.Policy.Class = append(r.Policy.Class, secs(p.Class[name]))
		}
	}
	for _, b := range p.Bands {
		r.Policy.Bands = append(r.Policy.Bands, scheduler.Band{Below: uint8(b.Below), Every: secs(b.Interval)}) //nolint:gosec // checked
	}
	if h := p.Hazard; h != nil {
		r.Hazard = &scheduler.Hazard{Chance: h.Chance, Tau: secs(h.Mean), Loss: h.Loss}
	}
	if s := p.Poll; s != nil {
		r.Stakes = &core.Stakes{Hour: s.Hour, False: s.False}
	}
	if a := p.Alarm; a != nil {
		r.Alarm = core.Attention{Factor: a.Factor, Lasts: a.For}
	}
	if b := p.Battery; b != nil {
		r.Energy, r.Idle, r.Life = b.Energy, b.Idle, b.Life
		r.Gauge = core.Gauge{Field: b.Field, Empty: b.Empty, Full: b.Full}
	}
	return r
}

// budgets are those of the ledger: the tables, and for a fleet that has none what is planned with, so that there are warnings about it.
func (c *Config) budgets() (list []ledger.Budget) {
	fleet := false
	for i := range c.Budgets {
		b := &c.Budgets[i]
		o := ledger.Budget{Scope: ledger.Scope{Level: levels[b.Scope], Name: b.Name, Currency: c.Schedule.Currency}, Amount: b.Amount, Hard: b.Hard}
		if o.Scope.Level == ledger.OfDevice {
			n, _ := strconv.ParseUint(b.Name, 10, 32) // checked; "" is 0
			o.Scope.Name, o.Scope.Device = "", uint32(n)
		}
		fleet = fleet || o.Scope.Level == ledger.Fleet
		list = append(list, o)
	}
	whole := ledger.Budget{Scope: ledger.Scope{Level: ledger.Fleet, Currency: c.Schedule.Currency}, Amount: c.Schedule.Budget}
	if c.Schedule.Cap > 0 {
		whole.Amount, whole.Hard = c.Schedule.Cap, true
	}
	if !fleet && whole.Amount > 0 {
		list = append(list, whole)
	}
	return list
}
