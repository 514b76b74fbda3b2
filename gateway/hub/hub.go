package hub

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/audit"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/rollout"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/transports"
)

// ErrFatal is wrapped by errors after which the process must end: what is in memory and what is on disk may differ.
var ErrFatal = errors.New("fatal")

// ErrClosed is returned for work that arrives after the hub stopped.
var ErrClosed = errors.New("hub is closed")

// A Clock tells the time. Timers are not its business: work that is due later is named by its time.
type Clock interface{ Now() time.Time }

// An AckPolicy says when verified frames of a link are acknowledged to the device.
type AckPolicy uint8

// Policies. Asked is the choice where each message is paid for.
const (
	AckNever AckPolicy = iota
	AckAsked
	AckAlways
)

// A Link is what the hub must know of a configured transport.
type Link struct {
	Name      string
	Bearer    transports.Bearer
	Ack       AckPolicy
	Metered   bool                 // each message is paid for
	Transport transports.Transport // for downlinks; nil if the link only receives
}

// link is a Link with what the hub counts about it.
type link struct {
	Link
	place int // in Hub.linkList
	count linkCounters
	ring  ring // guarded by Hub.mu
	weak  dayCount

	wakeup chan struct{}       // downlinks may have become due
	early  []transports.Report // on what the network has in hand, perhaps: it has no name yet; guarded by Hub.mu
}

// A Product is what devices of one kind have in common.
type Product struct {
	Name     string
	Template *codec.Template
	Releases map[uint8]string // version index of a keyframe -> software version
	// Deadbands are the changes, in steps of a field's scale and by its name, that a device need not report. They are a policy: the template
	// does not know them.
	Deadbands map[string]int64
}

// Options are what a hub is made of. All fields but FleetKeys and Products must be set.
type Options struct {
	Gateway   string // id, one token of a subject
	Store     *store.Store
	KEK       *store.KEK
	Clock     Clock
	Log       *slog.Logger
	Links     []Link
	FleetKeys []fleet.FleetKey
	Products  []Product
	Retention Retention
	Schedule  Schedule
	ByHand    ByHand        // who may offer updates without a rollout
	Gap       time.Duration // between frames that are two contacts with updated software; 0: a minute
	Repeat    time.Duration // until an offer that is not answered is repeated; 0: an hour

	// Inline commits each request in the goroutine that brings it, for a simulation that drives the hub single-threaded. Run is not
	// called then.
	Inline bool

	// Random fills b with random bytes; nil means crypto/rand.
	Random func(b []byte)
}

// Retention says how long things are kept.
type Retention struct {
	Frames     time.Duration
	Quarantine time.Duration
}

// A Hub is the data path. See the package documentation.
type Hub struct {
	gateway   string
	store     *store.Store
	kek       *store.KEK
	clock     Clock
	log       *slog.Logger
	links     map[string]*link
	linkList  []*link
	fleetKeys []fleet.FleetKey
	products  map[string]*Product
	templates map[fleet.TemplateHash]*templateView
	retention Retention
	checks    []uint64 // keys of the sessions without a payload that were booked last; guarded by mu

	queue    chan *request
	inline   bool
	random   func([]byte)
	closed   chan struct{} // closed when Run returned
	requests sync.Pool
	commits  Histogram // seconds of synced commits

	// mu guards what follows: the committer writes under Lock, readers look under RLock. No lock is held during a sync.
	mu          sync.RWMutex
	fleet       *fleet.Fleet
	routes      []route // by fleet.Index
	sets        reassembly
	fragments   fragments
	outgoing    outgoing
	register    bool                     // devices may register by themselves
	adopted     bool                     // the stream knew what the store did not
	inDoubt     bool                     // what the store had under way is looked at again at the first commit of Run
	starting    bool                     // a commit of what comes before Run is made
	forgot      bool                     // the store once was not the last one: what is new to it may be old
	disowned    bool                     // who is not known is heard after a join only
	rekeyed     map[uint32]int64         // by number: Unix milliseconds when the device was last told of a new epoch
	parked      map[uint32][]parkedFrame // by number, oldest first
	parkedCount int
	wholeAsked  map[uint32]time.Time   // by number, when a device was asked for a whole status because frames of it are parked
	pending     map[uint32][]keptFrame // by number, of devices that wait for approval
	core        *core.Core             // when devices speak, and what that costs
	changed     []change               // intervals that are to be told of
	tells       bool                   // devices are told when to speak
	currency    string                 // of plans
	budgets     []ledger.Budget        // replaced as a whole
	reloads     struct{ taken, refused atomic.Uint64 }
	book        audit.Chain // of authorisations
	byHandRule  ByHand
	rollouts    *rollout.Machine // updates

	// What follows belongs to the committer alone.
	commit  commit
	scratch scratch
	events  eventBuffer
	senders *senderLimits

	failures    *failureTable
	failureSeed failureSeed
}

