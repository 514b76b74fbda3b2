package igws

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Where the dialects are.
const (
	PathV1   = "/v1/"
	PathOGWS = "/ogws/"
)

// Defaults and limits of a service.
const (
	pageDefault = 500
	timeout     = 2 * time.Hour // after which a message that a terminal did not take is given up
	tokenLife   = 24 * time.Hour
	kept        = 5 * 24 * time.Hour // messages of terminals
	returnMax   = 6400
	forwardMax  = 10_000
	lowPowerMax = 5000
	largeFrom   = 1001 // bytes of a message that is in the queue of large ones; the boundary is our guess
	queueMax    = 10   // messages of each kind that wait for a terminal
	firstID     = 21_578_348_727
	listenEach  = 5 * time.Second        // of a terminal that does not sleep
	lookEach    = 100 * time.Millisecond // whether a terminal listens, at most
)

// Options configure a service. The zero value of a field gives its default.
type Options struct {
	Account, Password string
	Terminals         []Terminal

	Page     int           // messages on a page
	Fast     time.Duration // polls that come closer than this are refused (16); 0: none
	SameMark int           // polls with the same mark that are taken before one is refused (21817); 0: all
	Wrapped  bool          // answers of v1 are within an object of one member

	Second time.Duration // how long a second lasts for terminals that Run wakes; 0: a second
	Now    func() time.Time

	OnForward func(terminal string, message []byte) // it has taken a message. Called without locks
	Behind    bool                                  // the mark of an answer is the second behind its last message, once that is over; else it is the message's own
	OnRead    func(id uint64)                       // a poll's mark is behind the message: it will not be asked for any more. Called without locks
}

// A Terminal is one of the account.
type Terminal struct {
	ID   string
	Wake time.Duration // between two times that it listens; 0: it does not sleep
}

// A Message is one that a terminal sent, as the gateway shows it.
type Message struct {
	ID       uint64
	Terminal string
	At       time.Time // whole seconds
	Raw      []byte    // SIN and MIN first; empty: none is shown
	Payload  any       // decoded, as JSON; nil: none is shown
	Verbatim string    // JSON that stands in place of all else
}

// A Fault is how a call fails.
type Fault struct {
	Code   int  // ErrorID
	Status int  // of HTTP
	Silent bool // the connection ends before anything is done
	Lost   bool // the call is done, and the connection ends instead of the answer
	Body   []byte
}

// What calls are for.
const (
	CallToken    = "token"
	CallReturns  = "returns"
	CallStatuses = "statuses"
	CallSubmit   = "submit"
	CallCancel   = "cancel"
)

// A Service plays the gateway. Safe for concurrent use.
type Service struct {
	o   Options
	mux *http.ServeMux

	mu       sync.Mutex
	next     uint64
	messages []Message         // by time
	unread   map[uint64]string // mark that must be passed, by id; empty without OnRead
	forwards []*Forward
	out      map[string]bool      // terminals that are out of sight
	listens  map[string]time.Time // when Run wakes a terminal next
	faults   map[string][]Fault   // by what the call is for
	tokens   map[string]time.Time // and their end
	polled   map[string]time.Time // the last poll, by what it was for
	mark     string               // of the last poll
	same     int                  // polls with it
	calls    map[string]int
}

// ErrTerminal is wrapped by errors about a terminal that the account does not have.
var ErrTerminal = errors.New("no terminal of the account")

// New makes a service.
func New(o Options) *Service {
	o.Page = cmp.Or(o.Page, pageDefault)
	o.Second = cmp.Or(o.Second, time.Second)
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Service{
		o: o, mux: http.NewServeMux(), next: firstID, out: make(map[string]bool), listens: make(map[string]time.Time), faults: make(map[string][]Fault),
		unread: make(map[uint64]string), tokens: make(map[string]time.Time), polled: make(map[string]time.Time), calls: make(map[string]int),
	}
	s.routeV1()
	s.routeOGWS()
	return s
}

// ServeHTTP implements http.Handler.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Return has a terminal send a message, which begins with SIN and MIN. It returns the message's id.
func (s *Service) Return(terminal string, message []byte) (uint64, error) {
	if len(message) < 2 || len(message) > returnMax {
		return 0, fmt.Errorf("%d bytes from a terminal, want 2 to %d", len(message), returnMax)
	}
	if _, ok := s.terminal(terminal); !ok {
		return 0, fmt.Errorf("%w: %s", ErrTerminal, terminal)
	}
	return s.Show(Message{Terminal: terminal, Raw: slices.Clone(message)}), nil
}

