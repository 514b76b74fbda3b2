package demo

import (
	"context"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/sbdterm"
	"github.com/godwit-gateway/godwit/simulator/radio"
)

// sbdNetwork is satellites that join modems with the transceiver beside the gateway. Nobody on the way says who sent what, or for whom it is.
type sbdNetwork struct{ modem *sbdterm.Modem }

// newSBDFleet makes devices whose messages the network delivers to a transceiver, and the transceiver, so that its line is there when the gateway starts.
func newSBDFleet(a air, path string, m radio.Model, seed uint64) (*keptFleet, error) {
	twice := func(payload int) uint64 { return 2 * billSBD(payload) } // from modem to modem: each pays
	return newKeptFleet(a, twice, m, seed, func(f *keptFleet) (network, error) {
		modem, err := sbdterm.New(sbdterm.Options{
			// It stands in the open, other than the devices. A ring alert that it did not hear would leave the last message of a run where it is.
			Path: path, IMEI: imei(0), Seed: seed, Fail: m.Loss, Session: sessionSpan(&m), Ring: time.Second,
			OnSettled: func(msg sbdterm.MT, as sbdterm.Outcome) { f.settled(msg.ID, as == sbdterm.Cleared) },
			OnMO:      func(msg sbdterm.MO) { f.submitted("", msg.Payload) },
		})
		return sbdNetwork{modem}, err
	})
}

// sessionSpan is how long a session takes. On a perfect radio it takes next to nothing.
func sessionSpan(m *radio.Model) sbdterm.Span {
	return sbdterm.Span{Least: m.Delay.Least, Most: max(m.Delay.Mean, 10*time.Millisecond)}
}

func (n sbdNetwork) run(ctx context.Context) error { return n.modem.Run(ctx) }

func (n sbdNetwork) deliver(ctx context.Context, id uint64, p *kept) error {
	return n.modem.Deliver(ctx, sbdterm.MT{ID: id, Payload: p.payload})
}

func (sbdNetwork) failed(*kept) {}

func (n sbdNetwork) close() error { return n.modem.Close() }
