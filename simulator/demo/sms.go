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
	"github.com/godwit-gateway/godwit/simulator/peers/atmodem"
	"github.com/godwit-gateway/godwit/simulator/radio"
	"github.com/godwit-gateway/godwit/transports"
)

// smsFleet is the devices that send short messages, the network between, and the modem that the gateway reads them from.
type smsFleet struct {
	air
	modem  *atmodem.Modem
	model  radio.Model
	seed   uint64
	radio  atomic.Int64 // copies on the air
	down   chan atmodem.Submit
	mu     sync.Mutex
	sent   map[uint64]check.Frame // at the service centre, by the id of the message; guarded by mu
	nextID uint64                 // guarded by mu
}

// shortMessage is one payload on its way from a device to the service centre.
type shortMessage struct {
	from    string
	payload []byte
	frame   check.Frame
	join    bool // it is no frame
	at      time.Time
}

// modemFaults are those of a modem on an ordinary day, made frequent enough to be met in a short run.
func modemFaults() atmodem.Faults {
	return atmodem.Faults{
		Reply: atmodem.Span{Least: 2 * time.Millisecond, Most: 20 * time.Millisecond}, URCInReply: 0.2, URCLost: 0.02, Busy: 0.01, Garbage: 0.005,
		Unplug: 0.0005,
	}
}

// newSMSFleet makes the modem, so that its device is there when the gateway starts.
func newSMSFleet(a air, path string, m radio.Model, seed uint64) (*smsFleet, error) {
	f := &smsFleet{air: a, model: m, seed: seed, sent: make(map[uint64]check.Frame), down: make(chan atmodem.Submit, 256)}
	modem, err := atmodem.New(atmodem.Options{
		Path: path, Number: msisdn(0), Seed: seed, Faults: modemFaults(), Retry: time.Second, OnSettled: f.settled, OnSubmit: f.submitted,
	})
	if err != nil {
		return nil, fmt.Errorf("simulated modem: %w", err)
	}
	f.modem = modem
	return f, nil
}

func (f *smsFleet) close() error { return f.modem.Close() }

// settled hears from the modem how a message ended. A message that the gateway deleted was confirmed: it must never be lost.
func (f *smsFleet) settled(m atmodem.Message, o atmodem.Outcome) {
	f.mu.Lock()
	frame, ok := f.sent[m.ID]
	delete(f.sent, m.ID)
	f.mu.Unlock()
	if ok && o == atmodem.OutcomeDeleted {
		f.ledger.Acknowledged(frame)
	}
}

// submitted hears from the modem what the gateway sends to a device. A device that is not there loses it.
func (f *smsFleet) submitted(s atmodem.Submit) {
	select {
	case f.down <- s:
	default:
	}
}

// underWay is how many messages are on the air, at the service centre or in the modem.
func (f *smsFleet) underWay() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return int(f.radio.Load()) + len(f.sent)
}

// run plays the modem and has the devices talk until ctx is done.
func (f *smsFleet) run(ctx context.Context, members []member) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- f.modem.Run(ctx) }()
	err := f.talk(ctx, members, ended)
	cancel()
	return errors.Join(err, <-ended)
}

// talk owns all devices on SMS and their radio.
func (f *smsFleet) talk(ctx context.Context, members []member, ended chan error) error {
	link, err := radio.New[shortMessage](f.model, rand.New(rand.NewPCG(f.seed, 3))) //nolint:gosec // repeatable
	if err != nil {
		return err
	}
	mobiles := make([]*mobile, len(members))
	byNumber := make(map[string]*mobile, len(members))
	for i, m := range members {
		if mobiles[i], err = f.boot(m); err != nil {
			return err
		}
		byNumber[m.msisdn] = mobiles[i]
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
		case s := <-f.down:
			if m := byNumber[s.To]; m != nil {
				if _, err := m.dev.Receive(s.Payload); err != nil {
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
func (f *smsFleet) step(ctx context.Context, mobiles []*mobile, link *radio.Link[shortMessage], now time.Time) (time.Time, error) {
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
		if err := f.deliver(ctx, d.Item); err != nil {
			return wake, err
		}
	}
	f.radio.Store(int64(link.Pending()))
	if at, ok := link.Next(); ok {
		wake = earlier(wake, at)
	}
	return wake, nil
}

// transmit sends what a device has to say. Its own modem tells it whether the network took the message.
func (f *smsFleet) transmit(m *mobile, link *radio.Link[shortMessage], now time.Time) (time.Time, error) {
	out, wake, err := f.poll(m, now)
	if err != nil {
		return wake, err
	}
	for _, tx := range out {
		f.traffic.billed.Add(transports.SMS.Billed(1, uint64(len(tx.Payload))))
		message := shortMessage{from: m.msisdn, payload: tx.Payload, frame: m.frame(tx.Frame), join: tx.Join, at: now}
		switch lost := link.SendSized(now, message, len(tx.Payload)) == 0; {
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
	f.radio.Store(int64(link.Pending()))
	return wake, nil
}

// deliver hands a message to the service centre.
func (f *smsFleet) deliver(ctx context.Context, s shortMessage) error {
	f.mu.Lock()
	f.nextID++
	id := f.nextID
	if !s.join {
		f.sent[id] = s.frame
	}
	f.mu.Unlock()
	err := f.modem.Deliver(ctx, atmodem.Message{ID: id, From: s.from, Payload: s.payload, SentAt: s.at})
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("service centre: %w", err)
	}
	return nil
}
