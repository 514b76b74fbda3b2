package codec_test

import (
	"os"
	"testing"
)

// cddlRules are the rules of frame.cddl by operation of the vectors.
var cddlRules = map[string]string{
	"sequence": "item", "open-status": "open-status", "hello": "hello", "alarm": "alarm", "policy": "policy", "offer": "offer", "request": "request",
	"time": "time-set", "rekey": "rekey", "template-set": "template-set", "sleep": "sleep", "template": "template",
	"manifest": "manifest",
}

// beyondCDDL are the vectors that are refused for what a grammar of CDDL cannot say.
var beyondCDDL = map[string]string{
	"alarm-unknown-nan": "NaN", "alarm-value-nan": "NaN", "hello-nan": "NaN", "open-status-nan": "NaN", "open-status-infinity": "infinity",
	"request-even-nan": "NaN", "hello-levels": "levels", "open-status-levels": "levels", "sequence-five-levels": "levels", "sequence-five-levels-empty": "levels", "hello-too-many-pairs": "known keys and others together",
	"offer-burst": "order of numbers", "policy-quiet-empty": "two numbers that must differ", "policy-code-and-seconds": "one key or the other", "policy-code-and-none": "one key or the other",
	"offer-odd": "odd keys", "policy-odd": "odd keys", "policy-odd-far": "odd keys", "rekey-odd": "odd keys", "request-odd": "odd keys", "sleep-odd": "odd keys",
	"sequence-seventeen": "number of items", "template-elapsed-exponent": "predictor and exponent together", "template-predictor-along-first": "the first of the fields", "template-model-beyond": "bytes of a string",
	"manifest-algorithm-other": "keys of the reader", "manifest-key-id": "keys of the reader", "manifest-stranger": "keys of the reader",
	"manifest-signature": "signatures", "manifest-tampered": "signatures", "manifest-tampered-es256": "signatures", "manifest-hash-other": "hashes",
	"manifest-deep": "levels", "manifest-header-order": "order of keys", "manifest-order": "order of keys", "manifest-odd": "odd keys", "manifest-odd-far": "odd keys",
	"manifest-minimum": "two numbers together", "manifest-pairs": "known keys and others together", "manifest-too-long": "bytes in all",
	"template-same-id": "ids that must differ", "template-same-name": "names that must differ", "template-width-one": "width and optional together",
}

func readGrammar(t *testing.T) *cddlGrammar {
	t.Helper()
	text, err := os.ReadFile("frame.cddl")
	if err != nil {
		t.Fatal(err)
	}
	g, err := parseCDDL(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// fits reports whether bytes are of a rule: one item, or a sequence of them.
func (g *cddlGrammar) fits(rule string, b []byte) bool {
	sequence := rule == "item"
	for n := 0; n == 0 || sequence && len(b) > 0; n++ {
		item, rest, err := readCBOR(b, sequence || rule == "template" || rule == "manifest")
		if err != nil || !g.match(g.types[rule], &item) {
			return false
		}
		b = rest
	}
	return len(b) == 0
}

// The grammar knows every name that it uses, and every rule is used or is one of those that the vectors are of.
func TestVectorsCDDLIsWhole(t *testing.T) {
	g := readGrammar(t)
	roots := map[string]bool{}
	for _, rule := range cddlRules {
		roots[rule] = true
		if g.types[rule] == nil {
			t.Errorf("there is no rule %s", rule)
		}
	}
	known := func(name string) bool { return g.types[name] != nil || g.groups[name] != nil }
	for name := range g.used {
		if _, ok := map[string]bool{"any": true, "uint": true, "int": true, "bstr": true, "tstr": true, "bool": true, "true": true, "null": true, "float": true}[name]; !ok && !known(name) {
			t.Errorf("rule %s is used and not there", name)
		}
	}
	for name := range g.types {
		if !g.used[name] && !roots[name] {
			t.Errorf("rule %s is not used", name)
		}
	}
	for name := range g.groups {
		if !g.used[name] {
			t.Errorf("group %s is not used", name)
		}
	}
}

// Every vector that is CBOR is held against the grammar, by a reader of CDDL and of CBOR that knows nothing of the codec: what is good fits, and what
// is refused does not, but for what a grammar cannot say.
func TestVectorsCDDL(t *testing.T) {
	g := readGrammar(t)
	checked := map[bool]int{}
	needed := map[string]bool{}
	for _, v := range readVectors(t) {
		rule, ok := cddlRules[v.get("operation")]
		if !ok {
			continue
		}
		good := v.get("expect") == "ok"
		checked[good]++
		fits := g.fits(rule, v.input)
		_, beyond := beyondCDDL[v.name]
		needed[v.name] = fits
		switch {
		case good && !fits:
			t.Errorf("%s is good, and is no %s", v.name, rule)
		case !good && fits && !beyond:
			t.Errorf("%s is to be refused (%s), and is a %s", v.name, v.get("comment"), rule)
		}
	}
	for name := range beyondCDDL {
		if !needed[name] {
			t.Errorf("%s need not be passed over: the grammar refuses it", name)
		}
	}
	if checked[true] < 40 || checked[false] < 100 {
		t.Errorf("only %d good vectors and %d others are CBOR", checked[true], checked[false])
	}
}

// The reader of CDDL itself refuses what it should: without that, a grammar that says nothing would pass.
func TestVectorsCDDLRefuses(t *testing.T) {
	for _, text := range []string{"a", "a =", "a = ", "a = [", "a = [b", "a = {1: }", "a = uint .size int", "a = int..3", "a = 3..1", "a = uint a = uint", "a = tstr .cbor int", "time = uint", "a = $"} {
		if _, err := parseCDDL(text); err == nil {
			t.Errorf("%q is no CDDL, and was read", text)
		}
	}
	g, err := parseCDDL(`a = { 1: uint .size 1, ? 2: tstr .size (1..2), * uint => b, c } b = bool / -5..5 / null c = ( ? 9: #6.18([1*2 int, ? bstr]), ? 10: bstr .cbor [true] )`)
	if err != nil {
		t.Fatal(err)
	}
	for input, want := range map[string]bool{
		"a10100": true, "a10118ff": true, "a101190100": false, "a0": false, "a1010002": false, "a2010102616b": true, "a20101026161": true, "a20101026161ff": false,
		"a2010102636b6b6b": false, "a201010260": false, "a2010103f5": true, "a201010324": true, "a201010325": false, "a20101036161": false, "a2010103f6": true,
		"a201010120": false, "a20101010a": false, "a201010220": false, "a2010109d28101": true, "a2010109d2820140": true, "a2010109d283010240": true,
		"a2010109d283010203": false, "a2010109d280": false, "a1011801": true, "a201010a4281f5": true, "a201010a4281f4": false, "a201010a4381f500": false, "a201010a4181": false, "bf0101ff": false, "81a10100": false,
	} {
		var b []byte
		for i := 0; i < len(input); i += 2 {
			var x byte
			for _, c := range []byte(input[i : i+2]) {
				if x <<= 4; c >= 'a' {
					x |= c - 'a' + 10
				} else {
					x |= c - '0'
				}
			}
			b = append(b, x)
		}
		if got := g.fits("a", b); got != want {
			t.Errorf("%s: %v, want %v", input, got, want)
		}
	}
}
