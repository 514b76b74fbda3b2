package store_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/gateway/store"
)

// nilEmpty lets an empty slice stand for a nil one: rows do not tell them apart.
var nilEmpty = cmpopts.EquateEmpty()

// times are in milliseconds, the zero time among them.
func times() *rapid.Generator[time.Time] {
	return rapid.OneOf(
		rapid.Just(time.Time{}),
		rapid.Map(rapid.Int64Range(-1<<42, 1<<45), func(ms int64) time.Time { return time.UnixMilli(ms).UTC() }),
		rapid.Just(time.UnixMilli(0).UTC()),
	)
}

func names() *rapid.Generator[string] {
	return rapid.OneOf(rapid.StringN(0, 12, 40), rapid.SampledFrom(append(slices.Clone(store.Bearers), "")))
}

func octets() *rapid.Generator[[]byte] { return rapid.SliceOfN(rapid.Byte(), 0, 80) }

func frames() *rapid.Generator[store.Frame] {
	return rapid.Custom(func(t *rapid.T) store.Frame {
		f := store.Frame{
			Hash: [8]byte(rapid.SliceOfN(rapid.Byte(), 8, 8).Draw(t, "hash")), Link: names().Draw(t, "link"), Bearer: names().Draw(t, "bearer"),
			From: names().Draw(t, "from"), Ref: names().Draw(t, "ref"), SentAt: times().Draw(t, "sent"), ReceivedAt: times().Draw(t, "received"),
			TagLen: rapid.Byte().Draw(t, "tag"), Weak: rapid.Bool().Draw(t, "weak"), Header: rapid.Byte().Draw(t, "header"),
			State: octets().Draw(t, "state"), Plaintext: octets().Draw(t, "plaintext"), Raw: octets().Draw(t, "raw"), Adopted: rapid.Bool().Draw(t, "adopted"),
			Charged: rapid.Bool().Draw(t, "charged"),
		}
		if f.Charged {
			f.Billed, f.Micros = rapid.Int64Min(0).Draw(t, "billed"), rapid.Int64().Draw(t, "micros")
		}
		return f
	})
}

func quarantines() *rapid.Generator[store.Quarantine] {
	return rapid.Custom(func(t *rapid.T) store.Quarantine {
		q := store.Quarantine{
			Link: names().Draw(t, "link"), Bearer: names().Draw(t, "bearer"), From: names().Draw(t, "from"), Ref: names().Draw(t, "ref"),
			SentAt: times().Draw(t, "sent"), ReceivedAt: times().Draw(t, "received"), Port: rapid.Uint16().Draw(t, "port"),
			Content: rapid.Byte().Draw(t, "content"), Number: rapid.Uint32().Draw(t, "number"), Reason: names().Draw(t, "reason"),
			Verified: rapid.Bool().Draw(t, "verified"), Opened: rapid.Bool().Draw(t, "opened"), Payload: octets().Draw(t, "payload"),
		}
		q.Position = positions().Draw(t, "position")
		if q.Opened {
			q.Epoch, q.Counter, q.Hash = rapid.Uint32().Draw(t, "epoch"), rapid.Uint64().Draw(t, "counter"), [8]byte{rapid.Byte().Draw(t, "hash")}
		}
		return q
	})
}

func positions() *rapid.Generator[store.Position] {
	return rapid.Custom(func(t *rapid.T) (p store.Position) {
		if p.Known = rapid.Bool().Draw(t, "known"); p.Known {
			p.Latitude, p.Longitude, p.Radius = rapid.Int32().Draw(t, "latitude"), rapid.Int32().Draw(t, "longitude"), rapid.Int64Min(0).Draw(t, "radius")
		}
		return p
	})
}

func parts() *rapid.Generator[store.Part] {
	return rapid.Custom(func(t *rapid.T) store.Part {
		return store.Part{
			Link: names().Draw(t, "link"), Bearer: names().Draw(t, "bearer"), From: names().Draw(t, "from"), SentAt: times().Draw(t, "sent"),
			ReceivedAt: times().Draw(t, "received"), Port: rapid.Uint16().Draw(t, "port"), Ref: rapid.Uint16().Draw(t, "ref"),
			RefBits: rapid.Byte().Draw(t, "bits"), Total: rapid.Byte().Draw(t, "total"), Seq: rapid.Byte().Draw(t, "seq"),
			Done: rapid.Bool().Draw(t, "done"), Payload: octets().Draw(t, "payload"),
		}
	})
}

