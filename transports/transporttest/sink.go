package transporttest

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/godwit-gateway/godwit/transports"
)

// Reply is what a Sink answers to each uplink that it settles, short enough for any bearer.
const Reply = "ok"

// ErrSink is the error of a sink that was told to fail.
var ErrSink = errors.New("sink was told to fail")

// A Sink records what a driver hands over and settles it as told. The zero value stores everything and answers Reply.
// Safe for concurrent use; the two functions must not be changed while a driver runs.
type Sink struct {
	// Judge settles one uplink; an error fails the whole call. It may block. Nil: everything is Stored.
	Judge func(ctx context.Context, u transports.Uplink) (transports.Settlement, error)

	// JudgeReport returns what Report returns. Nil: no error.
	JudgeReport func(r transports.Report) error

	// JudgeCheck returns what Checked returns. Nil: no error.
	JudgeCheck func(c transports.Check) error

	mu      Monitor
	uplinks []transports.Uplink
	reports []transports.Report
	checks  []transports.Check
	mutated int
}

// Uplinks implements transports.Sink.
func (s *Sink) Uplinks(ctx context.Context, us []transports.Uplink, out []transports.Verdict) error {
	kept := slices.Clone(us)
	for i := range kept {
		kept[i].Payload = bytes.Clone(us[i].Payload)
	}
	s.mu.Change(func() { s.uplinks = append(s.uplinks, kept...) })
	var failed error
	for i := range us {
		settlement := transports.Stored
		if s.Judge != nil {
			var err error
			if settlement, err = s.Judge(ctx, kept[i]); err != nil {
				failed = err
				continue
			}
		}
		out[i].Settlement = settlement
		out[i].Reply = append(out[i].Reply[:0], Reply...)
	}
	for i := range us {
		if !bytes.Equal(us[i].Payload, kept[i].Payload) {
			s.mu.Change(func() { s.mutated++ })
		}
	}
	return failed
}

// Report implements transports.Sink.
func (s *Sink) Report(_ context.Context, r transports.Report) error {
	s.mu.Change(func() { s.reports = append(s.reports, r) })
	if s.JudgeReport != nil {
		return s.JudgeReport(r)
	}
	return nil
}

// Checked implements transports.Payer.
func (s *Sink) Checked(_ context.Context, c transports.Check) error {
	s.mu.Change(func() { s.checks = append(s.checks, c) })
	if s.JudgeCheck != nil {
		return s.JudgeCheck(c)
	}
	return nil
}

// Checks returns a copy of all mailbox checks told of so far.
func (s *Sink) Checks() []transports.Check {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.checks)
}

// Received returns copies of the uplinks handed over so far, in order.
func (s *Sink) Received() []transports.Uplink {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.uplinks)
}

// Mutated counts payloads that changed while a call of Uplinks was under way.
func (s *Sink) Mutated() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mutated
}

// Await waits until n uplinks with this payload have been handed over and returns the last of them; false once ctx is done.
func (s *Sink) Await(ctx context.Context, payload []byte, n int) (transports.Uplink, bool) {
	var last transports.Uplink
	ok := s.mu.Await(ctx, func() bool {
		seen := 0
		for i := range s.uplinks {
			if bytes.Equal(s.uplinks[i].Payload, payload) {
				seen++
				last = s.uplinks[i]
			}
		}
		return seen >= n
	})
	return last, ok
}

// AwaitCount waits until n uplinks have been handed over and returns all of them; false once ctx is done.
func (s *Sink) AwaitCount(ctx context.Context, n int) ([]transports.Uplink, bool) {
	ok := s.mu.Await(ctx, func() bool { return len(s.uplinks) >= n })
	return s.Received(), ok
}

// AwaitReport waits until n reports on a receipt's reference have been handed over and returns the last; false once ctx is done.
func (s *Sink) AwaitReport(ctx context.Context, ref string, n int) (transports.Report, bool) {
	var last transports.Report
	ok := s.mu.Await(ctx, func() bool {
		seen := 0
		for i := range s.reports {
			if s.reports[i].Ref == ref {
				seen++
				last = s.reports[i]
			}
		}
		return seen >= n
	})
	return last, ok
}
