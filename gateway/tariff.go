package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/gateway/config"
	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

type tariffCmd struct {
	Price tariffPriceCmd `cmd:"" help:"Price messages on a tariff, and say why."`
	List  tariffListCmd  `cmd:"" help:"List the tariffs of the configuration, and the examples that are built in."`
	Show  tariffShowCmd  `cmd:"" help:"Show what a tariff says."`
}

// tariffs is the book, and the configuration that it is from; without a configuration file it has the examples.
func (e *env) tariffs() (*tariff.Book, *config.Config, error) {
	if _, err := os.Stat(e.cli.Config); errors.Is(err, fs.ErrNotExist) && len(e.cli.Set) == 0 {
		book, err := config.Examples()
		return book, &config.Config{}, err
	}
	c, err := e.load()
	if err != nil {
		return nil, nil, err
	}
	return c.Book, c, nil
}

var errTariff = errors.New("there is no such tariff")

// version is the version of a tariff that holds at a time.
func version(b *tariff.Book, name string, at time.Time) (*tariff.Tariff, error) {
	if t := b.At(name, at); t != nil {
		return t, nil
	}
	if versions := b.Versions(name); len(versions) > 0 {
		return nil, fmt.Errorf("%q has no version that holds at %s: %w", name, at.UTC().Format(time.RFC3339), errTariff)
	}
	return nil, fmt.Errorf("%q: %w, known are %s", name, errTariff, strings.Join(b.Names(), ", "))
}

