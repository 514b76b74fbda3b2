package metrics

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/godwit-gateway/godwit/gateway/hub"
)

// scrape is where one scrape's metrics go.
type scrape chan<- prometheus.Metric

func (s scrape) value(f family, v float64, labels ...string) {
	s <- prometheus.MustNewConstMetric(f.desc, f.kind, v, labels...)
}

func (s scrape) count(f family, n uint64, labels ...string) { s.value(f, float64(n), labels...) }

// counts shows a driver's counts by reason or kind, where it has them.
func (s scrape) counts(f family, read func() map[string]uint64, link string) {
	if read == nil {
		return
	}
	for label, n := range read() {
		s.count(f, n, link, label)
	}
}

func (s scrape) flag(f family, on bool, labels ...string) {
	v := 0.0
	if on {
		v = 1
	}
	s.value(f, v, labels...)
}

func (s scrape) histogram(f family, h *hub.Histogram, labels ...string) {
	count, sum, buckets := h.Snapshot()
	s <- prometheus.MustNewConstHistogram(f.desc, count, sum, buckets, labels...)
}

// age is how long ago t was, 0 where there is no such time or it lies ahead of the clock.
func (m *Metrics) age(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return max(0, m.from.Now().Sub(t).Seconds())
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(to chan<- *prometheus.Desc) {
	for _, f := range families {
		to <- f.desc
	}
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(to chan<- prometheus.Metric) {
	s := scrape(to)
	for _, l := range m.from.Hub.Links() {
		m.frames(s, &l)
	}
	m.fleet(s)
	m.store(s)
	m.outbox(s)
	for i := range m.from.Links {
		line(s, &m.from.Links[i])
	}
	s.flag(ready, m.from.Ready() == nil)
	taken, refused := m.from.Hub.Reloads()
	s.count(configReloads, taken, hub.ConfigTaken)
	s.count(configReloads, refused, hub.ConfigRefused)
	s.value(buildInfo, 1, m.from.Version, runtime.Version())
}

func (m *Metrics) frames(s scrape, l *hub.LinkStats) {
	s.count(framesReceived, l.Received, l.Name)
	s.count(framesStored, l.Stored, l.Name)
	s.count(framesDuplicate, l.Duplicate, l.Name)
	s.count(framesQuarantined, l.Quarantined, l.Name)
	for _, r := range hub.Reasons() { // also those that never occurred: a rate needs the zero before the one
		s.count(framesRejected, l.Rejected[r.String()], l.Name, r.String())
	}
	s.histogram(frameDelay, l.Delay, l.Name)
	s.count(bytesPayload, l.Bytes, l.Name)
	s.count(bytesBilled, m.billed(l), l.Name)
	s.count(events, l.Events, l.Name)
	s.count(replies, l.Replies, l.Name)
}

// billed is what the network counts: for uplinks what the driver handed over, and for what went out what it says that it sent.
func (m *Metrics) billed(l *hub.LinkStats) uint64 {
	for i := range m.from.Links {
		if line := &m.from.Links[i]; line.Name == l.Name && line.Sent != nil {
			return l.Billed(line.Sent())
		}
	}
	return l.Billed(0, 0)
}

func (m *Metrics) fleet(s scrape) {
	for state, n := range m.from.Hub.Counts() {
		s.value(devices, float64(n), state.String())
	}
	for class, n := range m.from.Hub.SilentCounts() {
		s.value(devicesSilent, float64(n), class)
	}
	for _, r := range m.from.Hub.RolloutStats() {
		number := strconv.FormatUint(uint64(r.Rollout), 10)
		for state, n := range r.Standings {
			s.value(rolloutDevices, float64(n), number, state)
		}
		s.value(rolloutExcess, r.Excess, number)
	}
	for _, t := range m.from.Hub.SpendTotals() {
		s.value(spendMicros, float64(t.Micros), t.Link, t.Customer, t.Currency)
	}
	for _, b := range m.from.Hub.Budgets(false) {
		if b.Scope != "device" { // there may be many
			s.value(budgetLeft, float64(b.Left), strings.TrimSpace(b.Scope+" "+b.Name))
		}
	}
	waiting, oldest := m.from.Hub.DownlinkQueue()
	for link, n := range waiting {
		s.value(downlinkQueue, float64(n), link)
	}
	s.value(downlinkOldest, m.age(oldest))
}

func (m *Metrics) store(s scrape) {
	s.flag(storeHealthy, m.from.Store.Healthy() == nil) // first: it also looks at the free space
	s.histogram(storeCommit, m.from.Hub.Commits())
	st := m.from.Store.Stats()
	s.count(storeWritten, st.Written)
	s.count(storeStalls, st.Stalls)
	s.count(storeSlow, st.SlowWrites)
	s.count(storeDisk, st.DiskBytes)
	s.count(storeFree, st.FreeBytes)
	s.value(quarantineRows, float64(st.Quarantined))
	s.count(quarantineGone, st.Evicted)
	s.count(outboxRows, st.LastEvent+1-st.FirstEvent)
}

func (m *Metrics) outbox(s scrape) {
	p := m.from.Publisher.Stats()
	s.flag(publisherReady, m.from.Publisher.Ready() == nil)
	s.count(outboxPending, p.Pending)
	s.count(publisherPublished, p.Published)
	s.count(publisherVerified, p.Verified)
	s.count(publisherReconciles, p.Reconciles)
	s.count(publisherLost, p.Lost)
	s.count(publisherReplayed, p.Replayed)
	s.count(publisherAdopted, p.Adopted)
	if m.from.StreamRestarts != nil {
		s.count(streamRestarts, m.from.StreamRestarts())
	}
	var oldest time.Time
	if p.Pending > 0 {
		rows, err := m.from.Store.Outbox(nil, p.Confirmed+1, 1, 0)
		if err != nil {
			s <- prometheus.NewInvalidMetric(outboxOldest.desc, fmt.Errorf("oldest event: %w", err))
			return
		}
		for i := range rows {
			oldest = rows[i].At
		}
	}
	s.value(outboxOldest, m.age(oldest))
}

// line shows the state of a link's line.
func line(s scrape, l *LinkState) {
	s.flag(transportUp, l.Up(), l.Name)
	s.count(transportRestarts, l.Restarts(), l.Name)
	s.counts(udpDropped, l.UDP, l.Name)
	s.counts(refused, l.Refused, l.Name)
	s.counts(sessions, l.Sessions, l.Name)
	s.counts(confirmations, l.Confirmed, l.Name)
	s.counts(callsFailed, l.Calls, l.Name)
	if l.Missing != nil {
		s.count(missing, l.Missing(), l.Name)
	}
	if l.ModemUp != nil {
		s.flag(modemUp, l.ModemUp(), l.Name)
	}
	if l.Signal != nil {
		if dbHz, known := l.Signal(); known {
			s.value(modemSignal, dbHz, l.Name)
		}
	}
	if l.ModemResets != nil {
		s.count(modemResets, l.ModemResets(), l.Name)
	}
	slots(s, simUsed, l.SlotsUsed, l.Name)
	slots(s, simSlots, l.SlotsTotal, l.Name)
}

func slots(s scrape, f family, read func() (int, bool), modem string) {
	if read == nil {
		return
	}
	if n, ok := read(); ok {
		s.value(f, float64(n), modem)
	}
}
