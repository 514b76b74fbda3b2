package codec_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/godwit-gateway/godwit/codec"
)

// bitString packs digits of 0 and 1, whatever is between them, and cuts the zero bytes at the end.
func bitString(parts ...string) []byte {
	var digits strings.Builder
	for _, p := range parts {
		digits.WriteString(strings.ReplaceAll(p, " ", ""))
	}
	s := digits.String()
	s += strings.Repeat("0", (8-len(s)%8)%8)
	b := make([]byte, 0, len(s)/8)
	for ; s != ""; s = s[8:] {
		n, err := strconv.ParseUint(s[:8], 2, 8)
		if err != nil {
			panic(err)
		}
		b = append(b, byte(n))
	}
	return bytes.TrimRight(b, "\x00")
}

// u is a number as so many binary digits.
func u(width int, n int64) string { return fmt.Sprintf("%0*b", width, n) }

func (m *maker) keyframe(name, spec, comment string, tm *codec.Template, ref time.Time, status string, plaintext []byte) {
	m.add("keyframe-"+name, spec, "ok", comment, "keyframe", plaintext,
		"template: "+hex.EncodeToString(tm.Canonical()), "reference: "+ref.Format(time.RFC3339), "status: "+status)
}

func (m *maker) keyframes() {
	tm, ref := buoy(m.t), testReference()
	now := u(20, ref.Unix()&(1<<20-1))
	clock, battery, signal := "1"+now, u(8, 371-250), u(7, -93+140)
	at := "time=2026-03-01T12:00:00Z "
	m.keyframe("all", "F-033 F-035", "every field of the template", tm, ref,
		at+"battery=3.71 signal=-93 lat=47.12345 lon=-8.5 alarm=1 wave=1.25",
		bitString(clock, "11", battery, signal, u(25, 4_712_345+9_000_000), u(26, -850_000+18_000_000), "11", "1", u(9, 25), "0"))
	m.keyframe("groups-absent", "F-032", "without position and wave", tm, ref,
		at+"battery=3.71 signal=-93 lat=- lon=- alarm=- wave=-", bitString(clock, "00", battery, signal, "0", "0"))
	m.keyframe("one-of-group", "F-032", "a group of which one field was measured", tm, ref,
		at+"battery=3.71 signal=-93 lat=47 lon=- alarm=0 wave=-", bitString(clock, "10", battery, signal, u(25, 4_700_000+9_000_000), u(26, 1<<26-1), "10", "0"))
	m.keyframe("not-measured", "F-031", "all ones: nothing was measured", tm, ref,
		at+"battery=- signal=- lat=- lon=- alarm=- wave=-", bitString(clock, "00", u(8, 255), u(7, 127), "0", "0"))
	m.keyframe("saturated", "F-031", "all ones but the last bit: at or above", tm, ref,
		at+"battery>=5.04 signal>=-14 lat=- lon=- alarm=- wave=25.55", bitString(clock, "01", u(8, 254), u(7, 126), "0", "1", u(9, 511), "0"))
	m.keyframe("zeros", "F-034", "nothing was sent: every bit is zero", tm, ref, "time=unsure battery=2.5 signal=-140 lat=- lon=- alarm=- wave=-", nil)
	m.keyframe("cut", "F-034", "the end was cut as zeros", tm, ref,
		at+"battery=2.5 signal=-140 lat=-90 lon=-180 alarm=- wave=0", bitString(clock, "11", u(8, 0), u(7, 0), u(25, 0), u(26, 0), "0", "1", u(9, 0), "0"))
	m.keyframe("clock-unsure", "F-035", "a device that does not trust its clock", tm, ref,
		"time=unsure battery=3.71 signal=-93 lat=- lon=- alarm=- wave=-", bitString("0", "00", battery, signal, "0", "0"))
	some := bitString
	tail := "00" + battery + signal + "0"
	m.keyframe("rare-index", "F-033", "a release of the table", tm, ref,
		at+"battery=3.71 signal=-93 lat=- lon=- alarm=- wave=- version=5 build=00000000 boot=false step=false/0/0", some(clock, tail, "1", u(6, 5), "000"))
	m.keyframe("rare-build", "F-033", "a build that is in no table, after a restart, in step 15 of an update", tm, ref,
		at+"battery=3.71 signal=-93 lat=- lon=- alarm=- wave=- version=63 build=deadbeef boot=true step=true/15/200",
		some(clock, tail, "1", u(6, 63), u(32, 0xdeadbeef), "11", u(4, 15), u(8, 200), "0"))
	m.keyframe("rare-policy", "F-036", "a receipt of a policy", tm, ref,
		at+"battery=3.71 signal=-93 lat=- lon=- alarm=- wave=- version=5 build=00000000 boot=false step=false/0/0 policy=1",
		some(clock, tail, "1", u(6, 5), "001", u(8, 1)))
	m.keyframe("rare-full", "F-036", "all that a rare block may have", tm, ref,
		at+"battery=3.71 signal=-93 lat=- lon=- alarm=- wave=- version=63 build=ffffffff boot=true step=true/15/255 policy=255",
		some(clock, tail, "1", u(6, 63), u(32, 1<<32-1), "11", u(4, 15), u(8, 255), "1", u(8, 255)))
	m.keyframe("rare-zeros", "F-034", "a rare block of zeros but for its flag", tm, ref,
		at+"battery=3.71 signal=-93 lat=- lon=- alarm=- wave=- version=0 build=00000000 boot=false step=false/0/0", some(clock, tail, "1"))
	m.keyframe("wide", "F-030 F-031", "the widest fields, the largest scales, groups of which some have no field", wideTemplate(m.t), ref,
		"time=unsure a=-1099511627775000000000000000000 b=1.099511627779 c=274877906943.75",
		bitString("0", "01000001", u(40, 1), "1", u(2, 3), "1", u(40, 1<<40-1), "0"))
}

