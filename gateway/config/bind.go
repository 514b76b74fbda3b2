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
	switch l.Kind {
	case "udp":
		l.UDP = new(udp.Config)
		l.Ack = cmp.Or(l.Ack, "always")
		ps.decode(path, part, l.UDP)
	case "smsmodem":
		l.SMSModem = new(SMSModem)
		l.Ack = cmp.Or(l.Ack, "asked")
		ps.decode(path, part, l.SMSModem)
	case "sbdmodem":
		l.SBDModem = new(sbdmodem.Config)
		l.Ack = cmp.Or(l.Ack, "asked")
		ps.decode(path, part, l.SBDModem)
	case "directip":
		l.DirectIP = new(directip.Config)
		l.Ack = cmp.Or(l.Ack, "asked")
		ps.decode(path, part, l.DirectIP)
	case "rockblock":
		l.RockBLOCK = new(RockBLOCK)
		l.Ack = cmp.Or(l.Ack, "asked")
		ps.decode(path, part, l.RockBLOCK)
	case "idp":
		l.IDP = new(IDP)
		l.Ack = cmp.Or(l.Ack, "asked")
		ps.decode(path, part, l.IDP)
	case "cloudloop":
		l.Cloudloop = new(Cloudloop)
		l.Ack = cmp.Or(l.Ack, "asked")
		ps.decode(path, part, l.Cloudloop)
	case "idpmodem":
		l.IDPModem = new(idpmodem.Config)
		l.Ack = cmp.Or(l.Ack, "asked")
		ps.decode(path, part, l.IDPModem)
	case "":
		ps.add(path+".kind", `kind = "udp", "smsmodem", "sbdmodem", "directip", "rockblock", "cloudloop", "idp" or "idpmodem"`, "is missing")
	default:
		ps.add(path+".kind", "want udp, smsmodem, sbdmodem, directip, rockblock, cloudloop, idp or idpmodem", "%q is not a kind of link", l.Kind)
	}
	return l
}

// decode binds one table and adds what is wrong with it, under its path.
func (ps *problems) decode(path string, from map[string]any, into any) {
	d, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		Result: into, TagName: "toml", MatchName: func(key, field string) bool { return key == field },
		DecodeHook: mapstructure.ComposeDecodeHookFunc(durationHook, textHook),
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
