package demo

import (
	"context"
	"net"

	"github.com/godwit-gateway/godwit/simulator/peers/rockblock"
	"github.com/godwit-gateway/godwit/simulator/radio"
)

// cloudToken is what the simulated Cloudloop lets the gateway in with.
const cloudToken = "simulated"

// cloudTroubles is the share of requests to Cloudloop that come to nothing.
const cloudTroubles = 0.03

// cloudKept is how many messages Cloudloop keeps that the gateway has: a demo may run for days.
const cloudKept = 1000

// cloudNetwork is satellites and Cloudloop, which the gateway asks for messages.
type cloudNetwork struct {
	cloud  *rockblock.Cloudloop
	listen *net.TCPListener
}

// newCloudFleet makes devices with satellite modems, and Cloudloop, which listens at an address.
func newCloudFleet(a air, address string, m radio.Model, seed uint64, members []string) (*keptFleet, error) {
	return newKeptFleet(a, billSBD, m, seed, func(f *keptFleet) (network, error) {
		luck := newLuck(seed, 11)
		n := &cloudNetwork{cloud: rockblock.NewCloudloop(rockblock.CloudloopOptions{
			Token: cloudToken, Modems: members, Keep: cloudKept,
			Fault: func(string) rockblock.Fault {
				switch p := luck.draw() / cloudTroubles; {
				case p < 0.5:
					return rockblock.Unavailable
				case p < 1:
					return rockblock.AnswerLost
				}
				return rockblock.NoFault
			},
			OnTaken: func(tag uint64) { f.settled(tag, true) },
			OnMT: func(imei string, data []byte, _ bool) string {
				f.submitted(imei, data)
				return rockblock.Queued
			},
		})}
		var err error
		n.listen, err = listenTCP(address, "of Cloudloop")
		return n, err
	})
}

func (n *cloudNetwork) run(ctx context.Context) error { return serveUntil(ctx, n.listen, n.cloud) }

func (n *cloudNetwork) deliver(_ context.Context, id uint64, p *kept) error {
	n.cloud.Deliver(rockblock.Message{IMEI: p.from, MOMSN: id, At: p.at, Data: p.payload}, id)
	return nil
}

func (*cloudNetwork) failed(*kept) {} // Cloudloop hears of sessions that went well

func (n *cloudNetwork) close() error { return closeListener(n.listen) }