// times are the borders of the window that a time is completed in.
func (m *maker) times() {
	tm, ref := plainTemplate(m.t), testReference()
	minute := func(d time.Duration) (string, string) {
		at := ref.Add(d)
		return bitTime(16, at.Unix()/60), "time=" + at.Format(time.RFC3339) + " level=7"
	}
	for _, c := range []struct {
		name, comment string
		age           time.Duration
	}{
		{"minutes", "minutes modulo 2^16", -time.Minute},
		{"ahead", "a clock that is an hour ahead", time.Hour},
		{"oldest", "the oldest time of the window", time.Hour - (1<<16-1)*time.Minute},
		{"days-late", "a message that lay for 40 days", -40 * 24 * time.Hour},
	} {
		bits, status := minute(c.age)
		m.keyframe("time-"+c.name, "F-035", c.comment, tm, ref, status, bitString(bits, u(12, 7), "0"))
	}
	tm = buoy(m.t)
	for _, c := range []struct {
		name, comment string
		age           int64
	}{
		{"latest", "the latest second of the window", 3600},
		{"earliest", "the earliest second of the window", 3600 - (1<<20 - 1)},
	} {
		at := ref.Unix() + c.age
		m.keyframe("time-"+c.name, "F-035", c.comment, tm, ref,
			"time="+time.Unix(at, 0).UTC().Format(time.RFC3339)+" battery=2.5 signal=-140 lat=- lon=- alarm=- wave=-", bitString(bitTime(20, at)))
	}
}

// bitTime is the clock bit and a time modulo its window.
func bitTime(width int, t int64) string { return "1" + u(width, t&(1<<width-1)) }

func (m *maker) refusedKeyframes() {
	head := "0 00" + u(8, 121) + u(7, 47) + "0"
	for _, c := range []struct {
		name, spec, comment string
		plaintext           []byte
	}{
		{"one-behind", "F-033", "a one among the bits that fill up the last byte", bitString(head, "0", "00 1")},
		{"byte-behind", "F-033", "a byte behind the end", append(bitString(head, "0"), 0, 1)},
		{"zero-behind", "F-016 F-033", "a zero byte at the end", append(bitString(head, "0"), 0)},
		{"only-zero", "F-016", "a status of zeros as one byte", []byte{0}},
		{"empty-group", "F-032", "a group is present, its fields were not measured", bitString("0 10", u(8, 1), u(7, 1), u(25, 1<<25-1), u(26, 1<<26-1), "0", "0")},
		{"empty-optional-group", "F-032", "a group is present, its optional field is not", bitString("0 01", u(8, 1), u(7, 1), "0", "0", "0")},
	} {
		m.add("keyframe-"+c.name, c.spec, "malformed", c.comment, "keyframe", c.plaintext,
			"template: "+hex.EncodeToString(buoy(m.t).Canonical()), "reference: "+testReference().Format(time.RFC3339))
	}
}

