package codec_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
)

// way is the way of one status frame: item, parse, complete, open, hash, decode, and the acknowledgement back. Its memory is used again.
type way struct {
	item     []byte
	cipher   *codec.Cipher
	template *codec.Template
	ackKey   [32]byte
	ref      time.Time

	plaintext []byte
	status    codec.Status
	reply     []byte
	decimal   []byte
}

func newWay(tb testing.TB) *way {
	tb.Helper()
	dev := testDevice()
	tm, ref := buoy(tb), testReference()
	w := &way{
		cipher: codec.NewCipher(codec.DeriveSealKey(&dev, nil, codec.LabelUp8, 7, 0)), template: tm, ackKey: codec.DeriveAckKey(&dev, nil, 7, 0), ref: ref,
		plaintext: make([]byte, 0, 64), reply: make([]byte, 0, 16), decimal: make([]byte, 0, 64),
	}
	f := tm.Fields()
	s := codec.Status{Time: ref, ClockValid: true, AckAsked: true, Values: []codec.Value{
		f[0].Quantize(3.71), f[1].Quantize(-93), f[2].Quantize(47.12345), f[3].Quantize(-8.5), f[4].Quantize(1), f[5].Quantize(1.25),
	}}
	plaintext, h, err := tm.AppendKeyframe(nil, 0, &s)
	if err != nil {
		tb.Fatal(err)
	}
	sealed, err := w.cipher.AppendSealed(nil, h, codec.Position{Number: 7, Counter: 300}, 8, 8, plaintext)
	if err != nil {
		tb.Fatal(err)
	}
	w.item = codec.AppendAddressed(nil, 7, sealed)
	w.reply = codec.AppendAck(w.reply, &w.ackKey, 7, 0, codec.Ack{Counter: 300, Bitmap: 0xffff})
	if err := w.open(); err != nil {
		tb.Fatal(err)
	}
	return w
}

func (w *way) open() error {
	it, _, err := codec.NextItem(w.item)
	if err != nil {
		return err
	}
	s, err := codec.ParseSealed(it.Content, 8, 8)
	if err != nil {
		return err
	}
	p := codec.Position{Number: it.CID, Counter: codec.CompleteCounter(s.CTR, s.CTRBits, 299, true)}
	if w.plaintext, err = w.cipher.Open(w.plaintext[:0], &s, p); err != nil {
		return err
	}
	codec.ContentHash(s.Header, w.plaintext)
	return w.template.DecodeKeyframe(&w.status, s.Header, w.plaintext, w.ref)
}

// Opening, decoding and acknowledging a frame allocates nothing, nor does refusing a forged one.
func TestNothingIsAllocated(t *testing.T) {
	w := newWay(t)
	forged := append([]byte(nil), w.item...)
	forged[len(forged)-1] ^= 1
	for name, f := range map[string]func() error{
		"open and decode": w.open,
		"acknowledge": func() error {
			w.reply = codec.AppendAck(w.reply[:0], &w.ackKey, 7, 0, codec.Ack{Counter: 300, Bitmap: 0xffffffff})
			return nil
		},
		"read an acknowledgement": func() error {
			a, err := codec.ParseAck(w.reply[1:])
			if err == nil {
				_, err = a.Verify(&w.ackKey, 7, 0, 300)
			}
			return err
		},
		"refuse a forged one": func() error {
			it, _, err := codec.NextItem(forged)
			if err != nil {
				return err
			}
			s, err := codec.ParseSealed(it.Content, 8, 8)
			if err != nil {
				return err
			}
			if _, err = w.cipher.Open(w.plaintext[:0], &s, codec.Position{Number: 7, Counter: 300}); err == nil {
				return fmt.Errorf("a forged frame was opened")
			}
			return nil
		},
		"write decimals": func() error {
			w.decimal = w.decimal[:0]
			for i := range w.template.Fields() {
				w.decimal = codec.AppendDecimal(w.decimal, &w.template.Fields()[i], w.status.Values[i].Raw)
			}
			return nil
		},
	} {
		var failed error
		if err := f(); err != nil { // the first time may make room
			t.Errorf("%s: %v", name, err)
		}
		n := testing.AllocsPerRun(100, func() {
			if err := f(); err != nil {
				failed = err
			}
		})
		if n != 0 || failed != nil {
			t.Errorf("%s: %v allocations, %v", name, n, failed)
		}
	}
}

