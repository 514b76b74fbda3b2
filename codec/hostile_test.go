package codec_test

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/godwit-gateway/godwit/codec"
)

// hostile are CBOR items that cost memory or time, or mean two things, to whoever believes them.
var hostile = map[string][]byte{
	"nested a thousand times":        append(bytes.Repeat([]byte{0x81}, 1000), 0),
	"nested in maps":                 append(bytes.Repeat([]byte{0xa1, 0x01}, 1000), 0),
	"an array of 2^63":               {0x9b, 0x80, 0, 0, 0, 0, 0, 0, 0, 0},
	"a map of 2^62":                  {0xbb, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0},
	"bytes, 2^40 of them":            {0x5b, 0, 0, 1, 0, 0, 0, 0, 0, 0},
	"text, 2^40 bytes of it":         {0x7b, 0, 0, 1, 0, 0, 0, 0, 0, 0},
	"bytes, 2^64-1 of them":          {0x5b, 255, 255, 255, 255, 255, 255, 255, 255, 0},
	"an array of 257":                append([]byte{0x99, 0x01, 0x01}, make([]byte, 257)...),
	"an array without an end":        {0x9f, 0, 0, 0, 0},
	"an array of unknown length":     {0x9f, 0, 0xff},
	"a map of unknown length":        {0xbf, 0, 0, 0xff},
	"bytes of unknown length":        {0x5f, 0x41, 0, 0xff},
	"text of unknown length":         {0x7f, 0x61, 'a', 0xff},
	"a map with a key twice":         {0xa2, 0x01, 0x00, 0x01, 0x00},
	"a tag":                          {0xc1, 0x00},
	"tags on tags":                   append(bytes.Repeat([]byte{0xc1}, 1000), 0),
	"a large number in bytes":        {0xc2, 0x49, 1, 0, 0, 0, 0, 0, 0, 0, 0},
	"no number":                      {0xf9, 0x7e, 0x00},
	"infinity":                       {0xf9, 0x7c, 0x00},
	"text that is none":              {0x62, 0xff, 0xfe},
	"a break":                        {0xff},
	"a length that is reserved":      {0x1c},
	"nothing":                        {},
	"a simple value that is no more": {0xf8, 0x10},
}

// messages are all that reads CBOR which came over the air.
var messages = map[string]func(body []byte) error{
	"hello":  func(b []byte) error { _, err := codec.DecodeHello(b); return err },
	"open":   func(b []byte) error { _, err := codec.DecodeOpen(b); return err },
	"alarm":  func(b []byte) error { _, err := codec.DecodeAlarm(b); return err },
	"policy": func(b []byte) error { _, err := codec.DecodePolicy(b); return err },
	"offer":  func(b []byte) error { _, err := codec.DecodeOffer(b); return err },
}

// F-002: what is hostile is refused in the place of a message, of a value in it, and behind it, whatever the key, and costs next to nothing.
func TestHostileMessages(t *testing.T) {
	bodies := map[string][]byte{
		"a key twice": {0xa2, 0x01, 0x00, 0x01, 0x00},
		"65 keys":     append([]byte{0xb8, 65}, pairs(65)...),
		"trailing":    {0xa1, 0x01, 0x00, 0x00},
		"null":        {0xf6},
	}
	for what, item := range hostile {
		if item != nil && what != "a map with a key twice" {
			bodies[what+" for a message"] = item
		}
		for _, key := range []byte{0, 1, 2, 6, 98, 99} {
			b := append([]byte{0xa1}, cborKey(key)...)
			bodies[fmt.Sprintf("%s in key %d", what, key)] = append(b, item...)
		}
	}
	for name, decode := range messages {
		for what, body := range bodies {
			err := decode(body)
			if !errors.Is(err, codec.ErrMalformed) {
				t.Errorf("%s: %s: %v, want it malformed", name, what, err)
				continue
			}
			if n, size := cost(func() { _ = decode(body) }); n > 40 || size > 16<<10 {
				t.Errorf("%s: %s: refused with %d allocations of %d bytes", name, what, n, size)
			}
		}
	}
}

// F-002: the same for the items of a datagram, which nobody has verified yet. What is within the limits of their form is for later.
func TestHostileItems(t *testing.T) {
	for what, item := range hostile {
		for _, b := range [][]byte{item, append([]byte{0xa1, 0x01}, item...), append([]byte{0x82}, item...), append([]byte{0x82, 0x01}, item...), append([]byte{0xd2}, item...)} {
			it, rest, err := codec.NextItem(b)
			if err == nil && (len(it.Raw)+len(rest) != len(b) || len(it.Raw) == 0) {
				t.Errorf("%s: an item of %d bytes and a rest of %d, of %d", what, len(it.Raw), len(rest), len(b))
			}
			if err != nil && !errors.Is(err, codec.ErrMalformed) && !errors.Is(err, codec.ErrTruncated) {
				t.Errorf("%s: %v", what, err)
			}
			if n, size := cost(func() { _, _, _ = codec.NextItem(b) }); n > 10 || size > 4<<10 {
				t.Errorf("%s: %d allocations of %d bytes", what, n, size)
			}
		}
	}
}

func cborKey(k byte) []byte {
	if k < 24 {
		return []byte{k}
	}
	return []byte{0x18, k}
}

// pairs are n keys and values.
func pairs(n byte) []byte {
	var b []byte
	for k := range n {
		b = append(append(b, cborKey(2*k)...), 0)
	}
	return b
}

// cost is how often, and how many bytes, a call allocates.
func cost(f func()) (n, size uint64) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.Mallocs - before.Mallocs, after.TotalAlloc - before.TotalAlloc
}