func (m *maker) hellos() {
	pairs := func(n int) string {
		b := "b8" + fmt.Sprintf("%02x", n)
		for i := range n {
			b += "19" + fmt.Sprintf("%04x", 0x100+i) + "00"
		}
		return b
	}
	text := func(n int) string { return "78" + fmt.Sprintf("%02x", n) + strings.Repeat("61", n) }
	hash := "48" + strings.Repeat("ab", 8)
	for _, c := range []struct{ name, spec, expect, comment, hex string }{
		{"full", "F-043", "ok", "every key", "aa 01 65312e322e33 02 44deadbeef 03 6462756f79 04 627632 05 1a00100000 06 03 07 02" +
			"08 82" + hash + hash + "09 82 63756470 63736d73 0a 1b0000000200000005"},
		{"empty", "F-043", "ok", "all keys are optional", "a0"},
		{"unknown", "F-042", "ok", "a key of a later version, with a map within", "a2 0601 1863 a1 01 82 f5 f6"},
		{"limits", "F-043", "ok", "texts, build, templates and bearers as long as they may be", "a6 01" + text(64) + "02 5820" + strings.Repeat("cd", 32) +
			"03" + text(64) + "04" + text(64) + "08 87" + strings.Repeat(hash, 7) + "09 88" + strings.Repeat("6161", 8)},
		{"pairs", "F-041", "ok", "as many pairs as may be", pairs(64)},
		{"too-many-pairs", "F-041", "malformed", "a pair too many", pairs(65)},
		{"null", "F-043", "malformed", "null is no map", "f6"},
		{"array", "F-043", "malformed", "an array is no map", "8101"},
		{"none", "F-043", "malformed", "no body", ""},
		{"two", "F-043", "malformed", "bytes behind the map", "a0a0"},
		{"duplicate", "F-041", "malformed", "a key stands twice", "a2 0501 0502"},
		{"duplicate-longer", "F-041", "malformed", "a key stands twice, once not in its shortest form", "a2 0501 180502"},
		{"duplicate-within", "F-041", "malformed", "a key stands twice in an unknown value", "a1 1863 a2 0001 0002"},
		{"indefinite", "F-041", "malformed", "a map of indefinite length", "bf0501ff"},
		{"tag", "F-041", "malformed", "a tagged value", "a1 05 c101"},
		{"nan", "F-041", "malformed", "not a number, in an unknown value", "a1 1863 81f97e00"},
		{"levels", "F-041", "malformed", "five levels", "a1 1863 8181818100"},
		{"elements", "F-041", "malformed", "an array of 257", "a1 1863 990101" + strings.Repeat("00", 257)},
		{"utf8", "F-041", "malformed", "text that is no UTF-8", "a1 01 62c328"},
		{"long-version", "F-043", "malformed", "a version of 65 bytes", "a1 01" + text(65)},
		{"long-build", "F-043", "malformed", "a build hash of 33 bytes", "a1 02 5821" + strings.Repeat("cd", 33)},
		{"long-product", "F-043", "malformed", "a product of 65 bytes", "a1 03" + text(65)},
		{"templates", "F-043", "malformed", "eight templates", "a1 08 88" + strings.Repeat(hash, 8)},
		{"short-template", "F-043", "malformed", "a template hash of 7 bytes", "a1 08 81 47abababababab ab"},
		{"bearers", "F-043", "malformed", "nine bearers", "a1 09 89" + strings.Repeat("6161", 9)},
		{"text-as-bytes", "F-043", "malformed", "a version as a byte string", "a1 01 43312e32"},
		{"build-as-array", "F-043", "malformed", "a build as an array of numbers", "a1 02 820102"},
		{"null-value", "F-043", "malformed", "null for a value", "a1 06 f6"},
		{"float-value", "F-043", "malformed", "a float for a number", "a1 06 f93c00"},
		{"boots-beyond", "F-043", "malformed", "more boots than 32 bits say", "a1 06 1b0000000100000000"},
		{"negative-key", "F-043", "malformed", "a negative key", "a1 2000"},
		{"text-key", "F-043", "malformed", "a text for a key", "a1 613100"},
	} {
		m.add("hello-"+c.name, c.spec, c.expect, c.comment, "hello", m.hex(c.hex))
	}
}

