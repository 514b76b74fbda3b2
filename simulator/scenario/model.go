package scenario

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/simulator/radio"
)

// tableOf writes a model as a table, so that a file need only name what is to be different.
func tableOf(m *radio.Model) modelTable {
	delay := func(d radio.Delay) delayTable { return delayTable{d.Least, d.Mean, d.Most, d.Tail} }
	end := slices.Index(m.Pauses[:], 0)
	if end < 0 {
		end = len(m.Pauses)
	}
	return modelTable{
		Loss: m.Loss, Duplicate: m.Duplicate, Reorder: m.Reorder, Truncate: m.Truncate, Delay: delay(m.Delay), HoldBack: delay(m.HoldBack),
		Bursts: burstTable{m.Bursts.Good, m.Bursts.Bad, m.Bursts.Loss},
		Passes: passTable{m.Passes.Period, m.Passes.Length, m.Passes.Jitter, m.Passes.Hidden, m.Passes.Wait},
		Pauses: slices.Clone(m.Pauses[:end]), Validity: m.Validity, Reports: m.Reports, SizeMax: m.SizeMax, Pending: m.Pending,
		Tariff: tariffTable{
			formatMoney(m.Tariff.Message), m.Tariff.Unit, formatMoney(m.Tariff.Price), m.Tariff.Least, m.Tariff.Overhead,
			int64(m.Tariff.Included), m.Tariff.Failed, //nolint:gosec // units of a month
		},
	}
}

// model is a table as a model; path is where it was written.
func (p *parser) model(path string, t *modelTable) radio.Model {
	delay := func(d delayTable) radio.Delay {
		return radio.Delay{Least: d.Least, Mean: d.Mean, Most: d.Most, Tail: d.Tail}
	}
	m := radio.Model{
		Loss: t.Loss, Duplicate: t.Duplicate, Reorder: t.Reorder, Truncate: t.Truncate, Delay: delay(t.Delay), HoldBack: delay(t.HoldBack),
		Bursts:   radio.Bursts{Good: t.Bursts.Good, Bad: t.Bursts.Bad, Loss: t.Bursts.Loss},
		Passes:   radio.Passes{Period: t.Passes.Period, Length: t.Passes.Length, Jitter: t.Passes.Jitter, Hidden: t.Passes.Hidden, Wait: t.Passes.Wait},
		Validity: t.Validity, Reports: t.Reports, SizeMax: t.SizeMax, Pending: t.Pending,
		Tariff: radio.Tariff{
			Message: p.money(path+".tariff.message", t.Tariff.Message), Unit: t.Tariff.Unit, Price: p.money(path+".tariff.price", t.Tariff.Price),
			Least: t.Tariff.Least, Overhead: t.Tariff.Overhead, Failed: t.Tariff.Failed,
		},
	}
	if t.Tariff.Included < 0 {
		p.doc.Add(path+".tariff.included", "", "%d units are below 0", t.Tariff.Included)
	} else {
		m.Tariff.Included = uint64(t.Tariff.Included)
	}
	if n := copy(m.Pauses[:], t.Pauses); n < len(t.Pauses) || slices.Contains(t.Pauses, 0) {
		p.doc.Add(path+".pauses", `["5s", "30s"]`, "want up to %d pauses above zero", len(m.Pauses))
	}
	p.doc.AddAll(path, m.Validate())
	return m
}

// overlay changes both directions of a network by what a table says of them: radio of both, then up and down of one.
func (p *parser) overlay(path string, table map[string]any, n radio.Network) radio.Network {
	up, down := tableOf(&n.Up), tableOf(&n.Down)
	for _, direction := range []struct {
		key  string
		into []*modelTable
	}{{"radio", []*modelTable{&up, &down}}, {"up", []*modelTable{&up}}, {"down", []*modelTable{&down}}} {
		if part, ok := p.table(path, table, direction.key); ok {
			for i, into := range direction.into {
				if i > 0 && p.doc.Err() != nil {
					break // each mistake is told once
				}
				if _, own := part["pauses"]; own {
					into.Pauses = nil // a list is another one, not parts of the one before
				}
				p.doc.Bind(path+"."+direction.key, part, into)
			}
		}
	}
	if p.doc.Err() != nil {
		return n
	}
	return radio.Network{Up: p.model(path+".up", &up), Down: p.model(path+".down", &down)}
}

// table takes a table out of another one. False: it is not there.
func (p *parser) table(path string, from map[string]any, key string) (map[string]any, bool) {
	v, ok := from[key]
	if !ok {
		return nil, false
	}
	t, ok := v.(map[string]any)
	if !ok {
		p.doc.Add(path+"."+key, "["+key+"]", "want a table")
	}
	return t, ok
}

// moneyDigits is how many digits behind the point a millionth has.
const moneyDigits = 6

// money reads a decimal number as micros.
func (p *parser) money(key, text string) radio.Micros {
	whole, fraction, _ := strings.Cut(text, ".")
	n, err := strconv.ParseUint(whole+fraction+strings.Repeat("0", max(0, moneyDigits-len(fraction))), 10, 48)
	if err != nil || whole == "" || len(fraction) > moneyDigits {
		p.doc.Add(key, `"0.16"`, "%q is not an amount of money with up to %d digits behind the point", text, moneyDigits)
		return 0
	}
	return radio.Micros(n)
}

// formatMoney is what money reads.
func formatMoney(m radio.Micros) string {
	s := strconv.FormatInt(int64(m), 10)
	s = strings.Repeat("0", max(0, moneyDigits+1-len(s))) + s
	return strings.TrimSuffix(strings.TrimRight(s[:len(s)-moneyDigits]+"."+s[len(s)-moneyDigits:], "0"), ".")
}

// quick is a duration in a hint.
func quick(d time.Duration) string { return strconv.Quote(d.String()) }
