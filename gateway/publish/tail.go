package publish

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// TailOptions say which events to follow.
type TailOptions struct {
	From     uint64    // sequence on the stream to begin with; 0: only what comes from now on, or what Since says
	Since    time.Time // begin with what the stream took from then on; only if From is 0
	Subjects []string  // with the wildcards of NATS; none: all of the stream
}

// Limits of a follower.
const (
	tailBatch     = 256 // messages asked for at a time
	tailIdle      = time.Minute
	tailHeartbeat = 2 * time.Second // two missing: the consumer is gone
	tailPauseMin  = 100 * time.Millisecond
	tailPauseMax  = 5 * time.Second
)

// codeInvalidConfig is the server's error for a consumer that cannot be, which it counts as a failure of its own.
const codeInvalidConfig = 10052

// errAttachAgain ends one consumer so that the next takes over where it stopped.
var errAttachAgain = errors.New("follow again")

// Tail calls fn with the stream's messages in order, and waits for more, until ctx is done or fn returns an error, which Tail returns. While
// the server is away, or the stream, it goes on trying; it gives up when the connection is closed, or the server refuses the subjects.
//
// Neither a lost connection nor a restarted server leaves a gap or brings a message twice. If the stream itself was lost or set back and the
// events that it had were published again, those that fn has seen are passed over as far as tailMemory reaches. An event that was appended
// again for a hole (ReplayOf) is a message like any other.
func (s *JetStream) Tail(ctx context.Context, o TailOptions, fn func(Message) error) error {
	t := follower{stream: s, options: o, fn: fn, next: o.From, pause: tailPauseMin}
	for {
		switch err := t.attach(ctx); {
		case t.failed != nil:
			return t.failed
		case s.nc.IsClosed() && ctx.Err() == nil:
			return fmt.Errorf("follow the stream: %w", nats.ErrConnectionClosed)
		case refused(err) && ctx.Err() == nil:
			return fmt.Errorf("follow the stream: %w", err)
		case errors.Is(err, errAttachAgain) && ctx.Err() == nil:
			continue
		}
		if !pause(ctx, t.pause) {
			return nil
		}
		t.pause = min(2*t.pause, tailPauseMax)
	}
}

// refused reports whether the server will never do what it was asked, as with a subject that is none.
func refused(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && (api.Code == http.StatusBadRequest || api.ErrorCode == codeInvalidConfig)
}

// A follower is one call of Tail. It makes a consumer of its own whenever there is doubt about the last: one that keeps nothing on disk and
// wants no acknowledgements, whose deliveries are numbered without gaps.
type follower struct {
	stream  *JetStream
	options TailOptions
	fn      func(Message) error
	failed  error // what fn said
	next    uint64
	pause   time.Duration
	begun   bool // next says where to go on; Since is over
	last    Message
	memory  memory
}

// attach follows with one consumer. It returns when that cannot be trusted any more.
func (t *follower) attach(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer t.stream.watch(func() { cancel(errAttachAgain) })()
	if err := t.position(ctx); err != nil {
		return err
	}
	config := jetstream.ConsumerConfig{
		AckPolicy: jetstream.AckNonePolicy, MaxDeliver: 1, MemoryStorage: true, Replicas: 1, InactiveThreshold: tailIdle,
		FilterSubjects: t.options.Subjects, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: t.next,
	}
	if !t.begun && t.next == 0 {
		config.DeliverPolicy, config.OptStartSeq, config.OptStartTime = jetstream.DeliverByStartTimePolicy, 0, &t.options.Since
	}
	create, done := context.WithTimeout(ctx, requestTimeout)
	defer done()
	consumer, err := t.stream.js.CreateConsumer(create, t.stream.name, config)
	if err != nil {
		return cause(ctx, fmt.Errorf("make a consumer: %w", err))
	}
	defer t.stream.forget(consumer.CachedInfo().Name)
	messages, err := consumer.Messages(jetstream.PullMaxMessages(tailBatch), jetstream.PullExpiry(10*tailHeartbeat),
		jetstream.PullHeartbeat(tailHeartbeat), jetstream.WithMessagesErrOnMissingHeartbeat(true))
	if err != nil {
		return cause(ctx, fmt.Errorf("ask for messages: %w", err))
	}
	defer messages.Stop()
	return t.follow(ctx, messages)
}

