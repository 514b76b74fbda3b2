package codec

import "github.com/godwit-gateway/godwit/codec/aes128"

// OpenMax is how many frames an Opener has in hand.
const OpenMax = 64

// An Opening is a frame to be opened, and what came of it.
type Opening struct {
	Key       *SealKey
	Sealed    Sealed
	Position  Position
	Plaintext []byte // its memory is used again
	Err       error  // as of Cipher.Open
}

// An Opener opens frames of many devices, each with a key of its own. The keys of a large fleet are in no cache: one frame after another waits for its own. An
// Opener first takes up all of them, so that their memory is fetched for many at once, and then opens one after the other. Not safe for concurrent use.
type Opener struct {
	schedule aes128.Schedule
	frames   [OpenMax]struct {
		key [aes128.KeySize]byte
		ccm
	}
}

// Open opens up to OpenMax frames; more are not touched.
func (o *Opener) Open(frames []Opening) {
	frames = frames[:min(len(frames), OpenMax)]
	for i := range frames {
		f, c := &frames[i], &o.frames[i]
		c.key = f.Key.Key
		c.begin(&f.Key.IV, f.Position.Counter)
		c.putHead(f.Sealed.Header, f.Position, len(f.Sealed.body)-int(f.Sealed.TagLen), int(f.Sealed.TagLen))
	}
	for i := range frames {
		f, c := &frames[i], &o.frames[i]
		o.schedule.Expand(&c.key)
		var ok bool
		f.Plaintext, ok = c.open(&o.schedule, f.Plaintext[:0], f.Sealed.body, c.head[:], int(f.Sealed.TagLen))
		if f.Err = nil; !ok {
			f.Err = ErrAuth
		} else if err := f.Sealed.checkPlaintext(f.Plaintext); err != nil {
			f.Plaintext, f.Err = f.Plaintext[:0], err
		}
	}
}
