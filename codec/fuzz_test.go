package codec_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/godwit-gateway/godwit/codec"
)

// Each target has three oracles: nothing panics; what is read and written again is the same, byte for byte where an encoding is the only one;
// and the verdict is that of another implementation.

// seeds are the inputs of the vectors of these operations.
func seeds(tb testing.TB, operations ...string) []vector {
	tb.Helper()
	all := readVectors(tb)
	return slices.DeleteFunc(all, func(v vector) bool { return !slices.Contains(operations, v.get("operation")) })
}

func FuzzNextItem(f *testing.F) {
	for _, v := range seeds(f, "sequence", "open", "ack") {
		f.Add(v.input)
	}
	for _, s := range []string{
		"", "\x40", "\x41\x00", "\x58\x18" + string(make([]byte, 24)), "\x82\x07\x41\x00", "\x82\x1a\x00\x01\x00\x00\x40",
		"\xa0", "\xa1\x00\x81\x81\x81\x80", "\xd2\x84\x40\xa0\x40\x40", "\xbb\xff\xff\xff\xff\xff\xff\xff\xff", "\xa1\x00\xf9\x7e\x00", "\xa1\x00\xf8\x20",
		"\xa1\x18\x00\x00", "\xbf\xff", "\xd2\xc2\x30", "\xd2\xd2\xd2\xd2\xd2\x30", "\xa1\x30\x7f\xff", "RB", "\x5a\x00\x01\x00\x00",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		item, rest, err := codec.NextItem(b)
		if err != nil {
			if !errors.Is(err, codec.ErrTruncated) && !errors.Is(err, codec.ErrMalformed) {
				t.Fatalf("error %v", err)
			}
			if n, ok := refItem(b); ok {
				t.Fatalf("refused (%v), but the first %d bytes are an item", err, n)
			}
			return
		}
		if !bytes.Equal(append(bytes.Clone(item.Raw), rest...), b) {
			t.Fatalf("item %x and rest %x are not the input", item.Raw, rest)
		}
		switch item.Form {
		case codec.FormOpen, codec.FormSigned:
			if n, ok := refItem(b); !ok || n != len(item.Raw) {
				t.Fatalf("taken with %d bytes; the reference says %d, %t", len(item.Raw), n, ok)
			}
		default:
			if again := refEnvelope(&item); !bytes.Equal(again, item.Raw) {
				t.Fatalf("encodes anew as %x", again)
			}
		}
	})
}

// refEnvelope writes a sealed item with fixed rules for each size of head.
func refEnvelope(it *codec.Item) []byte {
	var b []byte
	if it.Form == codec.FormAddressed {
		switch c := it.CID; {
		case c < 24:
			b = []byte{0x82, byte(c)}
		case c < 256:
			b = []byte{0x82, 0x18, byte(c)}
		case c < 65536:
			b = binary.BigEndian.AppendUint16([]byte{0x82, 0x19}, uint16(c))
		default:
			b = binary.BigEndian.AppendUint32([]byte{0x82, 0x1a}, c)
		}
	}
	switch n := len(it.Content); {
	case n < 24:
		b = append(b, 0x40|byte(n))
	case n < 256:
		b = append(b, 0x58, byte(n))
	default:
		b = binary.BigEndian.AppendUint16(append(b, 0x59), uint16(n))
	}
	return append(b, it.Content...)
}

