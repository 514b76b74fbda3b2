package node

import (
	"net/http"
	"time"

	"github.com/godwit-gateway/godwit/gateway/metrics"
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
	if w.udp != nil {
		s.Sent = func() (messages, payload uint64) { st := w.udp.Stats(); return st.Sent, st.SentBytes }
		s.UDP = func() map[string]uint64 {
			st := w.udp.Stats()
			return map[string]uint64{
				"empty": st.Empty, "too_large": st.TooLarge, "limited_prefix": st.LimitedPrefix, "limited_source": st.LimitedSource, "limited_total": st.LimitedTotal,
			}
		}
	}
	w.satellites(&s)
	if w.modem != nil {
		s.Sent = func() (messages, payload uint64) { return w.modem.Stats().SentParts, 0 }
		s.ModemResets = func() uint64 { return w.modem.Stats().Resets }
		s.ModemUp = func() bool { return w.modem.Stats().Up }
		s.SlotsUsed = func() (int, bool) { used, _, ok := w.slots(); return used, ok }
		s.SlotsTotal = func() (int, bool) { _, total, ok := w.slots(); return total, ok }
	}
	return s
}

// satellites is what the drivers of satellite networks tell.
func (w *wired) satellites(s *metrics.LinkState) {
	if w.sbd != nil {
		s.Sent = func() (messages, payload uint64) { st := w.sbd.Stats(); return st.Sent, st.SentBytes }
		s.ModemUp = w.sbd.Up
		s.Sessions = func() map[string]uint64 {
			st := w.sbd.Stats()
			return map[string]uint64{"failed": st.Failed, "check": st.Checks, "empty": st.Empty, "lost": st.Lost, "weak": st.Weak}
		}
	}
	if w.term != nil {
		w.terminal(s)
	}
	if w.sat != nil {
		s.Sent = func() (messages, payload uint64) { st := w.sat.Stats(); return st.Sent, st.SentBytes }
		s.Refused = func() map[string]uint64 {
			st := w.sat.Stats()
			return map[string]uint64{
				"stranger": st.Stranger, "crowded": st.Crowded, "unfinished": st.Unfinished, "foreign": st.Foreign,
			}
		}
		s.Sessions = func() map[string]uint64 {
			st := w.sat.Stats()
			return map[string]uint64{"failed": st.Failed, "empty": st.Empty, "repeated": st.Repeated, "malformed": st.Malformed}
		}
		s.Missing = func() uint64 { return w.sat.Stats().Missing }
	}
	if w.rock != nil {
		s.Sent = func() (messages, payload uint64) { st := w.rock.Stats(); return st.Sent, st.SentBytes }
		s.Refused = func() map[string]uint64 {
			st := w.rock.Stats()
			return map[string]uint64{"stranger": st.Stranger, "malformed": st.Malformed, "late": st.Late, "crowded": st.Crowded}
		}
		s.Sessions = func() map[string]uint64 {
			st := w.rock.Stats()
			return map[string]uint64{"empty": st.Empty, "repeated": st.Repeated}
		}
	}
	if w.idp != nil {
		s.Sent = func() (messages, payload uint64) { st := w.idp.Stats(); return st.Sent, st.SentBytes }
		s.Sessions = func() map[string]uint64 {
			st := w.idp.Stats()
			return map[string]uint64{"repeated": st.Repeated, "foreign": st.Foreign, "cancelled": st.Cancelled, "scheduled": st.Scheduled}
		}
		s.Calls = func() map[string]uint64 { return w.idp.Stats().Failures }
	}
	if w.loop != nil {
		s.Sent = func() (messages, payload uint64) { st := w.loop.Stats(); return st.Sent, st.SentBytes }
		s.Sessions = func() map[string]uint64 {
			st := w.loop.Stats()
			return map[string]uint64{"empty": st.Empty, "malformed": st.Malformed}
		}
	}
}

// terminal is how an IsatData Pro terminal beside the gateway is.
func (w *wired) terminal(s *metrics.LinkState) {
	s.Sent = func() (messages, payload uint64) { st := w.term.Stats(); return st.Sent, st.SentBytes }
	s.ModemUp = w.term.Up
	s.Signal = func() (float64, bool) { st := w.term.Stats(); return st.SignalDBHz, st.SignalDBHz > 0 }
	s.Sessions = func() map[string]uint64 {
		st := w.term.Stats()
		return map[string]uint64{"failed": st.Failed, "lost": st.Lost, "foreign": st.Raw, "requeued": st.Requeued}
	}
}

// slots are those of all storages of a modem, as it last said.
func (w *wired) slots() (used, total int, ok bool) {
	for _, s := range w.modem.Stats().Slots {
		used, total, ok = used+s.Used, total+s.Total, true
	}
	return used, total, ok
}
