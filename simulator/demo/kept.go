package demo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/godwit-gateway/godwit/simulator/check"
	"github.com/godwit-gateway/godwit/simulator/radio"
)

// A network keeps what it took from a device until the gateway has confirmed it.
type network interface {
	run(ctx context.Context) error

	// deliver takes a payload that passed the radio. How that ends it tells keptFleet.settled under the id; 0: nobody waits for it.
	deliver(ctx context.Context, id uint64, p *kept) error

	// failed hears of a try of a device that the network did not take.
	failed(p *kept)

	close() error
}

// keptFleet is the devices on such a network, and the radio between.
type keptFleet struct {
	air
	network network
	bill    func(payload int) uint64 // bytes that the network bills for a message
	model   radio.Model
	seed    uint64
	onAir   atomic.Int64 // copies
	down    chan downlink
	mu      sync.Mutex
	sent    map[uint64]check.Frame // in the network, by id; guarded by mu
	nextID  uint64                 // guarded by mu
}

// kept is one payload on its way from a device to the network.
type kept struct {
	from    string
	payload []byte
	frame   check.Frame
	join    bool // it is no frame
	at      time.Time
}

// downlink is one payload on its way to a device.
type downlink struct {
	to      string // "": the network does not say
	payload []byte
}

// newKeptFleet makes a fleet, and its network by build, so that the network is there when the gateway starts.
func newKeptFleet(a air, bill func(int) uint64, m radio.Model, seed uint64, build func(*keptFleet) (network, error)) (*keptFleet, error) {
	f := &keptFleet{air: a, bill: bill, model: m, seed: seed, sent: map[uint64]check.Frame{}, down: make(chan downlink, 256)}
	var err error
	if f.network, err = build(f); err != nil {
		return nil, fmt.Errorf("network of link %s: %w", a.link, err)
	}
	return f, nil
}

func (f *keptFleet) close() error { return f.network.close() }

// settled hears from the network how a payload ended. One that the gateway confirmed must never be lost, unless its device was dismissed: then that said only that
// the network need not keep it.
func (f *keptFleet) settled(id uint64, confirmed bool) {
	f.mu.Lock()
	frame, ok := f.sent[id]
	delete(f.sent, id)
	f.mu.Unlock()
	if ok && confirmed && !f.dismissed(frame.Number) {
		f.ledger.Acknowledged(frame)
	}
}

// submitted hears from the network what the gateway sends to a device. A device that is not there loses it.
func (f *keptFleet) submitted(to string, payload []byte) {
	select {
	case f.down <- downlink{to, payload}:
	default:
	}
}

// underWay is how many payloads are on the air or in the network.
func (f *keptFleet) underWay() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return int(f.onAir.Load()) + len(f.sent)
}

// run plays the network and has the devices talk until ctx is done.
func (f *keptFleet) run(ctx context.Context, members []member) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- f.network.run(ctx) }()
	err := f.talk(ctx, members, ended)
	cancel()
	return errors.Join(err, <-ended)
}

// talk owns all devices and their radio.
func (f *keptFleet) talk(ctx context.Context, members []member, ended chan error) error {
	link, err := radio.New[kept](f.model, rand.New(rand.NewPCG(f.seed, 3))) //nolint:gosec // repeatable
	if err != nil {
		return err
	}
	mobiles := make([]*mobile, len(members))
	byAddress := make(map[string]*mobile, len(members))
	for i, m := range members {
		if mobiles[i], err = f.boot(m); err != nil {
			return err
		}
		byAddress[m.address] = mobiles[i]
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	quiet := f.quiet
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-ended:
			ended <- nil
			return err
		case <-quiet:
			quiet = nil
		case d := <-f.down:
			if d.to == "" { // everybody hears it, and who cannot read it leaves it
				for _, m := range mobiles {
					_, _ = m.dev.Receive(d.payload)
				}
			} else if m := byAddress[d.to]; m != nil {
				if _, err := m.dev.Receive(d.payload); err != nil {
					return fmt.Errorf("device %d: %w", m.Number, err) // what the gateway sends must verify
				}
			}
		case <-timer.C:
		}
		wake, err := f.step(ctx, mobiles, link, f.now())
		if err != nil {
			return err
		}
		timer.Reset(max(wake.Sub(f.now()), 0))
	}
}

// step does what is due now and returns when the next thing is.
func (f *keptFleet) step(ctx context.Context, mobiles []*mobile, link *radio.Link[kept], now time.Time) (time.Time, error) {
	wake := now.Add(time.Minute)
	for _, m := range mobiles {
		at, err := f.transmit(m, link, now)
		if err != nil {
			return wake, err
		}
		if !at.IsZero() {
			wake = earlier(wake, at)
		}
	}
	for d, ok := link.Due(now); ok; d, ok = link.Due(now) {
		if err := f.deliver(ctx, &d.Item); err != nil {
			return wake, err
		}
	}
	f.onAir.Store(int64(link.Pending()))
	if at, ok := link.Next(); ok {
		wake = earlier(wake, at)
	}
	return wake, nil
}

// transmit sends what a device has to say. Its own modem tells it whether the network took the payload.
func (f *keptFleet) transmit(m *mobile, link *radio.Link[kept], now time.Time) (time.Time, error) {
	out, wake, err := f.poll(m, now)
	if err != nil {
		return wake, err
	}
	for _, tx := range out {
		f.traffic.billed.Add(f.bill(len(tx.Payload)))
		p := kept{from: m.address, payload: tx.Payload, frame: m.frame(tx.Frame), join: tx.Join, at: now}
		lost := link.SendSized(now, p, len(tx.Payload)) == 0
		if lost {
			f.network.failed(&p)
		}
		switch {
		case tx.Join: // said again by itself
		case lost:
			m.dev.Failed(tx.Frame, now)
			wake = now
		default:
			m.dev.Taken(tx.Frame)
		}
	}
	if len(out) > 0 {
		if err := f.remember(m); err != nil {
			return wake, err
		}
	}
	f.onAir.Store(int64(link.Pending()))
	return wake, nil
}

// deliver hands a payload to the network.
func (f *keptFleet) deliver(ctx context.Context, p *kept) error {
	id := uint64(0)
	if !p.join {
		f.mu.Lock()
		f.nextID++
		id = f.nextID
		f.sent[id] = p.frame
		f.mu.Unlock()
	}
	if err := f.network.deliver(ctx, id, p); err != nil && ctx.Err() == nil {
		return fmt.Errorf("network of link %s: %w", f.link, err)
	}
	return nil
}
