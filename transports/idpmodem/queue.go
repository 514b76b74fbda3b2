package idpmodem

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/isatdata"
)

// messagesMax is how many return messages a transport follows. Terminals hold fewer.
const messagesMax = 256

// namePrefix begins the names of our messages.
const namePrefix = "G"

// stemOf is what names of messages with this content begin with. What is left of most is one character, which tells one such message from the next.
func stemOf(payload []byte, most int) string {
	sum := sha256.Sum256(payload)
	return (namePrefix + base32.StdEncoding.EncodeToString(sum[:]))[:most-1]
}

// nameOf names a message after its content.
func (q *queue) nameOf(payload []byte, most int) string {
	const last = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	q.sequence++
	return stemOf(payload, most) + string(last[q.sequence%uint64(len(last))])
}

// ours reports whether a message can have been named by us.
func ours(name string, most int) bool {
	return len(name) == most && strings.HasPrefix(name, namePrefix) &&
		!strings.ContainsFunc(name[len(namePrefix):], func(c rune) bool { return (c < 'A' || c > 'Z') && (c < '2' || c > '7') })
}

// An outgoing is a return message of ours that is in the terminal, or to be there.
type outgoing struct {
	name    string    // in the terminal
	ref     string    // of the receipt: the name that it had at first
	payload []byte    // nil: it is of an earlier process
	expires time.Time // it is not queued again after this, and cancelled
	reports bool      // the sink wants to know
	owed    bool      // no Send was told that the terminal took it: the next one that wants to send it is
	told    time.Time // when a Send was
	state   int       // in the terminal, as last seen; 0: it has to be queued again
	final   int       // state that it ended in, 0 if it has not
	cleared bool      // of that the sink was told, and it was removed
}

// ask notes what a Send wants.
func (o *outgoing) ask(r *request, now time.Time, keep time.Duration) {
	o.payload, o.reports, o.expires = r.payload, r.reports, r.expires
	if o.expires.IsZero() {
		o.expires = now.Add(keep)
	}
}

// A queue is what is known of the return messages of ours.
type queue struct {
	messages map[string]*outgoing // by name
	sequence uint64               // counts names; starts somewhere else after each restart
}

// find returns the message with this content that is on its way, or that is through and was not told to a Send; nil if there is none.
func (q *queue) find(payload []byte, most int) *outgoing {
	stem := stemOf(payload, most)
	for _, o := range q.messages {
		same := o.payload == nil && strings.HasPrefix(o.name, stem) || o.payload != nil && bytes.Equal(o.payload, payload)
		if same && (o.final == 0 || o.owed && o.final == returnComplete) {
			return o
		}
	}
	return nil
}

func (q *queue) put(o *outgoing) {
	if q.messages == nil {
		q.messages = make(map[string]*outgoing)
	}
	q.messages[o.name] = o
}

// hand issues the command that queues a message.
func (s *session) hand(ctx context.Context, o *outgoing) error {
	text := base64.StdEncoding.EncodeToString(o.payload)
	_, err := s.cmd.do(ctx, s.t.dialect.submitCommand(o.name, s.t.cfg.Priority, s.t.header, text), len(text))
	return err
}

// stateOf asks for the state of one message. It lists all: not every terminal says of one that it does not have it. What that tells of others is noted, for
// some terminals tell it once only.
func (s *session) stateOf(ctx context.Context, name string) (st status, found bool, err error) {
	seen, err := s.states(ctx)
	if err != nil {
		return status{}, false, err
	}
	for other, st := range seen {
		if o := s.t.queue.messages[other]; o != nil && o.final == 0 && other != name {
			o.note(st.state)
		}
	}
	st, found = seen[name]
	return st, found, nil
}

// note takes a state that the terminal told.
func (o *outgoing) note(state int) {
	o.state = state
	if state == returnComplete || state == returnCancelled {
		o.final = state
	}
}

// states asks for the states of all messages.
func (s *session) states(ctx context.Context) (map[string]status, error) {
	lines, err := s.cmd.do(ctx, s.t.dialect.states, listBytes)
	if err != nil {
		if code, _ := codeOf(err); code == isatdata.TerminalUnavailable {
			return nil, nil // some say so of an empty queue
		}
		return nil, err
	}
	seen := make(map[string]status)
	for _, text := range information(lines) {
		st, err := s.t.dialect.parseStatus(text)
		if err != nil {
			s.log.Warn("entry of the return queue cannot be read", slog.Any("error", err))
			continue
		}
		seen[st.name] = st
	}
	return seen, nil
}

// adopt takes over the messages that an earlier process has left in the terminal.
func (s *session) adopt(ctx context.Context) error {
	seen, err := s.states(ctx)
	if err != nil {
		return err
	}
	q := &s.t.queue
	for _, name := range slices.Sorted(maps.Keys(seen)) {
		if q.messages[name] != nil || !ours(name, s.t.dialect.nameMax) || len(q.messages) >= messagesMax {
			continue
		}
		s.t.counts.adopted.Add(1)
		// The sink may have filed a receipt for it, so it gets a report.
		q.put(&outgoing{name: name, ref: name, reports: true, owed: true, state: seen[name].state, expires: s.t.cfg.Now().Add(s.t.timing.keep)})
	}
	return s.update(ctx, seen)
}

