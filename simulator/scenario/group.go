package scenario

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/simulator/device"
	"github.com/godwit-gateway/godwit/simulator/radio"
	"github.com/godwit-gateway/godwit/simulator/world"
)

// Bounds of a group, and what its devices are unless the file says otherwise.
const (
	countMax    = 1_000_000
	firstNumber = 1000
)

func usualGroup() groupTable {
	return groupTable{
		Count: 1, Version: "1.0.0", Hardware: "rev-a", CounterBits: 16, Tag: 8, Clock: true, Interval: time.Hour,
		Retry: 10 * time.Second, RetryMax: 30 * time.Minute, PendingMax: 64, Owner: "agrees", Importance: 1,
	}
}

var owners = map[string]device.Owner{"agrees": device.OwnerAgrees, "declines": device.OwnerDeclines, "absent": device.OwnerAbsent, "defers": device.OwnerDefers, "drawn": device.OwnerDrawn}

var batteries = map[string]func() device.Power{"lead": device.Lead, "primary": device.Primary}

// groups reads them, and returns how important each is.
func (p *parser) groups(links map[string]*link) (importance []float64) {
	next := firstNumber
	for i, table := range p.tables("group") {
		path := fmt.Sprintf("group[%d]", i)
		t := usualGroup()
		if name, ok := table["power"].(string); ok && batteries[name] != nil {
			t.Battery = batteryTable(batteries[name]())
		}
		p.doc.Bind(path, without(table, "radio", "up", "down"), &t)
		if t.First == 0 {
			t.First = next
		}
		if len(t.Links) > 0 {
			p.several(path, &t)
		}
		l := p.checkGroup(path, &t, links)
		if l == nil {
			continue
		}
		next = t.First + t.Count
		network := l.network
		if t.Network != "" {
			network, _ = p.network(path, table)
		}
		network = p.overlay(path, table, network)
		g := world.Group{
			Name: t.Name, Count: t.Count, First: uint32(t.First), //nolint:gosec // checked
			Product: t.Product, Link: t.Link, Region: t.Region, Attrition: t.Attrition,
			Up: network.Up, Down: network.Down,
		}
		g.Device = p.device(path, &t)
		g.Device.UplinkMax = carries(l.Limits.UplinkMax, &network)
		for i := 1; i < len(t.Links); i++ {
			o := links[t.Links[i]]
			if o == nil {
				p.doc.Add(path+".links", "", "there is no link %q", t.Links[i])
				continue
			}
			g.Others = append(g.Others, world.Bearer{Link: o.Name, Up: o.network.Up, Down: o.network.Down})
			g.Device.UplinkMax = min(g.Device.UplinkMax, carries(o.Limits.UplinkMax, &o.network))
		}
		if p.doc.Err() == nil {
			p.firstFrame(path, &g, &l.Link)
		}
		p.setup.Groups, importance = append(p.setup.Groups, g), append(importance, t.Importance)
	}
	if len(p.setup.Groups) == 0 && p.doc.Err() == nil {
		p.doc.Add("group", `[[group]] with name, product and link`, "there is none")
	}
	return importance
}

// several takes the first of a group's links for its link. Frames of devices with several must hold on each of them.
func (p *parser) several(path string, t *groupTable) {
	if t.Link != "" {
		p.doc.Add(path+".links", "", "link and links are given both")
	}
	t.Link = t.Links[0]
	if len(t.Links) > 1 && t.Tag != 8 {
		p.doc.Add(path+".tag", "tag = 8", "devices with several links need a tag that holds on each")
	}
}

// carries is the size of the payloads that a link and its network carry.
func carries(limit int, n *radio.Network) int {
	if n.Up.SizeMax > 0 {
		return min(limit, n.Up.SizeMax)
	}
	return limit
}

// checkGroup looks at what a group refers to. Nil: it cannot be made.
func (p *parser) checkGroup(path string, t *groupTable, links map[string]*link) *link {
	switch {
	case !fleet.ValidToken(t.Name):
		p.doc.Add(path+".name", "1 to 32 of A-Z a-z 0-9 _ -", "%q cannot name a group", t.Name)
	case slices.ContainsFunc(p.setup.Groups, func(g world.Group) bool { return g.Name == t.Name }):
		p.doc.Add(path+".name", "", "there is a group %q already", t.Name)
	}
	ok := true
	if t.Count < 1 || t.Count > countMax || t.First < 1 || t.First > 1<<32-1-countMax {
		p.doc.Add(path+".count", "", "%d devices from number %d on: want up to %d", t.Count, t.First, countMax)
		ok = false
	}
	if ok && slices.ContainsFunc(p.setup.Groups, func(g world.Group) bool {
		return t.First < int(g.First)+g.Count && int(g.First) < t.First+t.Count
	}) {
		p.doc.Add(path+".first", "without it numbers follow those of the group before", "another group has numbers from %d on", t.First)
	}
	if p.product(t.Product) == nil {
		p.doc.Add(path+".product", "", "there is no product %q", t.Product)
		ok = false
	}
	if !(t.Attrition >= 0) {
		p.doc.Add(path+".attrition", "attrition = 0.04", "%v is not above zero", t.Attrition)
	}
	if !(t.Importance > 0 && t.Importance <= 1e6) {
		p.doc.Add(path+".importance", "importance = 2.0", "%v is not above zero", t.Importance)
	}
	l := links[t.Link]
	if l == nil {
		p.doc.Add(path+".link", "", "there is no link %q", t.Link)
	}
	if !ok {
		return nil
	}
	return l
}

