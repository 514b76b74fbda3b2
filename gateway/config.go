package main

import (
	"cmp"
	"encoding"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/gateway/config"
)

type configCmd struct {
	Default configDefaultCmd `cmd:"" help:"Print a configuration with every key, its default and a comment."`
	Check   configCheckCmd   `cmd:"" help:"Check a configuration and print what is in effect."`
}

type configDefaultCmd struct{}

// Help shows an example.
func (configDefaultCmd) Help() string {
	return `Example:
  godwit config default > godwit.toml`
}

// Run prints the reference.
func (configDefaultCmd) Run(e *env) error {
	if e.cli.Output == "json" {
		return e.print(map[string]string{"toml": config.Default}, "", nil)
	}
	_, err := io.WriteString(e.stdout, config.Default)
	return written(err)
}

type configCheckCmd struct{}

// Help shows an example.
func (configCheckCmd) Help() string {
	return `Tells every mistake at once, each with its line and a hint. Files that hold secrets are read and
checked, and their contents not shown.

Example:
  godwit config check --config godwit.toml --set nats.mode=external`
}

// Run checks, and prints what is in effect.
func (configCheckCmd) Run(e *env) error {
	c, err := e.load()
	var ps config.FileErrors
	if errors.As(err, &ps) && e.cli.Output == "json" {
		if err := e.print(map[string]any{"problems": ps}, "", nil); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	if u, err := url.Parse(c.NATS.URL); err == nil && u.User != nil {
		c.NATS.URL = u.Redacted()
	}
	return e.print(effective(c), "", func(row func(...any)) {
		row("gateway", c.Gateway.ID, "state in "+c.Gateway.StateDir)
		if c.NATS.Mode == "embedded" {
			row("nats", "embedded", cell(c.NATS.Listen))
		} else {
			row("nats", "external", c.NATS.URL)
		}
		row("api", c.API.Listen, "token in "+c.API.TokenFile)
		row("retention", fmt.Sprintf("frames %s, quarantine %s, events %s", config.FormatDuration(c.Retention.Frames),
			config.FormatDuration(c.Retention.Quarantine), config.FormatDuration(c.NATS.MaxAge)))
		for i := range c.Products {
			t := c.Products[i].Template
			row("product", c.Products[i].Name, fmt.Sprintf("%d fields, template %x", len(t.Fields()), t.Hash()))
		}
		for i := range c.FleetKeys {
			k := &c.FleetKeys[i]
			row("fleet key", k.ID, fmt.Sprintf("numbers %s of %s, register %s", k.Numbers, k.Product, k.Register))
		}
		for i := range c.Signers {
			k := c.Signers[i].Key
			row("signer", c.Signers[i].ID, fmt.Sprintf("%s key %x", k.Algorithm(), k.ID()))
		}
		for _, name := range slices.Sorted(maps.Keys(c.Links)) {
			row("link", name, describeLink(c.Links[name]))
		}
		row("schedule", c.Schedule.Mode, describeSchedule(c))
		for i := range c.Policies {
			p := &c.Policies[i]
			row("policy", p.Name, fmt.Sprintf("%s, for product %s, customer %s", cmp.Or(p.Law, "price"), cmp.Or(p.Product, "any"), cmp.Or(p.Customer, "any")))
		}
		for i := range c.Budgets {
			b := &c.Budgets[i]
			row("budget", strings.TrimSpace(b.Scope+" "+b.Name), fmt.Sprintf("%s %s a month", b.Amount, c.Schedule.Currency))
		}
		for i := range c.Tariffs {
			t := &c.Tariffs[i]
			row("tariff", t.Name, fmt.Sprintf("%s, %s", t.Currency, describeValidity(t)))
		}
	})
}

func describeSchedule(c *config.Config) string {
	s := &c.Schedule
	if s.Budget == 0 {
		return "no budget"
	}
	return fmt.Sprintf("%s %s a month", s.Budget, s.Currency)
}

func describeLink(l config.Link) string {
	cost := "free"
	if l.Tariff != "" {
		cost = "tariff " + l.Tariff
	}
	at := ""
	switch {
	case l.UDP != nil:
		at = " on " + l.UDP.Listen
	case l.SMSModem != nil:
		at = " at " + l.SMSModem.Device
	case l.SBDModem != nil:
		at = " at " + l.SBDModem.Device
	case l.IDPModem != nil:
		at = " at " + l.IDPModem.Device
	case l.DirectIP != nil:
		at = " on " + l.DirectIP.Listen
	case l.RockBLOCK != nil:
		at = " on " + l.RockBLOCK.Listen
	case l.IDP != nil:
		at = ", dialect " + l.IDP.Dialect
	}
	return fmt.Sprintf("%s%s, ack %s, %s", l.Kind, at, l.Ack, cost)
}

// effective is the configuration as JSON shows it: the keys of the file with what is in effect, without secrets, which only files hold.
func effective(c *config.Config) map[string]any {
	links := make(map[string]any, len(c.Links))
	for name, l := range c.Links {
		v := reflect.ValueOf(l)
		link := keys(v)
		for i := range v.NumField() {
			if driver := v.Field(i); driver.Kind() == reflect.Pointer && !driver.IsNil() {
				maps.Copy(link, keys(driver.Elem()))
			}
		}
		links[name] = link
	}
	products := make([]string, len(c.Products))
	for i := range c.Products {
		products[i] = c.Products[i].Name
	}
	all := keys(reflect.ValueOf(*c))
	all["link"], all["products"], all["tariffs"] = links, products, c.Book.Names()
	return all
}

// keys is a table of the configuration by the keys that the file has. What has none is not shown.
func keys(v reflect.Value) map[string]any {
	table := make(map[string]any)
	for i := range v.NumField() {
		if key := v.Type().Field(i).Tag.Get("toml"); key != "" && key != "-" {
			table[key] = plain(v.Field(i))
		}
	}
	return table
}

func plain(v reflect.Value) any {
	if d, ok := v.Interface().(time.Duration); ok {
		return config.FormatDuration(d)
	}
	if m, ok := v.Interface().(encoding.TextMarshaler); ok {
		return m
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return plain(v.Elem())
	case reflect.Struct:
		return keys(v)
	case reflect.Map:
		table := make(map[string]any, v.Len())
		for _, key := range v.MapKeys() {
			table[key.String()] = plain(v.MapIndex(key))
		}
		return table
	case reflect.Slice:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = plain(v.Index(i))
		}
		return list
	default:
		return v.Interface()
	}
}