func FuzzSealed(f *testing.F) {
	f.Add([]byte{0x40, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, uint8(0), uint64(1), uint32(7), uint32(0))
	f.Add([]byte{0xc8, 0, 0, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8}, uint8(1), uint64(9), uint32(1<<31), uint32(3))
	f.Add([]byte{0x01, 1, 1, 0, 0, 0}, uint8(2), uint64(1<<40-1), uint32(0), uint32(0))
	f.Add([]byte{0xfc, 0, 1, 1}, uint8(7), uint64(300), uint32(0), uint32(0))
	for _, v := range seeds(f, "open") {
		if it, _, err := codec.NextItem(v.input); err == nil {
			flags := uint8(v.uint(f, "ctr-bits")>>4 | (8-v.uint(f, "tag"))>>1)
			f.Add(it.Content, flags, v.uint(f, "counter"), uint32(v.uint(f, "number")), uint32(v.uint(f, "epoch")))
		}
	}
	dev := testDevice()
	f.Fuzz(func(t *testing.T, b []byte, flags uint8, counter uint64, number, epoch uint32) {
		ctrBits, tagLen := 8+8*(flags&1), 8-flags&2*2
		p := codec.Position{Direction: codec.Direction(flags >> 2 & 1), Number: number, Epoch: epoch, Counter: counter}
		ref := position{key: codec.DeriveSealKey(&dev, nil, codec.LabelUp8, number, epoch), label: "godwit/1 up", number: number, epoch: epoch, ctr: counter}
		if p.Direction == codec.Down {
			ref.label = "godwit/1 dn"
		}
		c := codec.NewCipher(ref.key)
		checkOpen(t, c, b, p, ref, ctrBits, tagLen)
		if len(b) == 0 {
			return
		}
		item, err := c.AppendSealed(nil, codec.Header(b[0]), p, ctrBits, tagLen, b[1:])
		if err != nil {
			return
		}
		it, rest, err := codec.NextItem(item)
		if err != nil || len(rest) > 0 {
			t.Fatalf("own item %x: %v, rest %x", item, err, rest)
		}
		checkOpen(t, c, it.Content, p, ref, ctrBits, tagLen)
		s, err := codec.ParseSealed(it.Content, ctrBits, tagLen)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.Open(nil, &s, p)
		want := b[1:]
		if s.Header.Kind() != codec.KindExtended {
			want = bytes.TrimRight(want, "\x00")
		}
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("opened %x, %v, sealed %x", got, err, want)
		}
	})
}

// checkOpen opens content as the package and as the reference do.
func checkOpen(t *testing.T, c *codec.Cipher, content []byte, p codec.Position, ref position, ctrBits, tagLen uint8) {
	t.Helper()
	s, err := codec.ParseSealed(content, ctrBits, tagLen)
	if err != nil {
		return
	}
	ref.header = content[0]
	got, err := c.Open([]byte{0xaa}, &s, p)
	want, ok := refOpen(t, &ref, int(tagLen), content[1+s.CTRBits/8:])
	switch {
	case err == nil && (!ok || !bytes.Equal(got[1:], want)):
		t.Fatalf("opened as %x; the reference: %x, %t", got[1:], want, ok)
	case errors.Is(err, codec.ErrAuth) && ok:
		t.Fatalf("refused; the reference opens it as %x", want)
	case err != nil && !bytes.Equal(got, []byte{0xaa}):
		t.Fatalf("refused, but dst is %x", got)
	case err == nil && p.Counter&(1<<s.CTRBits-1) == s.CTR && p.Counter <= codec.CounterMax:
		again, err := c.AppendSealed(nil, s.Header, p, ctrBits, tagLen, got[1:])
		if err != nil || !bytes.HasSuffix(again, content) {
			t.Fatalf("seals anew as %x, %v, want %x", again, err, content)
		}
	}
}

