package idp

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/godwit-gateway/godwit/transports/mark"
)

// Bounds of what is remembered.
const (
	settledMax  = 8192 // ids in memory: some pages
	writtenMax  = 1000 // of these in the file, the newest
	idsMax      = 100  // in a call: they are part of its address
	forwardsMax = 256  // messages to terminals that are under way: the oldest are forgotten, and not cancelled
	forwardKept = 15 * 24 * time.Hour
)

// settledID is a message that the sink has settled and that the gateway may bring again.
type settledID struct {
	key    string
	latest time.Time
}

// A forward is a message to a terminal that the gateway has taken, until it says what became of it.
type forward struct {
	ID        uint64 `json:"id"`
	To        string `json:"to"`
	At        int64  `json:"at"`      // Unix seconds
	Expires   int64  `json:"expires"` // 0: never
	State     int    `json:"state"`
	Cancelled bool   `json:"cancelled,omitempty"` // the gateway was asked to
}

// state is what a transport knows, and keeps over a restart.
type state struct {
	file string
	put  func(path, text string) error // mark.Write

	mu       sync.Mutex // held while the file is written, so that it is never older than one written before
	loaded   bool
	mark     time.Time
	known    map[string]struct{}
	settled  []settledID // the same, oldest first
	statuses time.Time   // mark of statuses
	forwards []forward   // oldest first
}

// kept is the state as the file has it.
type kept struct {
	Mark     string    `json:"mark"`
	Settled  []string  `json:"settled"`
	Statuses string    `json:"statuses,omitempty"`
	Forwards []forward `json:"forwards,omitempty"`
}

// load reads the file, once. Without one the mark is since, and with one that makes no sense it is oldest: what is settled already comes again, and what is
// not comes at all. fresh says so. That mark is written down: the gateway may be off for longer than since looks back.
func (s *state) load(since, oldest time.Time) (fresh bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.loaded {
		return false, nil
	}
	text, err := mark.Read(s.file)
	if err != nil && !errors.Is(err, mark.ErrDamaged) {
		return false, err
	}
	var k kept
	if err == nil && text != "" {
		if err = json.Unmarshal([]byte(text), &k); err != nil {
			k = kept{}
		}
	}
	if err != nil {
		since = oldest
	}
	s.known = make(map[string]struct{})
	s.mark, s.statuses, s.forwards = parseTime(k.Mark), parseTime(k.Statuses), k.Forwards
	if s.mark.IsZero() {
		s.mark, fresh = since.UTC().Truncate(time.Second), true
	}
	for _, key := range k.Settled {
		s.known[key] = struct{}{}
		s.settled = append(s.settled, settledID{key, s.mark})
	}
	if fresh {
		if err := s.write(); err != nil {
			return true, err
		}
	}
	s.loaded = true
	return fresh, nil
}

// write puts the state into the file. Called with mu held.
func (s *state) write() error {
	k := kept{Mark: formatTime(s.mark), Settled: []string{}, Forwards: s.forwards}
	if !s.statuses.IsZero() {
		k.Statuses = formatTime(s.statuses)
	}
	for _, id := range s.settled[max(0, len(s.settled)-writtenMax):] {
		k.Settled = append(k.Settled, id.key)
	}
	text, err := json.Marshal(k)
	if err != nil {
		return fmt.Errorf("mark: %w", err)
	}
	return s.put(s.file, string(text))
}

// at is where messages were read up to.
func (s *state) at() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mark
}

// knows reports whether a message was settled before.
func (s *state) knows(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, there := s.known[key]
	return there
}

// advance writes down that messages are settled, and that the mark has moved, if next is behind it. Ids that the mark has passed are forgotten.
func (s *state) advance(settled []settledID, next time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(settled) == 0 && !next.After(s.mark) {
		return nil
	}
	for _, id := range settled {
		if _, there := s.known[id.key]; !there {
			s.known[id.key] = struct{}{}
			s.settled = append(s.settled, id)
		}
	}
	if next.After(s.mark) {
		s.mark = next
	}
	passed := len(s.settled) - settledMax
	keep := s.settled[:0]
	for i, id := range s.settled {
		if i < passed || !id.latest.IsZero() && id.latest.Before(s.mark) {
			delete(s.known, id.key)
			continue
		}
		keep = append(keep, id)
	}
	s.settled = keep
	return s.write()
}

// under returns the messages to terminals that are under way.
func (s *state) under() []forward {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.forwards)
}

// submitted adds a message to a terminal. The first one says from when on statuses are of interest.
func (s *state) submitted(f forward, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.forwards) == 0 {
		s.statuses = at.UTC().Truncate(time.Second)
	}
	s.forwards = append(s.forwards, f)
	s.forwards = slices.Delete(s.forwards, 0, max(0, len(s.forwards)-forwardsMax))
	return s.write()
}

// statusesAt is where statuses were read up to.
func (s *state) statusesAt() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.statuses
}

// changed replaces the messages to terminals that are under way, and moves the mark of statuses. Nobody else changes either meanwhile: see Transport.submits.
func (s *state) changed(forwards []forward, next time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Equal(forwards, s.forwards) && !next.After(s.statuses) {
		return nil
	}
	s.forwards, s.statuses = forwards, later(s.statuses, next)
	return s.write()
}
