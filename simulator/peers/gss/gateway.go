package gss

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
)

// A Gateway is the network between modems and a DirectIP server. Safe for concurrent use.
type Gateway struct {
	o      Options
	socket net.Listener // of the MT server

	mu           sync.Mutex
	modems       map[string]*modem // guarded by mu
	destinations []*destination    // their queues are guarded by mu
	cdr          uint32            // the last one; guarded by mu
	mt           uint32            // id of the last MT message; guarded by mu
}

// New makes a gateway and takes the address of its MT server. Nothing is delivered before Run runs.
func New(o Options) (*Gateway, error) {
	o.setDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	socket, err := net.Listen("tcp", o.Listen) //nolint:noctx // it returns at once
	if err != nil {
		return nil, fmt.Errorf("MT server: %w", err)
	}
	// Call detail records are unique for good, also across two gateways one after the other.
	g := &Gateway{o: o, socket: socket, modems: make(map[string]*modem), cdr: uint32(o.Now().UnixMilli())} //nolint:gosec // the low bits
	for i, address := range o.Destinations {
		g.destinations = append(g.destinations, &destination{g: g, index: i, address: address, kick: make(chan struct{}, 1)})
	}
	for _, imei := range o.Modems {
		g.modems[imei] = &modem{}
	}
	return g, nil
}

// Addr is where MT messages are taken.
func (g *Gateway) Addr() string { return g.socket.Addr().String() }

// Add makes a modem known.
func (g *Gateway) Add(imei string) error {
	if !validIMEI(imei) {
		return fmt.Errorf("%w: IMEI %q, want 15 digits", ErrOptions, imei)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.modems[imei] == nil {
		g.modems[imei] = &modem{}
	}
	return nil
}

// Run delivers messages and takes MT messages until ctx is done, and returns nil. What waits then is lost with the gateway.
func (g *Gateway) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	for _, d := range g.destinations {
		wg.Go(func() { d.run(ctx) })
	}
	stop := context.AfterFunc(ctx, func() { _ = g.socket.Close() })
	defer stop()
	err := g.serve(ctx, &wg)
	cancel()
	wg.Wait()
	return err
}

// Close gives back the address of the MT server, for a gateway that never ran.
func (g *Gateway) Close() error {
	if err := g.socket.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("MT server: %w", err)
	}
	return nil
}

// Waiting is how many messages wait for their destinations.
func (g *Gateway) Waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := 0
	for _, d := range g.destinations {
		n += len(d.queue)
	}
	return n
}