func downlinks() *rapid.Generator[store.Downlink] {
	return rapid.Custom(func(t *rapid.T) store.Downlink {
		d := store.Downlink{
			Number: rapid.Uint32().Draw(t, "number"), Kind: names().Draw(t, "kind"), Link: names().Draw(t, "link"),
			Counter: rapid.Uint64().Draw(t, "counter"), Payload: octets().Draw(t, "payload"), State: names().Draw(t, "state"),
			Attempts: rapid.IntRange(0, 1<<20).Draw(t, "attempts"), Parts: rapid.IntRange(0, 255).Draw(t, "parts"),
			Error: names().Draw(t, "error"), Receipt: names().Draw(t, "receipt"), QueuedAt: times().Draw(t, "queued"),
			Due: times().Draw(t, "due"), Expires: times().Draw(t, "expires"), Changed: times().Draw(t, "changed"),
			Billed: rapid.Int64Range(0, 1<<40).Draw(t, "billed"), Micros: rapid.Int64Range(-5, 5).Draw(t, "micros"),
			InHand: rapid.IntRange(0, 300).Draw(t, "in hand"),
		}
		if d.InHand > 0 {
			d.HandedAt, d.Superseded = times().Draw(t, "handed"), rapid.Bool().Draw(t, "superseded")
		} else {
			d.Unfunded = rapid.Bool().Draw(t, "unfunded")
		}
		return d
	})
}

func events() *rapid.Generator[store.Event] {
	return rapid.Custom(func(t *rapid.T) store.Event {
		return store.Event{
			ID: names().Draw(t, "id"), Subject: names().Draw(t, "subject"), Frame: names().Draw(t, "frame"), Payload: octets().Draw(t, "payload"),
			Chain: store.Chain(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "chain")), At: times().Draw(t, "at"),
		}
	})
}

// roundTrip holds decode(append(v)) against v, and demands that the row with anything cut off its fixed part, or of another version, is
// refused with ErrRow.
func roundTrip[T any](t *rapid.T, v T, row []byte, decode func([]byte) (T, error)) {
	got, err := decode(row)
	if err != nil {
		t.Fatalf("decode %x: %v", row, err)
	}
	if diff := cmp.Diff(v, got, nilEmpty); diff != "" {
		t.Fatalf("row %x (-want +got):\n%s", row, diff)
	}
	other := bytes.Clone(row)
	other[0] += 0x40
	if _, err := decode(other); !errors.Is(err, store.ErrRow) {
		t.Fatalf("row of version %d: %v, want ErrRow", other[0], err)
	}
	if _, err := decode(nil); !errors.Is(err, store.ErrRow) {
		t.Fatalf("no row: %v, want ErrRow", err)
	}
}

func TestRowsRoundTrip(t *testing.T) {
	t.Run("frame", rapid.MakeCheck(func(t *rapid.T) {
		f := frames().Draw(t, "frame")
		roundTrip(t, f, store.AppendFrame(nil, &f), store.DecodeFrame)
	}))
	t.Run("quarantine", rapid.MakeCheck(func(t *rapid.T) {
		q := quarantines().Draw(t, "row")
		q.Seq = 7
		roundTrip(t, q, store.AppendQuarantine(nil, &q), func(b []byte) (store.Quarantine, error) { return store.DecodeQuarantine(7, b) })
	}))
	t.Run("parked", rapid.MakeCheck(func(t *rapid.T) {
		p := store.Parked{Base: rapid.Uint64().Draw(t, "base"), Position: positions().Draw(t, "position")}
		roundTrip(t, p, store.AppendParked(nil, &p), store.DecodeParked)
	}))
	t.Run("part", rapid.MakeCheck(func(t *rapid.T) {
		p := parts().Draw(t, "part")
		roundTrip(t, p, store.AppendPart(nil, &p), store.DecodePart)
	}))
	t.Run("fragment", rapid.MakeCheck(func(t *rapid.T) {
		f := store.Fragment{Last: rapid.Uint16().Draw(t, "last"), ReceivedAt: times().Draw(t, "received"), Data: octets().Draw(t, "data")}
		roundTrip(t, f, store.AppendFragment(nil, &f), func(b []byte) (store.Fragment, error) { return store.FragmentRow(make([]byte, 8), b) })
	}))
	t.Run("downlink", rapid.MakeCheck(func(t *rapid.T) {
		d := downlinks().Draw(t, "downlink")
		d.Ref = 9
		roundTrip(t, d, store.AppendDownlink(nil, &d), func(b []byte) (store.Downlink, error) { return store.DecodeDownlink(9, b) })
	}))
	t.Run("event", rapid.MakeCheck(func(t *rapid.T) {
		e := events().Draw(t, "event")
		e.Seq = 3
		roundTrip(t, e, store.AppendEvent(&e), func(b []byte) (store.Event, error) { return store.DecodeEvent(3, b) })
	}))
}

