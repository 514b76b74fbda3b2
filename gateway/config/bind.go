package config

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"

	"github.com/godwit-gateway/godwit/transports/directip"
	"github.com/godwit-gateway/godwit/transports/idpmodem"
	"github.com/godwit-gateway/godwit/transports/sbdmodem"
	"github.com/godwit-gateway/godwit/transports/udp"
)

// bind fills c from what was parsed. Each link is bound twice: what all links share, then what its kind has.
func (ps *problems) bind(c *Config, tree map[string]any) {
	links, ok := tree["link"].(map[string]any)
	if !ok && tree["link"] != nil {
		ps.add("link", "[link.udp0]", "want one table for each link")
	}
	rest := make(map[string]any, len(tree))
	for k, v := range tree {
		if k != "link" {
			rest[k] = v
		}
	}
	ps.decode("", rest, c)
	c.Links = make(map[string]Link, len(links))
	for name, v := range links {
		path := join("link", name)
		table, ok := v.(map[string]any)
		if !ok {
			ps.add(path, "["+path+"]", "want a table")
			continue
		}
		c.Links[name] = ps.bindLink(name, path, table)
	}
}

func (ps *problems) bindLink(name, path string, table map[string]any) Link {
	l := Link{Name: name}
	part := make(map[string]any)
	head := make(map[string]any)
	for k, v := range table {
		if k == "kind" || k == "ack" || k == "tariff" || k == "contact" {
			head[k] = v
		} else {
			part[k] = v
		}
	}
	ps.decode(path, head, &l)
	k := slices.IndexFunc(kinds, func(k kind) bool { return k.name == l.Kind })
	switch {
	case k >= 0:
		l.part = kinds[k].part(&l)
		l.Ack = cmp.Or(l.Ack, kinds[k].ack)
		ps.decode(path, part, l.part)
	case l.Kind == "":
		ps.add(path+".kind", "kind = "+kindNames(strconv.Quote), "is missing")
	default:
		ps.add(path+".kind", "want "+kindNames(strings.Clone), "%q is not a kind of link", l.Kind)
	}
	return l
}

// kind is a kind of link.
type kind struct {
	name string
	ack  string          // where the configuration does not say
	part func(*Link) any // makes what the kind has beside what all links share
}

var kinds = []kind{
	{"udp", "always", func(l *Link) any { l.UDP = new(udp.Config); return l.UDP }},
	{"smsmodem", "asked", func(l *Link) any { l.SMSModem = new(SMSModem); return l.SMSModem }},
	{"sbdmodem", "asked", func(l *Link) any { l.SBDModem = new(sbdmodem.Config); return l.SBDModem }},
	{"directip", "asked", func(l *Link) any { l.DirectIP = new(directip.Config); return l.DirectIP }},
	{"rockblock", "asked", func(l *Link) any { l.RockBLOCK = new(RockBLOCK); return l.RockBLOCK }},
	{"cloudloop", "asked", func(l *Link) any { l.Cloudloop = new(Cloudloop); return l.Cloudloop }},
	{"idp", "asked", func(l *Link) any { l.IDP = new(IDP); return l.IDP }},
	{"idpmodem", "asked", func(l *Link) any { l.IDPModem = new(idpmodem.Config); return l.IDPModem }},
}

// kindNames are the names of all kinds, each written by spell, as in "udp, smsmodem or directip".
func kindNames(spell func(string) string) string {
	names := make([]string, len(kinds))
	for i := range kinds {
		names[i] = spell(kinds[i].name)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// decode binds one table and adds what is wrong with it, under its path.
func (ps *problems) decode(path string, from map[string]any, into any) {
	d, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		Result: into, TagName: "toml", MatchName: func(key, field string) bool { return key == field },
		DecodeHook: mapstructure.ComposeDecodeHookFunc(spelledHook, durationHook, textHook),
	})
	if err != nil {
		panic("config: " + err.Error()) // our own types are wrong
	}
	if err := d.Decode(from); err != nil {
		ps.addDecode(path, err)
	}
	ps.unknown(path, from, reflect.TypeOf(into))
}

