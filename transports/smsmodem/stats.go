package smsmodem

import (
	"slices"
	"sync/atomic"

	"github.com/godwit-gateway/godwit/transports"
)

// slotsMax is more than any storage of a modem has.
const slotsMax = 1000

// A Slot is the state of one message storage, as the modem last gave it. What a full storage cannot take, the network keeps, and says so
// to nobody.
type Slot struct {
	Storage string
	Used    int
	Total   int
	Foreign int // messages in it that the modem did not receive, such as drafts; they are left there
}

// Stats are the state of a transport and its counts since it was made.
type Stats struct {
	Up         bool // the modem is set up, and Send works
	Registered bool // with a network
	Roaming    bool
	SignalDBm  int // 0 if the modem does not know
	Slots      []Slot
	IMEI       string // of the modem last seen
	Maker      string
	Model      string

	Received uint64 // messages handed to the sink
	Text     uint64 // of these: text
	Raw      uint64 // of these: not understood, or for another port
	Parts    uint64 // of these: parts of concatenated messages
	Reports  uint64 // status reports handed to the sink

	Unsettled   uint64 // the sink failed or did not settle it; it is still in its storage
	Stored      uint64
	Duplicate   uint64
	Quarantined uint64
	Rejected    uint64

	Deleted      uint64 // slots given back
	DeleteErrors uint64

	Sent       uint64 // downlinks that the network took
	SentParts  uint64 // messages that it took, as billed
	SendErrors uint64

	Doorbells uint64 // indications of something new
	Sweeps    uint64 // listings of a storage
	Setups    uint64 // times that a modem was set up
	Reboots   uint64 // of these: it had started over, or lost its settings
	Resets    uint64 // times that a modem that failed was told to start over
	Timeouts  uint64 // commands that the modem did not answer in time
	Resyncs   uint64 // times that it was brought back in step
	Strays    uint64 // lines that nobody waited for
	Overruns  uint64 // lines, and messages that the modem did not store, dropped since too many waited
}

// counters are the counts that the goroutines of a session add to.
type counters struct {
	received, text, raw, parts, reports atomic.Uint64
	settled                             [transports.Rejected + 1]atomic.Uint64 // by settlement
	deleted, deleteErrors               atomic.Uint64
	sent, sentParts, sendErrors         atomic.Uint64
	doorbells, sweeps, setups, reboots  atomic.Uint64
	resets                              atomic.Uint64
	timeouts, resyncs, strays, overruns atomic.Uint64
}

// Stats returns the state and the counts so far.
func (t *Transport) Stats() Stats {
	c := &t.counts
	s := Stats{
		Received: c.received.Load(), Text: c.text.Load(), Raw: c.raw.Load(), Parts: c.parts.Load(), Reports: c.reports.Load(),
		Unsettled: c.settled[transports.Unsettled].Load(),
		Stored:    c.settled[transports.Stored].Load(), Duplicate: c.settled[transports.Duplicate].Load(),
		Quarantined: c.settled[transports.Quarantined].Load(), Rejected: c.settled[transports.Rejected].Load(),
		Deleted: c.deleted.Load(), DeleteErrors: c.deleteErrors.Load(),
		Sent: c.sent.Load(), SentParts: c.sentParts.Load(), SendErrors: c.sendErrors.Load(),
		Doorbells: c.doorbells.Load(), Sweeps: c.sweeps.Load(), Setups: c.setups.Load(), Reboots: c.reboots.Load(), Resets: c.resets.Load(),
		Timeouts: c.timeouts.Load(), Resyncs: c.resyncs.Load(), Strays: c.strays.Load(), Overruns: c.overruns.Load(),
	}
	s.Up = t.running.Up()
	t.mu.Lock()
	defer t.mu.Unlock()
	s.Registered, s.Roaming = s.Up && t.attached, t.roaming
	s.SignalDBm, s.IMEI, s.Maker, s.Model = t.signal, t.modem.imei, t.modem.maker, t.modem.model
	s.Slots = slices.Clone(t.slots)
	return s
}

// Up implements transports.Line.
func (t *Transport) Up() bool { return t.running.Up() }

// slot returns the entry of a storage. Called with mu held.
func (t *Transport) slot(mem string) *Slot {
	for i := range t.slots {
		if t.slots[i].Storage == mem {
			return &t.slots[i]
		}
	}
	t.slots = append(t.slots, Slot{Storage: mem})
	return &t.slots[len(t.slots)-1]
}

// setSlot records what a storage holds.
func (t *Transport) setSlot(mem string, used, total int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	st := t.slot(mem)
	st.Used, st.Total = used, total
}

func (t *Transport) setForeign(mem string, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.slot(mem).Foreign = n
}

// slotsOf returns how many slots a storage has, within what a modem can have.
func (t *Transport) slotsOf(mem string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return min(t.slot(mem).Total, slotsMax)
}
