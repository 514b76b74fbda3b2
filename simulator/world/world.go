package world

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/simulator/check"
)

// birth is when all worlds begin.
var birth = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Options say what is played.
type Options struct {
	Seed    uint64
	Devices int           // 0: drawn, 2 to 12
	Faults  time.Duration // how long things fail; 0: drawn, 6 h to 6 days
	Log     *slog.Logger  // of the gateway; nil: none
}

// A Result is what came of a world.
type Result struct {
	Seed    uint64            `json:"seed"`
	Trace   string            `json:"trace"` // hash of everything that happened
	Days    float64           `json:"days"`  // of virtual time
	Devices int               `json:"devices"`
	Sent    uint64            `json:"sent"`   // transmissions of devices
	Frames  int               `json:"frames"` // acknowledged
	Events  int               `json:"events"` // of frames
	Faults  map[string]uint64 `json:"faults"` // by kind
	Noticed map[string]uint64 `json:"noticed"`
}

// world is everything at one moment of virtual time. One goroutine drives it.
type world struct {
	o        Options
	ctx      context.Context //nolint:containedctx // appointments take no arguments
	now      time.Time
	rng      *rand.Rand
	schedule schedule
	trace    hash.Hash
	err      error // the first that ends the run

	template *codec.Template
	gateway  *gateway
	fleet    []*mobile
	bySIM    map[string]*mobile
	nonces   nonces
	ledger   *check.Ledger
	seen     map[string][]byte // events that a consumer has read
	captured [][]byte          // payloads that somebody recorded
	healing  bool              // nothing fails any more
	faults   map[string]uint64
	noticed  map[string]uint64 // what may happen and is worth to be counted
	buried   map[string]bool   // ids of events that an accepted loss forgot: none may come again
	sent     uint64
}

// Errors of a run.
var (
	ErrBroken    = errors.New("invariant is broken")
	errNotHealed = errors.New("world did not recover")
)

// Run plays a world. The error wraps ErrBroken if an invariant does not hold.
func Run(ctx context.Context, o Options) (*Result, error) {
	w, err := newWorld(ctx, o)
	if err != nil {
		return nil, err
	}
	err = errors.Join(w.play(), w.gateway.close())
	return w.result(), err
}

// stream of random numbers of a purpose: what one draws does not change what another one meets.
func (o *Options) stream(purpose uint64) *rand.Rand {
	return rand.New(rand.NewPCG(o.Seed, purpose)) //nolint:gosec // a simulation must be repeatable
}

// Purposes of random numbers; those of devices follow.
const (
	drawWorld = iota
	drawGateway
	drawNetwork
	drawDevices
)

func newWorld(ctx context.Context, o Options) (*world, error) {
	w := &world{
		o: o, ctx: ctx, now: birth, rng: o.stream(drawWorld), trace: sha256.New(), ledger: check.New(), seen: make(map[string][]byte), nonces: make(nonces),
		bySIM: make(map[string]*mobile), faults: make(map[string]uint64),
		noticed: make(map[string]uint64), buried: make(map[string]bool),
	}
	if w.o.Devices == 0 {
		w.o.Devices = 2 + w.rng.IntN(11)
	}
	if w.o.Faults == 0 {
		w.o.Faults = time.Duration((6 + w.rng.Float64()*138) * float64(time.Hour))
	}
	if w.o.Log == nil {
		w.o.Log = slog.New(slog.DiscardHandler)
	}
	var err error
	if w.template, err = product(); err != nil {
		return nil, err
	}
	w.gateway = newGateway(w)
	if err := w.gateway.start(); err != nil {
		return nil, err
	}
	for i := range w.o.Devices {
		if err := w.addMobile(i); err != nil {
			return nil, errors.Join(err, w.gateway.close())
		}
	}
	w.faultAfter()
	return w, nil
}

// product is what all devices measure.
func product() (*codec.Template, error) {
	tenth := codec.Decimal{Coef: 1, Exp: -1}
	return codec.NewTemplate(codec.Timing{}, []codec.Field{
		{ID: 1, Name: "battery", Unit: "V", Scale: tenth, Width: 8},
		{ID: 2, Name: "air_temperature", Unit: "Cel", Scale: tenth, Offset: -400, Width: 10, Optional: true},
		{ID: 3, Name: "wave_height", Unit: "m", Scale: tenth, Width: 8, Optional: true},
		{ID: 4, Name: "water_level", Unit: "m", Scale: codec.Decimal{Coef: 1, Exp: -2}, Width: 12},
	})
}

// Parts of healing: how long all is well before nothing new is said, and how long what is under way may take to arrive.
const (
	calm     = 4 * 24 * time.Hour
	patience = 8 * 24 * time.Hour
)

// play lets things fail, heals them and checks what is left.
func (w *world) play() error {
	w.until(w.now.Add(w.o.Faults))
	w.heal()
	healed := w.now
	w.until(w.now.Add(calm))
	for _, m := range w.fleet {
		m.dev.Quiet()
	}
	for end := w.now.Add(patience); w.err == nil && w.now.Before(end) && w.busy() != nil; {
		w.until(w.now.Add(time.Hour))
	}
	if w.err != nil {
		return w.err
	}
	return errors.Join(w.busy(), w.check(healed))
}

// until lets time pass.
func (w *world) until(end time.Time) {
	for w.err == nil {
		if w.err = w.ctx.Err(); w.err != nil {
			return
		}
		a, ok := w.schedule.next(end)
		if !ok {
			break
		}
		if a.at.After(w.now) {
			w.now = a.at
		}
		a.do()
	}
	w.now = end
}

// busy says what is still to be done, nil if all is done.
func (w *world) busy() error {
	if !w.gateway.up {
		return fmt.Errorf("%w: the gateway is down", errNotHealed)
	}
	if n := w.gateway.publisher.Stats().Pending; n > 0 {
		return fmt.Errorf("%w: %d events are not on the stream: %w", errNotHealed, n, w.gateway.publisher.Ready())
	}
	for _, m := range w.fleet {
		if n := m.dev.Pending(); n > 0 || m.up.Pending() > 0 || len(m.kept) > 0 {
			return fmt.Errorf("%w: device %d: %d frames are not acknowledged, %d on the air, %d at the network", errNotHealed, m.config.Number, n, m.up.Pending(), len(m.kept))
		}
	}
	return nil
}

// fail ends the run if there is an error.
func (w *world) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

// note makes something part of the trace.
func (w *world) note(what string, number uint32, data []byte) {
	var head [16]byte
	binary.BigEndian.PutUint64(head[:], uint64(w.now.UnixNano()))
	binary.BigEndian.PutUint32(head[8:], number)
	binary.BigEndian.PutUint32(head[12:], uint32(len(data))) //nolint:gosec // a payload
	w.trace.Write(head[:])
	w.trace.Write([]byte(what))
	w.trace.Write(data)
}

func (w *world) result() *Result {
	r := w.ledger.Result()
	return &Result{
		Seed: w.o.Seed, Trace: fmt.Sprintf("%x", w.trace.Sum(nil)[:8]), Days: w.now.Sub(birth).Hours() / 24, Devices: len(w.fleet), Sent: w.sent,
		Frames: r.Acknowledged, Events: r.Events, Faults: w.faults, Noticed: w.noticed,
	}
}
