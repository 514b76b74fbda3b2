package publish

import (
	"context"
	"errors"
	"time"

	"github.com/godwit-gateway/godwit/gateway/store"
)

// Errors of a stream.
var (
	ErrNoStream  = errors.New("stream does not exist")
	ErrNoMessage = errors.New("stream has no such message")
	ErrDoubt     = errors.New("it is not known what the stream took") // also: the stream refused, as its end is elsewhere
	ErrDuplicate = errors.New("stream remembers the message id")      // which is no proof that it still has the message
	ErrNotOurs   = errors.New("stream of this name cannot hold the gateway's events")
	ErrServerOld = errors.New("nats-server is too old")
)

// A Message is an event on the stream.
type Message struct {
	Sequence  uint64 // of the stream
	ID        string // Nats-Msg-Id: the event's id, and ";r" and a number if it was published again after a loss
	Subject   string
	Frame     string // number.epoch.counter.hash
	Publisher string // of the store that wrote it, in hex; "" if it was not a gateway
	Oseq      uint64 // number in that store's outbox
	Chain     store.Chain
	ReplayOf  uint64 // number of the event that this fills the place of, and Oseq is 0; 0 in all others
	Payload   []byte
}

// event reports whether the message is an event in its order: not one that fills a hole, not another writer's.
func (m *Message) event() bool { return m.Publisher != "" && m.Oseq != 0 && m.ReplayOf == 0 }

// Info is what a stream says of itself.
type Info struct {
	Created  time.Time
	First    uint64 // sequence of the first message, Last+1 if there is none
	Last     uint64
	Messages uint64
	MaxAge   time.Duration // messages are dropped after that; 0: never
	Limited  bool          // the oldest messages are dropped for their number or size
	Server   string        // id of the server
}

// A Stream is the border to JetStream. One implementation speaks to a server; the other is the model that tests and simulations damage.
type Stream interface {
	// Info describes the stream; ErrNoStream if there is none.
	Info(ctx context.Context) (Info, error)

	// Create makes the stream. The first message will have the sequence first.
	Create(ctx context.Context, first uint64) error

	// Publish appends all messages or none, after the message whose sequence is last. Nil means that they are on disk with the sequences
	// last+1 and up. Any error means that it is not known: the caller must look.
	Publish(ctx context.Context, messages []Message, last uint64) error

	// Get reads one message; ErrNoMessage if it is gone. It shows every message that Publish has confirmed.
	Get(ctx context.Context, sequence uint64) (Message, error)

	// Range reads up to n messages from a sequence on, in order. Missing ones are passed over. In a cluster it may show an earlier state.
	Range(ctx context.Context, from uint64, n int) ([]Message, error)

	// Watch calls changed whenever the way to the stream was lost or has come back, until ctx is done.
	Watch(ctx context.Context, changed func())
}
