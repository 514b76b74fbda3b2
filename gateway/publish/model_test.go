package publish_test

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

// errModel is what the model says when it was told to fail.
var errModel = errors.New("told to fail")

// A fault is what the next publishing meets.
type fault int

const (
	faultNone      fault = iota
	faultNotDone         // a time-out, and nothing was written
	faultDone            // a time-out, and it was written
	faultLate            // a time-out, and it is written at some time later, if it still fits
	faultDuplicate       // the ids are taken for known, and nothing was written
	faultRefused         // the expected last sequence is said to be wrong
	faultCount
)

// modelStream is a JetStream stream in memory that tests damage. It belongs to one goroutine.
type modelStream struct {
	state
	exists bool
	server string
	ids    map[string]bool // remembered, whatever becomes of the messages
	next   fault
	down   bool // nothing answers

	maxAge  time.Duration
	limited bool

	late []lateBatch
	read map[store.Chain]bool // events that were read from the stream
	now  func() time.Time
}

// state is what a copy of the stream's files holds.
type state struct {
	created  time.Time
	first    uint64
	last     uint64
	messages map[uint64]publish.Message
}

type lateBatch struct {
	messages []publish.Message
	last     uint64
}

func newModelStream(now func() time.Time) *modelStream {
	return &modelStream{server: "S1", ids: make(map[string]bool), read: make(map[store.Chain]bool), now: now}
}

func (s *state) copy() state {
	c := *s
	c.messages = maps.Clone(s.messages)
	return c
}

// Info implements publish.Stream.
func (s *modelStream) Info(context.Context) (publish.Info, error) {
	switch {
	case s.down:
		return publish.Info{}, errModel
	case !s.exists:
		return publish.Info{}, publish.ErrNoStream
	}
	return publish.Info{
		Created: s.created, First: s.first, Last: s.last, Messages: uint64(len(s.messages)), Server: s.server, MaxAge: s.maxAge, Limited: s.limited,
	}, nil
}

// Create implements publish.Stream.
func (s *modelStream) Create(_ context.Context, first uint64) error {
	if s.down || s.exists {
		return errModel
	}
	s.state = state{created: s.now(), first: first, last: first - 1, messages: make(map[uint64]publish.Message)}
	s.exists, s.ids = true, make(map[string]bool)
	return nil
}

// Publish implements publish.Stream.
func (s *modelStream) Publish(_ context.Context, messages []publish.Message, last uint64) error {
	f := s.next
	s.next = faultNone
	switch {
	case s.down || !s.exists || f == faultNotDone:
		return fmt.Errorf("%w: %w", publish.ErrDoubt, errModel)
	case f == faultLate:
		s.late = append(s.late, lateBatch{slices.Clone(messages), last})
		return fmt.Errorf("%w: %w", publish.ErrDoubt, errModel)
	case f == faultRefused || last != s.last:
		return fmt.Errorf("%w: wrong last sequence: %d", publish.ErrDoubt, s.last)
	case f == faultDuplicate:
		for _, m := range messages {
			s.ids[m.ID] = true
		}
	}
	for _, m := range messages {
		if s.ids[m.ID] {
			return fmt.Errorf("%w: %w", publish.ErrDoubt, publish.ErrDuplicate)
		}
	}
	for _, m := range messages {
		s.put(m)
	}
	if f == faultDone {
		return fmt.Errorf("%w: %w", publish.ErrDoubt, errModel)
	}
	return nil
}

func (s *modelStream) put(m publish.Message) {
	s.last++
	m.Sequence, m.Payload = s.last, slices.Clone(m.Payload)
	s.messages[s.last] = m
	s.ids[m.ID] = true
}

// arrive lets what was late be written, or not.
func (s *modelStream) arrive() {
	for _, b := range s.late {
		if s.exists && b.last == s.last {
			_ = s.Publish(context.Background(), b.messages, b.last)
		}
	}
	s.late = nil
}

// Get implements publish.Stream.
func (s *modelStream) Get(_ context.Context, sequence uint64) (publish.Message, error) {
	m, ok := s.messages[sequence]
	switch {
	case s.down || !s.exists:
		return publish.Message{}, errModel
	case !ok:
		return publish.Message{}, publish.ErrNoMessage
	}
	s.read[m.Chain] = true
	return m, nil
}

// Range implements publish.Stream.
func (s *modelStream) Range(_ context.Context, from uint64, n int) ([]publish.Message, error) {
	if s.down || !s.exists {
		return nil, errModel
	}
	var out []publish.Message
	for _, k := range slices.Sorted(maps.Keys(s.messages)) {
		if k >= from && len(out) < n {
			out = append(out, s.messages[k])
			s.read[s.messages[k].Chain] = true
		}
	}
	return out, nil
}

// Watch implements publish.Stream.
func (s *modelStream) Watch(ctx context.Context, _ func()) { <-ctx.Done() }

// loseTail forgets the last n messages, as a server does that had not synced them.
func (s *modelStream) loseTail(n uint64) {
	for ; n > 0 && s.last >= s.first && s.last > 0; n-- {
		delete(s.messages, s.last)
		s.last--
	}
}

// purge removes all messages before a sequence.
func (s *modelStream) purge(before uint64) {
	before = min(before, s.last+1)
	for ; s.first < before; s.first++ {
		delete(s.messages, s.first)
	}
}

// restart forgets the ids of what is gone, and what was on its way.
func (s *modelStream) restart() {
	s.late = nil
	clear(s.ids)
	for _, m := range s.messages {
		s.ids[m.ID] = true
	}
	s.server += "'"
}

// foreign appends what another program might.
func (s *modelStream) foreign(n int) {
	for range n {
		s.put(publish.Message{Subject: "godwit.v1.gw1.event.x", ID: fmt.Sprintf("foreign %d %s", s.last, s.server), Payload: []byte("?")})
	}
}
