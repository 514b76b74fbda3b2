package chart

import "fmt"

// A Key says which colour stands for what.
type Key struct {
	Name   string
	Colour int
	Dash   int
}

// Legend names the series.
func (c *Chart) Legend() []Key {
	var keys []Key
	for i := range c.Series {
		if s := &c.Series[i]; s.Low == nil {
			keys = append(keys, Key{s.Name, s.Colour, s.Dash})
		}
	}
	return keys
}

// Legend names the parts.
func (b *Bars) Legend() []Key {
	keys := make([]Key, len(b.Parts))
	for i := range b.Parts {
		keys[i] = Key{Name: b.Parts[i].Name, Colour: b.Parts[i].Colour}
	}
	return keys
}

// Swatch draws the line or the area of a key for a legend.
func (k Key) Swatch(area bool) string {
	if area {
		return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="14" height="12" aria-hidden="true"><path class="area %s" d="M0 0H14V12H0Z"/></svg>`, colour(k.Colour))
	}
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="24" height="12" aria-hidden="true"><path class="line %s d%d" d="M0 6H24"/></svg>`, colour(k.Colour), k.Dash)
}
