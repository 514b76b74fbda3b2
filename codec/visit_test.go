package codec_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/entropy"
)

// The decisions that a visitor is told of are those that the range coder writes: their price is the length of a batch, but for the last byte
// and what the division of intervals loses.
func TestVisitTellsWhatIsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tm := drawTemplate(t)
		ref := time.Unix(rapid.Int64Range(1<<30, 1<<33).Draw(t, "reference"), 0).UTC()
		_, last := drawStatus(t, tm, ref)
		last.AckAsked = false
		list := []codec.Status{last}
		for range rapid.IntRange(1, 12).Draw(t, "statuses") {
			_, last = evolve(t, tm, &last, ref)
			list = append(list, last)
		}
		var written, visited codec.State
		plaintext, _, err := tm.AppendBatch(nil, 0, 0, &written, list)
		if err != nil {
			t.Fatal(err)
		}
		p := entropy.Price{Template: tm}
		for i := range list {
			if err := tm.Visit(&p, 1, &visited, &list[i]); err != nil {
				t.Fatal(err)
			}
		}
		sameState(t, tm, &written, &visited)
		if length := 8 * float64(len(plaintext)-1); length > p.Bits*1.002+16 || len(plaintext) > 3 && length < p.Bits-80 {
			t.Fatalf("%d bytes are %.0f bits, the decisions cost %.1f", len(plaintext), length, p.Bits)
		}
	})
}
