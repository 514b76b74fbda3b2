package demo

import (
	"context"
	"errors"
	"net"
	"sync"

	"github.com/godwit-gateway/godwit/simulator/peers/igws"
	"github.com/godwit-gateway/godwit/simulator/radio"
	"github.com/godwit-gateway/godwit/transports/isatdata"
)

// Account of the simulated message gateway, SIN and MIN of its terminals' messages, and what these hold.
const (
	orbAccount  = "fleet"
	orbPassword = "simulated"
	orbSIN      = 128
	orbMIN      = 1
	orbMax      = 1000 // bytes of payload
)

// billIDP is what is billed of a message with SIN and MIN: 15 bytes at least, up to the next 10.
func billIDP(payload int) uint64 {
	return uint64(max(15, payload+isatdata.HeaderLen)+9) / 10 * 10
}

// isatDataPro is the way over satellites that take longer messages than Iridium's.
func isatDataPro() radio.Model {
	m := radio.Satellite()
	m.SizeMax = max(orbMax, idpMax) + isatdata.HeaderLen
	return m
}

// orbNetwork is satellites and ORBCOMM's message gateway, which the gateway polls.
type orbNetwork struct {
	service  *igws.Service
	listener *net.TCPListener
	fleet    *keptFleet

	luck *luck

	mu   sync.Mutex
	sent map[uint64]uint64 // ids of the fleet, by the gateway's; guarded by mu
}

// newOrbFleet makes devices with terminals of IsatData Pro, and the message gateway, which listens at the address.
func newOrbFleet(a air, listen string, m radio.Model, seed uint64, devices int) (*keptFleet, error) {
	return newKeptFleet(a, billIDP, m, seed, func(f *keptFleet) (network, error) {
		n := &orbNetwork{fleet: f, sent: make(map[uint64]uint64), luck: newLuck(seed, 9)}
		o := igws.Options{
			Account: orbAccount, Password: orbPassword, Wrapped: true, Behind: true, Second: gssSecond, OnRead: n.read,
			OnForward: func(terminal string, message []byte) {
				if len(message) > 2 && message[0] == orbSIN && message[1] == orbMIN {
					f.submitted(terminal, message[2:])
				}
			},
		}
		for i := range devices {
			o.Terminals = append(o.Terminals, igws.Terminal{ID: mobileID(i + 1)})
		}
		n.service = igws.New(o)
		var err error
		n.listener, err = listenTCP(listen, "of the message gateway")
		return n, err
	})
}

// run answers the gateway, and wakes terminals.
func (n *orbNetwork) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- serveUntil(ctx, n.listener, n.service) }()
	err := n.service.Run(ctx)
	cancel()
	return errors.Join(err, <-ended)
}

// deliver is a message that the network took. Some answers of the gateway are lost, and some messages come over another mailbox as well.
func (n *orbNetwork) deliver(_ context.Context, id uint64, p *kept) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	message, err := n.service.Return(p.from, append([]byte{orbSIN, orbMIN}, p.payload...))
	if err != nil {
		return err
	}
	n.sent[message] = id
	if n.luck.loses() {
		n.service.Fail(igws.CallReturns, igws.Fault{Lost: true})
	}
	if n.luck.loses() {
		n.service.Duplicate(message)
	}
	return nil
}

// read hears that the gateway will not ask for a message any more.
func (n *orbNetwork) read(message uint64) {
	n.mu.Lock()
	id, ok := n.sent[message]
	delete(n.sent, message)
	n.mu.Unlock()
	if ok {
		n.fleet.settled(id, true)
	}
}

func (*orbNetwork) failed(*kept) {} // nobody hears of it

func (n *orbNetwork) close() error { return closeListener(n.listener) }
