package codec_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

// An anyItem is any CBOR item (RFC 8949), read without the library that the codec uses.
type anyItem struct {
	major uint8
	info  uint8
	arg   uint64
	data  []byte    // of a string
	items []anyItem // of an array, of a map (keys and values by turns), of a tag
}

var errCBOR = errors.New("no well-formed and valid CBOR")

// readCBOR reads one item: lengths are definite, as frame.cddl says, text is UTF-8, and no key stands twice. shortest wants the shortest heads too.
func readCBOR(b []byte, shortest bool) (item anyItem, rest []byte, err error) {
	if len(b) == 0 {
		return item, b, errCBOR
	}
	item.major, item.info = b[0]>>5, b[0]&31
	b = b[1:]
	switch {
	case item.info < 24:
		item.arg = uint64(item.info)
	case item.info < 28:
		n := 1 << (item.info - 24)
		if len(b) < n {
			return item, b, errCBOR
		}
		var wide [8]byte
		copy(wide[8-n:], b)
		item.arg, b = binary.BigEndian.Uint64(wide[:]), b[n:]
		if least := [4]uint64{24, 1 << 8, 1 << 16, 1 << 32}[item.info-24]; shortest && item.major != 7 && item.arg < least || item.major == 7 && n == 1 && item.arg < 32 {
			return item, b, errCBOR
		}
	default:
		return item, b, errCBOR
	}
	count := uint64(0)
	switch item.major {
	case 2, 3:
		if uint64(len(b)) < item.arg {
			return item, b, errCBOR
		}
		item.data, b = b[:item.arg], b[item.arg:]
		if item.major == 3 && !utf8.Valid(item.data) {
			return item, b, errCBOR
		}
	case 4:
		count = item.arg
	case 5:
		if count = 2 * item.arg; item.arg > math.MaxUint32 {
			return item, b, errCBOR
		}
	case 6:
		count = 1
	}
	for range count {
		var one anyItem
		if one, b, err = readCBOR(b, shortest); err != nil {
			return item, b, err
		}
		item.items = append(item.items, one)
	}
	if item.major == 5 {
		seen := make(map[string]bool)
		for i := 0; i < len(item.items); i += 2 {
			k := &item.items[i]
			key := fmt.Sprintf("%d %d %x", k.major, k.arg, k.data)
			if seen[key] {
				return item, b, fmt.Errorf("%w: key %s stands twice", errCBOR, key)
			}
			seen[key] = true
		}
	}
	return item, b, nil
}

// match reports whether an item is of a type.
func (g *cddlGrammar) match(t *cddlType, item *anyItem) bool {
	switch t.kind {
	case "or":
		for _, one := range t.or {
			if g.match(one, item) {
				return true
			}
		}
		return false
	case "number", "range":
		n, ok := item.integer()
		return ok && n >= t.low && n <= t.high
	case "size":
		if !g.match(t.of, item) {
			return false
		}
		if item.major == 0 {
			return t.low >= 8 || item.arg < 1<<(8*uint(t.low))
		}
		n := int64(len(item.data))
		return (item.major == 2 || item.major == 3) && n >= t.low && n <= t.high
	case "tag":
		return item.major == 6 && item.arg == t.number && g.match(t.of, &item.items[0])
	case "cbor": // manifests have it, where heads are the shortest
		if item.major != 2 {
			return false
		}
		within, rest, err := readCBOR(item.data, true)
		return err == nil && len(rest) == 0 && g.match(t.of, &within)
	case "array":
		if item.major != 4 {
			return false
		}
		rest, ok := g.matchArray(t.group, item.items)
		return ok && len(rest) == 0
	case "map":
		if item.major != 5 {
			return false
		}
		taken := make([]bool, len(item.items)/2)
		if !g.matchMap(t.group, item.items, taken) {
			return false
		}
		for _, ok := range taken {
			if !ok {
				return false
			}
		}
		return true
	}
	if rule := g.types[t.name]; rule != nil {
		return g.match(rule, item)
	}
	switch t.name {
	case "any":
		return true
	case "uint":
		return item.major == 0
	case "int":
		return item.major <= 1
	case "bstr":
		return item.major == 2
	case "tstr":
		return item.major == 3
	case "bool":
		return item.major == 7 && (item.info == 20 || item.info == 21)
	case "true":
		return item.major == 7 && item.info == 21
	case "null":
		return item.major == 7 && item.info == 22
	case "float":
		return item.major == 7 && item.info >= 25
	}
	panic("no rule " + t.name)
}

func (item *anyItem) integer() (int64, bool) {
	if item.major > 1 || item.arg > math.MaxInt64 {
		return 0, false
	}
	if item.major == 1 {
		return -1 - int64(item.arg), true
	}
	return int64(item.arg), true
}

// matchArray takes what the entries want from the front of the items, as much as each can have.
func (g *cddlGrammar) matchArray(entries []cddlEntry, items []anyItem) ([]anyItem, bool) {
	for _, e := range entries {
		n := 0
		for ; n < e.most; n++ {
			group := e.group
			if e.value != nil && e.value.kind == "name" && g.groups[e.value.name] != nil {
				group = g.groups[e.value.name]
			}
			if group != nil {
				rest, ok := g.matchArray(group, items)
				if !ok || len(rest) == len(items) {
					break
				}
				items = rest
			} else {
				if len(items) == 0 || !g.match(e.value, &items[0]) {
					break
				}
				items = items[1:]
			}
		}
		if n < e.least {
			return items, false
		}
	}
	return items, true
}

// matchMap marks the pairs that entries take. A key that is a value takes its pair for good, whatever its value is (the cut of RFC 8610 §3.5.4).
func (g *cddlGrammar) matchMap(entries []cddlEntry, items []anyItem, taken []bool) bool {
	for _, e := range entries {
		if e.key == nil {
			group := e.group
			if e.value != nil {
				group = g.groups[e.value.name]
			}
			if !g.matchMap(group, items, taken) {
				return false
			}
			continue
		}
		n := 0
		for i := range taken {
			if taken[i] || n == e.most || !g.match(e.key, &items[2*i]) {
				continue
			}
			if !g.match(e.value, &items[2*i+1]) {
				if e.cut {
					return false
				}
				continue
			}
			taken[i] = true
			n++
		}
		if n < e.least {
			return false
		}
	}
	return true
}
