package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// priceFlag asks for prices of a transmission.
type priceFlag struct {
	Prices bool `help:"Also say what it costs on each tariff: yours, and the examples."`
}

// framePrice is what a transmission costs by a tariff, beyond all allowances.
type framePrice struct {
	Tariff   string           `json:"tariff"`
	AsOf     tariff.Date      `json:"as_of"`
	Currency string           `json:"currency"`
	Up       scheduler.Micros `json:"up"`   // from the device
	Down     scheduler.Micros `json:"down"` // to it
	Links    []string         `json:"links"`
}

// prices are those of so many bytes, by each tariff that holds now; none if they are not wanted.
func (f *priceFlag) prices(e *env, size int) ([]framePrice, error) {
	if !f.Prices {
		return nil, nil
	}
	book, cfg, err := e.tariffs()
	if err != nil {
		return nil, err
	}
	list := []framePrice{}
	for _, name := range book.Names() {
		t := book.At(name, time.Now())
		if t == nil {
			continue
		}
		up, down := t.Rate(tariff.MO), t.Rate(tariff.MT)
		p := framePrice{Tariff: name, AsOf: t.AsOf, Currency: t.Currency, Up: up.Cost(size), Down: down.Cost(size), Links: []string{}}
		for _, link := range slices.Sorted(maps.Keys(cfg.Links)) {
			if cfg.Links[link].Tariff == name {
				p.Links = append(p.Links, link)
			}
		}
		list = append(list, p)
	}
	return list, nil
}

// priceRows writes them under what a frame is.
func priceRows(list []framePrice, row func(...any)) {
	for i := range list {
		p := &list[i]
		row("on "+p.Tariff, fmt.Sprintf("%s %s up, %s %s down, as of %s", p.Up, p.Currency, p.Down, p.Currency, p.AsOf), strings.Join(p.Links, ","))
	}
}
