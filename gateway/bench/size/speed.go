package size

import (
	"fmt"
	"runtime"
	"time"

	"github.com/godwit-gateway/godwit/codec"
)

// Speed is how fast one goroutine opens and decodes deltas of so many devices, each with a key and a state of its own, in random order.
type Speed struct {
	Devices   int     `json:"devices"`
	PerSecond float64 `json:"per_second"`
	Allocs    float64 `json:"allocs"`              // per frame
	Uncached  float64 `json:"uncached_per_second"` // with the key schedule made anew for each frame
}

// speedFrames is how many frames are opened at least.
const speedFrames = 1_000_000

// fleet is what a gateway has at hand of devices, and a frame of each.
type fleet struct {
	t       *codec.Template
	keys    []codec.SealKey
	ciphers []codec.Cipher
	rows    []byte   // of each device: length of the stored state, the state, the frame
	at      []uint32 // where a row begins; one more for the end
	ref     time.Time
}

func newFleet(p *prepared, n int) (*fleet, error) {
	f := &fleet{t: p.t, keys: make([]codec.SealKey, n), ciphers: make([]codec.Cipher, n), at: make([]uint32, 1, n+1)}
	f.ref = p.statuses[len(p.statuses)-1].Time
	var s codec.State
	for i := range n {
		at := p.cut + i%(len(p.statuses)-p.cut)
		dev := [32]byte{byte(i), byte(i >> 8), byte(i >> 16)}
		f.keys[i] = codec.DeriveSealKey(&dev, nil, codec.LabelUp4, uint32(i), 0)
		f.ciphers[i] = *codec.NewCipher(f.keys[i])
		s.SetKeyframe(p.t, &p.statuses[at-1])
		start := len(f.rows)
		f.rows = append(f.rows, 0)
		f.rows = codec.AppendState(f.rows, &s)
		f.rows[start] = byte(len(f.rows) - start - 1)
		plaintext, h, err := p.t.AppendDelta(nil, 0, 1, &s, &p.statuses[at])
		if err != nil {
			return nil, fmt.Errorf("speed: %w", err)
		}
		if f.rows, err = f.ciphers[i].AppendSealed(f.rows, h, f.position(i), 8, 4, plaintext); err != nil {
			return nil, fmt.Errorf("speed: %w", err)
		}
		f.at = append(f.at, uint32(len(f.rows))) //nolint:gosec // some tens of bytes each
	}
	return f, nil
}

func (f *fleet) position(i int) codec.Position {
	return codec.Position{Direction: codec.Up, Number: uint32(i), Counter: 1} //nolint:gosec // a million at most
}

// work opens and decodes a frame, counted from the state as it is stored.
func (f *fleet) work(i int, c *codec.Cipher, s *codec.State, dst *codec.Status, buffer []byte) error {
	row := f.rows[f.at[i]:f.at[i+1]]
	state, frame := row[1:1+row[0]], row[1+row[0]:]
	item, _, err := codec.NextItem(frame)
	if err != nil {
		return fmt.Errorf("speed: %w", err)
	}
	sealed, err := codec.ParseSealed(item.Content, 8, 4)
	if err != nil {
		return fmt.Errorf("speed: %w", err)
	}
	plaintext, err := c.Open(buffer[:0], &sealed, f.position(i))
	if err != nil {
		return fmt.Errorf("speed: %w", err)
	}
	if err := codec.ParseState(s, f.t, state); err != nil {
		return fmt.Errorf("speed: %w", err)
	}
	return f.t.DecodeDelta(dst, s, sealed.Header, plaintext, f.ref)
}

// speed measures a fleet.
func speed(p *prepared, n int) (Speed, error) {
	f, err := newFleet(p, n)
	if err != nil {
		return Speed{}, err
	}
	rng := seeded(9, 9)
	order := make([]int32, speedFrames)
	for i := range order {
		order[i] = int32(rng.IntN(n)) //nolint:gosec // a million at most
	}
	out := Speed{Devices: n}
	var s codec.State
	var dst codec.Status
	buffer := make([]byte, 0, 64)
	run := func(order []int32, cipher func(i int) *codec.Cipher) (perSecond, allocs float64, err error) {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		start := time.Now()
		for _, i := range order {
			if err := f.work(int(i), cipher(int(i)), &s, &dst, buffer); err != nil {
				return 0, 0, err
			}
		}
		took := time.Since(start).Seconds()
		runtime.ReadMemStats(&after)
		return ratio(float64(len(order)), took), float64(after.Mallocs-before.Mallocs) / float64(len(order)), nil
	}
	cached := func(i int) *codec.Cipher { return &f.ciphers[i] }
	if _, _, err = run(order[:1000], cached); err != nil { // memory is at hand from here on
		return Speed{}, err
	}
	if out.PerSecond, out.Allocs, err = run(order, cached); err != nil {
		return Speed{}, err
	}
	out.Uncached, _, err = run(order[:speedFrames/4], func(i int) *codec.Cipher { return codec.NewCipher(f.keys[i]) })
	return out, err
}