// Rows of stores that were written before positions were kept are read, and without a position rows are as they were.
func TestRowsWithoutPosition(t *testing.T) {
	old := []byte{1, 200, 1} // version 1, base 200
	if p, err := store.DecodeParked(old); err != nil || p != (store.Parked{Base: 200}) {
		t.Errorf("%+v, %v", p, err)
	}
	if row := store.AppendParked(nil, &store.Parked{Base: 200}); !bytes.Equal(row, old) {
		t.Errorf("%x, want %x", row, old)
	}
	q := store.Quarantine{Bearer: "sbd", Reason: "pending", Verified: true, Payload: []byte{0x41}}
	row := append([]byte{1, 1, 0, 0, 0, 0, 0, 3, 0, 0, 0, 7}, "pending\x41"...)
	if got := store.AppendQuarantine(nil, &q); !bytes.Equal(got, row) {
		t.Errorf("%x, want %x", got, row)
	}
}

// Rows of downlinks that were written before one could be unfunded or superseded are read as they are.
func TestDownlinkRowsOfEarlierVersions(t *testing.T) {
	queued := store.Downlink{Ref: 9, Number: 7, Kind: "ack", Link: "sms", State: "queued", Error: "why", Attempts: 1, Due: time.UnixMilli(5).UTC(), Payload: []byte{3}}
	charged, inHand := queued, queued
	charged.Billed = 140
	inHand.InHand, inHand.HandedAt = 1, time.UnixMilli(7).UTC()
	const head = "\x07\x03ack\x03sms\x00\x06queued\x01\x00\x03why\x00\x00\x0b\x00\x00"
	for _, x := range []struct {
		row  []byte
		want store.Downlink
	}{
		{[]byte("\x01" + head + "\x03"), queued},
		{[]byte("\x02" + head + "\x8c\x01\x00\x03"), charged},
		{[]byte("\x03" + head + "\x00\x00\x01\x0f\x03"), inHand},
	} {
		got, err := store.DecodeDownlink(9, x.row)
		if diff := cmp.Diff(x.want, got); err != nil || diff != "" {
			t.Errorf("%x: %v (-want +got):\n%s", x.row, err, diff)
		}
		if again := store.AppendDownlink(nil, &x.want); !bytes.Equal(again, x.row) {
			t.Errorf("%x is written as %x", x.row, again)
		}
	}
}

