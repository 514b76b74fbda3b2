package streammodel

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/gateway/publish"
	"github.com/godwit-gateway/godwit/gateway/store"
)

// ErrTold is what the model says when it was told to fail.
var ErrTold = errors.New("told to fail")

// A Fault is what the next publishing meets.
type Fault int

// Faults. FaultCount is how many there are.
const (
	FaultNone      Fault = iota // nothing
	FaultNotDone                // a time-out, and nothing was written
	FaultDone                   // a time-out, and it was written
	FaultLate                   // a time-out, and it is written at some time later, if it still fits
	FaultDuplicate              // the ids are taken for known, and nothing was written
	FaultRefused                // the expected last sequence is said to be wrong
	FaultCount
)

// Stream is a JetStream stream in memory that tests damage. It belongs to one goroutine.
type Stream struct {
	State
	Exists bool
	Server string          // id of the server
	IDs    map[string]bool // remembered, whatever becomes of the messages
	Next   Fault           // what the next publishing meets
	Down   bool            // nothing answers

	MaxAge  time.Duration // that the stream says of itself
	Limited bool          // likewise

	Read map[store.Chain]bool // events that were read from the stream; nil: nobody asks

	late []lateBatch
	now  func() time.Time
}

// A State is what a copy of the stream's files holds.
type State struct {
	Created  time.Time
	First    uint64
	Last     uint64
	Messages map[uint64]*publish.Message // nobody writes to one that is there
}

type lateBatch struct {
	messages []publish.Message
	last     uint64
}

// New is a server on which there is no stream.
func New(now func() time.Time) *Stream {
	return &Stream{Server: "S1", IDs: make(map[string]bool), Read: make(map[store.Chain]bool), now: now}
}

// Copy is what a backup of the files would hold.
func (s *State) Copy() State {
	c := *s
	c.Messages = maps.Clone(s.Messages)
	return c
}

// Info implements publish.Stream.
func (s *Stream) Info(context.Context) (publish.Info, error) {
	switch {
	case s.Down:
		return publish.Info{}, ErrTold
	case !s.Exists:
		return publish.Info{}, publish.ErrNoStream
	}
	return publish.Info{
		Created: s.Created, First: s.First, Last: s.Last, Messages: uint64(len(s.Messages)), Server: s.Server, MaxAge: s.MaxAge, Limited: s.Limited,
	}, nil
}

// Create implements publish.Stream.
func (s *Stream) Create(_ context.Context, first uint64) error {
	if s.Down || s.Exists {
		return ErrTold
	}
	s.State = State{Created: s.now(), First: first, Last: first - 1, Messages: make(map[uint64]*publish.Message)}
	s.Exists, s.IDs = true, make(map[string]bool)
	return nil
}

// Publish implements publish.Stream.
func (s *Stream) Publish(_ context.Context, messages []publish.Message, last uint64) error {
	f := s.Next
	s.Next = FaultNone
	switch {
	case s.Down || !s.Exists || f == FaultNotDone:
		return fmt.Errorf("%w: %w", publish.ErrDoubt, ErrTold)
	case f == FaultLate:
		s.late = append(s.late, lateBatch{slices.Clone(messages), last})
		return fmt.Errorf("%w: %w", publish.ErrDoubt, ErrTold)
	case f == FaultRefused || last != s.Last:
		return fmt.Errorf("%w: wrong last sequence: %d", publish.ErrDoubt, s.Last)
	case f == FaultDuplicate:
		for _, m := range messages {
			s.IDs[m.ID] = true
		}
	}
	for _, m := range messages {
		if s.IDs[m.ID] {
			return fmt.Errorf("%w: %w", publish.ErrDoubt, publish.ErrDuplicate)
		}
	}
	messages = slices.Clone(messages)
	for i := range messages {
		s.put(&messages[i])
	}
	if f == FaultDone {
		return fmt.Errorf("%w: %w", publish.ErrDoubt, ErrTold)
	}
	return nil
}

// put keeps a message, which is the stream's from now on. Its bytes are not copied: nobody writes to what the outbox once gave out.
func (s *Stream) put(m *publish.Message) {
	s.Last++
	m.Sequence = s.Last
	s.Messages[s.Last] = m
	s.IDs[m.ID] = true
}

// Arrive lets what was late be written, or not.
func (s *Stream) Arrive() {
	for _, b := range s.late {
		if s.Exists && b.last == s.Last {
			_ = s.Publish(context.Background(), b.messages, b.last)
		}
	}
	s.late = nil
}

// Get implements publish.Stream.
func (s *Stream) Get(_ context.Context, sequence uint64) (publish.Message, error) {
	m, ok := s.Messages[sequence]
	switch {
	case s.Down || !s.Exists:
		return publish.Message{}, ErrTold
	case !ok:
		return publish.Message{}, publish.ErrNoMessage
	}
	s.read(m)
	return *m, nil
}

// Range implements publish.Stream.
func (s *Stream) Range(_ context.Context, from uint64, n int) ([]publish.Message, error) {
	if s.Down || !s.Exists {
		return nil, ErrTold
	}
	from = max(from, s.First)
	if from > s.Last {
		return nil, nil
	}
	out := make([]publish.Message, 0, min(uint64(n), s.Last-from+1)) //nolint:gosec // not negative
	for k := from; k <= s.Last && len(out) < n; k++ {
		if m, ok := s.Messages[k]; ok {
			out = append(out, *m)
			s.read(m)
		}
	}
	return out, nil
}

func (s *Stream) read(m *publish.Message) {
	if s.Read != nil {
		s.Read[m.Chain] = true
	}
}

// Watch implements publish.Stream.
func (s *Stream) Watch(ctx context.Context, _ func()) { <-ctx.Done() }

// LoseTail forgets the last n messages, as a server does that had not synced them.
func (s *Stream) LoseTail(n uint64) {
	for ; n > 0 && s.Last >= s.First && s.Last > 0; n-- {
		delete(s.Messages, s.Last)
		s.Last--
	}
}

// Purge removes all messages before a sequence.
func (s *Stream) Purge(before uint64) {
	before = min(before, s.Last+1)
	for ; s.First < before; s.First++ {
		delete(s.Messages, s.First)
	}
}

// Expire is Purge for what is older than MaxAge: its ids are forgotten too, for a server remembers them for minutes.
func (s *Stream) Expire(before uint64) {
	for seq := s.First; seq < min(before, s.Last+1); seq++ {
		if m, ok := s.Messages[seq]; ok {
			delete(s.IDs, m.ID)
			delete(s.Read, m.Chain)
		}
	}
	s.Purge(before)
}

// Cut makes the server another one, as it is seen from outside after its power failed: what was on its way is gone.
func (s *Stream) Cut() {
	s.Server, s.late = s.Server+"'", nil
}

// Restart is Cut, and the ids of what is gone are forgotten too.
func (s *Stream) Restart() {
	s.Cut()
	clear(s.IDs)
	for _, m := range s.Messages {
		s.IDs[m.ID] = true
	}
}

// Foreign appends what another program might.
func (s *Stream) Foreign(n int) {
	for range n {
		s.put(&publish.Message{Subject: "godwit.v1.gw1.event.x", ID: fmt.Sprintf("foreign %d %s", s.Last, s.Server), Payload: []byte("?")})
	}
}
