package idp

import (
	"sync/atomic"

	"github.com/godwit-gateway/godwit/transports"
)

// Stats are the counts of a transport since it was made, and how it stands with its gateway.
type Stats struct {
	Refused bool // the gateway refuses account or password, as it last said

	Polls    uint64            // looks for messages
	Failures map[string]uint64 // calls for messages and statuses that failed: unreachable, account, pace, temporary, permanent

	Received  uint64 // messages of terminals that were not known yet
	Repeated  uint64 // messages that were settled before: the mark includes its own second
	Foreign   uint64 // of those received, those that hold no frame: another SIN or MIN, or nothing that can be read
	Overfull  uint64 // seconds of which the gateway has more messages than it shows: the others are passed over
	BadMarks  uint64 // marks in the far future, not followed
	Unwritten uint64 // times that the file could not be written

	Stored      uint64
	Duplicate   uint64
	Quarantined uint64
	Rejected    uint64
	Unconfirmed uint64 // the sink failed or did not settle them

	Sent       uint64 // messages to terminals that the gateway took
	SentBytes  uint64 // of payload
	SendErrors uint64 // messages that it did not take, or may not have taken
	Scheduled  uint64 // of those sent, those that wait for a terminal to wake
	Delivered  uint64
	Failed     uint64
	Cancelled  uint64 // messages that the gateway was asked to cancel, since they had expired or others took their place
}

// counters are the counts that loops and sends add to.
type counters struct {
	polls, received, repeated, foreign, overfull, badMarks, unwritten atomic.Uint64
	failures                                                          [len(failureNames)]atomic.Uint64
	settled                                                           [transports.Rejected + 1]atomic.Uint64 // by settlement
	sent, sentBytes, sendErrors, scheduled                            atomic.Uint64
	delivered, failed, cancelled                                      atomic.Uint64
	warned                                                            atomic.Int64 // when something was logged last that may come again, Unix seconds
	told                                                              atomic.Bool  // that the gateway does not answer, since it last did
}

// Stats returns the counts so far.
func (t *Transport) Stats() Stats {
	c := &t.counts
	s := Stats{
		Refused: t.refused.Load(), Polls: c.polls.Load(), Failures: make(map[string]uint64, len(failureNames)),
		Received: c.received.Load(), Repeated: c.repeated.Load(), Foreign: c.foreign.Load(), Overfull: c.overfull.Load(), BadMarks: c.badMarks.Load(), Unwritten: c.unwritten.Load(),
		Stored: c.settled[transports.Stored].Load(), Duplicate: c.settled[transports.Duplicate].Load(),
		Quarantined: c.settled[transports.Quarantined].Load(), Rejected: c.settled[transports.Rejected].Load(),
		Unconfirmed: c.settled[transports.Unsettled].Load(),
		Sent:        c.sent.Load(), SentBytes: c.sentBytes.Load(), SendErrors: c.sendErrors.Load(), Scheduled: c.scheduled.Load(),
		Delivered: c.delivered.Load(), Failed: c.failed.Load(), Cancelled: c.cancelled.Load(),
	}
	for i, name := range failureNames {
		s.Failures[name] = c.failures[i].Load()
	}
	return s
}