func FuzzDecodeKeyframe(f *testing.F) {
	for _, tm := range []*codec.Template{buoy(f), plainTemplate(f), wideTemplate(f)} {
		for _, b := range []string{"", "\x80", "\xa1\x4f\x36\xf2\xbd\xa2\x77\xb2\x82\xd8\x18\x70\xc8", "\x1f\xff\x9f\xf7\xab\x6f\xbb\xf5\x09", "\xff\xff\xff\xff"} {
			f.Add(tm.Canonical(), []byte(b), int64(1_772_366_400), false)
		}
	}
	for _, v := range seeds(f, "keyframe") {
		f.Add(v.hex(f, "template"), v.input, testReference().Unix(), true)
	}
	f.Fuzz(func(t *testing.T, canonical, b []byte, ref int64, asked bool) {
		tm, err := codec.ParseTemplate(canonical)
		if err != nil || ref < -1<<40 || ref > 1<<40 {
			return
		}
		h := codec.MakeHeader(codec.KindKeyframe, 0, 0)
		if asked {
			h++
		}
		o := &codec.InspectOptions{Reference: time.Unix(ref, 0)}
		o.Templates[0] = tm
		parts := codec.InspectPlaintext(h, b, o)
		checkCover(t, parts, 0, len(b))
		var s codec.Status
		err = tm.DecodeKeyframe(&s, h, b, time.Unix(ref, 0))
		if shown := parts[len(parts)-1].Error != ""; shown != (err != nil) {
			t.Fatalf("the inspector's verdict is %t, the decoder's %v", shown, err)
		}
		if err != nil {
			return
		}
		again, h2, err := tm.AppendKeyframe(nil, 0, &s)
		if err != nil || h2 != h || !bytes.Equal(again, b) {
			t.Fatalf("%+v encodes anew as %x %x, %v", s, h2, again, err)
		}
		if d := ref + 3600 - s.Time.Unix(); s.ClockValid && (d < 0 || d >= 1<<16*60) {
			t.Fatalf("time %v is %d s before the latest", s.Time, d)
		}
	})
}

func FuzzDecodeHello(f *testing.F) {
	for _, v := range seeds(f, "hello") {
		f.Add(v.input)
	}
	for _, s := range []string{
		"\xa0", "\xf6", "\xa1\x01\x65hello", "\xa1\x08\x81\x48abcdefgh", "\xa1\x18\x63\x81\xa1\x00\xf5", "\xa1\x02\x82\x01\x02", "\xa2\x05\x01\x05\x02",
		"\xa1\x0a\x1b\x00\x00\x00\xff\xff\xff\xff\xff", "\xa1\x18\x63\xa2\x00\x01\x00\x02", "\xa1\x09\x82\x63udp\x63sms", "\xa1\x20\x00",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := codec.DecodeHello(b)
		if err != nil {
			if !errors.Is(err, codec.ErrMalformed) {
				t.Fatalf("error %v", err)
			}
			return
		}
		var keys map[uint64]any
		if err := refMode.Unmarshal(b, &keys); err != nil {
			t.Fatalf("taken, but it is no map of unsigned keys: %v", err)
		}
		again, err := codec.AppendHello(nil, &h)
		if err != nil || again[0] != byte(codec.MessageHello) {
			t.Fatalf("%+v: %x, %v", h, again, err)
		}
		h2, err := codec.DecodeHello(again[1:])
		if err != nil || !cmp.Equal(h, h2, cmpopts.EquateEmpty()) {
			t.Fatalf("%x: %v: %s", again, err, cmp.Diff(h, h2))
		}
		if third, err := codec.AppendHello(nil, &h2); err != nil || !bytes.Equal(third, again) {
			t.Fatalf("encodes as %x, then as %x: %v", again, third, err)
		}
	})
}

func FuzzDecodeOpen(f *testing.F) {
	for _, v := range seeds(f, "open-status") {
		f.Add(v.input)
	}
	for _, s := range []string{
		"\xa0", "\xf6", "\xa1\x00\x1a\x69\xa4\x00\x00", "\xa1\xf6\x05", "\xa1\x20\x39\x01\x00", "\xa1\x00\xf9\x7e\x00", "\xa1\x05\xa2\x01\x02\x61\x31\x03",
		"\xa1\x05\xa1\x41\xff\xf5", "\xa2\x05\x01\x05\x02", "\xa1\x00\xe0", "\xa1\x05\x82\xfb\x40\x09\x21\xfb\x54\x44\x2d\x18\xf7", "\xa1\x05\x62\xff\xfe",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := codec.DecodeOpen(b)
		if err != nil {
			if !errors.Is(err, codec.ErrMalformed) {
				t.Fatalf("error %v", err)
			}
			return
		}
		var keys map[int64]any
		if err := refMode.Unmarshal(b, &keys); err != nil || len(keys) != len(o.Fields) {
			t.Fatalf("%d fields, the reference has %d: %v", len(o.Fields), len(keys), err)
		}
		js, err := o.JSON()
		var back map[string]any
		if err != nil || json.Unmarshal(js, &back) != nil || len(back) != len(o.Fields) {
			t.Fatalf("JSON %s: %v", js, err)
		}
		again, err := codec.AppendOpen(nil, &o)
		if err != nil || again[0] != byte(codec.MessageOpen) {
			t.Fatalf("%+v: %x, %v", o, again, err)
		}
		o2, err := codec.DecodeOpen(again[1:])
		if err != nil || !cmp.Equal(o, o2) {
			t.Fatalf("%x: %v: %s", again, err, cmp.Diff(o, o2))
		}
		if third, err := codec.AppendOpen(nil, &o2); err != nil || !bytes.Equal(third, again) {
			t.Fatalf("encodes as %x, then as %x: %v", again, third, err)
		}
	})
}