// Deltas and batches are read, with the stored states that they are counted from, without an allocation, one by one and by an Opener, and so are keyframes as
// bases and the frames of joins.
func TestNoStatusAllocates(t *testing.T) {
	tm, ref := buoy(t), testReference()
	list := make([]codec.Status, 4)
	for k := range list {
		list[k] = codec.Status{Time: ref.Add(time.Duration(k-4) * time.Hour), ClockValid: true, Values: make([]codec.Value, len(tm.Fields()))}
		for i := range tm.Fields() {
			f := &tm.Fields()[i]
			list[k].Values[i] = codec.Value{State: codec.Measured, Raw: f.Offset + min(int64(9+k), top(f))}
		}
	}
	var base, at codec.State
	base.SetKeyframe(tm, &list[0])
	whole, wholeHeader, err := tm.AppendKeyframe(nil, 0, &list[0])
	if err != nil {
		t.Fatal(err)
	}
	at.CopyFrom(&base)
	delta, deltaHeader, err := tm.AppendDelta(nil, 0, 1, &at, &list[1])
	if err != nil {
		t.Fatal(err)
	}
	at.CopyFrom(&base)
	batch, batchHeader, err := tm.AppendBatch(nil, 0, 1, &at, list[1:])
	if err != nil {
		t.Fatal(err)
	}
	dev := testDevice()
	key, join := codec.DeriveSealKey(&dev, nil, codec.LabelUp8, 7, 0), codec.DeriveJoinKey(&dev, 7)
	request := codec.AppendJoinRequest(nil, &join, codec.Join{Number: 7, Boot: 1, Random: 2})
	openings := make([]codec.Opening, codec.OpenMax)
	for k := range openings {
		item, err := codec.NewCipher(key).AppendSealed(nil, deltaHeader, codec.Position{Number: 7, Counter: uint64(k)}, 8, 8, delta)
		if err != nil {
			t.Fatal(err)
		}
		openings[k] = codec.Opening{Key: &key, Position: codec.Position{Number: 7, Counter: uint64(k)}}
		if openings[k].Sealed, err = codec.ParseSealed(item[1:], 8, 8); err != nil {
			t.Fatal(err)
		}
	}
	var opener codec.Opener
	var status codec.Status
	var statuses []codec.Status
	stored := codec.AppendState(nil, &base)
	for name, f := range map[string]func() error{
		"keyframe as base": func() error { return tm.ReadKeyframe(&at, wholeHeader, whole) },
		"delta": func() error {
			if err := codec.ParseState(&at, tm, stored); err != nil {
				return err
			}
			return tm.DecodeDelta(&status, &at, deltaHeader, delta, ref)
		},
		"batch": func() (err error) {
			at.CopyFrom(&base)
			statuses, err = tm.DecodeBatch(statuses, &at, batchHeader, batch, ref)
			return err
		},
		"many at once": func() error {
			opener.Open(openings)
			return openings[codec.OpenMax-1].Err
		},
		"join": func() error {
			j, err := codec.ParseJoin(request[1:])
			if err != nil {
				return err
			}
			return j.Verify(&join)
		},
	} {
		if err := f(); err != nil { // the first time may make room
			t.Errorf("%s: %v", name, err)
		}
		if n := testing.AllocsPerRun(100, func() { _ = f() }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// A key that is not at hand costs its schedule and nothing more: aes.NewCipher and the cipher around it.
func TestCipherAllocations(t *testing.T) {
	dev := testDevice()
	k := codec.DeriveSealKey(&dev, nil, codec.LabelUp8, 7, 0)
	if n := testing.AllocsPerRun(100, func() { codec.NewCipher(k) }); n > 2 {
		t.Errorf("%v allocations", n)
	}
}

// What a keyframe and its whole frame cost on air and in time.
func BenchmarkOpenAndDecode(b *testing.B) {
	w := newWay(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := w.open(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(w.item)), "wire-B/frame")
	b.ReportMetric(float64(len(w.plaintext)), "payload-B/frame")
}

// A new key for each frame: a gateway whose cache never hits.
func BenchmarkOpenAndDecodeNewKey(b *testing.B) {
	w := newWay(b)
	dev := testDevice()
	k := codec.DeriveSealKey(&dev, nil, codec.LabelUp8, 7, 0)
	b.ReportAllocs()
	for b.Loop() {
		w.cipher = codec.NewCipher(k)
		if err := w.open(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	w := newWay(b)
	for _, n := range []int{13, 133, 1000} {
		p := codec.Position{Number: 7, Counter: 300}
		item, err := w.cipher.AppendSealed(nil, 0xc0, p, 8, 8, make([]byte, n))
		if err != nil {
			b.Fatal(err)
		}
		it, _, err := codec.NextItem(item)
		if err != nil {
			b.Fatal(err)
		}
		s, err := codec.ParseSealed(it.Content, 8, 8)
		if err != nil {
			b.Fatal(err)
		}
		buf := make([]byte, 0, 1024)
		b.Run(fmt.Sprintf("bytes=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(n))
			for b.Loop() {
				if _, err := w.cipher.Open(buf, &s, p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecodeKeyframe(b *testing.B) {
	w := newWay(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := w.template.DecodeKeyframe(&w.status, 0x41, w.plaintext, w.ref); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSeal(b *testing.B) {
	w := newWay(b)
	buf := make([]byte, 0, 64)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.cipher.AppendSealed(buf, 0x40, codec.Position{Number: 7, Counter: 300}, 8, 8, w.plaintext); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendAck(b *testing.B) {
	w := newWay(b)
	b.ReportAllocs()
	for b.Loop() {
		w.reply = codec.AppendAck(w.reply[:0], &w.ackKey, 7, 0, codec.Ack{Counter: 300, Bitmap: 0xffff})
	}
}

func BenchmarkDeriveSealKey(b *testing.B) {
	dev := testDevice()
	b.ReportAllocs()
	for b.Loop() {
		codec.DeriveSealKey(&dev, nil, codec.LabelUp8, 7, 0)
	}
}

func BenchmarkDecodeHello(b *testing.B) {
	body, err := codec.AppendHello(nil, &codec.Hello{
		Version: "2.1.0", Build: make([]byte, 8), Product: "buoy", Hardware: "rev B", FreeMemory: 1 << 20, BootCount: 7, Templates: make([]codec.TemplateHash, 2),
		Links: []string{"udp", "sms"}, Counter: 1 << 33,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := codec.DecodeHello(body[1:]); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDelta decodes what a status of six fields says that moved in two of them, and writes it.
func BenchmarkDelta(b *testing.B) {
	tm, ref := buoy(b), testReference()
	s := codec.Status{Time: ref.Add(-2 * time.Hour), ClockValid: true, Values: make([]codec.Value, len(tm.Fields()))}
	for i := range tm.Fields() {
		f := &tm.Fields()[i]
		s.Values[i] = codec.Value{State: codec.Measured, Raw: f.Offset + min(9, top(f))}
	}
	var base, at codec.State
	base.SetKeyframe(tm, &s)
	s.Time = s.Time.Add(time.Hour)
	s.Values[0].Raw++
	s.Values[5].Raw -= 3
	at.CopyFrom(&base)
	plaintext, h, err := tm.AppendDelta(nil, 0, 1, &at, &s)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("decode", func(b *testing.B) {
		var got codec.Status
		at.CopyFrom(&base)
		if err := tm.DecodeDelta(&got, &at, h, plaintext, ref); err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		b.ReportMetric(float64(len(plaintext)), "B/status")
		for b.Loop() {
			at.CopyFrom(&base)
			if err := tm.DecodeDelta(&got, &at, h, plaintext, ref); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encode", func(b *testing.B) {
		out := make([]byte, 0, 64)
		b.ReportAllocs()
		for b.Loop() {
			at.CopyFrom(&base)
			if _, _, err := tm.AppendDelta(out[:0], 0, 1, &at, &s); err != nil {
				b.Fatal(err)
			}
		}
	})
}
