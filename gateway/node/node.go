package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/godwit-gateway/godwit/gateway/config"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/publish"
	"github.com/godwit-gateway/godwit/gateway/store"
)

// Grace periods of the stages when the gateway stops.
const (
	graceAPI        = 5 * time.Second
	graceTransports = 20 * time.Second // a modem finishes the message in hand
	graceHub        = 20 * time.Second
	gracePublisher  = 15 * time.Second
)

// A Node is a whole gateway, put together and not yet running.
type Node struct {
	cfg       *config.Config
	log       *slog.Logger
	store     *store.Store
	events    *events
	hub       *hub.Hub
	publisher *publish.Publisher
	links     []*wired
	api       *server
	probe     probe
	copies    *checkpoints
	revived   atomic.Uint64 // starts of the embedded server after the first

	once   sync.Once
	closed error
}

// clock is the system's.
type clock struct{}

// Now implements hub.Clock.
func (clock) Now() time.Time { return time.Now() }

// New opens everything that the configuration names, brings the store and the stream to the same state, and takes the addresses that it
// listens on. After an error nothing is left open; after success Run must follow, or Close.
func New(ctx context.Context, cfg *config.Config, log *slog.Logger) (*Node, error) {
	n := &Node{cfg: cfg, log: log}
	if err := n.open(ctx); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

func (n *Node) open(ctx context.Context) error {
	if err := os.MkdirAll(n.cfg.Gateway.StateDir, 0o700); err != nil {
		return fmt.Errorf("make the state folder: %w", err)
	}
	var err error
	n.store, err = store.Open(store.Options{
		Dir: StoreDir(n.cfg), Log: n.log, CommitTimeout: n.cfg.Store.CommitTimeout,
	})
	if err != nil {
		return withHint("open the store", err)
	}
	if n.copies, err = newCheckpoints(n.cfg.Gateway.StateDir, n.store, n.log); err != nil {
		return err
	}
	kek, err := n.kek()
	if err != nil {
		return withHint("load the key-encryption key", err)
	}
	if n.links, err = wireLinks(n.cfg, n.log); err != nil {
		return err
	}
	fleetKeys, products := n.cfg.HubKeys(), n.cfg.Products
	n.hub, err = hub.New(hub.Options{
		Gateway: n.cfg.Gateway.ID, Store: n.store, KEK: kek, Clock: clock{}, Log: n.log, Links: hubLinks(n.cfg, n.links),
		FleetKeys: fleetKeys, Products: products, Schedule: n.cfg.HubSchedule(), ByHand: n.cfg.HubByHand(),
		Gap: n.cfg.Rollout.ContactGap, Repeat: n.cfg.Rollout.Repeat,
		Retention: hub.Retention{Frames: n.cfg.Retention.Frames, Quarantine: n.cfg.Retention.Quarantine},
	})
	if err != nil {
		return fmt.Errorf("load the devices: %w", err)
	}
	if restored, err := n.hub.Restored(ctx); err != nil {
		return fmt.Errorf("the store is a backup: %w", err)
	} else if restored {
		n.log.Warn("store is a backup: each device that joins is challenged, downlink counters and epochs go on above what may have been used")
	}
	if fresh, err := n.hub.LossAccepted(ctx); err != nil {
		return fmt.Errorf("accept the loss: %w", err)
	} else if fresh {
		n.log.Warn("loss was accepted: each device must join and prove that it is there before a frame of it is taken")
	}
	if err := n.openEvents(ctx); err != nil {
		return err
	}
	for _, l := range n.links {
		if err := l.listen(); err != nil {
			return err
		}
	}
	n.api, err = n.newServer()
	return err
}

// StoreDir is the folder of the store.
func StoreDir(cfg *config.Config) string { return filepath.Join(cfg.Gateway.StateDir, "store") }

// StreamDir is the folder of the embedded server's streams.
func StreamDir(cfg *config.Config) string { return filepath.Join(cfg.Gateway.StateDir, "stream") }

// kek loads the key-encryption key, and makes it where there is no device key yet that another one has wrapped.
func (n *Node) kek() (*store.KEK, error) {
	create := n.store.Created()
	if !create && store.KEKIsFile(n.cfg.Store.KEKFile) {
		if _, err := os.Stat(n.cfg.Store.KEKFile); errors.Is(err, os.ErrNotExist) {
			counts, err := n.store.KeyCounts()
			if err != nil {
				return nil, err
			}
			create = counts["keys"] == 0
		}
	}
	return store.LoadKEK(n.cfg.Store.KEKFile, create)
}

// withHint adds what an operator can do about an error of the store.
func withHint(doing string, err error) error {
	if hint := store.Hint(err); hint != "" {
		return fmt.Errorf("%s: %w (%s)", doing, err, hint)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// Run runs the gateway until ctx is done, or a part of it that cannot be restarted ends, and closes it. Nil: it was stopped and everything
// that it had taken is on disk. started is called once it listens.
func (n *Node) Run(ctx context.Context, started func()) error {
	err := run(ctx,
		stage{"publisher", gracePublisher, n.runPublisher},
		stage{"hub", graceHub, n.hub.Run},
		stage{"transports", graceTransports, func(ctx context.Context) error { return runTransports(ctx, n.runners(), n.hub, n.log) }},
		stage{"api", graceAPI, func(ctx context.Context) error { return n.api.run(ctx, func() { n.announce(); started() }) }},
	)
	if errors.Is(err, errStuck) {
		return err // closing the store under a stage that still works would be worse than leaving it
	}
	return errors.Join(err, n.Close())
}

func (n *Node) announce() {
	attrs := []any{slog.String("gateway", n.cfg.Gateway.ID), slog.String("api", n.api.address())}
	for _, l := range n.links {
		attrs = append(attrs, slog.String("link_"+l.name, l.address()))
	}
	n.log.Info("gateway is ready", attrs...)
}

// Close closes what New opened, for a node that is not going to run. Run does it by itself.
func (n *Node) Close() error {
	n.once.Do(func() { n.closed = n.close() })
	return n.closed
}

// close leaves the fields as they are: probes still look at them.
func (n *Node) close() error {
	var errs []error
	if n.api != nil {
		errs = append(errs, n.api.close())
	}
	n.probe.close() // its question looks at the hub and the publisher, which work on what is closed next
	for _, l := range n.links {
		errs = append(errs, l.close())
	}
	if n.events != nil {
		n.events.close()
	}
	if n.store != nil {
		errs = append(errs, n.store.Close())
	}
	return errors.Join(errs...)
}

// Hub is the data path, for programs that embed a gateway.
func (n *Node) Hub() *hub.Hub { return n.hub }

// LinkAddress is where a link listens, or its serial line; "" where there is no such link.
func (n *Node) LinkAddress(name string) string {
	for _, l := range n.links {
		if l.name == name {
			return l.address()
		}
	}
	return ""
}

// APIAddress is where the API listens.
func (n *Node) APIAddress() string { return n.api.address() }

func (n *Node) runners() []*runner {
	rs := make([]*runner, len(n.links))
	for i, l := range n.links {
		rs[i] = &l.runner
	}
	return rs
}