// cause is why ctx ended, else err.
func cause(ctx context.Context, err error) error {
	if c := context.Cause(ctx); c != nil {
		return c
	}
	return err
}

// forget removes a consumer. If that fails the server does it when nobody has asked for a while.
func (s *JetStream) forget(consumer string) {
	if s.nc.IsConnected() {
		_ = s.nc.Publish("$JS.API.CONSUMER.DELETE."+s.name+"."+consumer, nil)
	}
}

// position decides where the next consumer begins. What was handed over last must be where it was, or the stream is another one: then
// everything is looked through for what was not seen.
func (t *follower) position(ctx context.Context) error {
	switch {
	case !t.begun && (t.next != 0 || !t.options.Since.IsZero()):
		return nil
	case !t.begun:
		return t.end(ctx)
	case t.last.Sequence == 0:
		return nil
	}
	info, err := t.stream.Info(ctx)
	if err != nil {
		return cause(ctx, err)
	}
	if t.last.Sequence < info.First {
		return nil // it is too old to be there
	}
	m, err := t.stream.Get(ctx, t.last.Sequence)
	if err != nil && !errors.Is(err, ErrNoMessage) {
		return cause(ctx, err)
	}
	if err != nil && t.last.Sequence > info.Last || err == nil && (m.Chain != t.last.Chain || m.ID != t.last.ID) {
		t.next = max(1, info.First)
	}
	return nil
}

// end begins after the stream's last message, which is remembered as seen. Without a stream all that comes is new.
func (t *follower) end(ctx context.Context) error {
	info, err := t.stream.Info(ctx)
	if errors.Is(err, ErrNoStream) {
		t.begun, t.next = true, 1
	}
	if err != nil {
		return cause(ctx, err)
	}
	if info.Messages > 0 {
		m, err := t.stream.Get(ctx, info.Last)
		if err != nil && !errors.Is(err, ErrNoMessage) {
			return cause(ctx, err)
		}
		t.last = m
		t.memory.seen(&m)
	}
	t.begun, t.next = true, info.Last+1
	return nil
}

// follow hands over what the consumer delivers for as long as its numbers have no gap.
func (t *follower) follow(ctx context.Context, messages jetstream.MessagesContext) error {
	for delivery := uint64(1); ; delivery++ {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return cause(ctx, fmt.Errorf("wait for a message: %w", err))
		}
		meta, err := msg.Metadata()
		if err != nil || meta.Sequence.Consumer != delivery {
			return errAttachAgain
		}
		m := parseMessage(msg.Subject(), meta.Sequence.Stream, msg.Headers(), msg.Data())
		seen := t.memory.seen(&m)
		if !seen {
			if t.failed = t.fn(m); t.failed != nil {
				return t.failed
			}
		}
		t.last, t.next, t.begun, t.pause = m, m.Sequence+1, true, tailPauseMin
	}
}

// watch calls changed once when the connection is lost or comes back. The function that it returns ends that.
func (s *JetStream) watch(changed func()) (stop func()) {
	status := s.nc.StatusChanged(nats.RECONNECTING, nats.CONNECTED, nats.CLOSED)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if _, ok := <-status; ok {
			changed()
		}
	}()
	return func() {
		s.nc.RemoveStatusListener(status) // closes it
		<-done
	}
}

// pause waits, and reports whether ctx is still alive.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// tailMemory is how many events a follower knows again.
const tailMemory = 8192

// A memory knows which events were handed over, by their numbers and their chain, so that the sequences of the stream may change.
type memory struct {
	publisher string
	low, high uint64 // numbers of the first and the last event
	events    []remembered
}

type remembered struct {
	oseq  uint64
	chain [16]byte
}

// seen reports whether an event was seen before, and remembers it.
func (k *memory) seen(m *Message) bool {
	if m.Publisher == "" || m.ReplayOf != 0 {
		return false
	}
	if k.events == nil || k.publisher != m.Publisher {
		k.publisher, k.low, k.high = m.Publisher, m.Oseq, m.Oseq-1
		k.events = make([]remembered, tailMemory)
	}
	slot := &k.events[m.Oseq%tailMemory]
	switch {
	case m.Oseq > k.high:
	case m.Oseq < k.low, slot.oseq > m.Oseq, slot.oseq == m.Oseq && slot.chain == m.Chain:
		return true
	}
	k.high = max(k.high, m.Oseq)
	*slot = remembered{m.Oseq, m.Chain}
	return false
}