// device is what all devices of a group are.
func (p *parser) device(path string, t *groupTable) device.Config {
	c := device.Config{
		Version: t.Version, Hardware: t.Hardware, Build: []byte{1}, NoClock: !t.Clock,
		CTRBits: uint8(min(max(t.CounterBits, 0), 255)), TagLen: uint8(min(max(t.Tag, 0), 255)),
		Interval: t.Interval, Sample: t.Sample, Retry: t.Retry, RetryMax: t.RetryMax, PendingMax: t.PendingMax, Silence: t.Silence,
		Chatter: t.Chatter, Report: t.Report, ReportBytes: t.ReportBytes, Mishaps: device.Mishaps(t.Mishaps),
		FreeMemory: uint64(max(t.FreeMemory, 0)), Rate: uint64(max(t.Rate, 0)),
	}
	if t.Retires < 0 || t.Retires > p.setup.Length {
		p.doc.Add(path+".retires", "", "%s is not within the length of %s", t.Retires, p.setup.Length)
	} else if t.Retires > 0 {
		c.Retires = p.setup.Start.Add(t.Retires)
	}
	product := p.product(t.Product)
	c.Deadbands = deadbands(product)
	var known bool
	if c.Owner, known = owners[t.Owner]; !known {
		p.doc.Add(path+".owner", "agrees, declines, absent, defers or drawn", "%q is no owner", t.Owner)
	}
	for i, a := range t.Alarms {
		key := fmt.Sprintf("%s.alarm[%d]", path, i)
		if a.Code < 1 || a.Code > 1<<16-1 {
			p.doc.Add(key+".code", "", "%d is not within 1 to 65535", a.Code)
		}
		if !slices.ContainsFunc(product.Template.Fields(), func(f codec.Field) bool { return f.Name == a.Field }) {
			p.doc.Add(key+".field", "", "product %s has no field %q", t.Product, a.Field)
		}
		c.Thresholds = append(c.Thresholds, device.Threshold{Field: a.Field, Code: uint16(a.Code), Limit: a.Limit, Below: a.Below, Clear: a.Clear, Text: a.Text}) //nolint:gosec // checked
	}
	switch {
	case batteries[t.Power] != nil:
		power := device.Power(t.Battery)
		c.Power = &power
	case t.Power != "":
		p.doc.Add(path+".power", "lead or primary, and [group.battery] for what is different", "%q is no battery", t.Power)
	case t.Battery != batteryTable{}:
		p.doc.Add(path+".battery", `power = "lead"`, "it changes the battery that power names, and there is none")
	}
	return c
}

// deadbands are those of the product, by the ids of its fields.
func deadbands(product *hub.Product) session.Deadbands {
	bands := make(session.Deadbands)
	for _, f := range product.Template.Fields() {
		if steps := product.Deadbands[f.Name]; steps > 0 {
			bands[f.ID] = uint32(min(steps, 1<<32-1))
		}
	}
	return bands
}

// firstFrame makes one device of a group, as the world will, and has it speak: it must be able to exist, and its hello must fit its link.
func (p *parser) firstFrame(path string, g *world.Group, l *world.Link) {
	c := g.Device
	c.Number, c.Product, c.Template = g.First, g.Product, p.product(g.Product).Template
	c.Links, c.Stored = []string{string(l.Bearer)}, l.Keeps
	d, err := device.New(c, device.Memory{}, p.setup.Start)
	if err != nil {
		p.doc.Add(path, "", "%s", err)
		return
	}
	out, _, err := d.Poll(p.setup.Start)
	if err != nil {
		p.doc.Add(path, "", "%s", err)
		return
	}
	for i := range out {
		if n, most := len(out[i].Payload), cmp.Or(g.Up.SizeMax, l.Limits.UplinkMax); n > most {
			p.doc.Add(path+".link", "shorter names of product, version and hardware, or a larger size_max", "the first frame of a device has %d bytes, and link %s carries %d", n, l.Name, most)
		}
	}
}
