package config

import (
	"fmt"

	"github.com/godwit-gateway/godwit/scheduler/core"
)

// A Region is a part of the fleet that shares more than its links, as power and weather: when many of its devices fall silent at once, its outage is the
// reason. Devices that are in none are told apart by where their network sees them, if it says so.
type Region struct {
	Name    string `toml:"name"`
	Numbers string `toml:"numbers"` // "1000-1999", of its devices

	First, Last uint32 `toml:"-"` // what became of them
}

// regionsMax is how many there may be.
const regionsMax = 256

func (ps *problems) checkRegions(c *Config) {
	if len(c.Regions) > regionsMax {
		ps.add("region", "", "%d regions: %d are the most", len(c.Regions), regionsMax)
	}
	for i := range c.Regions {
		r, path := &c.Regions[i], fmt.Sprintf("region[%d]", i)
		if r.Name == "" || len(r.Name) > 32 {
			ps.add(path+".name", "1 to 32 bytes, for people", "%q cannot name a region", r.Name)
		}
		if r.First, r.Last = parseNumbers(r.Numbers); r.Last == 0 {
			ps.add(path+".numbers", `"1000-1999", within 1 to 4294967295`, "%q is not a range of device numbers", r.Numbers)
		}
		for j := range i {
			if o := &c.Regions[j]; r.First <= o.Last && o.First <= r.Last && o.Last > 0 && r.Last > 0 {
				ps.add(path+".numbers", "each device is in one region", "%s overlaps with %s of %q", r.Numbers, o.Numbers, o.Name)
			}
		}
	}
}

// regions are those of a configuration as the scheduler takes them.
func (c *Config) regions() (list []core.Region) {
	for i := range c.Regions {
		list = append(list, core.Region{Name: c.Regions[i].Name, First: c.Regions[i].First, Last: c.Regions[i].Last})
	}
	return list
}
