package igws

import (
	"slices"
	"time"
)

// States of a message to a terminal.
const (
	Submitted = 0
	Received  = 1
	Failed    = 3
	TimedOut  = 4
	Cancelled = 5
)

// Error codes.
const (
	codeFast      = 16
	codeTime      = 17
	codeCancel    = 115
	codeMobile    = 513
	codeUnknown   = 514
	codeFull      = 21_795
	codeFullLarge = 21_796
	codeAuth      = 21_785
	codeLong      = 21_797
	codeNever     = 21_812
	codeSame      = 21_817
)

// A Forward is a message to a terminal.
type Forward struct {
	ID      uint64
	User    uint64
	To      string
	Message []byte
	State   int
	Code    int
	Created time.Time
	Changed time.Time
}

func (f *Forward) closed() bool { return f.State != Submitted }

// submit takes a message for a terminal, or says why not.
func (s *Service) submit(to string, user uint64, message []byte) (f Forward, t Terminal, code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	t, ok := s.terminal(to)
	switch large := len(message) >= largeFrom; {
	case len(to) != 15:
		return f, t, codeMobile
	case !ok:
		return f, t, codeUnknown
	case len(message) < 2 || len(message) > forwardMax, t.Wake > 0 && len(message) > lowPowerMax:
		return f, t, codeLong
	case s.waiting(to, large) >= queueMax:
		if large {
			return f, t, codeFullLarge
		}
		return f, t, codeFull
	}
	now := s.o.Now().UTC().Truncate(time.Second)
	n := &Forward{ID: s.id(), User: user, To: to, Message: message, Created: now, Changed: now}
	s.forwards = append(s.forwards, n)
	return *n, t, 0
}

// waiting is how many messages wait for a terminal. Called with mu held.
func (s *Service) waiting(to string, large bool) (n int) {
	for _, f := range s.forwards {
		if f.To == to && !f.closed() && len(f.Message) >= largeFrom == large {
			n++
		}
	}
	return n
}

// expire gives up what waits for too long. Called with mu held.
func (s *Service) expire() {
	now := s.o.Now()
	for _, f := range s.forwards {
		if !f.closed() && now.Sub(f.Created) > timeout {
			f.become(TimedOut, codeNever, now)
		}
	}
}

func (f *Forward) become(state, code int, now time.Time) {
	f.State, f.Code, f.Changed = state, code, now.UTC().Truncate(time.Second)
}

// cancel gives a message up that waits, and returns 0, or why not.
func (s *Service) cancel(id uint64) (f Forward, code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	k := slices.IndexFunc(s.forwards, func(f *Forward) bool { return f.ID == id })
	if k < 0 || s.forwards[k].closed() {
		return Forward{}, codeCancel
	}
	s.forwards[k].become(Cancelled, 0, s.o.Now())
	return *s.forwards[k], 0
}

// Wake has a terminal listen: it takes what waits for it, unless it is out of sight. It returns how many messages those were.
func (s *Service) Wake(terminal string) int {
	s.mu.Lock()
	s.expire()
	var taken [][]byte
	for _, f := range s.forwards {
		if f.To == terminal && !f.closed() && !s.out[terminal] {
			f.become(Received, 0, s.o.Now())
			taken = append(taken, f.Message)
		}
	}
	s.mu.Unlock()
	for _, m := range taken {
		if s.o.OnForward != nil {
			s.o.OnForward(terminal, slices.Clone(m))
		}
	}
	return len(taken)
}

// Hide says whether a terminal is out of sight of all satellites.
func (s *Service) Hide(terminal string, out bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out[terminal] = out
}

// Resolve says what became of a message to a terminal. It reports false for one that is none, or has ended.
func (s *Service) Resolve(id uint64, state, code int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := slices.IndexFunc(s.forwards, func(f *Forward) bool { return f.ID == id })
	if k < 0 || s.forwards[k].closed() {
		return false
	}
	s.forwards[k].become(state, code, s.o.Now())
	return true
}

// Forwards are all messages to terminals, in the order in which they came.
func (s *Service) Forwards() []Forward {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Forward, len(s.forwards))
	for i, f := range s.forwards {
		out[i] = *f
	}
	return out
}

// changedSince are messages to terminals whose state is as new as the mark, in the order of that.
func (s *Service) changedSince(mark time.Time) []Forward {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	var out []Forward
	for _, f := range s.forwards {
		if !f.Changed.Before(mark) {
			out = append(out, *f)
		}
	}
	slices.SortStableFunc(out, func(a, b Forward) int { return a.Changed.Compare(b.Changed) })
	return out
}
