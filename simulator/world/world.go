package world

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"math/rand/v2"
	"time"

	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/simulator/check"
)

// birth is when all worlds begin.
var birth = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

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
	// Recovery is how long it took until all was well again, by kind of fault.
	Recovery map[string][]time.Duration `json:"recovery_ns"`
}

// world is everything at one moment of virtual time. One goroutine drives it.
type world struct {
	setup    Setup
	ctx      context.Context //nolint:containedctx // appointments take no arguments
	now      time.Time
	rng      *rand.Rand
	schedule schedule
	trace    hash.Hash
	line     []byte // of the trace, the last one: its memory is used again
	err      error  // the first that ends the run

	products map[string]*hub.Product
	links    map[string]*Link
	gateway  *gateway
	fleet    []*mobile
	bySIM    map[string]*mobile
	nonces   nonces
	reader   reader
	ledger   *check.Ledger
	captured [][]byte // payloads that somebody recorded
	healing  bool     // nothing fails any more
	faults   map[string]uint64
	noticed  map[string]uint64 // what may happen and is worth to be counted
	sent     uint64
	receipts uint64 // of the networks
	recorder recorder
	recovery recovery
	spend    spend
	updates  updates
	met      []*mobile // by the incident that happens now
	ends     time.Time // when it is over
}

// Run plays a world. The error wraps ErrSetup if it cannot be, and ErrBroken if an invariant does not hold.
func Run(ctx context.Context, s Setup) (*Result, error) {
	w, err := newWorld(ctx, s)
	if err != nil {
		return nil, err
	}
	err = errors.Join(w.play(), w.gateway.close())
	return w.result(), err
}

// stream of random numbers of a purpose: what one draws does not change what another one meets.
func (s *Setup) stream(purpose uint64) *rand.Rand {
	return rand.New(rand.NewPCG(s.Seed, purpose)) //nolint:gosec // a simulation must be repeatable
}

// Purposes of random numbers; those of devices follow.
const (
	drawWorld = iota
	drawGateway
	drawSetup
	drawSize
	drawDevices
)

// newWorld makes a world, with a gateway that runs and devices that are switched on.
func newWorld(ctx context.Context, s Setup) (*world, error) {
	s.setDefaults()
	if err := s.Validate(); err != nil {
		return nil, err
	}
	w := emptyWorld(ctx, s)
	if err := w.updates.develop(&w.setup); err != nil {
		return nil, err
	}
	if err := w.gateway.start(); err != nil {
		return nil, err
	}
	if err := w.populate(); err != nil {
		return nil, errors.Join(err, w.gateway.close())
	}
	w.plan()
	return w, nil
}

// emptyWorld is a world in which nothing runs yet.
func emptyWorld(ctx context.Context, s Setup) *world {
	w := &world{
		setup: s, ctx: ctx, now: s.Start, rng: s.stream(drawWorld), trace: sha256.New(), ledger: check.New(), reader: newReader(), recovery: recovery{took: make(map[string][]time.Duration)}, nonces: newNonces(),
		products: make(map[string]*hub.Product), links: make(map[string]*Link), bySIM: make(map[string]*mobile),
		faults: make(map[string]uint64), noticed: make(map[string]uint64),
	}
	for i := range s.Products {
		w.products[s.Products[i].Name] = &s.Products[i]
	}
	for i := range s.Links {
		w.links[s.Links[i].Name] = &s.Links[i]
	}
	w.gateway = newGateway(w)
	return w
}

// populate puts all devices into the world.
func (w *world) populate() error {
	for g := range w.setup.Groups {
		for i := range w.setup.Groups[g].Count {
			if err := w.addMobile(g, i); err != nil {
				return fmt.Errorf("group %s: %w", w.setup.Groups[g].Name, err)
			}
		}
	}
	return nil
}

// plan lays down what will happen.
func (w *world) plan() {
	for i := range w.setup.Incidents {
		in := &w.setup.Incidents[i]
		if in.Kind == kindReplay {
			w.recorder.span = max(w.recorder.span, in.For, replaySpan)
		}
		w.schedule.plan(w.now.Add(in.At), func() { w.happen(kindOf(in.Kind), in) })
	}
	w.planRollouts()
	if w.setup.Chaos {
		w.faultAfter()
	}
	if w.setup.Sample > 0 && w.setup.Watch != nil {
		w.sample()
	}
}

// sample shows the world to its watcher, now and then again until it is healed.
func (w *world) sample() {
	if w.healing {
		return
	}
	w.setup.Watch.Sampled(w.now, View{w})
	w.schedule.plan(w.now.Add(w.setup.Sample), w.sample)
}

// Parts of healing: how long all is well before nothing new is said, and how long what is under way may take to arrive.
const (
	calm     = 4 * 24 * time.Hour
	patience = 8 * 24 * time.Hour
)

// play lets things fail, heals them and checks what is left.
func (w *world) play() error {
	w.until(w.now.Add(w.setup.Length))
	w.heal()
	healed := w.now
	if w.setup.Chaos {
		w.until(w.now.Add(calm))
	}
	quiet := w.now
	for _, m := range w.fleet {
		m.dev.Quiet()
	}
	for end := w.now.Add(patience); w.err == nil && w.now.Before(end) && w.busy() != nil; {
		w.until(w.now.Add(time.Hour))
	}
	if w.err != nil {
		return w.err
	}
	return errors.Join(w.busy(), w.check(healed, quiet))
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
		if at := a.at(); at.After(w.now) {
			w.now = at
		}
		if a.m != nil {
			a.m.visit(&a)
			continue
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
		up, kept := m.underWay()
		if n := m.dev.Pending(); n > 0 || up > 0 || kept > 0 {
			return fmt.Errorf("%w: device %d: %d frames are not acknowledged, %d on the air, %d at the network", errNotHealed, m.config.Number, n, up, kept)
		}
	}
	if n := w.gateway.hub.Parked(); n > 0 { // for seven days at most
		return fmt.Errorf("%w: %d frames wait for their base", errNotHealed, n)
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
func (w *world) note(number uint32, data []byte, what ...string) {
	w.line = binary.BigEndian.AppendUint64(w.line[:0], uint64(w.now.UnixNano()))
	w.line = binary.BigEndian.AppendUint32(w.line, number)
	w.line = binary.BigEndian.AppendUint32(w.line, uint32(len(data))) //nolint:gosec // a payload
	for _, s := range what {
		w.line = append(w.line, s...)
	}
	w.line = append(w.line, data...)
	w.trace.Write(w.line)
}

func (w *world) result() *Result {
	r := w.ledger.Result()
	return &Result{
		Seed: w.setup.Seed, Trace: fmt.Sprintf("%x", w.trace.Sum(nil)[:8]), Days: w.now.Sub(w.setup.Start).Hours() / 24, Devices: len(w.fleet), Sent: w.sent,
		Frames: r.Acknowledged, Events: r.Events, Faults: w.faults, Noticed: w.noticed, Recovery: w.recovery.took,
	}
}