// atTime is a time as the commands about tariffs take it: a day's beginning in UTC, or a time; "" is now.
func atTime(text string) (time.Time, error) {
	if text == "" {
		return time.Now(), nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%w: --at %q is no day such as 2026-11-29, and no time such as 2026-11-29T12:00:00Z", errUsage, text)
}

type tariffPriceCmd struct {
	Link      string        `help:"Link of the configuration whose tariff it is. Either this or --tariff." xor:"tariff"`
	Tariff    string        `help:"Name of the tariff. Either this or --link." xor:"tariff"`
	Bytes     int64         `help:"Bytes of the message as it is given to the link." required:""`
	Direction string        `help:"mo: from the device; mt: to it; relay: from device to device." enum:"mo,mt,relay" default:"mo"`
	Kind      string        `help:"message, mailbox_check or status_report." enum:"message,mailbox_check,status_report" default:"message"`
	Count     int           `help:"So many of them, one after the other." default:"1"`
	Open      time.Duration `help:"They go in one session that is open for so long, instead of one each."`
	At        string        `help:"Day or time at which they are sent; by default now." placeholder:"DATE"`
}

// countMost is how many messages are priced one by one.
const countMost = 1_000_000

// Help shows an example.
func (tariffPriceCmd) Help() string {
	return `The device and its pool are taken to have used nothing before: what is included counts from the first message on.

Example:
  godwit tariff price --tariff rockblock --bytes 51
  godwit tariff price --link sms0 --bytes 160 --count 30 --direction mt
  godwit tariff price --tariff cellular-session --bytes 1 --open 24h -o json`
}

// priceView is a price as it is printed.
type priceView struct {
	Tariff    string           `json:"tariff"`
	AsOf      tariff.Date      `json:"as_of"`
	Note      string           `json:"note,omitempty"`
	At        time.Time        `json:"at"`
	Direction string           `json:"direction"`
	Kind      string           `json:"kind"`
	Bytes     int64            `json:"bytes"` // of each
	Count     int              `json:"count"`
	Currency  string           `json:"currency"`
	Price     scheduler.Micros `json:"price"` // of all
	Units     int64            `json:"units"`
	Billed    int64            `json:"billed_bytes"`
	Allowed   int64            `json:"allowed"`  // of what is billed, came from an allowance
	Marginal  scheduler.Micros `json:"marginal"` // of one more, beyond all allowances, as plans reckon
	First     []tariff.Line    `json:"first"`    // why the first costs what it does
}

// Run prices.
func (c *tariffPriceCmd) Run(e *env) error {
	if c.Link == "" && c.Tariff == "" {
		return fmt.Errorf("%w: want --link or --tariff, whose price it is to be", errUsage)
	}
	at, err := atTime(c.At)
	if err != nil {
		return err
	}
	if c.Bytes < 0 || c.Count < 1 || c.Count > countMost || c.Open < 0 {
		return fmt.Errorf("%w: want --bytes from 0, --count from 1 to %d, --open from 0s", errUsage, countMost)
	}
	book, cfg, err := e.tariffs()
	if err != nil {
		return err
	}
	name := c.Tariff
	if c.Link != "" {
		l, ok := cfg.Links[c.Link]
		if !ok {
			return fmt.Errorf("there is no link %q: known are %s", c.Link, cmp.Or(strings.Join(slices.Sorted(maps.Keys(cfg.Links)), ", "), "none"))
		}
		if name = l.Tariff; name == "" {
			return fmt.Errorf("link %q has no tariff: set link.%s.tariff", c.Link, c.Link)
		}
	}
	t, err := version(book, name, at)
	if err != nil {
		return err
	}
	v := c.price(t, at)
	return e.print(v, "", func(row func(...any)) {
		row("tariff", fmt.Sprintf("%s, as of %s", v.Tariff, v.AsOf), v.Note)
		row("price", fmt.Sprintf("%s %s", v.Price, v.Currency), fmt.Sprintf("of %d × %d B %s", v.Count, v.Bytes, v.Direction))
		row("billed", fmt.Sprintf("%d B", v.Billed), fmt.Sprintf("%d units, %d of an allowance", v.Units, v.Allowed))
		row("beyond", fmt.Sprintf("%s %s", v.Marginal, v.Currency), "of one more, beyond all allowances")
		for _, l := range v.First {
			row("first", fmt.Sprintf("%s %s", l.Micros, v.Currency), l.Term+": "+l.Text)
		}
	})
}

func (c *tariffPriceCmd) price(t *tariff.Tariff, at time.Time) priceView {
	v := priceView{
		Tariff: t.Name, AsOf: t.AsOf, Note: t.Note, At: at.UTC().Truncate(time.Second), Direction: c.Direction, Kind: c.Kind, Bytes: c.Bytes, Count: c.Count, Currency: t.Currency,
		First: []tariff.Line{},
	}
	ev := tariff.Event{Time: at, Bytes: c.Bytes}
	if ev.Direction.UnmarshalText([]byte(c.Direction)) != nil || ev.Kind.UnmarshalText([]byte(c.Kind)) != nil {
		panic("godwit: the words of tariff price are not those of package tariff")
	}
	if c.Open > 0 {
		ev.Session, ev.Opened = 1, at
	}
	var device tariff.Meter
	add := func(one tariff.Charge) {
		v.Price, v.Units, v.Billed, v.Allowed = v.Price+one.Micros, v.Units+one.Units, v.Billed+one.Bytes, v.Allowed+one.Allowed
	}
	for i := range c.Count {
		if i > 0 {
			add(t.Price(&device, nil, ev))
			continue
		}
		one, lines := t.Explain(&device, nil, ev)
		add(one)
		v.First = append(v.First, lines...)
	}
	if c.Open > 0 {
		add(t.Price(&device, nil, tariff.Event{Time: at.Add(c.Open), Direction: ev.Direction, Kind: tariff.SessionEnd, Session: 1}))
	}
	marginal := t.Rate(ev.Direction)
	v.Marginal = marginal.Cost(int(min(c.Bytes, 1<<40)))
	return v
}

type tariffListCmd struct{}

// Help shows an example.
func (tariffListCmd) Help() string {
	return `Examples are built in for each kind of link. Their figures are to be checked with your provider.

Example:
  godwit tariff list -o json`
}

// tariffView is a tariff as a list has it.
type tariffView struct {
	Name     string      `json:"name"`
	Provider string      `json:"provider"`
	Currency string      `json:"currency"`
	Valid    string      `json:"valid"`
	AsOf     tariff.Date `json:"as_of"`
	Note     string      `json:"note"`
	BuiltIn  bool        `json:"built_in"`
	Links    []string    `json:"links"` // that have it
}

func describeValidity(t *tariff.Tariff) string {
	switch {
	case t.From == 0 && t.Until == 0:
		return "until further notice"
	case t.Until == 0:
		return "from " + t.From.String()
	case t.From == 0:
		return "until " + t.Until.String()
	default:
		return t.From.String() + " to " + t.Until.String()
	}
}

// Run lists.
func (tariffListCmd) Run(e *env) error {
	book, cfg, err := e.tariffs()
	if err != nil {
		return err
	}
	list := []tariffView{}
	for _, name := range book.Names() {
		links := []string{}
		for _, link := range slices.Sorted(maps.Keys(cfg.Links)) {
			if cfg.Links[link].Tariff == name {
				links = append(links, link)
			}
		}
		for _, t := range book.Versions(name) {
			list = append(list, tariffView{
				Name: t.Name, Provider: t.Provider, Currency: t.Currency, Valid: describeValidity(t), AsOf: t.AsOf, Note: t.Note,
				BuiltIn: !slices.ContainsFunc(cfg.Tariffs, func(o tariff.Tariff) bool { return o.Name == name }), Links: links,
			})
		}
	}
	return e.print(list, "NAME PROVIDER CURRENCY VALID AS_OF LINKS NOTE", func(row func(...any)) {
		for _, v := range list {
			row(v.Name, v.Provider, v.Currency, v.Valid, v.AsOf, strings.Join(v.Links, ","), v.Note)
		}
	})
}

type tariffShowCmd struct {
	Name string `arg:"" help:"Name of the tariff."`
	At   string `help:"Day or time at which it holds; by default now." placeholder:"DATE"`
}

// Help shows an example.
func (tariffShowCmd) Help() string {
	return `Example:
  godwit tariff show idp
  godwit tariff show sms --at 2026-01-01 -o json`
}

// Run shows.
func (c *tariffShowCmd) Run(e *env) error {
	at, err := atTime(c.At)
	if err != nil {
		return err
	}
	book, _, err := e.tariffs()
	if err != nil {
		return err
	}
	t, err := version(book, c.Name, at)
	if err != nil {
		return err
	}
	v := keys(reflect.ValueOf(*t))
	return e.print(v, "", func(row func(...any)) {
		row("name", t.Name)
		row("provider", t.Provider)
		row("source", t.Source)
		row("as of", t.AsOf, t.Note)
		row("valid", describeValidity(t), "billed in "+t.Local(at).Location().String())
		if pool := t.PoolName(); pool != "" {
			row("pool", pool)
		}
		for i := range t.Terms {
			row("term", t.Terms[i].Direction, t.Terms[i].String()+" ("+t.Currency+")")
		}
		row("rental", t.Rental.Price, describeRental(&t.Rental))
		for _, d := range []tariff.Direction{tariff.MO, tariff.MT} {
			r := t.Rate(d)
			row("plan", d, fmt.Sprintf("a message costs %s, and %s for each %d B of at least %d B with %d B of header", r.Fixed, r.Price, max(r.Inc, 1), r.Min, r.Header))
		}
	})
}

func describeRental(r *tariff.Rental) string {
	list := []string{"a month"}
	if r.ByDay {
		list = append(list, "by the day")
	}
	if r.FreeSilent {
		list = append(list, "none without traffic")
	}
	if r.Activation > 0 {
		list = append(list, "activation "+r.Activation.String())
	}
	if r.MinMonths > 0 {
		list = append(list, fmt.Sprintf("at least %d months", r.MinMonths))
	}
	return strings.Join(list, ", ")
}
