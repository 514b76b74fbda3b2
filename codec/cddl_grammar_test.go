package codec_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The part of CDDL (RFC 8610) that frame.cddl uses, read anew here: nothing of this package is in it.

// cddlType is a type: alternatives, or one of the others.
type cddlType struct {
	kind   string // "or", "name", "number", "range", "size", "map", "array", "tag", "cbor"
	or     []*cddlType
	name   string
	low    int64
	high   int64
	of     *cddlType // of a size or tag, and what is within the byte string of a cbor
	group  []cddlEntry
	number uint64 // of a tag
}

// cddlEntry is an entry of a group: a type with or without a key, or a group.
type cddlEntry struct {
	least, most int
	key         *cddlType // nil: none, or a bare word
	cut         bool      // the key is a value: no other entry may take it
	value       *cddlType // nil: group is it
	group       []cddlEntry
}

// cddlGrammar is what a file says.
type cddlGrammar struct {
	types  map[string]*cddlType
	groups map[string][]cddlEntry
	used   map[string]bool
	tokens []string
}

var cddlToken = regexp.MustCompile(`^(?:[ \t\n]+|;[^\n]*|(=>|\.\.|\.size|\.cbor|#6\.[0-9]+|-?[0-9]+|[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])?|[=/(){}\[\],:?*]))`)

// prelude are the names that RFC 8610 appendix D gives to every file; a file cannot give them anew.
var prelude = strings.Fields(`any uint nint int bstr bytes tstr text tdate time number biguint bignint bigint integer unsigned decfrac bigfloat
	eb64url eb64legacy eb16 encoded-cbor uri b64url b64legacy regexp mime-message cbor-any float16 float32 float64 float16-32 float32-64 float
	false true bool nil null undefined`)

func parseCDDL(text string) (g *cddlGrammar, err error) {
	g = &cddlGrammar{types: make(map[string]*cddlType), groups: make(map[string][]cddlEntry), used: make(map[string]bool)}
	for text != "" {
		m := cddlToken.FindStringSubmatch(text)
		if m == nil {
			return nil, fmt.Errorf("no token at %.40q", text)
		}
		if text = text[len(m[0]):]; m[1] != "" {
			g.tokens = append(g.tokens, m[1])
		}
	}
	defer func() {
		if r, ok := recover().(error); ok {
			err = r
		}
	}()
	for len(g.tokens) > 0 {
		name := g.next()
		g.want("=")
		if g.types[name] != nil || g.groups[name] != nil || slices.Contains(prelude, name) {
			g.fail("rule %s is there already", name)
		}
		if g.peek(0) == "(" {
			g.next()
			g.groups[name] = g.parseGroup(")")
		} else {
			g.types[name] = g.parseType()
		}
	}
	return g, nil
}

func (g *cddlGrammar) fail(format string, args ...any) {
	panic(fmt.Errorf(format+" before %q", append(args, g.tokens[:min(8, len(g.tokens))])...))
}

func (g *cddlGrammar) peek(i int) string {
	if i < len(g.tokens) {
		return g.tokens[i]
	}
	return ""
}

func (g *cddlGrammar) next() string {
	t := g.peek(0)
	if t == "" {
		g.fail("the end")
	}
	g.tokens = g.tokens[1:]
	return t
}

func (g *cddlGrammar) want(token string) {
	if t := g.next(); t != token {
		g.fail("%q, want %q", t, token)
	}
}

func (g *cddlGrammar) parseType() *cddlType {
	t := g.parseType1()
	if g.peek(0) != "/" {
		return t
	}
	or := &cddlType{kind: "or", or: []*cddlType{t}}
	for g.peek(0) == "/" {
		g.next()
		or.or = append(or.or, g.parseType1())
	}
	return or
}

func (g *cddlGrammar) parseType1() *cddlType {
	t := g.parseType2()
	switch g.peek(0) {
	case "..":
		g.next()
		to := g.parseType2()
		if t.kind != "number" || to.kind != "number" || to.low < t.low {
			g.fail("a range of what are no numbers")
		}
		return &cddlType{kind: "range", low: t.low, high: to.low}
	case ".size":
		g.next()
		size := g.parseType2()
		if size.kind != "number" && size.kind != "range" {
			g.fail("a size of %s", size.kind)
		}
		return &cddlType{kind: "size", of: t, low: size.low, high: size.high}
	case ".cbor":
		if g.next(); t.kind != "name" || t.name != "bstr" {
			g.fail("CBOR within %s", t.kind)
		}
		return &cddlType{kind: "cbor", of: g.parseType2()}
	}
	return t
}

func (g *cddlGrammar) parseType2() *cddlType {
	switch token := g.next(); {
	case token == "(":
		t := g.parseType()
		g.want(")")
		return t
	case token == "{":
		return &cddlType{kind: "map", group: g.parseGroup("}")}
	case token == "[":
		return &cddlType{kind: "array", group: g.parseGroup("]")}
	case strings.HasPrefix(token, "#6."):
		n, _ := strconv.ParseUint(token[3:], 10, 64) // digits, by the token's pattern
		g.want("(")
		t := &cddlType{kind: "tag", number: n, of: g.parseType()}
		g.want(")")
		return t
	case token[0] == '-' || token[0] >= '0' && token[0] <= '9':
		n, err := strconv.ParseInt(token, 10, 64)
		if err != nil {
			g.fail("%v", err)
		}
		return &cddlType{kind: "number", low: n, high: n}
	case token[0] >= 'A':
		g.used[token] = true
		return &cddlType{kind: "name", name: token}
	default:
		g.fail("%q is no type", token)
		return nil
	}
}

func isNumber(token string) bool { _, err := strconv.Atoi(token); return err == nil }

// parseGroup reads entries up to the token that ends them.
func (g *cddlGrammar) parseGroup(end string) []cddlEntry {
	var list []cddlEntry
	for g.peek(0) != end {
		e := cddlEntry{least: 1, most: 1}
		const many = 1 << 30
		switch {
		case g.peek(0) == "?":
			g.next()
			e.least = 0
		case g.peek(0) == "*":
			g.next()
			e.least, e.most = 0, many
		case isNumber(g.peek(0)) && g.peek(1) == "*":
			e.least, _ = strconv.Atoi(g.next())
			g.next()
			if e.most = many; isNumber(g.peek(0)) {
				e.most, _ = strconv.Atoi(g.next())
			}
		}
		switch {
		case g.peek(0) == "(":
			g.next()
			e.group = g.parseGroup(")")
		case g.peek(1) == ":" && isNumber(g.peek(0)):
			e.key, e.cut = g.parseType2(), true
			g.next()
			e.value = g.parseType()
		case g.peek(1) == ":":
			g.next() // a bare word: in an array it only explains
			g.next()
			e.value = g.parseType()
		default:
			if e.value = g.parseType(); g.peek(0) == "=>" {
				g.next()
				e.key, e.value = e.value, g.parseType()
			}
		}
		if g.peek(0) == "," {
			g.next()
		}
		list = append(list, e)
	}
	g.want(end)
	return list
}
