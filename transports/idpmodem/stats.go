package idpmodem

import (
	"sync/atomic"

	"github.com/godwit-gateway/godwit/transports"
)

// Stats are the state of a transport and its counts since it was made.
type Stats struct {
	Up         bool    // the terminal is set up, and Send works
	Registered bool    // with the network, and able to send
	Network    int     // state of the network as the terminal has it in S54: 5 is active, 8 is a blocked sky, 0 not known
	SignalDBHz float64 // carrier to noise, 0 if not known
	MobileID   string  // of the terminal last seen
	Checksums  bool    // on its line
	Queued     int     // return messages of ours in it that are not done

	Received    uint64 // forward messages handed to the sink
	Raw         uint64 // of these: of another SIN or MIN, or not to be read
	Unsettled   uint64 // the sink failed or did not settle it; it is still in the terminal
	Stored      uint64
	Duplicate   uint64
	Quarantined uint64
	Rejected    uint64
	ReadErrors  uint64 // times that the terminal did not hand over a forward message, or not one that can be read
	Marked      uint64 // forward messages that were marked as read
	MarkErrors  uint64

	Sent       uint64 // return messages that the terminal took
	SentBytes  uint64 // of payload
	SendErrors uint64
	Known      uint64 // sends of what the terminal had already
	Adopted    uint64 // return messages of an earlier process
	Completed  uint64 // return messages that the network has
	Failed     uint64 // those that it will not have
	Requeued   uint64 // times that one was queued again
	Lost       uint64 // those of which nobody knows: the terminal had forgotten them

	Setups      uint64 // times that a terminal was set up
	Timeouts    uint64 // commands that the terminal did not answer in time
	Resyncs     uint64 // times that it was brought back in step
	Strays      uint64 // lines that nobody waited for
	Garbled     uint64 // replies whose checksum was wrong
	BadCommands uint64 // commands whose checksum the terminal found wrong
	Overlong    uint64 // replies that were too long
}

// counters are the counts that the goroutines of a session add to.
type counters struct {
	received, raw, readErrors, marked, markErrors                     atomic.Uint64
	settled                                                           [transports.Rejected + 1]atomic.Uint64 // by settlement
	sent, sentBytes, sendErrors                                       atomic.Uint64
	known, adopted, completed, failed, requeued, lost                 atomic.Uint64
	setups, timeouts, resyncs, strays, garbled, badCommands, overlong atomic.Uint64
}

// Stats returns the state and the counts so far.
func (t *Transport) Stats() Stats {
	c := &t.counts
	s := Stats{
		Received: c.received.Load(), Raw: c.raw.Load(), Unsettled: c.settled[transports.Unsettled].Load(),
		Stored: c.settled[transports.Stored].Load(), Duplicate: c.settled[transports.Duplicate].Load(),
		Quarantined: c.settled[transports.Quarantined].Load(), Rejected: c.settled[transports.Rejected].Load(),
		ReadErrors: c.readErrors.Load(), Marked: c.marked.Load(), MarkErrors: c.markErrors.Load(),
		Sent: c.sent.Load(), SentBytes: c.sentBytes.Load(), SendErrors: c.sendErrors.Load(), Known: c.known.Load(), Adopted: c.adopted.Load(),
		Completed: c.completed.Load(), Failed: c.failed.Load(), Requeued: c.requeued.Load(), Lost: c.lost.Load(),
		Setups: c.setups.Load(), Timeouts: c.timeouts.Load(), Resyncs: c.resyncs.Load(), Strays: c.strays.Load(), Garbled: c.garbled.Load(),
		BadCommands: c.badCommands.Load(), Overlong: c.overlong.Load(),
	}
	s.Up = t.running.Up()
	t.mu.Lock()
	defer t.mu.Unlock()
	s.Registered = s.Up && t.state.network == networkActive
	s.Network, s.SignalDBHz, s.MobileID, s.Checksums, s.Queued = t.state.network, float64(t.state.signal)/100, t.state.mobileID, t.state.sums, t.state.queued
	return s
}
