package world

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/publish"
	"github.com/godwit-gateway/godwit/gateway/publish/streammodel"
	"github.com/godwit-gateway/godwit/gateway/store"
)

// Pauses of the gateway's own work.
const (
	publishEvery  = 15 * time.Second
	tidyEvery     = time.Hour
	retainEvery   = 4 * time.Hour
	operatorEvery = 12 * time.Hour
	scheduleEvery = time.Minute
	rolloutEvery  = 10 * time.Minute // beside rollouts: what is weighed for them takes longer
	restartAfter  = 20 * time.Second // by whoever supervises the process
)

// gateway is a site: the process, when it runs, its disk and the stream.
type gateway struct {
	w      *world
	fs     *vfs.MemFS
	stream *streammodel.Stream
	rng    *rand.Rand // what the process draws
	up     bool
	losses int       // of a disk or a stream
	life   uint64    // of the process: appointments of an earlier one are void
	stays  time.Time // it is not started before

	store     *store.Store
	hub       *hub.Hub
	publisher *publish.Publisher

	copies []*vfs.MemFS // backups of the disk
	older  time.Time    // when the disk was last found to be an older copy
	looks  []look       // at downlinks, by the place of their link
	intake intake
	tap    *Recording // nil: nobody listens
}

func newGateway(w *world) *gateway {
	g := &gateway{w: w, rng: w.setup.stream(drawGateway), intake: intake{waiting: make(map[*Link][]arrival)}}
	g.fs = g.newDisk()
	g.stream = streammodel.New(g.Now)
	g.stream.MaxAge, g.stream.Read = w.setup.Stream, nil
	return g
}

// Now implements hub.Clock.
func (g *gateway) Now() time.Time { return g.w.now }

// fleetKeys let the devices of each group register by themselves.
func (g *gateway) fleetKeys() []fleet.FleetKey {
	keys := make([]fleet.FleetKey, 0, len(g.w.setup.Groups))
	for i := range g.w.setup.Groups {
		o := &g.w.setup.Groups[i]
		keys = append(keys, fleet.FleetKey{
			ID: fmt.Sprintf("k%d", i+1), Key: fleetSecret, First: o.First, Last: o.First + uint32(o.Count) - 1, Product: o.Product, Customer: cmp.Or(o.Customer, "acme"), //nolint:gosec // checked
			Name: "dev-{number}", CTRBits: o.Device.CTRBits, TagLen: o.Device.TagLen, Register: fleet.RegisterAuto,
			Template: fleet.TemplateHash(g.w.products[o.Product].Template.Hash()),
		})
	}
	return keys
}

// hubLinks are the links as the hub knows them.
func (g *gateway) hubLinks() []hub.Link {
	links := make([]hub.Link, 0, len(g.w.setup.Links))
	for i := range g.w.setup.Links {
		l := &g.w.setup.Links[i]
		links = append(links, hub.Link{Name: l.Name, Bearer: l.Bearer, Ack: l.Ack, Metered: l.Metered, Transport: &outlet{g, l}})
	}
	return links
}

// Gateway is the id of the gateway in each world.
const Gateway = "gw1"

var fleetSecret = [32]byte{1, 2, 3}

// start begins a process. After an error nothing is left open.
func (g *gateway) start() error {
	var err error
	if err = g.openStore(); err != nil {
		return err
	}
	if err = g.open(); err != nil {
		return errors.Join(err, g.store.Close())
	}
	g.up = true
	g.life++
	g.looks = make([]look, len(g.w.setup.Links)) // what an earlier process had planned is void
	g.every(g.w.setup.Publish, g.publish)
	g.every(tidyEvery, g.tidy)
	g.every(retainEvery, g.retain)
	g.every(operatorEvery, g.operate)
	switch {
	case len(g.w.setup.Rollouts) > 0:
		g.every(rolloutEvery, g.plan)
	case g.w.scheduled():
		g.every(scheduleEvery, g.plan)
	}
	g.transmit()
	return nil
}

func (g *gateway) openStore() (err error) {
	o := store.Options{
		Dir: "db", FS: g.fs, Now: g.Now, Log: g.w.setup.Log, MemTable: memTableCopied, Fatal: func(msg string) { g.w.fail(fmt.Errorf("%w: store: %s", ErrBroken, msg)) },
	}
	if !g.breakable() {
		o.MemTable, o.Volatile = memTable, true
	}
	g.store, err = store.Open(o)
	if err != nil {
		return fmt.Errorf("open the store: %w", err)
	}
	return nil
}

