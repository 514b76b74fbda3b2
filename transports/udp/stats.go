package udp

import (
	"sync/atomic"

	"github.com/godwit-gateway/godwit/transports"
)

// Stats are the counts of a transport since it was made. Received is the sum of the drops up to Unconfirmed and of the settlements.
type Stats struct {
	Received      uint64 // datagrams read from the socket
	ReceivedBytes uint64

	Empty         uint64 // dropped: without payload
	TooLarge      uint64 // dropped: longer than UplinkMax
	LimitedPrefix uint64 // dropped: too many failures from the prefix
	LimitedSource uint64 // dropped: too many failures from the source, which had verified before
	LimitedTotal  uint64 // dropped: too many failures in all
	Unconfirmed   uint64 // the sink failed or did not settle it

	Stored      uint64
	Duplicate   uint64
	Quarantined uint64
	Rejected    uint64

	Sent       uint64 // replies and downlinks handed to the kernel
	SentBytes  uint64
	SendErrors uint64 // replies and downlinks that the kernel did not take
	Withheld   uint64 // replies not sent since they were too long or for who did not verify

	SocketDrops  uint64 // datagrams that the kernel dropped, mostly for want of buffer; 0 where it cannot be read (Linux only)
	SocketBuffer int    // bytes of buffer that the kernel granted; Linux counts its own overhead in
}

// counters are the counts that readers add to.
type counters struct {
	received, receivedBytes                    atomic.Uint64
	empty, tooLarge                            atomic.Uint64
	limitedPrefix, limitedSource, limitedTotal atomic.Uint64
	settled                                    [transports.Rejected + 1]atomic.Uint64 // by settlement
	sent, sentBytes, sendErrors, withheld      atomic.Uint64
}

// add adds n, at no cost where it is zero as it mostly is.
func add(c *atomic.Uint64, n int) {
	if n > 0 {
		c.Add(uint64(n))
	}
}

// Stats returns the counts so far.
func (t *Transport) Stats() Stats {
	c := &t.counts
	s := Stats{
		Received: c.received.Load(), ReceivedBytes: c.receivedBytes.Load(),
		Empty: c.empty.Load(), TooLarge: c.tooLarge.Load(),
		LimitedPrefix: c.limitedPrefix.Load(), LimitedSource: c.limitedSource.Load(), LimitedTotal: c.limitedTotal.Load(),
		Unconfirmed: c.settled[transports.Unsettled].Load(),
		Stored:      c.settled[transports.Stored].Load(), Duplicate: c.settled[transports.Duplicate].Load(),
		Quarantined: c.settled[transports.Quarantined].Load(), Rejected: c.settled[transports.Rejected].Load(),
		Sent: c.sent.Load(), SentBytes: c.sentBytes.Load(), SendErrors: c.sendErrors.Load(), Withheld: c.withheld.Load(),
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	s.SocketBuffer, s.SocketDrops = t.buffer, t.drops
	if t.conn != nil {
		s.SocketDrops += socketDrops(t.conn)
	}
	return s
}
