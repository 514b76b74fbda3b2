package codec_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/godwit-gateway/godwit/codec"
)

// Every length around the blocks of the cipher, both tags: byte for byte what pion's AES-CCM gives (F-020).
func TestSealAgreesWithPion(t *testing.T) {
	dev := testDevice()
	for _, tagLen := range []uint8{4, 8} {
		k := codec.DeriveSealKey(&dev, nil, codec.LabelUp8, 7, 0)
		c := codec.NewCipher(k)
		for _, n := range []int{0, 1, 2, 15, 16, 17, 31, 32, 33, 255, 256, 1000, 65_520} {
			p := codec.Position{Number: 7, Counter: 300}
			h := codec.MakeHeader(codec.KindKeyframe, 0, 0)
			plaintext := bytes.Repeat([]byte{byte(n) | 1}, n)
			item, err := c.AppendSealed(nil, h, p, 8, tagLen, plaintext)
			if err != nil {
				t.Fatal(err)
			}
			ref := position{key: k, label: "godwit/1 up", header: byte(h), number: 7, ctr: 300}
			want := append([]byte{byte(h), 300 & 0xff}, refSeal(t, &ref, int(tagLen), plaintext)...)
			it, _, err := codec.NextItem(item)
			if err != nil || !bytes.Equal(it.Content, want) {
				t.Fatalf("%d bytes, tag %d: %v, %x, want %x", n, tagLen, err, it.Content, want)
			}
		}
	}
}

// F-010 to F-013: of the 256 headers, those that version 1 knows. F-007: "B" behind "R" is not one of them.
func TestHeaders(t *testing.T) {
	for b := range 256 {
		kind, slot, base := b>>6, b>>3&7, b&7
		var want error
		switch {
		case kind == 3 && slot == 7:
			want = codec.ErrControl
		case kind == 3 && (slot > 1 || base > 1), kind == 1 && base > 1, kind < 3 && slot == 7:
			want = codec.ErrMalformed
		}
		content := append([]byte{byte(b)}, make([]byte, 30)...)
		s, err := codec.ParseSealed(content, 8, 8)
		if !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("header %#02x: %v, want %v", b, err, want)
		}
		wantBits := uint8(8)
		if kind == 3 && slot == 1 {
			wantBits = 40
		}
		if err == nil && (s.CTRBits != wantBits || int(s.Header.Kind()) != kind || int(s.Header.Slot()) != slot || int(s.Header.Base()) != base) {
			t.Errorf("header %#02x: %+v", b, s)
		}
		if h := codec.MakeHeader(codec.Kind(kind), uint8(slot), uint8(base)); int(h) != b {
			t.Errorf("header %#02x put together is %#02x", b, h)
		}
	}
}

// F-014: one byte less than header, counter and tag is refused, exactly these are taken.
func TestShortestContent(t *testing.T) {
	for _, c := range []struct {
		header       byte
		ctrBits, tag uint8
		want         int
	}{{0x40, 8, 4, 6}, {0x40, 8, 8, 10}, {0x40, 16, 4, 7}, {0x40, 16, 8, 11}, {0xc8, 8, 8, 14}, {0xc8, 16, 8, 14}} {
		for n := range 20 {
			b := append([]byte{c.header}, make([]byte, 20)...)[:n]
			if _, err := codec.ParseSealed(b, c.ctrBits, c.tag); (err == nil) != (n >= c.want) || err != nil && !errors.Is(err, codec.ErrTruncated) {
				t.Errorf("%+v: %d bytes: %v", c, n, err)
			}
		}
	}
}

// F-016: the zeros at the end of a status are cut, those of a message are not.
func TestTrailingZeros(t *testing.T) {
	dev := testDevice()
	c := codec.NewCipher(codec.DeriveSealKey(&dev, nil, codec.LabelUp8, 7, 0))
	for h, want := range map[byte]int{0x40: 2, 0x01: 2, 0x80: 2, 0xc0: 4, 0xc8: 4} {
		p := codec.Position{Number: 7, Counter: 1}
		item, err := c.AppendSealed(nil, codec.Header(h), p, 8, 8, []byte{1, 2, 0, 0})
		if err != nil {
			t.Fatal(err)
		}
		it, _, err := codec.NextItem(item)
		if err != nil {
			t.Fatal(err)
		}
		s, err := codec.ParseSealed(it.Content, 8, 8)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.Open(nil, &s, p); err != nil || len(got) != want {
			t.Errorf("header %#02x: %x, %v", h, got, err)
		}
	}
}

