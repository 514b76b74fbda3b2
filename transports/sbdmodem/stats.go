package sbdmodem

import (
	"sync/atomic"

	"github.com/godwit-gateway/godwit/transports"
)

// Stats are the state of a transport and its counts since it was made.
type Stats struct {
	Up         bool // the transceiver is set up, and Send works
	Registered bool // with the network, as far as is known
	Signal     int  // bars of 5 before the last session, -1 unknown
	IMEI       string
	Firmware   string

	Sessions      uint64 // that were begun
	Failed        uint64 // of these, those that brought nothing
	Checks        uint64 // of those that went well, or may have, those that sent nothing: they are paid for
	Empty         uint64 // of these, those that found nothing either
	Lost          uint64 // sessions whose status was lost
	Recovered     uint64 // outcomes that the count of sessions told, also those of an earlier Run or process
	Weak          uint64 // sessions put off for want of signal, or of the system's time
	MTFailed      uint64 // sessions in which a message should have come and did not
	Registrations uint64
	Rings         uint64 // ring alerts

	Received    uint64 // messages handed to the sink
	Raw         uint64 // of these, those that stayed garbled
	Garbled     uint64 // readings of a message that came garbled over the line
	Stored      uint64
	Duplicate   uint64
	Quarantined uint64
	Rejected    uint64
	Unsettled   uint64 // the sink failed or did not settle it; it is still in the transceiver

	Sent       uint64 // messages that the network took
	SentBytes  uint64 // of payload
	SendErrors uint64
	Repeats    uint64 // messages that the queue brought again and the network had already

	Setups   uint64 // times that a transceiver was set up
	Reboots  uint64 // of these: it had started over
	Timeouts uint64 // commands that it did not answer in time
	Resyncs  uint64 // times that it was brought in step
	Strays   uint64 // lines that nobody waited for
}

// counters are the counts that the goroutines of a Run add to.
type counters struct {
	sessions, failed, checks, empty, lost, recovered, weak, mtFailed, registrations, rings atomic.Uint64

	received, raw, garbled atomic.Uint64
	settled                [transports.Rejected + 1]atomic.Uint64 // by settlement

	sent, sentBytes, sendErrors, repeats       atomic.Uint64
	setups, reboots, timeouts, resyncs, strays atomic.Uint64
}

// Stats returns the state and the counts so far.
func (t *Transport) Stats() Stats {
	c := &t.counts
	s := Stats{
		Sessions: c.sessions.Load(), Failed: c.failed.Load(), Checks: c.checks.Load(), Empty: c.empty.Load(), Lost: c.lost.Load(),
		Recovered: c.recovered.Load(), Weak: c.weak.Load(), MTFailed: c.mtFailed.Load(), Registrations: c.registrations.Load(), Rings: c.rings.Load(),
		Received: c.received.Load(), Raw: c.raw.Load(), Garbled: c.garbled.Load(),
		Stored: c.settled[transports.Stored].Load(), Duplicate: c.settled[transports.Duplicate].Load(),
		Quarantined: c.settled[transports.Quarantined].Load(), Rejected: c.settled[transports.Rejected].Load(),
		Unsettled: c.settled[transports.Unsettled].Load(),
		Sent:      c.sent.Load(), SentBytes: c.sentBytes.Load(), SendErrors: c.sendErrors.Load(), Repeats: c.repeats.Load(),
		Setups: c.setups.Load(), Reboots: c.reboots.Load(), Timeouts: c.timeouts.Load(), Resyncs: c.resyncs.Load(), Strays: c.strays.Load(),
	}
	s.Up = t.running.Up()
	t.mu.Lock()
	defer t.mu.Unlock()
	s.Registered, s.Signal, s.IMEI, s.Firmware = t.attached, t.signal, t.modem.imei, t.modem.firmware
	return s
}