// open puts a process together as node does: the hub, what an operator said of the store, the first look at the stream.
func (g *gateway) open() error {
	kek, err := store.NewKEK(make([]byte, 32))
	if err != nil {
		return fmt.Errorf("key-encryption key: %w", err)
	}
	g.hub, err = hub.New(hub.Options{
		Gateway: Gateway, Store: g.store, KEK: kek, Clock: g, Log: g.w.setup.Log, Inline: true, Random: g.random, FleetKeys: g.fleetKeys(),
		Links: g.hubLinks(), Products: g.w.setup.Products,
		Schedule:  g.w.setup.schedule(),
		Retention: hub.Retention{Frames: g.w.setup.Keep, Quarantine: 30 * 24 * time.Hour},
	})
	if err != nil {
		return fmt.Errorf("load the hub: %w", err)
	}
	restored, err := g.hub.Restored(g.w.ctx)
	if err != nil {
		return fmt.Errorf("restored: %w", err)
	}
	lost, err := g.hub.LossAccepted(g.w.ctx)
	if err != nil {
		return fmt.Errorf("loss accepted: %w", err)
	}
	if restored || lost {
		g.older = g.w.now
	}
	g.publisher, err = publish.New(publish.Options{Store: g.store, Stream: g.events(), Log: g.w.setup.Log, Now: g.Now, Adopt: g.adopt})
	if err != nil {
		return fmt.Errorf("open the outbox: %w", err)
	}
	if _, err := g.publisher.Reconcile(g.w.ctx); err != nil {
		return fmt.Errorf("first look at the stream: %w", err)
	}
	return nil
}

func (g *gateway) random(b []byte) {
	for i := range b {
		b[i] = byte(g.rng.Uint32())
	}
}

func (g *gateway) adopt(ctx context.Context, found []publish.Message, whole bool) error {
	out := make([]hub.Published, len(found))
	for i := range found {
		out[i] = hub.Published{ID: found[i].ID, Frame: found[i].Frame, Payload: found[i].Payload}
	}
	g.older = g.w.now
	return g.hub.Adopt(ctx, out, whole)
}

// every repeats a work for as long as this process lives.
func (g *gateway) every(pause time.Duration, work func() error) {
	life := g.life
	var again func()
	again = func() {
		if !g.up || g.life != life {
			return
		}
		if err := work(); err != nil {
			g.w.fail(err)
			return
		}
		g.w.schedule.plan(g.w.now.Add(pause), again)
	}
	g.w.schedule.plan(g.w.now, again)
}

// publish brings the outbox onto the stream and reads it back, as far as the stream lets it.
func (g *gateway) publish() error {
	g.tap.note(g.w.now, workPublish, nil)
	for _, once := range []func(context.Context) (int, error){g.publisher.PublishOnce, g.publisher.VerifyOnce} {
		for {
			n, err := once(g.w.ctx)
			if errors.Is(err, publish.ErrFenced) || errors.Is(err, publish.ErrDiffering) {
				return fmt.Errorf("%w: %w", ErrBroken, err)
			}
			if n == 0 || err != nil {
				break // tried again later
			}
		}
	}
	if g.publisher.Ready() == nil && g.publisher.Stats().Pending == 0 {
		g.w.recovery.well(g.w.now, nil)
	}
	return nil
}

func (g *gateway) tidy() error {
	g.tap.note(g.w.now, workTidy, nil)
	if err := g.publisher.TrimOnce(); err != nil {
		return fmt.Errorf("trim the outbox: %w", err)
	}
	if g.stream.MaxAge > 0 {
		return g.w.follow()
	}
	return nil
}

func (g *gateway) retain() error {
	g.tap.note(g.w.now, workRetain, nil)
	if err := g.hub.RetainOnce(g.w.ctx); err != nil {
		return fmt.Errorf("retention: %w", err)
	}
	return nil
}

// accepted reports whether downlinks may go to an address of a device.
func accepted(d *fleet.Device, id string) bool {
	return slices.ContainsFunc(d.Addresses, func(a fleet.DeviceAddress) bool { return a.ID == id && a.Accepted })
}

// rekeysMost is how often an operator tells a silent device to begin a new epoch: most that do not answer are broken, and each try costs money. In worlds of
// faults there is no end, since each device has to be heard again.
const rekeysMost = 4

