package codec_test

import (
	"errors"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/godwit-gateway/godwit/codec"
)

// F-042: what an older gateway passes on is what it got.
func TestHelloKeepsUnknownKeys(t *testing.T) {
	h := codec.Hello{
		Version: "1.2.3", Build: []byte{1, 2}, Templates: []codec.TemplateHash{{1}, {2}}, Links: []string{"udp"}, Counter: 1 << 33,
		Unknown: map[uint64]codec.RawMessage{0: {0x05}, 99: {0x81, 0xf5}, 1 << 60: {0xa1, 0x61, 'a', 0x20}},
	}
	b, err := codec.AppendHello([]byte{0xaa}, &h)
	if err != nil || b[0] != 0xaa || codec.MessageType(b[1]) != codec.MessageHello {
		t.Fatalf("%x, %v", b, err)
	}
	got, err := codec.DecodeHello(b[2:])
	if d := cmp.Diff(h, got); err != nil || d != "" {
		t.Error(err, d)
	}
}

// F-041, F-043: what a receiver would refuse is not written.
func TestHelloRefusesToWrite(t *testing.T) {
	unknown := func(key uint64, value string) codec.Hello {
		return codec.Hello{Unknown: map[uint64]codec.RawMessage{key: codec.RawMessage(value)}}
	}
	many := codec.Hello{Unknown: make(map[uint64]codec.RawMessage)}
	for i := range uint64(65) {
		many.Unknown[100+i] = codec.RawMessage{0}
	}
	for name, h := range map[string]codec.Hello{
		"long version":      {Version: strings.Repeat("a", 65)},
		"long build":        {Build: make([]byte, 33)},
		"templates":         {Templates: make([]codec.TemplateHash, 8)},
		"bearers":           {Links: make([]string, 9)},
		"long bearer":       {Links: []string{strings.Repeat("a", 65)}},
		"known as unknown":  unknown(5, "\x01"),
		"cut":               unknown(50, "\x81"),
		"two items":         unknown(50, "\x01\x02"),
		"not a number":      unknown(50, "\xf9\x7e\x00"),
		"more than 64 keys": many,
	} {
		dst := []byte{0xaa}
		if b, err := codec.AppendHello(dst, &h); err == nil || len(b) != 1 {
			t.Errorf("%s: %x, %v", name, b, err)
		}
	}
}

// F-041: likewise.
func TestOpenRefusesToWrite(t *testing.T) {
	many := make(map[int64]any)
	for i := range int64(65) {
		many[i] = 1
	}
	for name, fields := range map[string]map[int64]any{
		"nil":           nil,
		"many":          many,
		"not a number":  {1: math.NaN()},
		"an infinity":   {1: math.Inf(-1)},
		"no UTF-8":      {1: "\xff"},
		"deep":          {1: []any{[]any{[]any{[]any{}}}}},
		"long":          {1: make([]int, 257)},
		"beyond 63 bit": {1: uint64(1) << 63},
		"a function":    {1: func() {}},
	} {
		if b, err := codec.AppendOpen(nil, &codec.Open{Fields: fields}); err == nil || len(b) != 0 {
			t.Errorf("%s: %x, %v", name, b, err)
		}
	}
}

func TestOpenJSON(t *testing.T) {
	for in, want := range map[string]string{
		"a0":                     `{}`,
		"a300012005183cf5":       `{"-1":5,"0":1,"60":true}`,
		"a10142ff00":             `{"1":"/wA="}`,
		"a101820af6":             `{"1":[10,null]}`,
		"a101a202f5616101":       `{"1":{"2":true,"a":1}}`,
		"a101a20102613103":       `{"1":[[1,2],["1",3]]}`, // keys that look alike in JSON
		"a101a14201ff05":         `{"1":{"Af8=":5}}`,
		"a101fb3ff8000000000000": `{"1":1.5}`,
		"a1016161":               `{"1":"a"}`,
	} {
		o, err := codec.DecodeOpen(unhex(t, in))
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got, err := o.JSON(); err != nil || string(got) != want {
			t.Errorf("%s: %s, %v, want %s", in, got, err, want)
		}
	}
	if _, err := (&codec.Open{Fields: map[int64]any{1: math.NaN()}}).JSON(); err == nil {
		t.Error("NaN became JSON")
	}
}

func TestTemplateHashRefuses(t *testing.T) {
	var h codec.TemplateHash
	for _, in := range []string{"", "f6", "47abababababab01", "8801020304050607", "62c328"} {
		if err := h.UnmarshalCBOR(unhex(t, in)); err == nil {
			t.Errorf("%s became %x", in, h)
		}
	}
}

