package directip

import (
	"sync/atomic"

	"github.com/godwit-gateway/godwit/transports"
)

// Stats are the counts of a transport since it was made. Connections is the sum of what follows it up to Received, of those that are open, and of
// those that ended with Run.
type Stats struct {
	Connections uint64 // accepted by the system
	Stranger    uint64 // closed: from an address that is not allowed
	Crowded     uint64 // closed: too many from there, or in all
	Unfinished  uint64 // closed: the message was cut off, or too slow
	Foreign     uint64 // closed: not DirectIP
	Received    uint64 // whole messages: the sum of what follows, up to Unconfirmed

	Failed      uint64 // records of sessions that failed
	Empty       uint64 // sessions without a payload
	Repeated    uint64 // messages that were settled before
	Stored      uint64
	Duplicate   uint64
	Quarantined uint64
	Rejected    uint64
	Unconfirmed uint64 // the sink failed or did not settle it

	Malformed  uint64 // of those handed to the sink, those that are no MO message
	Unanswered uint64 // confirmations that could not be sent

	Missing uint64 // messages that modems numbered and that did not come
	Late    uint64 // of these, those that came after all
	Resets  uint64 // modems whose numbers began anew

	Sent       uint64 // messages to modems that the network took
	SentBytes  uint64 // of payload
	SendErrors uint64 // messages that it did not take, or may not have taken
}

// counters are the counts that connections add to.
type counters struct {
	connections, stranger, crowded, unfinished, foreign, received atomic.Uint64
	failed, empty, repeated, malformed, unanswered                atomic.Uint64
	settled                                                       [transports.Rejected + 1]atomic.Uint64 // by settlement
	sent, sentBytes, sendErrors                                   atomic.Uint64
}

// Stats returns the counts so far.
func (t *Transport) Stats() Stats {
	c := &t.counts
	s := Stats{
		Connections: c.connections.Load(), Stranger: c.stranger.Load(), Crowded: c.crowded.Load(), Unfinished: c.unfinished.Load(),
		Foreign: c.foreign.Load(), Received: c.received.Load(),
		Failed: c.failed.Load(), Empty: c.empty.Load(), Repeated: c.repeated.Load(),
		Stored: c.settled[transports.Stored].Load(), Duplicate: c.settled[transports.Duplicate].Load(),
		Quarantined: c.settled[transports.Quarantined].Load(), Rejected: c.settled[transports.Rejected].Load(),
		Unconfirmed: c.settled[transports.Unsettled].Load(),
		Malformed:   c.malformed.Load(), Unanswered: c.unanswered.Load(),
		Sent: c.sent.Load(), SentBytes: c.sentBytes.Load(), SendErrors: c.sendErrors.Load(),
	}
	t.memory.Lock()
	defer t.memory.Unlock()
	s.Missing, s.Late, s.Resets = t.sequences.missing, t.sequences.late, t.sequences.resets
	return s
}
