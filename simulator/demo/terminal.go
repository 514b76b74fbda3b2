package demo

import (
	"context"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/idpterm"
	"github.com/godwit-gateway/godwit/simulator/radio"
	"github.com/godwit-gateway/godwit/transports/isatdata"
)

// idpMax is the longest frame of a device on IsatData Pro here; messages may have nearly ten times as much.
const idpMax = 1000

// idpNetwork is the application that relays what devices send to the terminal beside the gateway, and that terminal. Nobody on the way says who sent what.
type idpNetwork struct {
	terminal *idpterm.Terminal
	header   isatdata.Header
}

// newIDPFleet makes devices whose messages are relayed to a terminal, and the terminal, so that its line is there when the gateway starts.
func newIDPFleet(a air, path string, m radio.Model, seed uint64) (*keptFleet, error) {
	header, err := isatdata.NewHeader(0, 0)
	if err != nil {
		return nil, err
	}
	twice := func(payload int) uint64 { return 2 * billIDP(payload) } // from terminal to terminal: each pays
	return newKeptFleet(a, twice, m, seed, func(f *keptFleet) (network, error) {
		delay := idpterm.Span{Least: m.Delay.Least, Most: max(m.Delay.Mean, 10*time.Millisecond)}
		terminal, err := idpterm.New(idpterm.Options{
			Path: path, MobileID: mobileID(0), Seed: seed, Up: delay, Down: delay, Sky: sky(m.Passes, a.now()),
			Faults:    idpterm.Faults{Garble: m.Loss / 10, GarbleCommand: m.Loss / 10, Fail: m.Loss},
			OnSettled: func(msg idpterm.Forward, as idpterm.Outcome) { f.settled(msg.ID, as == idpterm.OutcomeRead) },
			OnReturn: func(r idpterm.Return) {
				if payload, ours := header.Cut(r.Message); ours {
					f.submitted("", payload)
				}
			},
		})
		return idpNetwork{terminal, header}, err
	})
}

// sky says whether one of the passing satellites is in sight.
func sky(p radio.Passes, start time.Time) func(time.Time) bool {
	return func(now time.Time) bool { return p.Period <= 0 || now.Sub(start)%p.Period < p.Length }
}

func (n idpNetwork) run(ctx context.Context) error { return n.terminal.Run(ctx) }

func (n idpNetwork) deliver(ctx context.Context, id uint64, p *kept) error {
	return n.terminal.Deliver(ctx, idpterm.Forward{ID: id, Message: n.header.Append(nil, p.payload)})
}

func (idpNetwork) failed(*kept) {}

func (n idpNetwork) close() error { return n.terminal.Close() }
