package cloudloop

import (
	"sync/atomic"

	"github.com/godwit-gateway/godwit/transports"
)

// Stats are the counts of a transport since it was made.
type Stats struct {
	Polls uint64 // times that the web service was asked for new messages

	Malformed   uint64 // messages that cannot be read
	Empty       uint64 // sessions without a payload
	Stored      uint64
	Duplicate   uint64
	Quarantined uint64
	Rejected    uint64
	Unconfirmed uint64 // messages that the sink did not settle, each time that it was asked

	Sent       uint64 // messages to modems that the web service took
	SentBytes  uint64 // of payload
	SendErrors uint64 // messages that it did not take, or may not have taken
}

type counters struct {
	polls, malformed, empty     atomic.Uint64
	settled                     [transports.Rejected + 1]atomic.Uint64 // by settlement
	sent, sentBytes, sendErrors atomic.Uint64
}

// Stats returns the counts so far.
func (t *Transport) Stats() Stats {
	c := &t.counts
	return Stats{
		Polls: c.polls.Load(), Malformed: c.malformed.Load(), Empty: c.empty.Load(),
		Stored: c.settled[transports.Stored].Load(), Duplicate: c.settled[transports.Duplicate].Load(),
		Quarantined: c.settled[transports.Quarantined].Load(), Rejected: c.settled[transports.Rejected].Load(),
		Unconfirmed: c.settled[transports.Unsettled].Load(),
		Sent:        c.sent.Load(), SentBytes: c.sentBytes.Load(), SendErrors: c.sendErrors.Load(),
	}
}
