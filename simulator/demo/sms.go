package demo

import (
	"context"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/atmodem"
	"github.com/godwit-gateway/godwit/simulator/radio"
	"github.com/godwit-gateway/godwit/transports"
)

// smsNetwork is the service centre, and the modem that the gateway reads short messages from.
type smsNetwork struct{ modem *atmodem.Modem }

// modemFaults are those of a modem on an ordinary day, made frequent enough to be met in a short run.
func modemFaults() atmodem.Faults {
	return atmodem.Faults{
		Reply: atmodem.Span{Least: 2 * time.Millisecond, Most: 20 * time.Millisecond}, URCInReply: 0.2, URCLost: 0.02, Busy: 0.01, Garbage: 0.005,
		Unplug: 0.0005,
	}
}

func billSMS(payload int) uint64 { return transports.SMS.Billed(1, uint64(payload)) } //nolint:gosec // not negative

// newSMSFleet makes devices that send short messages, and the modem, so that its line is there when the gateway starts.
func newSMSFleet(a air, path string, m radio.Model, seed uint64) (*keptFleet, error) {
	return newKeptFleet(a, billSMS, m, seed, func(f *keptFleet) (network, error) {
		modem, err := atmodem.New(atmodem.Options{
			Path: path, Number: msisdn(0), Seed: seed, Faults: modemFaults(), Retry: time.Second,
			OnSettled: func(m atmodem.Message, o atmodem.Outcome) { f.settled(m.ID, o == atmodem.OutcomeDeleted) },
			OnSubmit:  func(s atmodem.Submit) { f.submitted(s.To, s.Payload) },
		})
		return smsNetwork{modem}, err
	})
}

func (n smsNetwork) run(ctx context.Context) error { return n.modem.Run(ctx) }

func (n smsNetwork) deliver(ctx context.Context, id uint64, p *kept) error {
	return n.modem.Deliver(ctx, atmodem.Message{ID: id, From: p.from, Payload: p.payload, SentAt: p.at})
}

func (smsNetwork) failed(*kept) {}

func (n smsNetwork) close() error { return n.modem.Close() }
