package publish

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/godwit-gateway/godwit/gateway/failpoint"
	"github.com/godwit-gateway/godwit/gateway/store"
)

// Limits of a batch. JetStream takes 1,000 messages.
const (
	batchMessagesMax = 1000
	batchBytesMax    = 512 << 10
)

// Errors that callers branch on.
var (
	ErrFenced    = errors.New("another gateway with this id writes to the stream: stop one of them")
	ErrStarting  = errors.New("the stream has not been looked at yet")
	ErrDiffering = errors.New("the outbox and the stream cannot be brought together")
)

// Options are what a publisher is made of.
type Options struct {
	Store  *store.Store
	Stream Stream
	Log    *slog.Logger
	Now    func() time.Time

	// Adopt takes over events that the stream has and the store does not, in order. It is called by the first Reconcile only, before anything
	// is accepted. Nil: such a stream is refused.
	// whole is false where events are missing before them or among them: the stream had dropped them.
	Adopt func(ctx context.Context, events []Message, whole bool) error

	// Keep is how long events stay in the outbox after they were published. Zero: 24 h.
	Keep time.Duration
}

// A Publisher brings the outbox onto the stream. Its Once methods are for one goroutine at a time; Stats and Ready are for any.
type Publisher struct {
	store  *store.Store
	stream Stream
	log    *slog.Logger
	now    func() time.Time
	adopt  func(ctx context.Context, events []Message, whole bool) error
	keep   time.Duration
	id     string

	meta    meta
	info    Info      // of the stream when it was looked at last
	last    uint64    // sequence of the stream's last message
	certain bool      // last is known: the stream was looked at since the last doubt
	started bool      // the first Reconcile is over
	looked  time.Time // when the stream was last seen to be as it should
	saved   time.Time // when the bookkeeping was last written
	trimmed time.Time // when Run last trimmed the outbox
	most    int       // events in the next batch
	refused uint64    // last event of a batch whose ids the stream claimed to know; 0: none
	noted   uint64    // events that fill holes are known up to this sequence
	foreign uint64    // messages of others that were reported
	settled settling  // what was confirmed long enough ago to be read back
	young   settling  // what comes next
	suspect atomic.Bool
	events  []store.Event
	read    []store.Place
	batch   []Message

	mu    sync.Mutex
	ready error // why events do not flow, nil if they do
	count counters
}

type counters struct {
	published, lost, adopted, replayed, verified, reconciles atomic.Uint64
	confirmed                                                atomic.Uint64
}

// Stats are a publisher's counters since it was made.
type Stats struct {
	Published  uint64 // events confirmed by the stream
	Lost       uint64 // confirmed events that the stream lost; published again
	Adopted    uint64 // events taken over from the stream
	Replayed   uint64 // events published again for holes
	Verified   uint64 // events read back
	Reconciles uint64
	Confirmed  uint64 // number of the last event on the stream
	Pending    uint64 // durable events that are not on the stream yet
}

// New returns a publisher. It does nothing until one of its methods is called.
func New(o Options) (*Publisher, error) {
	id := o.Store.ID()
	p := &Publisher{
		store: o.Store, stream: o.Stream, log: o.Log, now: o.Now, adopt: o.Adopt, keep: o.Keep, id: hex.EncodeToString(id[:]), ready: ErrStarting,
		most: batchMessagesMax,
	}
	if p.keep == 0 {
		p.keep = 24 * time.Hour
	}
	var err error
	if p.meta, err = loadMeta(o.Store); err != nil {
		return nil, err
	}
	p.count.confirmed.Store(p.meta.Confirmed)
	return p, nil
}

// Stats returns the counters.
func (p *Publisher) Stats() Stats {
	s := Stats{
		Published: p.count.published.Load(), Lost: p.count.lost.Load(), Adopted: p.count.adopted.Load(), Replayed: p.count.replayed.Load(),
		Verified: p.count.verified.Load(), Reconciles: p.count.reconciles.Load(), Confirmed: p.count.confirmed.Load(),
	}
	if durable := p.store.DurableEvents(); durable > s.Confirmed {
		s.Pending = durable - s.Confirmed
	}
	return s
}

// Ready is nil while events flow to the stream, else why they do not.
func (p *Publisher) Ready() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ready
}

func (p *Publisher) setReady(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ready = err
}