// F-031: a value that the field cannot say is an error, unless it is marked as saturated.
func TestKeyframeRefusesToWrite(t *testing.T) {
	tm := buoy(t)
	full := func(change func(s *codec.Status)) codec.Status {
		s := codec.Status{Values: make([]codec.Value, len(tm.Fields()))}
		change(&s)
		return s
	}
	for name, s := range map[string]codec.Status{
		"too few values": {Values: make([]codec.Value, 5)},
		"below":          full(func(s *codec.Status) { s.Values[0] = codec.Value{Raw: 249, State: codec.Measured} }),
		"above":          full(func(s *codec.Status) { s.Values[0] = codec.Value{Raw: 505, State: codec.Measured} }),
		"version index":  full(func(s *codec.Status) { s.Rare = codec.Rare{Present: true, VersionIndex: 64} }),
		"step":           full(func(s *codec.Status) { s.Rare = codec.Rare{Present: true, HasStep: true, Step: 16} }),
	} {
		if b, _, err := tm.AppendKeyframe([]byte{0xaa}, 0, &s); !errors.Is(err, codec.ErrMalformed) || len(b) != 1 {
			t.Errorf("%s: %x, %v", name, b, err)
		}
	}
	s := full(func(*codec.Status) {})
	if _, _, err := tm.AppendKeyframe(nil, 7, &s); !errors.Is(err, codec.ErrMalformed) {
		t.Errorf("slot 7: %v", err)
	}
	s.Values[0] = codec.Value{Raw: 99_999, State: codec.Saturated}
	if _, _, err := tm.AppendKeyframe(nil, 0, &s); err != nil {
		t.Errorf("saturated: %v", err)
	}
}

func TestQuantizeEdges(t *testing.T) {
	f := codec.Field{Name: "a", Scale: codec.Decimal{Coef: 5, Exp: -1}, Offset: -10, Width: 4}
	for in, want := range map[float64]codec.Value{
		-100: {Raw: -10, State: codec.Measured}, math.Inf(-1): {Raw: -10, State: codec.Measured}, -5: {Raw: -10, State: codec.Measured},
		0.24: {Raw: 0, State: codec.Measured}, 0.26: {Raw: 1, State: codec.Measured}, 1.5: {Raw: 3, State: codec.Measured},
		2: {Raw: 4, State: codec.Saturated}, 99: {Raw: 4, State: codec.Saturated}, math.Inf(1): {Raw: 4, State: codec.Saturated},
	} {
		if got := f.Quantize(in); got != want {
			t.Errorf("%v is %+v, want %+v", in, got, want)
		}
	}
	if f.Quantize(math.NaN()) != (codec.Value{}) || !math.IsNaN(f.Float(codec.Value{})) {
		t.Error("what is not a number was measured")
	}
}

// All that is wrong with a template is said at once.
func TestNewTemplateNamesAllThatIsWrong(t *testing.T) {
	_, err := codec.NewTemplate(codec.Timing{Unit: 2}, []codec.Field{
		{ID: 1, Name: "", Width: 0, Group: 9, Coding: codec.Coding{Order: 16}, Offset: 1 << 41, Unit: strings.Repeat("m", 33)}, {ID: 1, Name: ""},
	})
	if !errors.Is(err, codec.ErrMalformed) {
		t.Fatal(err)
	}
	for _, s := range []string{"time unit 2", "name: want", "unit: want", "width 0", "scale 0", "offset", "group 9", "order 16", "id 1 stands twice", `field "" stands twice`} {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("no %q in:\n%v", s, err)
		}
	}
	if _, err := codec.NewTemplate(codec.Timing{}, nil); !errors.Is(err, codec.ErrMalformed) {
		t.Errorf("no field: %v", err)
	}
}

// Names are for people: none is missing and none stands twice.
func TestNames(t *testing.T) {
	names := make(map[string]bool)
	messages := []codec.MessageType{1, 2, 3, 4, 5, 6, 16, 17, 18, 19, 20, 21, 22, 99}
	for _, m := range messages {
		names[m.String()] = true
	}
	for f := range codec.Form(6) {
		names["form "+f.String()] = true
	}
	for k := range codec.Kind(5) {
		names["kind "+k.String()] = true
	}
	if len(names) != len(messages)+5+5 { // two forms are invalid
		t.Errorf("%q", slices.Sorted(maps.Keys(names)))
	}
}