// follow asks what became of the messages in the terminal.
func (s *session) follow(ctx context.Context) error {
	if len(s.t.queue.messages) == 0 {
		return nil
	}
	open := false
	for _, o := range s.t.queue.messages {
		open = open || o.final == 0
	}
	if !open {
		return s.update(ctx, nil)
	}
	seen, err := s.states(ctx)
	if err != nil {
		return err
	}
	return s.update(ctx, seen)
}

// update does what the states of messages call for.
func (s *session) update(ctx context.Context, seen map[string]status) error {
	defer s.count()
	for _, name := range slices.Sorted(maps.Keys(s.t.queue.messages)) {
		o := s.t.queue.messages[name]
		if o.final == 0 {
			st, found := seen[name]
			if err := s.advance(ctx, o, st, found); err != nil {
				return err
			}
		}
		if o.final != 0 {
			if err := s.conclude(ctx, o); err != nil {
				return err
			}
		}
	}
	return nil
}

// advance takes the state of one message.
func (s *session) advance(ctx context.Context, o *outgoing, st status, found bool) error {
	expired := !s.t.cfg.Now().Before(o.expires)
	if !found {
		return s.missing(ctx, o, expired)
	}
	o.note(st.state)
	switch {
	case st.state == returnReady && expired:
		_, ok, err := s.try(ctx, named(s.t.dialect.cancel, o.name))
		if ok {
			o.state = returnCancelled // the next look finds it so
		}
		return err
	case st.state == returnFailed && !expired && o.payload != nil:
		return s.again(ctx, o)
	case st.state == returnFailed:
		o.final = returnFailed
	}
	return nil
}

// missing takes that the terminal does not list a message. Where messages that are done stay until they are removed, it has started over and forgotten it:
// one that had not begun to go out goes into the queue again, as does one that it had given up. Of others nobody knows.
func (s *session) missing(ctx context.Context, o *outgoing, expired bool) error {
	switch {
	case expired:
		o.final = returnFailed
	case o.payload != nil && (o.state == 0 || o.state == returnFailed || o.state == returnReady && s.t.dialect.remove != ""):
		return s.again(ctx, o)
	default:
		s.t.counts.lost.Add(1)
		delete(s.t.queue.messages, o.name)
	}
	return nil
}

// again queues a message again that the terminal has given up, or has no room for. Where it cannot be removed its name stays taken.
func (s *session) again(ctx context.Context, o *outgoing) error {
	if o.state != 0 {
		if err := s.clear(ctx, o.name); err != nil {
			return err
		}
	}
	if q := &s.t.queue; s.t.dialect.remove == "" {
		delete(q.messages, o.name)
		o.name = q.nameOf(o.payload, s.t.dialect.nameMax)
		q.put(o)
	}
	err := s.submit(ctx, o)
	_, refused := codeOf(err)
	switch {
	case err == nil:
		s.t.counts.requeued.Add(1)
	case refused:
		o.state = 0 // at the next look
		return nil
	case !errors.Is(err, errHanded):
		o.state = 0 // the terminal does not have it: once it is in step again
	}
	return err
}

// conclude tells the sink how a message ended and removes it from the terminal. One that the network has, and that no Send was told of, is remembered until
// it expires: a Send that comes for it still is not to send it twice.
func (s *session) conclude(ctx context.Context, o *outgoing) error {
	if o.reports {
		if time.Since(o.told) < s.t.timing.settle {
			return nil // at the next look
		}
		r := transports.Report{Transport: s.t.name, To: s.t.peer(), Ref: o.ref, ReceivedAt: s.t.cfg.Now(), State: transports.ReportFailed, Code: o.final}
		if o.final == returnComplete {
			r.State = transports.ReportDelivered
		}
		if err := s.sink.Report(s.inHand, r); err != nil {
			s.log.Warn("report waits: the sink does not take it", slog.Any("error", err))
			s.later()
			return nil
		}
		o.reports = false
	}
	if !o.cleared {
		if err := s.clear(ctx, o.name); err != nil {
			return err
		}
		o.cleared = true
		if o.final == returnComplete {
			s.t.counts.completed.Add(1)
		} else {
			s.t.counts.failed.Add(1)
		}
	}
	if !o.owed || o.final != returnComplete || !s.t.cfg.Now().Before(o.expires) {
		delete(s.t.queue.messages, o.name)
	}
	return nil
}

// clear removes a message that is done from the terminal.
func (s *session) clear(ctx context.Context, name string) error {
	if s.t.dialect.remove == "" {
		return nil
	}
	_, _, err := s.try(ctx, s.t.dialect.removeCommand(name))
	return err
}

// count notes how many messages are in the terminal.
func (s *session) count() {
	n := 0
	for _, o := range s.t.queue.messages {
		if !o.cleared {
			n++
		}
	}
	s.t.know(func(st *state) { st.queued = n })
}
