package codec_test

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/codec"
)

// An Opener says of each frame what a Cipher says of it alone: good ones and forged ones, of one device and of many. The vectors go through it too.
func TestOpenerAgreesWithCipher(t *testing.T) {
	var o codec.Opener
	var frames []codec.Opening // with memory that was used before
	dev := testDevice()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, codec.OpenMax+3).Draw(t, "frames")
		frames = append(frames[:min(len(frames), n)], make([]codec.Opening, max(0, n-len(frames)))...)
		want, errs := make([][]byte, n), make([]error, n)
		for i := range frames {
			p := codec.Position{Number: rapid.Uint32Range(1, 4).Draw(t, "number"), Counter: rapid.Uint64Range(0, codec.CounterMax).Draw(t, "counter")}
			k := codec.DeriveSealKey(&dev, nil, codec.LabelUp8, p.Number, p.Epoch)
			cipher := codec.NewCipher(k)
			item, err := cipher.AppendSealed(nil, codec.MakeHeader(codec.KindExtended, 0, 0), p, 16, 8, rapid.SliceOfN(rapid.Byte(), 0, 60).Draw(t, "plaintext"))
			if err != nil {
				t.Fatal(err)
			}
			it, _, err := codec.NextItem(item)
			if err != nil {
				t.Fatal(err)
			}
			if rapid.IntRange(0, 3).Draw(t, "forged") == 0 {
				it.Content[rapid.IntRange(1, len(it.Content)-1).Draw(t, "byte")] ^= 1
			}
			sealed, err := codec.ParseSealed(it.Content, 16, 8)
			if err != nil {
				t.Fatal(err)
			}
			frames[i].Key, frames[i].Sealed, frames[i].Position, frames[i].Err = &k, sealed, p, errUntouched
			want[i], errs[i] = cipher.Open(nil, &sealed, p)
		}
		o.Open(frames)
		for i := range frames {
			f := &frames[i]
			if i >= codec.OpenMax {
				if !errors.Is(f.Err, errUntouched) {
					t.Fatalf("frame %d of %d was touched", i, codec.OpenMax)
				}
				continue
			}
			if !errors.Is(f.Err, errs[i]) || !bytes.Equal(f.Plaintext, want[i]) {
				t.Fatalf("frame %d: %x, %v, want %x, %v", i, f.Plaintext, f.Err, want[i], errs[i])
			}
		}
	})
}

var errUntouched = errors.New("untouched")
