package rockblock

import (
	"sync/atomic"

	"github.com/godwit-gateway/godwit/transports"
)

// Stats are the counts of a transport since it was made.
type Stats struct {
	Crowded  uint64 // connections that were closed since others came, before a webhook had come in
	Received uint64 // webhooks

	Malformed   uint64 // of these, those that cannot be read
	Stranger    uint64 // those without a token that is good for them
	Empty       uint64 // sessions without a payload
	Repeated    uint64 // messages that were settled before
	Stored      uint64
	Duplicate   uint64
	Quarantined uint64
	Rejected    uint64
	Unconfirmed uint64 // the sink failed or did not settle them

	Late uint64 // webhooks that were told to come again since the sink took too long; its verdict is counted above as well

	Sent       uint64 // messages to modems that the web service took
	SentBytes  uint64 // of payload
	SendErrors uint64 // messages that it did not take, or may not have taken
}

// counters are the counts that requests add to.
type counters struct {
	crowded, received, malformed, stranger, empty, repeated, late atomic.Uint64
	settled                                                       [transports.Rejected + 1]atomic.Uint64 // by settlement
	sent, sentBytes, sendErrors                                   atomic.Uint64
}

// Stats returns the counts so far.
func (t *Transport) Stats() Stats {
	c := &t.counts
	return Stats{
		Crowded: c.crowded.Load(), Received: c.received.Load(), Malformed: c.malformed.Load(), Stranger: c.stranger.Load(), Empty: c.empty.Load(),
		Repeated: c.repeated.Load(),
		Stored:   c.settled[transports.Stored].Load(), Duplicate: c.settled[transports.Duplicate].Load(),
		Quarantined: c.settled[transports.Quarantined].Load(), Rejected: c.settled[transports.Rejected].Load(),
		Unconfirmed: c.settled[transports.Unsettled].Load(), Late: c.late.Load(),
		Sent: c.sent.Load(), SentBytes: c.sentBytes.Load(), SendErrors: c.sendErrors.Load(),
	}
}