func (m *maker) openStatuses() {
	for _, c := range []struct{ name, spec, expect, comment, hex string }{
		{"types", "F-041", "ok", "each type of value", "a8 00 1a69a40000 01 05 02 20 03 f5 04 6568656c6c6f 05 42aabb 06 82 01 f6 20 fb400921fb54442d18"},
		{"empty", "F-041", "ok", "no pair", "a0"},
		{"nested", "F-041", "ok", "maps within, keys of other types", "a1 05 a2 01 02 6131 03"},
		{"null", "F-041", "malformed", "null is no map", "f6"},
		{"null-key", "F-041", "malformed", "null for a key", "a1 f6 05"},
		{"float-key", "F-041", "malformed", "a float for a key", "a1 f93c00 05"},
		{"nan", "F-041", "malformed", "not a number", "a1 05 f97e00"},
		{"infinity", "F-041", "malformed", "an infinity", "a1 05 fa7f800000"},
		{"tag", "F-041", "malformed", "a tagged value", "a1 05 c100"},
		{"utf8", "F-041", "malformed", "text that is no UTF-8", "a1 05 61ff"},
		{"duplicate", "F-041", "malformed", "a key stands twice", "a2 0501 0502"},
		{"indefinite", "F-041", "malformed", "an array of indefinite length", "a1 05 9f00ff"},
		{"levels", "F-041", "malformed", "five levels", "a1 05 81818180"},
	} {
		m.add("open-status-"+c.name, c.spec, c.expect, c.comment, "open-status", m.hex(c.hex))
	}
}

func (m *maker) acks() {
	dev := testDevice()
	build := func(epoch uint32, counter uint64, header byte, bitmap []byte) []byte {
		key := [32]byte(refHKDF(nil, dev[:], refInfo("ack", 7, epoch), 32))
		b := binary.BigEndian.AppendUint16([]byte{header}, uint16(counter))
		b = append(b, bitmap...)
		b = append(b, refAckMAC(&key, 7, epoch, counter, header, bitmap)[:8]...)
		return refEnvelope(&codec.Item{Form: codec.FormSealed, Content: b})
	}
	flipped := build(0, 70_000, 0xfc, []byte{1})
	flipped[len(flipped)-1] ^= 1
	for _, c := range []struct {
		name, spec, expect, comment string
		counter, last               uint64
		bitmap                      string
		input                       []byte
	}{
		{"one", "F-052", "ok", "one frame is on disk", 5, 5, "0", build(0, 5, 0xfc, []byte{0})},
		{"byte", "F-052", "ok", "it and five of the eight before it", 70_000, 70_003, "11010110", build(0, 70_000, 0xfc, []byte{0xd6})},
		{"all", "F-051", "ok", "it and the 32 before it", 70_000, 70_000, strings.Repeat("1", 32), build(0, 70_000, 0xfc, []byte{255, 255, 255, 255})},
		{"gap", "F-051", "ok", "only the 32nd before it", 70_000, 70_000, "1" + strings.Repeat("0", 31), build(0, 70_000, 0xfc, []byte{0, 0, 0, 0x80})},
		{"late", "F-052", "ok", "for a frame of 65,535 frames ago", 70_000, 135_535, "1", build(0, 70_000, 0xfc, []byte{1})},
		{"zero", "F-052", "ok", "the first counter", 0, 0, "0", build(0, 0, 0xfc, []byte{0})},
		{"too-late", "F-052", "auth", "for a frame of 65,536 frames ago: completed to another", 70_000, 135_536, "1", build(0, 70_000, 0xfc, []byte{1})},
		{"ahead", "F-052", "auth", "for a frame that was never sent", 70_000, 69_999, "1", build(0, 70_000, 0xfc, []byte{1})},
		{"never", "F-052", "auth", "for a frame that was never sent, in the first 65,536", 9, 8, "1", build(0, 9, 0xfc, []byte{1})},
		{"forged", "F-052", "auth", "a bit of the MAC is another", 70_000, 70_000, "1", flipped},
		{"epoch", "F-052", "auth", "of another epoch", 70_000, 70_000, "1", build(1, 70_000, 0xfc, []byte{1})},
		{"not-cut", "F-051", "malformed", "a zero byte at the end of the bitmap", 70_000, 70_000, "1", build(0, 70_000, 0xfc, []byte{1, 0})},
		{"five-bytes", "F-051", "malformed", "a bitmap of five bytes", 70_000, 70_000, "1", build(0, 70_000, 0xfc, []byte{1, 1, 1, 1, 1})},
		{"no-bitmap", "F-051", "truncated", "no bitmap", 70_000, 70_000, "0", build(0, 70_000, 0xfc, nil)},
		{"join", "F-052", "malformed", "another type of control frame", 70_000, 70_000, "1", build(0, 70_000, 0xf8, []byte{1})},
	} {
		m.add("ack-"+c.name, c.spec, c.expect, c.comment, "ack", c.input, "device-key: "+hex.EncodeToString(dev[:]), "number: 7",
			fmt.Sprintf("counter: %d", c.counter), fmt.Sprintf("last: %d", c.last), "bitmap: "+c.bitmap)
	}
}