// Show puts a message where polls find it, whatever it is. Without an id and a time it gets them.
func (s *Service) Show(m Message) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.ID == 0 {
		m.ID = s.id()
	}
	if m.At.IsZero() {
		m.At = s.o.Now()
	}
	m.At = m.At.UTC().Truncate(time.Second)
	at, _ := slices.BinarySearchFunc(s.messages, m.At.Add(time.Second), func(a Message, t time.Time) int { return a.At.Compare(t) })
	s.messages = slices.Insert(s.messages, at, m)
	if s.o.OnRead != nil {
		s.unread[m.ID] = formatTime(m.At)
	}
	old := 0
	for old < len(s.messages) && m.At.Sub(s.messages[old].At) > kept {
		old++
	}
	s.messages = slices.Delete(s.messages, 0, old)
	return m.ID
}

// Duplicate shows a message once more with an id of its own, as when it comes over another mailbox or gateway.
func (s *Service) Duplicate(id uint64) (uint64, bool) {
	s.mu.Lock()
	k := slices.IndexFunc(s.messages, func(m Message) bool { return m.ID == id })
	if k < 0 {
		s.mu.Unlock()
		return 0, false
	}
	m := s.messages[k]
	s.mu.Unlock()
	m.ID = 0
	return s.Show(m), true
}

// At is when a message came, as marks have it.
func (s *Service) At(id string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := slices.IndexFunc(s.messages, func(m Message) bool { return strconv.FormatUint(m.ID, 10) == id })
	if k < 0 {
		return "", false
	}
	return formatTime(s.messages[k].At), true
}

// id takes the next id. Called with mu held.
func (s *Service) id() uint64 {
	s.next++
	return s.next
}

func (s *Service) terminal(id string) (Terminal, bool) {
	k := slices.IndexFunc(s.o.Terminals, func(t Terminal) bool { return t.ID == id })
	if k < 0 {
		return Terminal{}, false
	}
	return s.o.Terminals[k], true
}

// Fail makes the next calls of a kind fail, one after another.
func (s *Service) Fail(what string, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[what] = append(s.faults[what], faults...)
}

// Calls is how many calls of a kind came in, those that failed included.
func (s *Service) Calls(what string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[what]
}

// fault is how a call that comes in now is to fail.
func (s *Service) fault(what string) (f Fault, fails bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[what]++
	if list := s.faults[what]; len(list) > 0 {
		s.faults[what] = list[1:]
		return list[0], true
	}
	return Fault{}, false
}

// answering makes the answer to a call, or an error code; neither if it has answered.
type answering = func(w http.ResponseWriter, r *http.Request) (answer map[string]any, code int)

// handle answers calls of one kind.
func (s *Service) handle(pattern, what, wrapped string, do answering) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		f, fails := s.fault(what)
		switch {
		case f.Silent:
			panic(http.ErrAbortHandler)
		case fails && !f.Lost:
			if f.Status != 0 {
				w.WriteHeader(f.Status)
			}
			if f.Body != nil {
				_, _ = w.Write(f.Body)
			} else if f.Code != 0 {
				s.write(w, wrapped, map[string]any{"ErrorID": f.Code})
			}
			return
		}
		answer, code := do(w, r)
		if f.Lost {
			panic(http.ErrAbortHandler)
		}
		if answer == nil {
			if code == 0 {
				return // it was answered
			}
			answer = map[string]any{"ErrorID": code}
		}
		s.write(w, wrapped, answer)
	})
}

func (s *Service) write(w http.ResponseWriter, wrapped string, answer map[string]any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if wrapped != "" && s.o.Wrapped {
		answer = map[string]any{wrapped: answer}
	}
	_ = json.NewEncoder(w).Encode(answer) // who asked may be gone
}

// Run wakes terminals when they listen, until ctx is done.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(min(lookEach, s.o.Second))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now := time.Now()
		for _, t := range s.o.Terminals {
			s.mu.Lock()
			at, asleep := s.listens[t.ID]
			due := !asleep || !now.Before(at)
			if due {
				period := cmp.Or(t.Wake, listenEach)
				s.listens[t.ID] = now.Add(time.Duration(float64(s.o.Second) * period.Seconds()))
			}
			s.mu.Unlock()
			if due {
				s.Wake(t.ID)
			}
		}
	}
}
