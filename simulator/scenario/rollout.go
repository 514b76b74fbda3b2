package scenario

import (
	"fmt"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/codec/manifest"
	"github.com/godwit-gateway/godwit/gateway/rollout"
	"github.com/godwit-gateway/godwit/simulator/device"
	"github.com/godwit-gateway/godwit/simulator/world"
)

// releaseTable is software that devices may be offered.
type releaseTable struct {
	Product string        `toml:"product"`
	Version string        `toml:"version"`
	Size    int64         `toml:"size"`
	Memory  int64         `toml:"memory"`
	InPlace bool          `toml:"in_place"`
	From    []string      `toml:"from"`
	Notes   string        `toml:"notes"`
	At      time.Duration `toml:"at"`
	Mishaps mishapTable   `toml:"mishaps"`
}

// rolloutTable is a rollout that operators drive.
type rolloutTable struct {
	Name     string        `toml:"name"`
	Product  string        `toml:"product"`
	Version  string        `toml:"version"`
	At       time.Duration `toml:"at"`
	HoldOut  float64       `toml:"hold_out"`
	Soak     int           `toml:"soak"`
	Deadline int           `toml:"deadline"`
	Consent  bool          `toml:"consent"`
	Safe     bool          `toml:"safe"`
	Groups   []string      `toml:"groups"`
	Links    []string      `toml:"links"`
	Halted   string        `toml:"halted"`
	Waves    []waveTable   `toml:"wave"`
}

type waveTable struct {
	Share    float64       `toml:"share"`
	Least    time.Duration `toml:"least"`
	Reported float64       `toml:"reported"`
	ByHand   bool          `toml:"by_hand"`
	Proof    bool          `toml:"proof"`
}

// usualWaves are those of a rollout that names none.
func usualWaves() []waveTable {
	return []waveTable{{Share: 0.04}, {Share: 0.1}, {Share: 0.3}, {Share: 1}}
}

// releases reads them.
func (p *parser) releases() {
	for i, table := range p.tables("release") {
		path := fmt.Sprintf("release[%d]", i)
		t := releaseTable{Size: 100 << 10}
		p.doc.Bind(path, table, &t)
		switch {
		case p.product(t.Product) == nil:
			p.doc.Add(path+".product", "", "there is no product %q", t.Product)
		case t.Version == "":
			p.doc.Add(path+".version", `version = "1.1.0"`, "is missing")
		case t.Size < 1 || t.Memory < 0:
			p.doc.Add(path+".size", "", "%d bytes, and %d that must be free", t.Size, t.Memory)
		case t.At < 0 || t.At > p.setup.Length:
			p.doc.Add(path+".at", "", "%s is not within the length of %s", t.At, p.setup.Length)
		}
		p.setup.Releases = append(p.setup.Releases, world.Release{
			Manifest: manifest.Manifest{
				Product: t.Product, Version: t.Version, Size: uint64(max(t.Size, 0)), Memory: uint64(max(t.Memory, 0)), InPlace: t.InPlace, From: t.From, Notes: t.Notes,
			},
			At: t.At, Mishaps: device.Mishaps(t.Mishaps),
		})
	}
}

// rollouts reads them. What the gateway would refuse is a mistake of the file.
func (p *parser) rollouts() {
	for i, table := range p.tables("rollout") {
		path := fmt.Sprintf("rollout[%d]", i)
		var t rolloutTable
		p.doc.Bind(path, table, &t)
		if t.Waves == nil {
			t.Waves = usualWaves()
		}
		if t.At < 0 || t.At > p.setup.Length {
			p.doc.Add(path+".at", "", "%s is not within the length of %s", t.At, p.setup.Length)
		}
		r := world.Rollout{At: t.At, Halted: t.Halted, Spec: rollout.Spec{
			Name: t.Name, Product: t.Product, Version: t.Version, HoldOut: t.HoldOut, Soak: t.Soak, Deadline: t.Deadline, Consent: t.Consent, Safe: t.Safe, Links: t.Links,
		}}
		for _, w := range t.Waves {
			r.Waves = append(r.Waves, rollout.Wave(w))
		}
		for _, g := range t.Groups { // each is a customer of its own
			at := slices.IndexFunc(p.setup.Groups, func(o world.Group) bool { return o.Name == g })
			if at < 0 {
				p.doc.Add(path+".groups", "", "there is no group %q", g)
				continue
			}
			p.setup.Groups[at].Customer = g
			r.Filter.Customers = append(r.Filter.Customers, g)
		}
		p.setup.Rollouts = append(p.setup.Rollouts, r)
	}
	if p.doc.Err() == nil {
		p.doc.AddAll("rollout", p.setup.Rehearse())
	}
}
