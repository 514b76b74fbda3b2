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

// An Opener opens frames of many devices, each with a key of its own. The keys of a large fleet are in no cache, and a block of AES waits for the one
// before it. An Opener goes through all of its frames in steps, so that the processor has many of them in hand. Not safe for concurrent use.
type Opener struct {
	touched byte
	frames  [OpenMax]struct {
		schedule aes128.Schedule
		ccm
	}
}

// Open opens up to OpenMax frames; more are not touched.
func (o *Opener) Open(frames []Opening) {
	frames = frames[:min(len(frames), OpenMax)]
	for i := range frames { // keys are fetched while others are
		k := frames[i].Key
		o.touched ^= k.Key[0] ^ k.IV[nonceLen-1]
	}
	for i := range frames {
		f, c := &frames[i], &o.frames[i]
		c.begin(&f.Key.IV, f.Position.Counter)
		head := c.putHead(f.Sealed.Header, f.Position, len(f.Sealed.body)-int(f.Sealed.TagLen), int(f.Sealed.TagLen))
		c.schedule.Expand(&f.Key.Key)
		c.start(&c.schedule, head)
	}
	for i := range frames {
		f, c := &frames[i], &o.frames[i]
		var ok bool
		f.Plaintext, ok = c.finish(&c.schedule, f.Plaintext[:0], f.Sealed.body, int(f.Sealed.TagLen))
		if f.Err = nil; !ok {
			f.Err = ErrAuth
		} else if err := f.Sealed.checkPlaintext(f.Plaintext); err != nil {
			f.Plaintext, f.Err = f.Plaintext[:0], err
		}
	}
}
