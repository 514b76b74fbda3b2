package size

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/godwit-gateway/godwit/codec"
)

// Speed is how fast one goroutine opens and decodes deltas of so many devices, each with a key and a state of its own, in random order. A second is one of
// the processor's: what else the machine does costs caches, but not time.
type Speed struct {
	Devices   int     `json:"devices"`
	PerSecond float64 `json:"per_second"`            // by an Opener, which has many frames in hand
	OneByOne  float64 `json:"one_by_one_per_second"` // one frame after another
	Allocs    float64 `json:"allocs"`                // per frame
}

// speedFrames is how many frames are opened at least.
const speedFrames = 1_000_000

// rounds are measured one after another. What a frame costs is allocated in each; a round in which more was allocated met with the runtime itself, which
// allocates now and then.
const rounds = 8

// fleet is what a gateway has at hand of devices, and a frame of each.
type fleet struct {
	t    *codec.Template
	keys []codec.SealKey
	rows []byte   // of each device: length of the stored state, the state, the frame
	at   []uint32 // where a row begins; one more for the end
	ref  time.Time
}

func newFleet(p *prepared, n int) (*fleet, error) {
	f := &fleet{t: p.t, keys: make([]codec.SealKey, n), at: make([]uint32, 1, n+1)}
	f.ref = p.statuses[len(p.statuses)-1].Time
	var s codec.State
	for i := range n {
		at := p.cut + i%(len(p.statuses)-p.cut)
		dev := [32]byte{byte(i), byte(i >> 8), byte(i >> 16)}
		f.keys[i] = codec.DeriveSealKey(&dev, nil, codec.LabelUp4, uint32(i), 0)
		s.SetKeyframe(p.t, &p.statuses[at-1])
		start := len(f.rows)
		f.rows = append(f.rows, 0)
		f.rows = codec.AppendState(f.rows, &s)
		f.rows[start] = byte(len(f.rows) - start - 1)
		plaintext, h, err := p.t.AppendDelta(nil, 0, 1, &s, &p.statuses[at])
		if err != nil {
			return nil, fmt.Errorf("speed: %w", err)
		}
		if f.rows, err = codec.NewCipher(f.keys[i]).AppendSealed(f.rows, h, f.position(i), 8, 4, plaintext); err != nil {
			return nil, fmt.Errorf("speed: %w", err)
		}
		f.at = append(f.at, uint32(len(f.rows))) //nolint:gosec // some tens of bytes each
	}
	return f, nil
}

func (f *fleet) position(i int) codec.Position {
	return codec.Position{Direction: codec.Up, Number: uint32(i), Counter: 1} //nolint:gosec // a million at most
}

// worker opens and decodes frames as a gateway does that takes them from a socket, many at once.
type worker struct {
	*fleet
	opener   codec.Opener
	openings [codec.OpenMax]codec.Opening
	states   [codec.OpenMax][]byte
	state    codec.State
	status   codec.Status
	touched  byte
}

// work opens and decodes frames of devices, each counted from the state as it is stored.
func (w *worker) work(devices []int32) error {
	for k, i := range devices {
		w.states[k] = w.rows[w.at[i]:w.at[i+1]]
	}
	for k := range devices { // rows are fetched while others are
		row := w.states[k]
		w.touched += row[0] + row[len(row)-1]
	}
	for k, i := range devices {
		row := w.states[k]
		state, frame := row[1:1+row[0]], row[1+row[0]:]
		item, _, err := codec.NextItem(frame)
		if err != nil {
			return fmt.Errorf("speed: %w", err)
		}
		o := &w.openings[k]
		if o.Sealed, err = codec.ParseSealed(item.Content, 8, 4); err != nil {
			return fmt.Errorf("speed: %w", err)
		}
		o.Key, o.Position, w.states[k] = &w.keys[i], w.position(int(i)), state
	}
	w.opener.Open(w.openings[:len(devices)])
	for k := range devices {
		o := &w.openings[k]
		if o.Err != nil {
			return fmt.Errorf("speed: %w", o.Err)
		}
		if err := codec.ParseState(&w.state, w.t, w.states[k]); err != nil {
			return fmt.Errorf("speed: %w", err)
		}
		if err := w.t.DecodeDelta(&w.status, &w.state, o.Sealed.Header, o.Plaintext, w.ref); err != nil {
			return fmt.Errorf("speed: %w", err)
		}
	}
	return nil
}

// processorTime is what the process has used.
func processorTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // cannot fail with a valid first argument
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
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
	w := &worker{fleet: f}
	run := func(order []int32, atOnce int) (perSecond, allocs float64, err error) {
		runtime.GC()
		allocs = math.Inf(1)
		took := time.Duration(0)
		for round := range slices.Chunk(order, len(order)/rounds) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := processorTime()
			for part := range slices.Chunk(round, atOnce) {
				if err := w.work(part); err != nil {
					return 0, 0, err
				}
			}
			took += processorTime() - start
			runtime.ReadMemStats(&after)
			allocs = min(allocs, float64(after.Mallocs-before.Mallocs)/float64(len(round)))
		}
		return ratio(float64(len(order)), took.Seconds()), allocs, nil
	}
	if _, _, err = run(order[:1000], codec.OpenMax); err != nil { // memory is at hand from here on
		return Speed{}, err
	}
	if out.PerSecond, out.Allocs, err = run(order, codec.OpenMax); err != nil {
		return Speed{}, err
	}
	out.OneByOne, _, err = run(order[:speedFrames/4], 1)
	return out, err
}
