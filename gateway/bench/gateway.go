package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"path/filepath"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/publish"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/transports/udp"
)

const (
	gatewayID   = "bench"
	fleetKeyID  = "bench"
	linkName    = "udp"
	productName = "buoy"
	firstNumber = 1000 // of the devices
)

// fleetSecret is the fleet key of the simulated devices.
var fleetSecret = [32]byte{42}

type clock struct{}

// Now implements hub.Clock.
func (clock) Now() time.Time { return time.Now() }

// gateway is the parts of a gateway that frames pass through, as package node puts them together.
type gateway struct {
	store     *store.Store
	hub       *hub.Hub
	link      *udp.Transport
	stream    *countingStream
	publisher *publish.Publisher
	closers   []func() error

	intake   []*task // transport and hub: the order of stopping
	outgoing *task   // the publisher
}

// opened is when the parts of a starting gateway were ready.
type opened struct{ store, fleet, all time.Duration }

// openGateway opens all parts in a folder. Nothing runs yet.
func openGateway(ctx context.Context, dir string, devices int) (*gateway, opened, error) {
	g, at := new(gateway), opened{}
	began := time.Now()
	if err := g.openStore(dir); err != nil {
		return nil, at, errors.Join(err, g.close())
	}
	at.store = time.Since(began)
	if err := errors.Join(g.openLink(), g.openHub(devices)); err != nil {
		return nil, at, errors.Join(err, g.close())
	}
	at.fleet = time.Since(began)
	if err := g.openStream(ctx, dir); err != nil {
		return nil, at, errors.Join(err, g.close())
	}
	at.all = time.Since(began)
	return g, at, nil
}

func (g *gateway) openStore(dir string) error {
	var err error
	g.store, err = store.Open(store.Options{Dir: filepath.Join(dir, "store"), Log: quiet()})
	if err != nil {
		return err
	}
	g.closers = append(g.closers, g.store.Close)
	return nil
}

func (g *gateway) openLink() error {
	var err error
	if g.link, err = udp.New(linkName, udp.Config{Listen: "127.0.0.1:0"}, quiet()); err != nil {
		return err
	}
	if err := g.link.Listen(); err != nil {
		return err
	}
	g.closers = append(g.closers, g.link.Close)
	return nil
}

func (g *gateway) openHub(devices int) error {
	kek, err := store.NewKEK(make([]byte, 32))
	if err != nil {
		return err
	}
	product, err := benchProduct()
	if err != nil {
		return err
	}
	g.hub, err = hub.New(hub.Options{
		Gateway: gatewayID, Store: g.store, KEK: kek, Clock: clock{}, Log: quiet(),
		Links: []hub.Link{{Name: linkName, Bearer: g.link.Bearer(), Ack: hub.AckAlways, Transport: g.link}},
		FleetKeys: []fleet.FleetKey{{
			ID: fleetKeyID, Key: fleetSecret, First: firstNumber, Last: firstNumber + uint32(devices), //nolint:gosec // far below 2^32
			Product: product.Name, Customer: "acme", Name: "dev-{number}", CTRBits: counterBits, TagLen: 8, Register: fleet.RegisterAuto,
			Template: fleet.TemplateHash(product.Template.Hash()),
		}},
		Products:  []hub.Product{product},
		Retention: hub.Retention{Frames: 365 * 24 * time.Hour, Quarantine: 30 * 24 * time.Hour},
	})
	return err
}

func benchProduct() (hub.Product, error) {
	t, err := codec.NewTemplate(codec.Timing{}, []codec.Field{
		{ID: 1, Name: "battery", Unit: "V", Scale: codec.Decimal{Coef: 1, Exp: -2}, Offset: 250, Width: 8},
	})
	return hub.Product{Name: productName, Template: t}, err
}

func (g *gateway) openStream(ctx context.Context, dir string) error {
	stream, done, err := openStream(dir)
	if err != nil {
		return err
	}
	g.stream = &countingStream{JetStream: stream}
	g.closers = append(g.closers, func() error { done(); return nil })
	g.publisher, err = publish.New(publish.Options{Store: g.store, Stream: g.stream, Log: quiet(), Now: time.Now})
	if err != nil {
		return err
	}
	_, err = g.publisher.Reconcile(ctx)
	return err
}

// openStream starts a server in this process and returns a stream on it.
func openStream(dir string) (stream *publish.JetStream, done func(), err error) {
	server, err := publish.StartEmbedded(publish.EmbeddedOptions{Dir: filepath.Join(dir, "stream")})
	if err != nil {
		return nil, nil, err
	}
	stop := func() {
		server.Shutdown()
		server.WaitForShutdown()
	}
	conn, err := publish.ConnectEmbedded(server, gatewayID)
	if err != nil {
		stop()
		return nil, nil, err
	}
	done = func() {
		conn.Close()
		stop()
	}
	stream, err = publish.NewJetStream(conn, publish.JetStreamOptions{Gateway: gatewayID, MaxAge: 24 * time.Hour})
	if err != nil {
		done()
		return nil, nil, err
	}
	return stream, done, nil
}

// task is a part that runs.
type task struct {
	cancel context.CancelFunc
	done   chan error
}

// start runs a part until stop.
func start(ctx context.Context, run func(context.Context) error) *task {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	t := &task{cancel, make(chan error, 1)}
	go func() { t.done <- run(ctx) }()
	return t
}

func (t *task) stop() error {
	t.cancel()
	return t.wait()
}

func (t *task) wait() error {
	defer t.cancel()
	return <-t.done
}

// run starts everything.
func (g *gateway) run(ctx context.Context) {
	g.resume(ctx)
	g.take(ctx)
}

// take runs what takes frames in.
func (g *gateway) take(ctx context.Context) {
	g.intake = []*task{
		start(ctx, func(ctx context.Context) error { return g.link.Run(ctx, g.hub) }),
		start(ctx, g.hub.Run),
	}
}

// pause stops the publisher, resume starts it.
func (g *gateway) pause() error {
	t := g.outgoing
	if t == nil {
		return nil
	}
	g.outgoing = nil
	return t.stop()
}

func (g *gateway) resume(ctx context.Context) { g.outgoing = start(ctx, g.publisher.Run) }

// close ends what runs and closes everything.
func (g *gateway) close() error {
	var errs []error
	for _, t := range g.intake {
		errs = append(errs, t.stop())
	}
	errs = append(errs, g.pause())
	for i := len(g.closers) - 1; i >= 0; i-- {
		errs = append(errs, g.closers[i]())
	}
	g.closers, g.intake = nil, nil
	return errors.Join(errs...)
}

// stored is the number of frames that the hub has stored.
func (g *gateway) stored() int {
	n := uint64(0)
	for _, l := range g.hub.Links() {
		n += l.Stored
	}
	return int(n)
}

// published waits until every durable event is confirmed by the stream, as long as there is progress.
func (g *gateway) published(ctx context.Context) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	least := uint64(math.MaxUint64)
	limit := time.Now().Add(stuckAfter)
	for {
		pending := g.publisher.Stats().Pending
		switch {
		case pending == 0:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case pending < least:
			least, limit = pending, time.Now().Add(stuckAfter)
		case time.Now().After(limit):
			return fmt.Errorf("wait for the stream: %d events are not out, and none was for %s: %w", pending, stuckAfter, cmp.Or(g.publisher.Ready(), errStuck))
		}
		<-tick.C
	}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
