package igws

import (
	"slices"
	"time"
)

// timeLayout is that of both dialects; times are UTC.
const timeLayout = "2006-01-02 15:04:05"

func formatTime(t time.Time) string { return t.UTC().Format(timeLayout) }

// page is part of the messages since a mark.
type page struct {
	messages []Message
	more     bool
	next     string // mark; "": no messages
	nextID   int64  // of the first message behind the page; -1: none
}

// read tells of messages that will not be asked for any more, since a mark is behind them.
func (s *Service) read(mark string) {
	var ids []uint64
	s.mu.Lock()
	for id, at := range s.unread {
		if at < mark {
			ids = append(ids, id)
			delete(s.unread, id)
		}
	}
	s.mu.Unlock()
	slices.Sort(ids)
	for _, id := range ids {
		s.o.OnRead(id)
	}
}

// poll looks up messages since a mark, or from an id on if that is not 0, or says why not.
func (s *Service) poll(mark string, from uint64) (p page, code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if code := s.pace(CallReturns); code != 0 {
		return p, code
	}
	since, err := time.Parse(timeLayout, mark)
	if err != nil && from == 0 {
		return p, codeTime
	}
	if from == 0 {
		if mark == s.mark {
			s.same++
		} else {
			s.mark, s.same = mark, 1
		}
		if s.o.SameMark > 0 && s.same > s.o.SameMark {
			s.same = 0
			return p, codeSame
		}
	}
	p.nextID = -1
	begun := false
	for _, m := range s.messages {
		if from != 0 {
			begun = begun || m.ID == from
		} else {
			begun = !m.At.Before(since)
		}
		if !begun {
			continue
		}
		if len(p.messages) == s.o.Page {
			p.more, p.nextID = true, int64(m.ID) //nolint:gosec // ids are small
			break
		}
		p.messages = append(p.messages, m)
		p.next = formatTime(m.At)
		if behind := m.At.Add(time.Second); s.o.Behind && !s.o.Now().Before(behind) {
			p.next = formatTime(behind)
		}
	}
	return p, 0
}

// pace refuses polls that come too fast. Called with mu held.
func (s *Service) pace(what string) int {
	now := s.o.Now()
	last := s.polled[what]
	if s.o.Fast > 0 && !last.IsZero() && now.Sub(last) < s.o.Fast {
		return codeFast
	}
	s.polled[what] = now
	return 0
}
