package node

import (
	"net/http"
	"time"

	"github.com/godwit-gateway/godwit/gateway/metrics"
	"github.com/godwit-gateway/godwit/transports/cloudloop"
	"github.com/godwit-gateway/godwit/transports/directip"
	"github.com/godwit-gateway/godwit/transports/idp"
	"github.com/godwit-gateway/godwit/transports/idpmodem"
	"github.com/godwit-gateway/godwit/transports/rockblock"
	"github.com/godwit-gateway/godwit/transports/sbdmodem"
	"github.com/godwit-gateway/godwit/transports/smsmodem"
	"github.com/godwit-gateway/godwit/transports/udp"
)

// metrics is what Prometheus scrapes.
func (n *Node) metrics() http.Handler {
	s := metrics.Sources{Hub: n.hub, Store: n.store, Publisher: n.publisher, Ready: n.Ready, StreamRestarts: n.revived.Load, Version: Version(), Now: time.Now}
	for _, w := range n.links {
		s.Links = append(s.Links, w.state())
	}
	return metrics.New(s).Handler()
}

// state is how the link's line is.
func (w *wired) state() metrics.LinkState {
	s := metrics.LinkState{Name: w.name, Kind: w.kind, Up: w.up, Restarts: w.restarts.Load}
	switch d := w.transport.(type) {
	case *udp.Transport:
		s.Sent = func() (messages, payload uint64) { st := d.Stats(); return st.Sent, st.SentBytes }
		s.UDP = func() map[string]uint64 {
			st := d.Stats()
			return map[string]uint64{
				"empty": st.Empty, "too_large": st.TooLarge, "limited_prefix": st.LimitedPrefix, "limited_source": st.LimitedSource, "limited_total": st.LimitedTotal,
			}
		}
	case *smsmodem.Transport:
		s.Sent = func() (messages, payload uint64) { return d.Stats().SentParts, 0 }
		s.ModemResets = func() uint64 { return d.Stats().Resets }
		s.ModemUp = func() bool { return d.Stats().Up }
		s.SlotsUsed = func() (int, bool) { used, _, ok := slots(d); return used, ok }
		s.SlotsTotal = func() (int, bool) { _, total, ok := slots(d); return total, ok }
	}
	w.terminals(&s)
	w.satellites(&s)
	return s
}

// terminals is what the drivers of terminals beside the gateway tell.
func (w *wired) terminals(s *metrics.LinkState) {
	switch d := w.transport.(type) {
	case *sbdmodem.Transport:
		s.Sent = func() (messages, payload uint64) { st := d.Stats(); return st.Sent, st.SentBytes }
		s.ModemUp = d.Up
		s.Sessions = func() map[string]uint64 {
			st := d.Stats()
			return map[string]uint64{"failed": st.Failed, "check": st.Checks, "empty": st.Empty, "lost": st.Lost, "weak": st.Weak}
		}
	case *idpmodem.Transport:
		s.Sent = func() (messages, payload uint64) { st := d.Stats(); return st.Sent, st.SentBytes }
		s.ModemUp = d.Up
		s.Signal = func() (float64, bool) { st := d.Stats(); return st.SignalDBHz, st.SignalDBHz > 0 }
		s.Sessions = func() map[string]uint64 {
			st := d.Stats()
			return map[string]uint64{"failed": st.Failed, "lost": st.Lost, "foreign": st.Raw, "requeued": st.Requeued}
		}
	}
}

// satellites is what the drivers of satellite networks that are reached over the Internet tell.
func (w *wired) satellites(s *metrics.LinkState) {
	switch d := w.transport.(type) {
	case *directip.Transport:
		s.Sent = func() (messages, payload uint64) { st := d.Stats(); return st.Sent, st.SentBytes }
		s.Refused = func() map[string]uint64 {
			st := d.Stats()
			return map[string]uint64{
				"stranger": st.Stranger, "crowded": st.Crowded, "unfinished": st.Unfinished, "foreign": st.Foreign,
			}
		}
		s.Sessions = func() map[string]uint64 {
			st := d.Stats()
			return map[string]uint64{"failed": st.Failed, "empty": st.Empty, "repeated": st.Repeated, "malformed": st.Malformed}
		}
		s.Confirmed = func() map[string]uint64 { return confirmedDirectIP(d.Stats()) }
		s.Missing = func() uint64 { return d.Stats().Missing }
	case *rockblock.Transport:
		s.Sent = func() (messages, payload uint64) { st := d.Stats(); return st.Sent, st.SentBytes }
		s.Refused = func() map[string]uint64 {
			st := d.Stats()
			return map[string]uint64{"stranger": st.Stranger, "malformed": st.Malformed, "late": st.Late, "crowded": st.Crowded}
		}
		s.Sessions = func() map[string]uint64 {
			st := d.Stats()
			return map[string]uint64{"empty": st.Empty, "repeated": st.Repeated}
		}
		s.Confirmed = func() map[string]uint64 { return confirmedRockBLOCK(d.Stats()) }
	case *idp.Transport:
		s.Sent = func() (messages, payload uint64) { st := d.Stats(); return st.Sent, st.SentBytes }
		s.Sessions = func() map[string]uint64 {
			st := d.Stats()
			return map[string]uint64{"repeated": st.Repeated, "foreign": st.Foreign, "cancelled": st.Cancelled, "scheduled": st.Scheduled, "overfull": st.Overfull}
		}
		s.Confirmed = func() map[string]uint64 { return confirmedIDP(d.Stats()) }
		s.Calls = func() map[string]uint64 { return d.Stats().Failures }
	case *cloudloop.Transport:
		s.Sent = func() (messages, payload uint64) { st := d.Stats(); return st.Sent, st.SentBytes }
		s.Sessions = func() map[string]uint64 {
			st := d.Stats()
			return map[string]uint64{"empty": st.Empty, "malformed": st.Malformed}
		}
		s.Confirmed = func() map[string]uint64 { return confirmedCloudloop(d.Stats()) }
	}
}

// slots are those of all storages of a modem, as it last said.
func slots(modem *smsmodem.Transport) (used, total int, ok bool) {
	for _, s := range modem.Stats().Slots {
		used, total, ok = used+s.Used, total+s.Total, true
	}
	return used, total, ok
}
