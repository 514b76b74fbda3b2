package hub_test

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec/manifest"
	"github.com/godwit-gateway/godwit/gateway/audit"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/rollout"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/transports"
)

// waits is for how long frames wait for each step of something: the shortest that it took in any of several goes, for other work of the machine takes time
// as well.
type waits []time.Duration

func (w *waits) step(n int, call func()) {
	began := time.Now()
	call()
	took := time.Since(began)
	if n == len(*w) {
		*w = append(*w, took)
	}
	(*w)[n] = min((*w)[n], took)
}

func (w *waits) report(b *testing.B) {
	b.Helper()
	longest := time.Duration(0)
	for _, d := range *w {
		longest = max(longest, d)
	}
	b.ReportMetric(float64(longest.Microseconds())/1000, "ms-longest")
	b.ReportMetric(float64(len(*w)), "steps")
}

// BenchmarkRolloutWaits tells for how long frames wait for a plan, a start and the opening of a wave in a rollout of 100,000 devices: the longest step, and
// the same where all is done at once.
func BenchmarkRolloutWaits(b *testing.B) {
	h, st := largeFleet(b, 100_000)
	spec := rollout.Spec{Name: "spring", Product: "buoy", Version: "2.0.0", Waves: []rollout.Wave{{Share: 0.5}, {Share: 1}}, HoldOut: 0.05}
	ann, ben := rollout.Actor{Name: "ann", Role: rollout.Operator}, rollout.Actor{Name: "ben", Role: rollout.Approver}
	locked := func(w *waits, n *int, call func(now time.Time, m *rollout.Machine)) {
		h.LookAtRollouts(func(now time.Time, m *rollout.Machine) { w.step(*n, func() { call(now, m) }) })
		*n++
	}
	approved := func() (id rollout.ID) {
		h.LookAtRollouts(func(now time.Time, m *rollout.Machine) {
			id, _, _ = m.Create(now, ann, spec)
			_, _ = m.Act(now, ann, id, rollout.Submit, "")
			if _, err := m.Act(now, ben, id, rollout.Approve, "fine"); err != nil {
				b.Fatal(err)
			}
		})
		return id
	}
	stop := func(id rollout.ID) {
		h.LookAtRollouts(func(now time.Time, m *rollout.Machine) {
			if _, err := m.Act(now, ann, id, rollout.Stop, ""); err != nil {
				b.Fatal(err)
			}
			m.Drain(st.NewBatch())
		})
	}
	cost := func(rollout.Place) (int64, string) { return 1, "EUR" }

	b.Run("plan/at_once", func(b *testing.B) {
		var w waits
		for range b.N {
			n := 0
			locked(&w, &n, func(now time.Time, m *rollout.Machine) { _, _ = m.Plan(now, spec, cost) })
		}
		w.report(b)
	})
	b.Run("plan/steps", func(b *testing.B) {
		var w waits
		for range b.N {
			n, more := 0, true
			var p *rollout.Planning
			locked(&w, &n, func(now time.Time, m *rollout.Machine) { p, _ = m.Planning(now, spec, cost) })
			for more {
				locked(&w, &n, func(time.Time, *rollout.Machine) { more = p.Some(hub.LooksAtOnce) })
			}
			if f := p.Forecast(); f.Devices != 100_000 {
				b.Fatalf("%+v", f)
			}
		}
		w.report(b)
	})
	b.Run("start/at_once", func(b *testing.B) {
		var w waits
		for range b.N {
			n, id := 0, approved()
			locked(&w, &n, func(now time.Time, m *rollout.Machine) {
				if _, err := m.Act(now, ann, id, rollout.Start, ""); err != nil {
					b.Fatal(err)
				}
				m.Drain(st.NewBatch())
			})
			stop(id)
		}
		w.report(b)
	})
	var start, wave waits
	b.Run("start/steps", func(b *testing.B) {
		for range b.N {
			n, more, id := 0, true, approved()
			var s *rollout.Starting
			locked(&start, &n, func(now time.Time, m *rollout.Machine) { s, _ = m.Starting(now, ann, id, "") })
			for more {
				locked(&start, &n, func(time.Time, *rollout.Machine) { more = s.Some(hub.LooksAtOnce) })
			}
			s.Sort()
			for more = true; more; {
				rows := st.NewBatch()
				locked(&start, &n, func(time.Time, *rollout.Machine) { more = s.Write(rows, hub.WritesAtOnce) })
			}
			rows := st.NewBatch()
			locked(&start, &n, func(now time.Time, m *rollout.Machine) {
				if _, err := s.Begin(now); err != nil {
					b.Fatal(err)
				}
				m.Drain(rows)
			})
			for n, more = 0, true; more; {
				rows := st.NewBatch()
				locked(&wave, &n, func(now time.Time, m *rollout.Machine) {
					more = m.Poll(now)
					m.Drain(rows)
				})
			}
			stop(id)
		}
		start.report(b)
	})
	b.Run("wave/steps", func(b *testing.B) { wave.report(b) })
}

// largeFleet is a hub with so many devices that were never heard.
func largeFleet(b *testing.B, devices int) (*hub.Hub, *store.Store) {
	b.Helper()
	clock := &fakeClock{t: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	log := slog.New(slog.DiscardHandler)
	st, err := store.Open(store.Options{Dir: b.TempDir() + "/db", Log: log, Now: clock.Now})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = st.Close() })
	kek, err := store.NewKEK(make([]byte, 32))
	if err != nil {
		b.Fatal(err)
	}
	h, err := hub.New(hub.Options{
		Gateway: "gw1", Store: st, KEK: kek, Clock: clock, Log: log, Inline: true,
		Links:     []hub.Link{{Name: "udp", Bearer: transports.UDP, Ack: hub.AckAlways}},
		FleetKeys: []fleet.FleetKey{{ID: "a", Key: fleetSecret, First: 1, Last: uint32(devices), Product: "buoy", Customer: "acme", Name: "dev-{number}", CTRBits: 16, TagLen: 8}},
		Products:  []hub.Product{{Name: "buoy", Template: newTemplate(b)}},
	})
	if err != nil {
		b.Fatal(err)
	}
	rows := make([]fleet.ImportRow, devices)
	for i := range rows {
		rows[i] = fleet.ImportRow{Line: i + 2, Device: fleet.Device{
			Number: uint32(i + 1), Name: fmt.Sprintf("dev-%d", i+1), Product: "buoy", Customer: "acme", State: fleet.Active, KeySource: "fleet:a", CTRBits: 16, TagLen: 8,
		}}
	}
	if res, err := h.Import(b.Context(), rows, false); err != nil || !res.Done {
		b.Fatalf("%d errors, %v", len(res.Errors), err)
	}
	_, err = h.AddRelease(hub.WithActor(b.Context(), audit.Actor{Name: "ann", Role: "operator"}), rollout.Release{
		Manifest:  manifest.Manifest{Product: "buoy", Version: "2.0.0", Sequence: 2, Size: 1024, URL: "https://updates.example/2.0.0.bin"},
		Reference: "https://updates.example/2.0.0.cose", Hash: make([]byte, 32), Signer: "releases",
	})
	if err != nil {
		b.Fatal(err)
	}
	return h, st
}
