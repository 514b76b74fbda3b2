package demo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/godwit-gateway/godwit/simulator/radio"
	"github.com/godwit-gateway/godwit/transports"
)

const datagramMax = 1280 // bytes read at once

// udpFleet is the devices that speak UDP: each with a socket, a radio and a goroutine of its own.
type udpFleet struct {
	air
	gateway *net.UDPAddr
	radio   radio.Model
}

// run has the devices talk until ctx is done.
func (f *udpFleet) run(ctx context.Context, members []member) error {
	var wg sync.WaitGroup
	errs := make([]error, len(members))
	for i, m := range members {
		wg.Go(func() { errs[i] = f.device(ctx, m) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// udpMobile is one device with its radio.
type udpMobile struct {
	*mobile
	conn     *net.UDPConn
	up, down *radio.Link[[]byte]
}

// device owns one device, its radio and its socket.
func (f *udpFleet) device(ctx context.Context, m member) error {
	u, err := f.dial(m)
	if err != nil {
		return err
	}
	incoming := make(chan []byte, 16)
	var wg sync.WaitGroup
	wg.Go(func() { u.receive(ctx, incoming) })
	defer wg.Wait()
	defer func() { _ = u.conn.Close() }() // ends receive
	timer := time.NewTimer(0)
	defer timer.Stop()
	quiet := f.quiet
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-quiet:
			quiet = nil
		case b := <-incoming:
			u.down.Send(f.now(), b)
		case <-timer.C:
		}
		wake, err := f.step(u, f.now())
		if err != nil {
			return err
		}
		timer.Reset(max(wake.Sub(f.now()), 0))
	}
}

func (f *udpFleet) dial(m member) (*udpMobile, error) {
	mob, err := f.boot(m)
	if err != nil {
		return nil, err
	}
	u := &udpMobile{mobile: mob}
	for i, l := range []**radio.Link[[]byte]{&u.up, &u.down} {
		if *l, err = radio.New[[]byte](f.radio, rand.New(rand.NewPCG(m.Seed, uint64(i)+1))); err != nil { //nolint:gosec // repeatable
			return nil, err
		}
	}
	if u.conn, err = net.DialUDP("udp4", nil, f.gateway); err != nil {
		return nil, fmt.Errorf("device %d: %w", m.Number, err)
	}
	return u, nil
}

// receive hands datagrams to the device until its socket is closed. A refused datagram (the gateway is not there yet) is as good as lost.
func (u *udpMobile) receive(ctx context.Context, incoming chan<- []byte) {
	buf := make([]byte, datagramMax)
	for {
		n, err := u.conn.Read(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		select {
		case incoming <- append([]byte(nil), buf[:n]...):
		case <-ctx.Done():
			return
		}
	}
}

// step does what is due now and returns when the next thing is.
func (f *udpFleet) step(u *udpMobile, now time.Time) (time.Time, error) {
	for d, ok := u.down.Due(now); ok; d, ok = u.down.Due(now) {
		acknowledged, err := u.dev.Receive(d.Item)
		if err != nil {
			return time.Time{}, err // the gateway said something that does not verify: a defect, not the radio's doing
		}
		for _, frame := range acknowledged {
			f.ledger.Acknowledged(u.frame(frame))
		}
	}
	out, wake, err := f.poll(u.mobile, now)
	if err != nil {
		return time.Time{}, err
	}
	for _, tx := range out {
		f.traffic.billed.Add(transports.UDP.Billed(1, uint64(len(tx.Payload))))
		u.up.SendSized(now, tx.Payload, len(tx.Payload))
	}
	for d, ok := u.up.Due(now); ok; d, ok = u.up.Due(now) {
		_, _ = u.conn.Write(d.Item) // refused while nobody listens: lost, as on any radio
	}
	for _, l := range []*radio.Link[[]byte]{u.up, u.down} {
		if at, ok := l.Next(); ok {
			wake = earlier(wake, at)
		}
	}
	if wake.IsZero() {
		wake = now.Add(time.Minute)
	}
	return wake, nil
}

func addrUDP(address string) (*net.UDPAddr, error) {
	a, err := net.ResolveUDPAddr("udp4", address)
	if err != nil {
		return nil, fmt.Errorf("%w: address of the UDP link: %w", ErrOptions, err)
	}
	return a, nil
}