// PublishOnce publishes the next batch of events and returns how many. Zero and no error: there are none. On an error the stream is
// looked at again before the next batch: nothing is ever sent a second time blindly.
func (p *Publisher) PublishOnce(ctx context.Context) (int, error) {
	if err := p.look(ctx); err != nil {
		return 0, err
	}
	var err error
	p.events, err = p.store.Outbox(p.events[:0], p.meta.Confirmed+1, p.most, batchBytesMax)
	if err != nil {
		return 0, fmt.Errorf("read the outbox: %w", err)
	}
	if len(p.events) == 0 {
		return 0, nil
	}
	p.batch = p.batch[:0]
	for i := range p.events {
		if _, ok := p.meta.Filled[p.events[i].Seq]; !ok { // else it outlived the events around it
			p.batch = append(p.batch, p.message(&p.events[i]))
		}
	}
	n, until := len(p.events), p.events[len(p.events)-1].Seq
	if err := p.append(ctx, p.batch, until); err != nil {
		// A server whose disk is full keeps a file open for each batch that it could not write, until its process ends. A single event needs no
		// file of its own, so that is what asks whether it takes events again.
		p.most = 1
		return 0, fmt.Errorf("publish %d events to %d: %w", n, until, err)
	}
	p.most = min(2*p.most, batchMessagesMax)
	p.confirm(until)
	failpoint.Pass(failpoint.Confirmed)
	p.meta.end(p.last)
	p.count.published.Add(uint64(len(p.batch)))
	return n, p.save(false)
}

// append puts messages at the stream's end. Oseq is the last event among them.
func (p *Publisher) append(ctx context.Context, messages []Message, oseq uint64) error {
	if len(messages) == 0 {
		return nil
	}
	if err := p.stream.Publish(ctx, messages, p.last); err != nil {
		if errors.Is(err, ErrDuplicate) {
			p.refused = oseq
		}
		p.doubt(err)
		return err
	}
	p.last += uint64(len(messages))
	return nil
}

// saveEvery bounds how often the bookkeeping is written while events flow: all that moves then can be found anew from the stream.
const saveEvery = time.Second

func (p *Publisher) save(now bool) error {
	if t := p.now(); now || t.Sub(p.saved) >= saveEvery {
		p.saved = t
		return p.meta.save(p.store, now)
	}
	return nil
}

// lookEvery is how often a publisher makes sure that the stream is still there and as it left it.
const lookEvery = 10 * time.Second

// look reconciles if there is doubt, and makes sure now and then that there is none.
func (p *Publisher) look(ctx context.Context) error {
	if p.suspect.Swap(false) {
		p.certain = false
	}
	if p.certain && p.now().Sub(p.looked) >= lookEvery {
		info, err := p.stream.Info(ctx)
		if err != nil || !p.unchanged(&info) {
			p.certain = false
		}
		p.looked = p.now()
	}
	if p.certain {
		return nil
	}
	_, err := p.Reconcile(ctx)
	return err
}

// unchanged reports whether the stream is as it was left.
func (p *Publisher) unchanged(i *Info) bool {
	return i.Last == p.last && i.First == p.info.First && i.Server == p.info.Server && i.Created.Equal(p.info.Created)
}

// Suspect makes the publisher look at the stream before it goes on, as after a reconnect. Safe for concurrent use.
func (p *Publisher) Suspect() { p.suspect.Store(true) }

func (p *Publisher) confirm(oseq uint64) {
	p.meta.Confirmed = oseq
	p.count.confirmed.Store(oseq)
}

// doubt makes the next step look at the stream first.
func (p *Publisher) doubt(err error) {
	p.certain = false
	p.setReady(err)
}

func (p *Publisher) message(e *store.Event) Message {
	m := Message{ID: e.ID, Subject: e.Subject, Frame: e.Frame, Publisher: p.id, Oseq: e.Seq, Chain: e.Chain, Payload: e.Payload}
	if e.Seq <= p.meta.ReplayTo {
		m.ID = replayID(e.ID, p.meta.Replay)
	}
	return m
}

// replayID is the message id of an event that is published again: the stream may still remember the id of a message that it lost. The event's
// own id, in its body, stays what it is.
func replayID(id string, generation uint64) string {
	return id + ";r" + strconv.FormatUint(generation, 10)
}