// A row that decodes encodes to the same bytes: there is one encoding of each value, and no bytes that nobody looks at.
func FuzzRows(f *testing.F) {
	frame := store.Frame{Link: "udp0", Bearer: "udp", ReceivedAt: time.UnixMilli(1), SentAt: time.UnixMilli(0), From: "a", Raw: []byte{1}}
	f.Add(store.AppendFrame(nil, &frame))
	f.Add(store.AppendQuarantine(nil, &store.Quarantine{Bearer: "lorawan", Verified: true}))
	f.Add(store.AppendPart(nil, &store.Part{Done: true, Bearer: "sms"}))
	f.Add(store.AppendDownlink(nil, &store.Downlink{Kind: "ack", Due: time.UnixMilli(5)}))
	f.Add(store.AppendDownlink(nil, &store.Downlink{Kind: "ack", Billed: 140, Micros: -1}))
	f.Add(store.AppendDownlink(nil, &store.Downlink{Kind: "ack", InHand: 9, HandedAt: time.UnixMilli(7)}))
	f.Add(store.AppendDownlink(nil, &store.Downlink{Kind: "ack", InHand: 9, HandedAt: time.UnixMilli(7), Superseded: true}))
	f.Add(store.AppendDownlink(nil, &store.Downlink{Kind: "ack", Unfunded: true}))
	f.Add(store.AppendEvent(&store.Event{ID: "a.0.1.0", Payload: []byte("{}")}))
	f.Add(store.AppendParked(nil, &store.Parked{Base: 7, Position: store.Position{Known: true, Latitude: -1, Longitude: 1, Radius: 5}}))
	f.Add([]byte{1, 0x80, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		same := func(what string, again []byte, err error) {
			if err != nil {
				if !errors.Is(err, store.ErrRow) {
					t.Errorf("%s: %v is not ErrRow", what, err)
				}
				return
			}
			if !bytes.Equal(again, b) {
				t.Errorf("%s: %x encodes again to %x", what, b, again)
			}
		}
		fr, err := store.DecodeFrame(b)
		same("frame", store.AppendFrame(nil, &fr), err)
		q, err := store.DecodeQuarantine(1, b)
		same("quarantine", store.AppendQuarantine(nil, &q), err)
		k, err := store.DecodeParked(b)
		same("parked", store.AppendParked(nil, &k), err)
		p, err := store.DecodePart(b)
		same("part", store.AppendPart(nil, &p), err)
		g, err := store.FragmentRow(make([]byte, 8), b)
		same("fragment", store.AppendFragment(nil, &g), err)
		d, err := store.DecodeDownlink(1, b)
		same("downlink", store.AppendDownlink(nil, &d), err)
		e, err := store.DecodeEvent(1, b)
		same("event", store.AppendEvent(&e), err)
		again, err := store.RoundTripMarker(b)
		same("marker", again, err)
		again, err = store.RoundTripBase(b)
		same("base", again, err)
	})
}

func TestKeys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := store.FrameKey{Number: rapid.Uint32().Draw(t, "number"), Epoch: rapid.Uint32().Draw(t, "epoch"), Counter: rapid.Uint64().Draw(t, "counter")}
		if got, ok := store.ParseFrameKey(store.AppendFrameKey(nil, k)); !ok || got != k {
			t.Fatalf("frame key: %v, %v", got, ok)
		}
		ms := rapid.Uint64Range(0, 1<<48-1).Draw(t, "ms")
		if got, at, ok := store.ParseTimeKey(store.AppendTimeKey(nil, k, ms)); !ok || got != k || at != ms {
			t.Fatalf("time key: %v at %d, %v", got, at, ok)
		}
		bearer, id := rapid.StringN(0, 8, 255).Draw(t, "bearer"), rapid.StringN(0, 40, 300).Draw(t, "id")
		key := binary.BigEndian.AppendUint32(store.AppendAddress(nil, bearer, id), k.Number)
		b, i, n, ok := store.ParseAddressKey(key)
		if !ok || b != bearer || i != id || n != k.Number {
			t.Fatalf("address key: %q %q %d %v", b, i, n, ok)
		}
	})
}

// Keys sort as their numbers do.
func TestKeysSort(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		gen := rapid.Custom(func(t *rapid.T) store.FrameKey {
			return store.FrameKey{Number: rapid.Uint32().Draw(t, "n"), Epoch: rapid.Uint32Range(0, 3).Draw(t, "e"), Counter: rapid.Uint64().Draw(t, "c")}
		})
		a, b := gen.Draw(t, "a"), gen.Draw(t, "b")
		want := slices.Compare([]uint64{uint64(a.Number), uint64(a.Epoch), a.Counter}, []uint64{uint64(b.Number), uint64(b.Epoch), b.Counter})
		if got := bytes.Compare(store.AppendFrameKey(nil, a), store.AppendFrameKey(nil, b)); got != want {
			t.Fatalf("%v against %v: %d, want %d", a, b, got, want)
		}
	})
	for _, v := range []struct{ prefix, want []byte }{
		{[]byte{1, 2}, []byte{1, 3}}, {[]byte{1, 0xff}, []byte{2}}, {[]byte{0xff, 0xff}, nil},
	} {
		if got := store.After(v.prefix); !bytes.Equal(got, v.want) {
			t.Errorf("after %x: %x, want %x", v.prefix, got, v.want)
		}
	}
}