func FuzzParseAck(f *testing.F) {
	for _, v := range seeds(f, "ack") {
		if it, _, err := codec.NextItem(v.input); err == nil {
			f.Add(it.Content, v.uint(f, "counter"), uint32(1), uint16(0))
		}
	}
	f.Add([]byte("\xfc\x00\x01\x0112345678"), uint64(1), uint32(1), uint16(0))
	f.Add([]byte("\xfc\x00\x01\x01\x0012345678"), uint64(1<<40-1), uint32(0xffffffff), uint16(65535))
	f.Add([]byte("\xfc\x00\x01\x01\x02\x03\x0412345678"), uint64(70000), uint32(0x103), uint16(9))
	dev := testDevice()
	key := codec.DeriveAckKey(&dev, nil, 7, 1)
	f.Fuzz(func(t *testing.T, content []byte, counter uint64, bitmap uint32, ahead uint16) {
		if fr, err := codec.ParseAck(content); err == nil {
			b := binary.BigEndian.AppendUint16([]byte{byte(fr.Header)}, fr.Low)
			b = append(b, trimBitmap(fr.Bitmap)...)
			b = append(b, content[len(content)-8:]...)
			if !bytes.Equal(b, content) {
				t.Fatalf("%+v is %x, not %x", fr, b, content)
			}
			a, err := fr.Verify(&key, 7, 1, counter)
			mac := refAckMAC(&key, 7, 1, counter&^0xffff|uint64(fr.Low), content[0], trimBitmap(fr.Bitmap))
			if err == nil && a.Counter == counter&^0xffff|uint64(fr.Low) && !bytes.Equal(mac[:8], content[len(content)-8:]) {
				t.Fatal("verified with another MAC")
			}
		}
		counter %= codec.CounterMax + 1
		item := codec.AppendAck(nil, &key, 7, 1, codec.Ack{Counter: counter, Bitmap: bitmap})
		it, _, err := codec.NextItem(item)
		if err != nil {
			t.Fatal(err)
		}
		fr, err := codec.ParseAck(it.Content)
		if err != nil {
			t.Fatal(err)
		}
		a, err := fr.Verify(&key, 7, 1, counter+uint64(ahead))
		if err != nil || a != (codec.Ack{Counter: counter, Bitmap: bitmap}) {
			t.Fatalf("%+v, %v", a, err)
		}
		if mac := refAckMAC(&key, 7, 1, counter, it.Content[0], trimBitmap(bitmap)); !bytes.Equal(mac[:8], it.Content[len(it.Content)-8:]) {
			t.Fatalf("MAC %x, the reference %x", it.Content[len(it.Content)-8:], mac[:8])
		}
	})
}

// trimBitmap writes a bitmap lowest byte first, without the zero bytes at its end beyond the first.
func trimBitmap(bitmap uint32) []byte {
	b := []byte{byte(bitmap), byte(bitmap >> 8), byte(bitmap >> 16), byte(bitmap >> 24)}
	return b[:max(1, len(bytes.TrimRight(b, "\x00")))]
}