// New reads the fleet from the store and returns a hub that is ready for CommitOnce or Run.
func New(o Options) (*Hub, error) {
	h := &Hub{
		gateway: o.Gateway, store: o.Store, kek: o.KEK, clock: o.Clock, log: o.Log, fleetKeys: o.FleetKeys, retention: o.Retention,
		links: make(map[string]*link), products: make(map[string]*Product), templates: make(map[fleet.TemplateHash]*templateView),
		queue: make(chan *request, queueLen), closed: make(chan struct{}), fleet: fleet.New(), register: true, senders: newSenderLimits(), failures: new(failureTable), inline: o.Inline,
		pending: make(map[uint32][]keptFrame), parked: make(map[uint32][]parkedFrame), wholeAsked: make(map[uint32]time.Time), rekeyed: make(map[uint32]int64),
		random: o.Random, byHandRule: o.ByHand,
	}
	if h.random == nil {
		h.random = func(b []byte) { _, _ = rand.Read(b) } // never fails: it ends the process instead
	}
	h.failureSeed = drawFailureSeed(h.random)
	h.requests.New = func() any { return &request{done: make(chan struct{}, 1)} }
	for _, l := range o.Links {
		k := &link{Link: l, place: len(h.linkList), wakeup: make(chan struct{}, 1)}
		h.links[l.Name] = k
		h.linkList = append(h.linkList, k)
	}
	for i := range o.Products {
		p := &o.Products[i]
		h.products[p.Name] = p
		h.templates[fleet.TemplateHash(p.Template.Hash())] = newTemplateView(p.Template)
	}
	h.sets.init()
	h.fragments.init()
	h.outgoing.init()
	h.commit.init(h.store)
	if err := h.load(); err != nil {
		return nil, err
	}
	if err := h.openAudit(); err != nil {
		return nil, err
	}
	if err := h.openSchedule(o.Schedule); err != nil {
		return nil, err
	}
	if err := h.loadChecks(); err != nil {
		return nil, err
	}
	if err := h.openRollouts(rollout.Config{Gap: o.Gap, Repeat: o.Repeat}); err != nil {
		return nil, err
	}
	return h, nil
}

// request is a call of Uplinks, or an operation on the state, on its way through the committer.
type request struct {
	us      []transports.Uplink
	out     []transports.Verdict
	settled int                 // uplinks that are in a batch
	op      func(*commit) error // runs with mu held; must change nothing if it returns an error
	err     error
	done    chan struct{}
}

// Uplinks implements transports.Sink: it blocks until the synced batch that holds the uplinks is on disk.
func (h *Hub) Uplinks(ctx context.Context, us []transports.Uplink, out []transports.Verdict) error {
	if len(us) != len(out) {
		return fmt.Errorf("take %d uplinks: %d verdicts", len(us), len(out))
	}
	if len(us) == 0 {
		return nil
	}
	if err := h.store.Healthy(); err != nil {
		return fmt.Errorf("take uplinks: %w", err)
	}
	r := h.request()
	r.us, r.out = us, out
	return h.run(ctx, r)
}

func (h *Hub) request() *request {
	r, ok := h.requests.Get().(*request)
	if !ok {
		panic("hub: foreign value in the request pool")
	}
	return r
}

// do runs op in the committer and returns when what it wrote is on disk.
func (h *Hub) do(ctx context.Context, op func(*commit) error) error {
	r := h.request()
	r.op = op
	return h.run(ctx, r)
}

// run hands a request to the committer and waits. Once it is queued there is no way back: the committer reads the caller's payloads.
func (h *Hub) run(ctx context.Context, r *request) error {
	defer func() {
		*r = request{done: r.done}
		h.requests.Put(r)
	}()
	if ctx.Err() != nil { // else it would depend on luck whether it is begun
		return ctx.Err()
	}
	select {
	case h.queue <- r:
	case <-h.closed:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	for more := h.inline; more; more = len(h.commit.left) > 0 {
		if _, err := h.CommitOnce(ctx); err != nil && r.err == nil {
			r.err = err
		}
	}
	select {
	case <-r.done:
		return r.err
	case <-h.closed:
	}
	// Run has ended and answered what it took; it may have left this one.
	select {
	case <-r.done:
		return r.err
	default:
		return ErrClosed
	}
}

// Run commits until ctx is done, then what is still queued and what came of attempts that were under way, and transmits downlinks beside. It returns an error
// that wraps ErrFatal if the store did not take a batch.
func (h *Hub) Run(ctx context.Context) error {
	defer close(h.closed)
	var wg sync.WaitGroup
	stop, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, l := range h.linkList {
		if l.Transport != nil {
			wg.Go(func() { h.transmit(stop, l) })
		}
	}
	wg.Go(func() { h.retain(stop) })
	wg.Go(func() { h.schedule(stop) })
	// The committer goes on until the other loops are gone: what came of an attempt and is not written down would count as one that may have left.
	gone, ended := context.WithCancel(context.WithoutCancel(ctx))
	go func() { <-stop.Done(); wg.Wait(); ended() }()
	err := h.commitLoop(gone)
	cancel()
	for { // after an error they may still wait for it
		select {
		case r := <-h.queue:
			r.err = ErrClosed
			r.done <- struct{}{}
		case <-gone.Done():
			return err
		}
	}
}

// commitLoop is the committer. Uplinks that were taken before ctx was done are committed, not dropped.
func (h *Hub) commitLoop(ctx context.Context) error {
	for {
		if _, err := h.CommitOnce(context.WithoutCancel(ctx)); err != nil {
			return err
		}
		if len(h.queue)+len(h.commit.left) > 0 {
			continue
		}
		select {
		case r := <-h.queue:
			h.commit.first = r
		case <-ctx.Done():
			if len(h.queue) == 0 {
				return nil
			}
		}
	}
}