// rawField is a field as a template has it in CBOR.
func rawField(id int, name, unit string, rest ...any) []any {
	f := []any{id, name, unit}
	f = append(f, rest...)
	f = append(f, []any{1, 0, 0, 8, false, 0, 0, rawCoding(0, 0, nil)}[len(rest):]...) // what is not given
	return f
}

// rawCoding is a coding as a template has it in CBOR.
func rawCoding(order, spread int, model []byte) []any {
	return []any{order, spread, append([]byte{}, model...)}
}

// rawTemplate is a template of version 1 with the usual times.
func rawTemplate(unit int, fields []any) []any {
	return []any{1, unit, 0, rawCoding(0, 0, nil), fields}
}

func (m *maker) templates() {
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		m.t.Fatal(err)
	}
	encode := func(v any) []byte {
		b, err := mode.Marshal(v)
		if err != nil {
			m.t.Fatal(err)
		}
		return b
	}
	one := rawField(1, "a", "m")
	coded := func(c []any) []any { return rawField(1, "a", "m", 1, 0, 0, 8, false, 0, 0, c) }
	many := func(n int) []any {
		var f []any
		for i := range n {
			f = append(f, rawField(i, fmt.Sprintf("f%d", i), ""))
		}
		return f
	}
	longer := encode(rawTemplate(0, []any{one}))
	longer = append([]byte{0x85, 0x18, 0x01}, longer[2:]...)
	for _, c := range []struct {
		name, expect, comment string
		input                 []byte
	}{
		{"buoy", "ok", "each kind of field", buoy(m.t).Canonical()},
		{"wide", "ok", "at the limits", wideTemplate(m.t).Canonical()},
		{"minutes", "ok", "time in minutes", encode(rawTemplate(1, []any{one}))},
		{"sixty", "ok", "as many fields as may be", encode(rawTemplate(0, many(60)))},
		{"sixty-one", "malformed", "a field too many", encode(rawTemplate(0, many(61)))},
		{"none", "malformed", "no field", encode(rawTemplate(0, []any{}))},
		{"version", "unsupported", "of a later version", encode([]any{2, 0, 0, rawCoding(0, 0, nil), []any{one}})},
		{"unit", "malformed", "another unit of time", encode(rawTemplate(2, []any{one}))},
		{"longer", "malformed", "a number that is not the shortest", longer},
		{"behind", "malformed", "bytes behind the template", append(encode(rawTemplate(0, []any{one})), 0)},
		{"extra", "malformed", "an element too many", encode(rawTemplate(0, []any{append(rawField(1, "a", "m"), 0)}))},
		{"missing", "malformed", "an element too few", encode(rawTemplate(0, []any{rawField(1, "a", "m")[:10]}))},
		{"null-name", "malformed", "null for a name", encode(rawTemplate(0, []any{append([]any{1, nil}, rawField(1, "a", "m")[2:]...)}))},
		{"no-name", "malformed", "an empty name", encode(rawTemplate(0, []any{rawField(1, "", "m")}))},
		{"long-name", "malformed", "a name of 33 bytes", encode(rawTemplate(0, []any{rawField(1, strings.Repeat("a", 33), "m")}))},
		{"long-unit", "malformed", "a unit of 33 bytes", encode(rawTemplate(0, []any{rawField(1, "a", strings.Repeat("m", 33))}))},
		{"same-id", "malformed", "an id stands twice", encode(rawTemplate(0, []any{one, rawField(1, "b", "m")}))},
		{"same-name", "malformed", "a name stands twice", encode(rawTemplate(0, []any{one, rawField(2, "a", "m")}))},
		{"coef-zero", "malformed", "a scale of zero", encode(rawTemplate(0, []any{rawField(1, "a", "m", 0)}))},
		{"coef", "malformed", "a coefficient beyond a million", encode(rawTemplate(0, []any{rawField(1, "a", "m", 1_000_001)}))},
		{"exponent", "malformed", "an exponent of 13", encode(rawTemplate(0, []any{rawField(1, "a", "m", 1, 13)}))},
		{"offset", "malformed", "an offset beyond 2^40", encode(rawTemplate(0, []any{rawField(1, "a", "m", 1, 0, -1<<40-1)}))},
		{"width-zero", "malformed", "no bits", encode(rawTemplate(0, []any{rawField(1, "a", "m", 1, 0, 0, 0)}))},
		{"width", "malformed", "41 bits", encode(rawTemplate(0, []any{rawField(1, "a", "m", 1, 0, 0, 41)}))},
		{"width-one", "malformed", "one bit that can only say \"not measured\"", encode(rawTemplate(0, []any{rawField(1, "a", "m", 1, 0, 0, 1)}))},
		{"group", "malformed", "group 9", encode(rawTemplate(0, []any{rawField(1, "a", "m", 1, 0, 0, 8, false, 9)}))},
		{"order", "malformed", "a coding of order 16", encode(rawTemplate(0, []any{coded(rawCoding(16, 0, nil))}))},
		{"spread", "malformed", "a spread of 31", encode(rawTemplate(0, []any{coded(rawCoding(0, 31, nil))}))},
		{"trained", "ok", "probabilities of its own", encode(rawTemplate(0, []any{coded(rawCoding(3, 5, bytes.Repeat([]byte{0, 63}, 24)[:47]))}))},
		{"model-short", "malformed", "46 probabilities", encode(rawTemplate(0, []any{coded(rawCoding(0, 0, make([]byte, 46)))}))},
		{"model-beyond", "malformed", "a probability that is not in the table", encode(rawTemplate(0, []any{coded(rawCoding(0, 0, bytes.Repeat([]byte{64}, 47)))}))},
		{"predictor", "malformed", "predictor 5", encode(rawTemplate(0, []any{rawField(1, "a", "m", 1, 0, 0, 8, false, 0, 5)}))},
		{"predictor-zero", "ok", "predictor 3", encode(rawTemplate(0, []any{rawField(1, "a", "m", 1, 0, 0, 8, false, 0, 3)}))},
		{"predictor-along", "ok", "a field that moves along with the first", encode(rawTemplate(0, []any{one, rawField(2, "b", "m", 1, 0, 0, 8, false, 0, 4)}))},
		{"predictor-along-first", "malformed", "a first field that moves along with none", encode(rawTemplate(0, []any{rawField(1, "a", "m", 1, 0, 0, 8, false, 0, 4)}))},
		{"elapsed", "ok", "a counter of hours", encode(rawTemplate(0, []any{rawField(1, "a", "s", 3600, 0, 0, 16, false, 0, 1)}))},
		{"elapsed-exponent", "malformed", "an elapsed time in units of 10^7 s", encode(rawTemplate(0, []any{rawField(1, "a", "s", 1, 7, 0, 16, false, 0, 1)}))},
		{"interval", "ok", "a status a day", encode([]any{1, 1, 1440, rawCoding(2, 4, nil), []any{one}})},
		{"interval-beyond", "malformed", "an interval of more than a year in seconds", encode([]any{1, 0, 366*24*3600 + 1, rawCoding(0, 0, nil), []any{one}})},
		{"timing-null", "malformed", "null for the probabilities of the time", encode([]any{1, 0, 0, []any{0, 0, nil}, []any{one}})},
	} {
		sum := sha256.Sum256(c.input)
		m.add("template-"+c.name, "F-030", c.expect, c.comment, "template", c.input, fmt.Sprintf("hash: %x", sum[:8]))
	}
}