// F-017, F-024: what must not be sealed is not, and nothing is appended.
func TestSealRefuses(t *testing.T) {
	dev := testDevice()
	c := codec.NewCipher(codec.DeriveSealKey(&dev, nil, codec.LabelUp8, 7, 0))
	for name, v := range map[string]struct {
		header       byte
		counter      uint64
		ctrBits, tag uint8
		size         int
		want         error
	}{
		"message with a short tag":   {0xc0, 1, 8, 4, 3, codec.ErrMalformed},
		"hello with a short tag":     {0xc8, 1, 8, 4, 3, codec.ErrMalformed},
		"tag of 6 bytes":             {0x40, 1, 8, 6, 3, codec.ErrMalformed},
		"no tag":                     {0x40, 1, 8, 0, 3, codec.ErrMalformed},
		"counter of 12 bits":         {0x40, 1, 12, 8, 3, codec.ErrMalformed},
		"counter of 40 bits":         {0x40, 1, 40, 8, 3, codec.ErrMalformed},
		"reserved header":            {0x42, 1, 8, 8, 3, codec.ErrMalformed},
		"clear control frame":        {0xfc, 1, 8, 8, 3, codec.ErrControl},
		"counter beyond the last":    {0x40, 1 << 40, 8, 8, 3, codec.ErrExhausted},
		"longer than 65535 bytes":    {0xc0, 1, 8, 8, 65_526, codec.ErrMalformed},
		"just 65535 bytes":           {0xc0, 1, 8, 8, 65_525, nil},
		"the last counter":           {0x40, 1<<40 - 1, 8, 4, 3, nil},
		"status with the longer tag": {0x40, 1, 16, 8, 3, nil},
	} {
		dst := []byte{0xaa}
		got, err := c.AppendSealed(dst, codec.Header(v.header), codec.Position{Number: 7, Counter: v.counter}, v.ctrBits, v.tag, make([]byte, v.size))
		if !errors.Is(err, v.want) || v.want == nil && err != nil {
			t.Errorf("%s: %v, want %v", name, err, v.want)
		}
		if err != nil && !bytes.Equal(got, dst) {
			t.Errorf("%s: appended %x", name, got)
		}
		if v.want != nil && v.counter == 1 && v.size == 3 {
			content := append([]byte{v.header}, make([]byte, 40)...)
			if _, err := codec.ParseSealed(content, v.ctrBits, v.tag); !errors.Is(err, v.want) {
				t.Errorf("%s: parsed: %v, want %v", name, err, v.want)
			}
		}
	}
}

// F-021, F-022: a tag is for one device, epoch, direction, counter and header, and what does not verify leaves nothing behind.
func TestTagCoversPosition(t *testing.T) {
	dev := testDevice()
	c := codec.NewCipher(codec.DeriveSealKey(&dev, nil, codec.LabelUp8, 7, 0))
	right := codec.Position{Number: 7, Counter: 300}
	item, err := c.AppendSealed(nil, 0x40, right, 8, 8, []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := codec.ParseSealed(item[1:], 8, 8)
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]codec.Position{
		"direction": {Direction: codec.Down, Number: 7, Counter: 300}, "number": {Number: 8, Counter: 300},
		"epoch": {Number: 7, Epoch: 1, Counter: 300}, "counter": {Number: 7, Counter: 300 + 256},
	} {
		dst := make([]byte, 1, 64)
		got, err := c.Open(dst, &s, p)
		if !errors.Is(err, codec.ErrAuth) || len(got) != 1 || bytes.Contains(dst[:64], []byte("sec")) {
			t.Errorf("other %s: %v, %x", name, err, dst[:64])
		}
	}
	other := s
	other.Header = 0x41
	if _, err := c.Open(nil, &other, right); !errors.Is(err, codec.ErrAuth) {
		t.Errorf("other header: %v", err)
	}
	if got, err := c.Open(nil, &s, right); err != nil || string(got) != "secret" {
		t.Errorf("%q, %v", got, err)
	}
}

// One counter, one content: it has one name, whatever the tag, and no two have the same (F-022, F-026).
func TestContentHash(t *testing.T) {
	seen := make(map[[8]byte]int)
	for _, n := range []int{0, 1, 510, 511, 512, 513, 2000} {
		h := codec.ContentHash(0x40, make([]byte, n))
		if was, ok := seen[h]; ok {
			t.Errorf("%d zeros and %d zeros are both %x", n, was, h)
		}
		seen[h] = n
		if codec.ContentHash(0x41, make([]byte, n)) == h {
			t.Errorf("%d zeros: the header is not covered", n)
		}
	}
}