// operate is what an operator does twice a day, who knows which device has which card: the address of each is given to the gateway, again where a
// store is of before that; and a device that has been silent for too long is told to begin a new epoch. It may have one that the
// gateway has forgotten.
func (g *gateway) operate() error {
	for _, m := range g.w.fleet {
		if m.clone {
			continue // nobody knows of it
		}
		if !g.w.setup.Chaos && (!m.config.Stored || m.life.addressed == g.life) && g.w.now.Sub(m.life.taken) <= 2*m.interval()+operatorEvery {
			continue // an operator with many devices looks at those that need it
		}
		d, err := g.hub.Device(m.name())
		if err != nil {
			continue // not heard yet
		}
		for _, a := range m.airs {
			if !a.link.Keeps || accepted(&d, a.from.ID) {
				continue
			}
			if _, err := g.hub.GiveAddress(g.w.ctx, m.name(), string(a.link.Bearer), a.from.ID); err != nil {
				return fmt.Errorf("give an address: %w", err)
			}
		}
		m.life.addressed = g.life
		if g.w.now.Sub(d.LastSeen) > 2*m.interval()+operatorEvery && (g.w.setup.Chaos || m.life.rekeys < rekeysMost) {
			m.life.rekeys++
			_, _ = g.hub.Rekey(g.w.ctx, m.name(), m.awake()) // refused where one is under way
		}
	}
	g.transmit()
	return nil
}

// look is when a link's downlinks are to be looked at next.
type look struct {
	known bool      // they were looked at since the process began
	at    time.Time // zero: when the hub asks for it
}

// transmit makes the attempts that are due on all links, and comes back when the next ones are. As the loops of a gateway do, it looks at a link when the
// hub asks for that, and at the time that it named.
func (g *gateway) transmit() {
	for i := range g.w.setup.Links {
		name := g.w.setup.Links[i].Name
		for g.due(i, name) {
			wake, err := g.hub.TransmitOnce(g.w.ctx, name)
			if err != nil {
				g.w.fail(fmt.Errorf("transmit: %w", err))
				return
			}
			g.lookAt(i, wake)
		}
	}
}

// due reports whether a link is to be looked at now.
func (g *gateway) due(link int, name string) bool {
	l := g.looks[link]
	return g.hub.Woken(name) || !l.known || !l.at.IsZero() && !l.at.After(g.w.now)
}

// lookAt plans to look at a link, unless that is planned already for an earlier time.
func (g *gateway) lookAt(link int, at time.Time) {
	l := &g.looks[link]
	l.known = true
	if l.at.After(g.w.now) && !at.IsZero() && !l.at.After(at) {
		return
	}
	if l.at = at; !at.After(g.w.now) {
		return
	}
	life := g.life
	g.w.schedule.plan(at, func() {
		if g.up && g.life == life {
			g.transmit()
		}
	})
}

// breakable says that the disk has to know what was synced and what was not. Each sync copies its whole file then, so a world in which no power
// fails does without.
func (g *gateway) breakable() bool {
	return g.w.setup.Chaos || slices.ContainsFunc(g.w.setup.Incidents, func(in Incident) bool {
		return in.Kind == kindPower || in.Kind == kindBackup || in.Kind == kindRestored
	})
}

// newDisk is an empty disk.
func (g *gateway) newDisk() *vfs.MemFS {
	if g.breakable() {
		return vfs.NewCrashableMem()
	}
	return vfs.NewMem()
}

// Where each sync copies the files that are synced they are kept small; where it does not rows are kept near to each other.
const (
	memTableCopied = 256 << 10
	memTable       = 16 << 20
)

// stop ends the process in order. It is started again soon.
func (g *gateway) stop() {
	if !g.up {
		return
	}
	g.up = false
	g.intake.drop(g.w)
	if err := g.store.Close(); err != nil {
		g.w.fail(fmt.Errorf("close the store: %w", err))
	}
	g.w.schedule.plan(maxTime(g.w.now.Add(restartAfter), g.stays), g.restart)
}

// crash ends the process at once and leaves on disk what was synced, and by chance more. It is started again soon.
func (g *gateway) crash(unsynced int) {
	left := g.fs
	if g.up && g.breakable() {
		left = g.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: unsynced, RNG: rand.New(rand.NewPCG(g.w.setup.Seed, g.life))}) //nolint:gosec // repeatable
	}
	g.stop()
	g.fs = left
}

// restart starts the process, or tries again later: a stream that does not answer is no reason to give up.
func (g *gateway) restart() {
	if g.up || g.w.now.Before(g.stays) {
		return
	}
	switch err := g.start(); {
	case err == nil:
	case errors.Is(err, streammodel.ErrTold):
		g.w.schedule.plan(g.w.now.Add(restartAfter), g.restart)
	default:
		g.w.fail(fmt.Errorf("%w: the gateway does not start: %w", ErrBroken, err))
	}
}

func (g *gateway) close() error {
	if !g.up {
		return nil
	}
	g.up = false
	return g.store.Close()
}
