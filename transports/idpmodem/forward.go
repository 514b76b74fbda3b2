package idpmodem

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"

	"github.com/godwit-gateway/godwit/gateway/failpoint"
	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/isatdata"
)

// Limits of what goes to the sink at a time, and of tries to read a message before its reply goes there as it is.
const (
	batchMessages = 16
	batchBytes    = 64 << 10
	readTries     = 3
)

// An item is a forward message that was read.
type item struct {
	name    string
	content transports.Content
	payload []byte
}

// receive reads the messages that are complete, hands them to the sink and marks what is settled. A message that does not come out does not hold up others.
func (s *session) receive(ctx context.Context) error {
	list, err := s.waiting(ctx)
	if err != nil {
		return err
	}
	var batch []item
	size := 0
	for _, st := range list {
		it, ok, err := s.read(ctx, st)
		if err != nil {
			return err
		}
		if ok {
			batch = append(batch, it)
			size += len(it.payload)
		}
		if len(batch) == batchMessages || size >= batchBytes {
			if ok, err := s.settle(batch); !ok || err != nil {
				return err
			}
			batch, size = nil, 0
		}
		if ctx.Err() != nil {
			break
		}
	}
	_, err = s.settle(batch)
	return err
}

// waiting lists the messages that can be read, oldest first.
func (s *session) waiting(ctx context.Context) ([]status, error) {
	lines, err := s.cmd.do(ctx, s.t.dialect.list, listBytes)
	if err != nil {
		if code, _ := codeOf(err); code == isatdata.TerminalUnavailable {
			return nil, nil // some say so of an empty queue
		}
		return nil, err
	}
	var list []status
	listed := map[string]bool{}
	for _, text := range information(lines) {
		st, err := s.t.dialect.parseStatus(text)
		if err != nil {
			s.log.Warn("entry of the forward queue cannot be read", slog.Any("error", err))
			continue
		}
		listed[st.name] = true
		// One that was marked and is complete all the same is another with its name, or was not marked: it is read, and a duplicate at worst.
		if st.state == forwardComplete || st.state == forwardRetrieved && !s.marked[st.name] {
			list = append(list, st)
		}
	}
	for name := range s.marked {
		if !listed[name] { // the name is free again
			delete(s.marked, name)
		}
	}
	for name := range s.unread {
		if !listed[name] {
			delete(s.unread, name)
		}
	}
	return list, nil
}

// read reads a message. It is false for one that does not come out now.
func (s *session) read(ctx context.Context, st status) (item, bool, error) {
	lines, err := s.fetch(ctx, st)
	if code, refused := codeOf(err); refused { // others are not to wait for it
		s.t.counts.readErrors.Add(1)
		s.log.Debug("terminal does not hand over a message", slog.String("name", st.name), slog.Int("code", code))
		return item{}, false, nil
	}
	if err != nil {
		return item{}, false, err
	}
	lines = information(lines)
	err = errReply
	if len(lines) == 1 {
		var message []byte
		if message, err = s.t.dialect.parseMessage(lines[0]); err == nil {
			delete(s.unread, st.name)
			if payload, ours := s.t.header.Cut(message); ours {
				return item{st.name, transports.ContentData, payload}, true, nil
			}
			return item{st.name, transports.ContentRaw, message}, true, nil
		}
	}
	s.t.counts.readErrors.Add(1)
	s.log.Warn("message of the terminal cannot be read", slog.String("name", st.name), slog.Any("error", err))
	if s.unread[st.name]++; s.unread[st.name] < readTries {
		return item{}, false, nil
	}
	// It will not get better: what there is of it is kept for people.
	delete(s.unread, st.name)
	raw := []byte(strings.Join(lines, "\n"))
	return item{st.name, transports.ContentRaw, raw[:min(len(raw), isatdata.ForwardMax-isatdata.HeaderLen)]}, true, nil
}

// fetch gets a message. On a line without checksums it does so twice, and what is not the same was garbled: once it is marked there is no other.
func (s *session) fetch(ctx context.Context, st status) ([]string, error) {
	lines, err := s.get(ctx, st)
	if err != nil || s.line.sums() {
		return lines, err
	}
	again, err := s.get(ctx, st)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(lines, again) {
		s.t.counts.garbled.Add(1)
		return nil, &terminalError{code: isatdata.TerminalUnavailable} // at the next look
	}
	return lines, nil
}

// get gets a message by the command that the terminal knows.
func (s *session) get(ctx context.Context, st status) (lines []string, err error) {
	for _, command := range s.t.dialect.get {
		lines, err = s.cmd.do(ctx, getCommand(command, st.name), 2*isatdata.ForwardMax)
		if code, _ := codeOf(err); code != isatdata.TerminalUnknown {
			break
		}
	}
	return lines, err
}

// settle hands messages to the sink and marks those that it has settled. From here on they are in hand: this is finished even if Run's context is done.
// It is false if the sink failed.
func (s *session) settle(batch []item) (ok bool, err error) {
	if len(batch) == 0 {
		return true, nil
	}
	c := &s.t.counts
	us := make([]transports.Uplink, len(batch))
	out := make([]transports.Verdict, len(batch))
	now := s.t.cfg.Now()
	for i, it := range batch {
		us[i] = transports.Uplink{
			Transport: s.t.name, From: s.t.peer(), Ref: it.name, ReceivedAt: now, Content: it.content, Payload: it.payload,
		}
		c.received.Add(1)
		if it.content == transports.ContentRaw {
			c.raw.Add(1)
		}
	}
	failpoint.Pass(failpoint.Received)
	if err := s.sink.Uplinks(s.inHand, us, out); err != nil {
		c.settled[transports.Unsettled].Add(uint64(len(us)))
		s.log.Warn("messages stay in the terminal: the sink does not take them", slog.Any("error", err))
		s.later()
		return false, nil
	}
	left := false
	for i := range out {
		settlement := out[i].Settlement
		if settlement > transports.Rejected {
			settlement = transports.Unsettled // not a verdict that we know
		}
		c.settled[settlement].Add(1)
		if settlement == transports.Unsettled {
			left = true
			continue
		}
		if err := s.markRead(batch[i].name); err != nil { // Rejected too: it would come again for ever
			return false, err
		}
	}
	if left {
		s.later()
	}
	return true, nil
}

// markRead has the terminal delete a message.
func (s *session) markRead(name string) error {
	failpoint.Pass(failpoint.Erasing)
	_, err := s.cmd.do(s.inHand, named(s.t.dialect.mark, name), 0)
	failpoint.Pass(failpoint.Erased)
	code, refused := codeOf(err)
	switch {
	case err == nil, code == isatdata.TerminalUnavailable: // or it is gone already
		s.marked[name] = true
		s.t.counts.marked.Add(1)
		return nil
	case refused: // it is read again, and then a duplicate
		s.t.counts.markErrors.Add(1)
		s.log.Warn("terminal does not mark a message", slog.String("name", name), slog.Int("code", code))
		s.later()
		return nil
	}
	return errors.Join(errMarking, err)
}

var errMarking = errors.New("mark a message as read")

// listBytes is how long listings of a queue are at most, for the time that they may take.
const listBytes = 2 << 10
