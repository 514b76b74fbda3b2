package core

import (
	"encoding/json"
	"fmt"

	"github.com/godwit-gateway/godwit/scheduler/presence"
)

// A Region is what operators call a part of the fleet that shares more than its links: masts, power, weather. An outage of it is seen though the link
// as a whole is well.
type Region struct {
	Name        string // 1 to 32 bytes
	First, Last uint32 // numbers of its devices
}

// Limits of regions. A cell is a region on one link; those beyond the limit are not told apart from the rest of their links.
const (
	regionsMax = 256
	regionName = 32
	cellsMax   = 512
)

func (c *Config) checkRegions() error {
	if len(c.Regions) > regionsMax {
		return fmt.Errorf("%d regions, %d are the most: %w", len(c.Regions), regionsMax, ErrConfig)
	}
	for i := range c.Regions {
		r := &c.Regions[i]
		if r.Name == "" || len(r.Name) > regionName || r.Last < r.First {
			return fmt.Errorf("region %q of the devices %d to %d: %w", r.Name, r.First, r.Last, ErrConfig)
		}
	}
	return nil
}

// region is the first one that has a device's number, "" if none has.
func (c *Config) region(number uint32) string {
	for i := range c.Regions {
		if r := &c.Regions[i]; number >= r.First && number <= r.Last {
			return r.Name
		}
	}
	return ""
}

// squareSize is the side of a square, in degrees.
const squareSize = 10

// Square is the square of ten degrees in which a position lies, from 1 on; 0 if there is none such. Latitude and longitude are millionths of a degree.
func Square(latitude, longitude int32) uint16 {
	const degree, side = 1_000_000, squareSize
	row, column := (int(latitude)+90*degree)/(side*degree), (int(longitude)+180*degree)/(side*degree)
	if latitude < -90*degree || latitude > 90*degree || longitude < -180*degree || longitude > 180*degree {
		return 0
	}
	return uint16(1 + min(row, 180/side-1)*(360/side) + column%(360/side))
}

// squareName names a square by the corner nearest to south and west.
func squareName(square uint16) string {
	n := int(square) - 1
	south, west := n/(360/squareSize)*squareSize-90, n%(360/squareSize)*squareSize-180
	side := func(v int, minus, plus string) string {
		if v < 0 {
			return fmt.Sprintf("%d° %s", -v, minus)
		}
		return fmt.Sprintf("%d° %s", v, plus)
	}
	return "the ten degrees from " + side(south, "S", "N") + " " + side(west, "W", "E")
}

// cellKey is a region on a link, by its name: what operators call it, or else where the network saw its devices. It is written as it is.
type cellKey struct {
	Link   string `json:"link"`
	Region string `json:"region,omitempty"`
	Square uint16 `json:"square,omitempty"`
}

// cells numbers regions on links, from 1 on. A number stays what it is: what was learned goes by it.
type cells struct {
	places map[cellKey]uint16
	list   []cellKey
	dirty  bool
}

// add is the number of a cell, which it gets if it is new; 0 if there is no room.
func (c *cells) add(key cellKey) uint16 {
	if n, ok := c.places[key]; ok {
		return n
	}
	if len(c.list) >= cellsMax {
		return 0
	}
	if c.places == nil {
		c.places = make(map[cellKey]uint16)
	}
	c.list = append(c.list, key)
	n := uint16(len(c.list)) //nolint:gosec // at most cellsMax
	c.places[key] = n
	return n
}

// locate finds the cell in which a device was heard: by what operators call its region, else by its square. A network that does not say now where it is
// leaves it where it was seen last over the same link.
func (k *Core) locate(at Place, link int, square uint16) {
	d := k.record(at)
	key := cellKey{Link: k.config.Links[link].Name, Region: k.config.region(k.known[at].number)}
	switch was := d.presence.Cell(); {
	case key.Region != "":
	case square != 0:
		key.Square = square
	case was != 0 && int(was) <= len(k.cells.list) && k.cells.list[was-1].Link == key.Link && k.cells.list[was-1].Square != 0:
		return
	default:
		d.presence.Locate(0)
		return
	}
	n := k.cells.add(key)
	if d.presence.Locate(n); int(n) > k.watched.Cells {
		k.watched.Cells, k.cells.dirty = int(n), true
		k.model.Grow(int(n))
	}
}

// OutageOf is what is known of the link of a device, or of its region on it, which is named: what it misses is held against that. ok is false for one that
// was never heard.
func (k *Core) OutageOf(at Place) (o presence.Outage, region string, ok bool) {
	d := k.find(at)
	if d == nil || !d.watched {
		return presence.Outage{}, "", false
	}
	o, cell := k.model.OutageOf(&d.presence)
	if cell == 0 || int(cell) > len(k.cells.list) {
		return o, "", true
	}
	key := &k.cells.list[cell-1]
	if key.Region != "" {
		return o, "region " + key.Region, true
	}
	return o, squareName(key.Square), true
}

// metaCells is the value among a store's metadata that says which region on which link each cell is.
const metaCells = "schedule/regions"

func (c *cells) append(b []byte) []byte {
	row, err := json.Marshal(c.list)
	if err != nil {
		panic("core: " + err.Error()) // texts and numbers
	}
	return append(b, row...)
}

// parse takes over what append wrote. One that does not parse is as none: devices are found anew.
func (c *cells) parse(b []byte) {
	var rows []cellKey
	if json.Unmarshal(b, &rows) != nil || len(rows) > cellsMax {
		return
	}
	for _, key := range rows {
		c.add(key)
	}
}
