package codec

// OpenMax is how many frames an Opener has in hand.
const OpenMax = 64

// An Opening is a frame to be opened, and what came of it.
type Opening struct {
	Key       *Key
	Sealed    Sealed
	Position  Position
	Plaintext []byte // its memory is used again
	Err       error  // as of Cipher.Open
}

// An Opener opens frames of many devices. The keys of a large fleet are in no cache: one frame after another waits for its own. An Opener goes through
// all of them in steps, so that the memory of each step is fetched for many frames at once. Not safe for concurrent use.
type Opener struct {
	ccm [OpenMax]ccm
}

// Open opens up to OpenMax frames; more are not touched.
func (o *Opener) Open(frames []Opening) {
	frames = frames[:min(len(frames), OpenMax)]
	for i := range frames { // the keys
		o.ccm[i].begin(frames[i].Key, frames[i].Position.Counter)
	}
	for i := range frames { // their schedules
		s := &frames[i].Sealed
		o.ccm[i].first(len(s.body)-int(s.TagLen), true, int(s.TagLen))
	}
	for i := range frames {
		f, c := &frames[i], &o.ccm[i]
		var ok bool
		f.Plaintext, ok = c.finish(f.Plaintext[:0], f.Sealed.body, c.putAAD(f.Sealed.Header, f.Position), int(f.Sealed.TagLen))
		if f.Err = nil; !ok {
			f.Err = ErrAuth
		} else if err := f.Sealed.checkPlaintext(f.Plaintext); err != nil {
			f.Plaintext, f.Err = f.Plaintext[:0], err
		}
	}
}