// unknown adds the keys that the type has no place for. The decoder would tell them only of a table without other mistakes.
func (ps *problems) unknown(path string, v any, t reflect.Type) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch v := v.(type) {
	case []map[string]any:
		for i, element := range v {
			if t.Kind() == reflect.Slice {
				ps.unknown(fmt.Sprintf("%s[%d]", path, i), element, t.Elem())
			}
		}
	case map[string]any:
		if t.Kind() != reflect.Struct {
			return
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			f, ok := fieldOf(t, key)
			if !ok {
				ps.add(join(path, key), ps.known, "is not a known key%s", suggestion(key, t))
				continue
			}
			ps.unknown(join(path, key), v[key], f.Type)
		}
	}
}

func fieldOf(t reflect.Type, key string) (reflect.StructField, bool) {
	for i := range t.NumField() {
		if f := t.Field(i); f.Tag.Get("toml") == key && key != "-" {
			return f, true
		}
	}
	return reflect.StructField{}, false
}

// addDecode adds the errors of a decoding one by one.
func (ps *problems) addDecode(path string, err error) {
	var many interface{ Unwrap() []error }
	if errors.As(err, &many) {
		for _, e := range many.Unwrap() {
			ps.addDecode(path, e)
		}
		return
	}
	var de *mapstructure.DecodeError
	if !errors.As(err, &de) {
		ps.add(path, "", "%s", err)
		return
	}
	key := join(path, de.Name())
	text := de.Unwrap().Error()
	var typed *mapstructure.UnconvertibleTypeError
	if errors.As(err, &typed) {
		text = fmt.Sprintf("want %s, not %v", kindName(typed.Expected.Type()), typed.Value)
	}
	text = strings.TrimPrefix(text, "error decoding ")
	ps.add(key, "", "%s", text)
}

// spelledHook takes what an option or a variable says by its spelling where a text is wanted, else by its value.
func spelledHook(_, to reflect.Type, v any) (any, error) {
	s, ok := v.(spelled)
	if !ok {
		return v, nil
	}
	for to.Kind() == reflect.Pointer {
		to = to.Elem()
	}
	if to.Kind() == reflect.String || reflect.PointerTo(to).Implements(textType) {
		return s.text, nil
	}
	return s.value, nil
}

var durationType = reflect.TypeFor[time.Duration]()

// durationHook reads durations, with days beside the units of package time.
func durationHook(_, to reflect.Type, v any) (any, error) {
	if to != durationType {
		return v, nil
	}
	s, ok := v.(string)
	if !ok {
		return nil, fmt.Errorf(`want a duration in quotes, such as "36h", not %v`, v)
	}
	return ParseDuration(s)
}

// ParseDuration is time.ParseDuration, and whole or broken days as in "400d".
func ParseDuration(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		d, err := time.ParseDuration(days + "h")
		if err != nil || d > 100*365*time.Hour {
			return 0, fmt.Errorf("%q is not a duration: want 90s, 36h or 400d", s)
		}
		return 24 * d, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration: want 90s, 36h or 400d", s)
	}
	return d, nil
}

// FormatDuration writes a duration as a configuration has it: "400d", "36h", "1m30s".
func FormatDuration(d time.Duration) string {
	if day := 24 * time.Hour; d > 0 && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a text in quotes"
	case reflect.Int, reflect.Int64, reflect.Uint16, reflect.Uint8:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "a table"
	default:
		return t.String()
	}
}

// suggestion names the known key that is most like an unknown one.
func suggestion(key string, t reflect.Type) string {
	best, distance := "", 3
	for i := range t.NumField() {
		tag := t.Field(i).Tag.Get("toml")
		if tag == "" || tag == "-" {
			continue
		}
		if d := editDistance(key, tag); d < distance {
			best, distance = tag, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; is it %q?", best)
}

// editDistance is the number of single-byte changes between two words (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
