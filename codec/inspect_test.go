package codec_test

import (
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/godwit-gateway/godwit/codec"
)

// testDevice is the key that the tests' frames are sealed with: 00 01 02 … 1f.
func testDevice() [32]byte {
	var k [32]byte
	for i := range k {
		k[i] = byte(i)
	}
	return k
}

// buoy is a template with each kind of field.
func buoy(tb testing.TB) *codec.Template {
	tb.Helper()
	t, err := codec.NewTemplate(codec.Timing{}, []codec.Field{
		{ID: 1, Name: "battery", Unit: "V", Scale: codec.Decimal{Coef: 1, Exp: -2}, Offset: 250, Width: 8},
		{ID: 2, Name: "signal", Unit: "dBm", Scale: codec.Decimal{Coef: 1}, Offset: -140, Width: 7},
		{ID: 3, Name: "lat", Unit: "deg", Scale: codec.Decimal{Coef: 1, Exp: -5}, Offset: -9_000_000, Width: 25, Group: 1},
		{ID: 4, Name: "lon", Unit: "deg", Scale: codec.Decimal{Coef: 1, Exp: -5}, Offset: -18_000_000, Width: 26, Group: 1},
		{ID: 5, Name: "alarm", Scale: codec.Decimal{Coef: 1}, Width: 1, Optional: true},
		{ID: 6, Name: "wave", Unit: "m", Scale: codec.Decimal{Coef: 5, Exp: -2}, Width: 9, Optional: true, Group: 2},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

// testReference is the time of receipt in the tests.
func testReference() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// inspectScript runs the commands of testdata/inspect. `seal` and `ack` make frames, one behind the other; `inspect` shows what they made, or else its
// own input, `json` the same as JSON, `picture` as a picture.
type inspectScript struct{ made []byte }

func (s *inspectScript) run(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	input, err := hex.DecodeString(strings.Join(strings.Fields(d.Input), ""))
	if err != nil {
		t.Fatalf("%s: %v", d.Pos, err)
	}
	switch d.Cmd {
	case "seal":
		s.made = append(s.made, seal(t, d, input)...)
		return hex.EncodeToString(s.made) + "\n"
	case "ack":
		counter, bitmap := number(t, d, "counter", 0), number(t, d, "bitmap", 0)
		dev := testDevice()
		key := codec.DeriveAckKey(&dev, nil, 7, 0)
		s.made = codec.AppendAck(s.made, &key, 7, 0, codec.Ack{Counter: counter, Bitmap: uint32(bitmap)})
		return hex.EncodeToString(s.made) + "\n"
	case "inspect", "json", "picture":
		if len(input) == 0 {
			input, s.made = s.made, nil
		}
		in := codec.Inspect(input, inspectOptions(t, d))
		checkCover(t, in.Parts, 0, len(input))
		switch d.Cmd {
		case "inspect":
			return in.String()
		case "picture":
			return string(in.AppendPicture(nil))
		}
		out, err := json.MarshalIndent(in, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		return string(out) + "\n"
	default:
		t.Fatalf("%s: command %q", d.Pos, d.Cmd)
		return ""
	}
}

func number(t *testing.T, d *datadriven.TestData, key string, otherwise uint64) uint64 {
	t.Helper()
	var text string
	if !d.MaybeScanArgs(t, key, &text) {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 0, 64)
	if err != nil {
		t.Fatalf("%s: %s: %v", d.Pos, key, err)
	}
	return n
}

func seal(t *testing.T, d *datadriven.TestData, plaintext []byte) []byte {
	t.Helper()
	header, counter := number(t, d, "header", 0), number(t, d, "counter", 0)
	ctrBits, tag := number(t, d, "ctr-bits", 8), number(t, d, "tag", 8)
	label, p := codec.LabelUp8, codec.Position{Number: 7, Counter: counter}
	switch {
	case d.HasArg("down"):
		label, p.Direction = codec.LabelDown, codec.Down
	case tag == 4:
		label = codec.LabelUp4
	}
	dev := testDevice()
	c := codec.NewCipher(codec.DeriveSealKey(&dev, nil, label, 7, 0))
	item, err := c.AppendSealed(nil, codec.Header(header), p, uint8(ctrBits), uint8(tag), plaintext)
	if err != nil {
		t.Fatalf("%s: %v", d.Pos, err)
	}
	if d.HasArg("addressed") {
		item = codec.AppendAddressed(nil, 7, item)
	}
	return item
}

func inspectOptions(t *testing.T, d *datadriven.TestData) *codec.InspectOptions {
	t.Helper()
	o := &codec.InspectOptions{Number: 7}
	dev := testDevice()
	if d.HasArg("key") {
		o.DeviceKey = &dev
	}
	if d.HasArg("template") {
		o.Templates[0] = buoy(t)
	}
	if d.HasArg("time") {
		o.Reference = testReference()
	}
	if d.HasArg("down") {
		o.Direction = codec.Down
	}
	if d.HasArg("highest") {
		o.Highest, o.Seen = number(t, d, "highest", 0), true
	}
	return o
}

func TestInspectGolden(t *testing.T) {
	datadriven.Walk(t, "testdata/inspect", func(t *testing.T, path string) {
		t.Helper()
		var s inspectScript
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			t.Helper()
			return s.run(t, d)
		})
	})
}

func TestInspectFleetKey(t *testing.T) {
	fleet := testDevice()
	dev := codec.FleetDeviceKey(fleet, 1001)
	c := codec.NewCipher(codec.DeriveSealKey(&dev, nil, codec.LabelUp8, 1001, 0))
	item, err := c.AppendSealed(nil, codec.MakeHeader(codec.KindExtended, 1, 0), codec.Position{Number: 1001, Counter: 1 << 33}, 8, 8, []byte{3, 'h', 'i'})
	if err != nil {
		t.Fatal(err)
	}
	in := codec.Inspect(codec.AppendAddressed(nil, 1001, item), &codec.InspectOptions{FleetKey: &fleet})
	if in.Opened != 1 || in.Error != "" {
		t.Errorf("opened %d\n%s", in.Opened, in.String())
	}
}

// What stands within a part lies within its bytes, in order and without a gap, so that nothing of a transmission goes unexplained.
func checkCover(tb testing.TB, parts []codec.Part, from, to int) {
	tb.Helper()
	at := from
	for i := range parts {
		p := &parts[i]
		if p.Cost > 0 { // parts of a range code share its bits
			if p.Offset < from || p.Offset > to || p.Length != 0 {
				tb.Fatalf("%s begins at byte %d of %d to %d, length %d", p.Name, p.Offset, from, to, p.Length)
			}
			if len(p.Parts) > 0 {
				checkCover(tb, p.Parts, from, to)
			}
			at = to
			continue
		}
		if p.Bits == 0 && p.Offset != at || p.Bits > 0 && p.Length > 0 && p.Offset > at {
			tb.Fatalf("%s begins at byte %d, want %d", p.Name, p.Offset, at)
		}
		if p.Length > 0 {
			at = max(at, p.Offset+p.Length)
		}
		if len(p.Parts) > 0 {
			checkCover(tb, p.Parts, p.Offset, p.Offset+p.Length)
		}
	}
	if at != to {
		tb.Fatalf("the parts end at byte %d, want %d", at, to)
	}
}

func TestInspectPlaintext(t *testing.T) {
	parts := codec.InspectPlaintext(0xc0, []byte("\x03hi"), nil)
	checkCover(t, parts, 0, 3)
	if len(parts) != 2 || !parts[1].Plaintext || parts[1].Meaning != `bytes of the application: "hi"` {
		t.Errorf("%+v", parts)
	}
	for name, want := range map[codec.Header]string{0x40: "the template of slot 0 is not given", 0x38: "the template of slot 7 is not given", 0x7f: "the template of slot 7 is not given"} {
		if parts := codec.InspectPlaintext(name, []byte{1}, nil); len(parts) != 1 || parts[0].Meaning != want {
			t.Errorf("%#02x: %+v", name, parts)
		}
	}
}

// What lies behind the end of a transmission is shown and not read (F-003).
func TestInspectLong(t *testing.T) {
	b := append([]byte{0xb9, 0x7f, 0xfe}, make([]byte, 70_000)...) // 0 => 0 over and over
	in := codec.Inspect(b, nil)
	checkCover(t, in.Parts, 0, len(b))
	if len(in.String()) > 64<<10 || in.Error == "" || len(in.Parts) != 3 || in.Parts[2].Name != "rest" || len(in.Parts[0].Parts) > 300 {
		t.Errorf("%d parts, %s", len(in.Parts), in.Error)
	}
}

// A template's names and units come from files of others, too: in a table they cannot move the cursor.
func TestInspectEscapes(t *testing.T) {
	tm, err := codec.NewTemplate(codec.Timing{Unit: codec.Minutes}, []codec.Field{{Name: "a\x1b[2J\u202eb", Unit: "m\n", Scale: codec.Decimal{Coef: 1}, Width: 8}})
	if err != nil {
		t.Fatal(err)
	}
	in := codec.Inspection{Parts: codec.InspectPlaintext(0x40, []byte{0x8a}, &codec.InspectOptions{Templates: [7]*codec.Template{tm}})}
	if s := in.String(); strings.ContainsAny(s, "\x1b\u202e") || strings.Count(s, "\n") != len(in.Parts)+1 {
		t.Errorf("%q", s)
	}
}

// A table stays narrow, whatever a value is; the inspection has it whole.
func TestInspectWide(t *testing.T) {
	b := append([]byte{0xa1, 0x00, 0x79, 0x10, 0x00}, strings.Repeat("a", 4096)...)
	in := codec.Inspect(b, nil)
	if s := in.String(); len(s) > 2000 || !strings.Contains(s, "aaa…") || len(in.Parts[0].Parts[1].Meaning) != 4098 {
		t.Errorf("%d bytes of table:\n%s", len(s), s)
	}
}
