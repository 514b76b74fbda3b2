package audit_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/gateway/audit"
)

var t0 = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// TestEncoding holds the encoding to bytes that were written down by hand: chains must be readable for years.
func TestEncoding(t *testing.T) {
	var c audit.Chain
	e := c.Add(t0, audit.Actor{Name: "ann", Role: "approver"}, "rollout.approve", "7", "go")
	want := "01" + "0000000000000001" + "000001a19b7ca680" + strings.Repeat("00", 32) +
		"0003616e6e" + "0008617070726f766572" + "000f726f6c6c6f75742e617070726f7665" + "000137" + "0002676f"
	row := e.Append(nil)
	if got := hex.EncodeToString(row); got != want {
		t.Errorf("encoded\n%s, want\n%s", got, want)
	}
	if e.Hash() != sha256.Sum256(row) || c.Head() != (audit.Head{Seq: 1, Hash: sha256.Sum256(row)}) {
		t.Error("the hash is not that of the row")
	}
	second := c.Add(t0.Add(-time.Hour), audit.Gateway, "rollout.halt", "7", "")
	if second.Prev != e.Hash() || second.Seq != 2 || second.At.Before(e.At) {
		t.Errorf("second entry %+v", second)
	}
}

// filled is a chain of some entries with its rows.
func filled(t *rapid.T) (rows [][]byte, head audit.Head) {
	var c audit.Chain
	for range rapid.IntRange(1, 12).Draw(t, "entries") {
		at := t0.Add(time.Duration(rapid.Int64Range(-1e15, 1e15).Draw(t, "at")))
		who := audit.Actor{Name: rapid.String().Draw(t, "name"), Role: "operator"}
		e := c.Add(at, who, "device.approve", rapid.String().Draw(t, "subject"), rapid.StringN(-1, -1, 3000).Draw(t, "remark"))
		rows = append(rows, e.Append(nil))
	}
	return rows, c.Head()
}

func follow(rows [][]byte) (audit.Head, error) {
	var c audit.Chain
	for i, row := range rows {
		if _, err := c.Follow(uint64(i+1), row); err != nil {
			return c.Head(), err
		}
	}
	return c.Head(), nil
}

func TestFollow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows, head := filled(t)
		if got, err := follow(rows); err != nil || got != head {
			t.Fatalf("read back: %v, head %v, want %v", err, got, head)
		}
	})
}

// TestTampering changes one bit, or drops, repeats or swaps entries: nothing of it goes unseen by who knows the head.
func TestTampering(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows, head := filled(t)
		at := rapid.IntRange(0, len(rows)-1).Draw(t, "at")
		switch rapid.SampledFrom([]string{"flip", "drop", "repeat", "swap"}).Draw(t, "how") {
		case "flip":
			bit := rapid.IntRange(0, 8*len(rows[at])-1).Draw(t, "bit")
			rows[at][bit/8] ^= 1 << (bit % 8)
		case "drop":
			rows = append(rows[:at:at], rows[at+1:]...)
		case "repeat":
			rows = append(rows[:at+1:at+1], rows[at:]...)
		case "swap":
			if at == 0 {
				t.Skip("nothing before the first")
			}
			rows[at-1], rows[at] = rows[at], rows[at-1]
		}
		if got, err := follow(rows); err == nil && got == head {
			t.Fatal("nobody saw it")
		} else if err != nil && !errors.Is(err, audit.ErrEntry) {
			t.Fatalf("error %v does not wrap ErrEntry", err)
		}
	})
}

func TestHashText(t *testing.T) {
	h := audit.Hash{1, 0xab}
	text, err := h.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	var got audit.Hash
	if err := got.UnmarshalText(text); err != nil || got != h {
		t.Errorf("%s reads as %v: %v", text, got, err)
	}
	for _, bad := range []string{"", "01", strings.Repeat("xy", 32), strings.Repeat("ab", 33)} {
		if err := got.UnmarshalText([]byte(bad)); !errors.Is(err, audit.ErrEntry) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// FuzzParse: what is taken is written again as the same bytes.
func FuzzParse(f *testing.F) {
	var c audit.Chain
	e := c.Add(t0, audit.Gateway, "rollout.halt", "7", "evidence")
	f.Add(e.Append(nil))
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, row []byte) {
		e, err := audit.Parse(row)
		if err != nil {
			if !errors.Is(err, audit.ErrEntry) {
				t.Fatalf("error %v", err)
			}
			return
		}
		if diff := cmp.Diff(row, e.Append(nil)); diff != "" {
			t.Fatalf("written again (-want +got):\n%s", diff)
		}
	})
}
