package demo

import (
	"context"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/gss"
	"github.com/godwit-gateway/godwit/simulator/radio"
)

// satNetwork is satellites and the Iridium gateway, which connects to ours.
type satNetwork struct {
	gss   *gss.Gateway
	fleet *keptFleet
}

// Faults of the Iridium gateway, and how much faster its pauses between tries pass than they would.
const (
	confirmationsLost = 0.05
	gssSecond         = 50 * time.Millisecond
)

// sbdMin is the least that Iridium bills of a message; beyond it each byte counts (Developers Guide 11.1).
const sbdMin = 10

func billSBD(payload int) uint64 { return uint64(max(sbdMin, payload)) }

// newSatFleet makes devices with satellite modems, and the Iridium gateway. destination is where our gateway listens, and mt where it takes what goes to
// modems.
func newSatFleet(a air, destination, mt string, confirm bool, m radio.Model, seed uint64, members []string) (*keptFleet, error) {
	return newKeptFleet(a, billSBD, m, seed, func(f *keptFleet) (network, error) {
		n := &satNetwork{fleet: f}
		var err error
		n.gss, err = gss.New(gss.Options{
			Destinations: []string{destination}, Listen: mt, Confirm: confirm, Modems: members, Second: gssSecond,
			Forget:    newLuck(seed, 5).loses,
			OnSettled: func(m gss.Message, o gss.Outcome) { f.settled(m.Tag, o == gss.Delivered) },
			OnRing:    n.ring,
		})
		return n, err
	})
}

func (n *satNetwork) run(ctx context.Context) error { return n.gss.Run(ctx) }

// deliver is a session that went well: the modem also gets the first of what waits for it.
func (n *satNetwork) deliver(_ context.Context, id uint64, p *kept) error {
	_, err := n.session(gss.Session{IMEI: p.from, Payload: p.payload, Tag: id})
	return err
}

// failed is a session that did not, of which the network tells as well.
func (n *satNetwork) failed(p *kept) {
	_, _ = n.session(gss.Session{IMEI: p.from, Status: gss.StatusIncomplete}) // of a modem that it knows
}

// ring has a modem ask for what waits for it.
func (n *satNetwork) ring(imei string) {
	for {
		if waits, err := n.session(gss.Session{IMEI: imei}); err != nil || !waits {
			return
		}
	}
}

// session is one of a modem. It reports whether something waits for it still.
func (n *satNetwork) session(s gss.Session) (waits bool, err error) {
	r, err := n.gss.Session(s)
	if r.MT != nil {
		n.fleet.submitted(s.IMEI, r.MT)
	}
	return r.Queued > 0, err
}

func (n *satNetwork) close() error { return n.gss.Close() }