func FuzzParseTemplate(f *testing.F) {
	for _, v := range seeds(f, "template") {
		f.Add(v.input)
	}
	for _, tm := range []*codec.Template{buoy(f), plainTemplate(f), wideTemplate(f)} {
		f.Add(tm.Canonical())
	}
	f.Add([]byte("\xf6"))
	f.Add([]byte("\x83\x01\x00\x80"))
	f.Fuzz(func(t *testing.T, b []byte) {
		tm, err := codec.ParseTemplate(b)
		if err != nil {
			if !errors.Is(err, codec.ErrMalformed) && !errors.Is(err, codec.ErrUnsupported) {
				t.Fatalf("error %v", err)
			}
			return
		}
		if !bytes.Equal(tm.Canonical(), b) {
			t.Fatalf("canonical form is %x", tm.Canonical())
		}
		again, err := codec.NewTemplate(tm.Timing(), tm.Fields())
		if err != nil || again.Hash() != tm.Hash() {
			t.Fatalf("%v", err)
		}
	})
}

func FuzzInspect(f *testing.F) {
	for _, v := range seeds(f, "sequence", "open", "ack") {
		f.Add(v.input, uint8(0x1f))
	}
	for _, s := range []string{
		"", "\xff", "\x40", "\x4a\x40\x01\x02\x03\x04\x05\x06\x07\x08\x09", "\xd2\x84\x43\xa1\x01\x26\xa0\x40\x40", "\x82\x07\x41\x00", "\xa2\x00\x01",
		"\x4c\xfc\x00\x01\x01\x01\x02\x03\x04\x05\x06\x07\x08", "\x5b\xff\xff\xff\xff\xff\xff\xff\xff", "\xbb\xff\xff\xff\xff\xff\xff\xff\xff",
	} {
		f.Add([]byte(s), uint8(0))
		f.Add([]byte(s), uint8(0xff))
	}
	dev := testDevice()
	tm := buoy(f)
	f.Fuzz(func(t *testing.T, b []byte, flags uint8) {
		o := codec.InspectOptions{CTRBits: flags & 1 * 16, TagLen: flags >> 1 & 1 * 4, Direction: codec.Direction(flags >> 2 & 1), Number: 7}
		if flags&8 != 0 {
			o.DeviceKey = &dev
		}
		if flags&16 != 0 {
			o.Templates[0], o.Reference, o.Base = tm, testReference(), fuzzBase(tm, true, testReference())
		}
		in := codec.Inspect(b, &o)
		checkCover(t, in.Parts, 0, len(b))
		if in.String() == "" || len(b) > 0 && len(in.AppendPicture(nil)) == 0 {
			t.Fatal("no table, or no picture")
		}
		if _, err := json.Marshal(in); err != nil {
			t.Fatal(err)
		}
		for rest, n := b, 0; len(rest) > 0; n++ {
			_, tail, err := codec.NextItem(rest)
			if err != nil && in.Error == "" {
				t.Fatalf("item %d: %v, and the inspector finds nothing", n, err)
			}
			if err != nil {
				break
			}
			rest = tail
		}
		codec.InspectPlaintext(codec.Header(flags), b, &o)
	})
}

// plainTemplate has minutes, one field and no group.
func plainTemplate(tb testing.TB) *codec.Template {
	tb.Helper()
	t, err := codec.NewTemplate(codec.Timing{Unit: codec.Minutes}, []codec.Field{{ID: 1, Name: "level", Unit: "mm", Scale: codec.Decimal{Coef: 1}, Width: 12}})
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

// wideTemplate is at the limits: width, offset, scale, groups with gaps.
func wideTemplate(tb testing.TB) *codec.Template {
	tb.Helper()
	t, err := codec.NewTemplate(codec.Timing{}, []codec.Field{
		{ID: 255, Name: "a", Scale: codec.Decimal{Coef: 1_000_000, Exp: 12}, Offset: -1 << 40, Width: 40, Group: 8},
		{ID: 0, Name: "b", Scale: codec.Decimal{Coef: 1, Exp: -12}, Offset: 1 << 40, Width: 2, Optional: true, Group: 2},
		{ID: 3, Name: "c", Unit: "m3/h", Scale: codec.Decimal{Coef: 25, Exp: -2}, Width: 40, Optional: true, Predictor: codec.PredictTrend, Coding: codec.Coding{Order: 15}},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return t
}
