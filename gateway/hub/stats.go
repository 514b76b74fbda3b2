package hub

import (
	"sync/atomic"
	"time"

	"github.com/godwit-gateway/godwit/transports"
)

// A Reason says why an uplink was not stored as a frame.
type Reason uint8

// Reasons, as in metrics and in the quarantine.
const (
	ReasonNone      Reason = iota
	ReasonMalformed        // no sequence of well-formed frames
	ReasonUnknown          // nothing leads to a key
	ReasonAuth             // no candidate's tag verifies
	ReasonLimit            // not tried: too many failures before
	ReasonForm             // a form that this link does not take
	ReasonTooOld           // counter below the floor: what it said is no longer known
	ReasonState            // of a rejected or retired device
	ReasonPending          // of a device that waits for approval
	ReasonReuse            // verified, but its counter was used with other content
	ReasonText             // no data: a text, or a unit that the driver could not parse
	ReasonParts            // part of a message that never became whole, or beyond a limit
	reasonsLen
)

var reasonNames = [reasonsLen]string{
	"none", "malformed", "unknown", "auth", "limit", "form", "too_old", "state", "pending", "counter_reuse", "text", "parts",
}

// String names the reason as metrics do.
func (r Reason) String() string {
	if r < reasonsLen {
		return reasonNames[r]
	}
	return "invalid"
}

// Reasons lists all reasons but ReasonNone.
func Reasons() []Reason {
	rs := make([]Reason, 0, reasonsLen-1)
	for r := ReasonNone + 1; r < reasonsLen; r++ {
		rs = append(rs, r)
	}
	return rs
}

// linkCounters count what came over one link. Written by the committer, read by anyone.
type linkCounters struct {
	received, bytes               atomic.Uint64
	stored, duplicate, quarantine atomic.Uint64
	rejected                      [reasonsLen]atomic.Uint64
	events, replies               atomic.Uint64
	delay                         Histogram
}

// LinkStats is a snapshot of a link's counters since the gateway started.
type LinkStats struct {
	Name        string            `json:"name"`
	Bearer      string            `json:"bearer"`
	Received    uint64            `json:"received"` // uplinks handed over by the driver
	Bytes       uint64            `json:"bytes"`    // of payload
	Stored      uint64            `json:"stored"`
	Duplicate   uint64            `json:"duplicate"`
	Quarantined uint64            `json:"quarantined"`
	Rejected    map[string]uint64 `json:"rejected"` // by reason
	Events      uint64            `json:"events"`
	Replies     uint64            `json:"replies"`
	Delay       *Histogram        `json:"-"` // seconds from the network's time stamp to receipt
}

// Billed returns the bytes that the link's network counts for what came, and for so many messages with so many bytes of payload that went.
func (s *LinkStats) Billed(sent, payload uint64) uint64 {
	bearer := transports.Bearer(s.Bearer)
	return bearer.Billed(s.Received, s.Bytes) + bearer.Billed(sent, payload)
}

func (h *Hub) linkStats(l *link) LinkStats {
	s := LinkStats{
		Name: l.Name, Bearer: string(l.Bearer), Received: l.count.received.Load(), Bytes: l.count.bytes.Load(),
		Stored: l.count.stored.Load(), Duplicate: l.count.duplicate.Load(), Quarantined: l.count.quarantine.Load(),
		Events: l.count.events.Load(), Replies: l.count.replies.Load(), Rejected: make(map[string]uint64), Delay: &l.count.delay,
	}
	for r := range l.count.rejected {
		if n := l.count.rejected[r].Load(); n > 0 {
			s.Rejected[Reason(r).String()] = n
		}
	}
	return s
}

// Links returns the counters of all links, in the order of the configuration.
func (h *Hub) Links() []LinkStats {
	out := make([]LinkStats, 0, len(h.linkList))
	for _, l := range h.linkList {
		out = append(out, h.linkStats(l))
	}
	return out
}

// Commits tells how long synced batches took.
func (h *Hub) Commits() *Histogram { return &h.commits }

// DownlinkQueue returns, for each link, how many downlinks the network has not taken yet, and when the oldest of all was queued; zero if
// there is none. Those that were attempted without an answer count: they may be sent again.
func (h *Hub) DownlinkQueue() (waiting map[string]int, oldest time.Time) {
	waiting = make(map[string]int, len(h.linkList))
	for _, l := range h.linkList {
		waiting[l.Name] = 0
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	for _, refs := range h.outgoing.open {
		for _, ref := range refs {
			d := h.outgoing.byRef[ref]
			if d.State != DownlinkQueued && d.State != DownlinkSent {
				continue
			}
			waiting[d.Link]++
			if oldest.IsZero() || d.QueuedAt.Before(oldest) {
				oldest = d.QueuedAt
			}
		}
	}
	return waiting, oldest
}

// histogramBounds are the upper bounds of a Histogram's buckets, in seconds.
var histogramBounds = [...]float64{0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.25, 1, 5, 30, 120, 600, 3600, 21600, 86400, 604800}

// A Histogram counts durations in fixed buckets. Safe for concurrent use.
type Histogram struct {
	buckets [len(histogramBounds)]atomic.Uint64 // not cumulative
	count   atomic.Uint64
	nanos   atomic.Int64
}

// Observe adds one duration.
func (h *Histogram) Observe(d time.Duration) {
	h.count.Add(1)
	h.nanos.Add(int64(d))
	s := d.Seconds()
	for i, b := range histogramBounds {
		if s <= b {
			h.buckets[i].Add(1)
			return
		}
	}
}

// Snapshot returns count, sum in seconds and the cumulative counts by upper bound in seconds, as Prometheus takes them.
func (h *Histogram) Snapshot() (count uint64, sum float64, buckets map[float64]uint64) {
	buckets = make(map[float64]uint64, len(histogramBounds))
	var n uint64
	for i, b := range histogramBounds {
		n += h.buckets[i].Load()
		buckets[b] = n
	}
	return h.count.Load(), time.Duration(h.nanos.Load()).Seconds(), buckets
}
