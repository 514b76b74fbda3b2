package metrics_test

import (
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/manifest"
	"github.com/godwit-gateway/godwit/gateway/audit"
	"github.com/godwit-gateway/godwit/gateway/config"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/metrics"
	"github.com/godwit-gateway/godwit/gateway/publish"
	"github.com/godwit-gateway/godwit/gateway/rollout"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/transports"
)

var quiet = slog.New(slog.DiscardHandler)

// fakeClock stands until it is moved.
type fakeClock struct{ t time.Time }

func (c *fakeClock) Now() time.Time { return c.t }

// gateway is a hub, a store in memory and a publisher on an embedded server, with metrics over them.
type gateway struct {
	clock     *fakeClock
	hub       *hub.Hub
	store     *store.Store
	publisher *publish.Publisher
	metrics   *metrics.Metrics
	ready     error
}

var fleetSecret = [32]byte{7}

func newGateway(t *testing.T, links ...metrics.LinkState) *gateway {
	t.Helper()
	g := &gateway{clock: &fakeClock{time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}}
	var err error
	if g.store, err = store.Open(store.Options{Dir: "db", FS: vfs.NewMem(), Log: quiet, Now: g.clock.Now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.store.Close() })
	kek, err := store.NewKEK(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	product, err := config.BuiltIn("buoy-demo")
	if err != nil {
		t.Fatal(err)
	}
	g.hub, err = hub.New(hub.Options{
		Gateway: "gw1", Store: g.store, KEK: kek, Clock: g.clock, Log: quiet, Inline: true,
		Schedule: hub.Schedule{Core: core.Config{Currency: "EUR", Budgets: []ledger.Budget{{Scope: ledger.Scope{Level: ledger.Fleet, Currency: "EUR"}, Amount: 1e6}}}},
		Links: []hub.Link{
			{Name: "udp0", Bearer: transports.UDP, Ack: hub.AckAlways, Transport: silent{}},
			{Name: "sms0", Bearer: transports.SMS, Metered: true},
		},
		FleetKeys: []fleet.FleetKey{{
			ID: "a", Key: fleetSecret, First: 1, Last: 10, Product: "buoy", Customer: "acme", Name: "dev-{number}", CTRBits: 8, TagLen: 8,
			Register: fleet.RegisterAuto,
		}},
		Products: []hub.Product{{Name: "buoy", Template: product.Template}},
	})
	if err != nil {
		t.Fatal(err)
	}
	g.publisher = newPublisher(t, g)
	g.metrics = metrics.New(metrics.Sources{
		Hub: g.hub, Store: g.store, Publisher: g.publisher, Links: links, Ready: func() error { return g.ready }, Version: "v1.2.3", Now: g.clock.Now,
		StreamRestarts: func() uint64 { return 0 },
	})
	return g
}

func newPublisher(t *testing.T, g *gateway) *publish.Publisher {
	t.Helper()
	server, err := publish.StartEmbedded(publish.EmbeddedOptions{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Shutdown(); server.WaitForShutdown() })
	conn, err := publish.ConnectEmbedded(server, "gw1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	stream, err := publish.NewJetStream(conn, publish.JetStreamOptions{Gateway: "gw1"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := publish.New(publish.Options{Store: g.store, Stream: stream, Log: quiet, Now: g.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// silent is a transport that never gets to send.
type silent struct{ transports.Transport }

func (silent) Limits() transports.Limits { return transports.Limits{DownlinkMax: 1000} }

// send hands a payload to the hub.
func (g *gateway) send(t *testing.T, link string, sentAt time.Time, payload []byte) {
	t.Helper()
	out := make([]transports.Verdict, 1)
	u := transports.Uplink{Transport: link, From: transports.Address{Bearer: "udp", ID: "192.0.2.1:1"}, SentAt: sentAt, ReceivedAt: g.clock.t, Payload: payload}
	if err := g.hub.Uplinks(t.Context(), []transports.Uplink{u}, out); err != nil {
		t.Fatal(err)
	}
}

// hello is the first frame of a device.
func hello(t *testing.T, number uint32) []byte {
	t.Helper()
	key := codec.FleetDeviceKey(fleetSecret, number)
	cipher := codec.NewCipher(codec.DeriveSealKey(&key, nil, codec.LabelUp8, number, 0))
	body, err := codec.AppendHello(nil, &codec.Hello{Version: "1.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	item, err := cipher.AppendSealed(nil, codec.MakeHeader(codec.KindExtended, 1, 0), codec.Position{Number: number}, 8, 8, body)
	if err != nil {
		t.Fatal(err)
	}
	return codec.AppendAddressed(nil, number, item)
}

// expect compares the metrics of these names with the exposition.
func (g *gateway) expect(t *testing.T, want string, names ...string) {
	t.Helper()
	if err := testutil.GatherAndCompare(g.metrics.Registry(), strings.NewReader(want), names...); err != nil {
		t.Error(err)
	}
}

func TestFrames(t *testing.T) {
	g := newGateway(t)
	frame := hello(t, 3)
	g.send(t, "udp0", g.clock.t.Add(-3*time.Second), frame)
	g.send(t, "udp0", time.Time{}, frame)
	g.send(t, "udp0", time.Time{}, []byte{0xff, 0xff})
	g.send(t, "sms0", time.Time{}, []byte{0xff})
	g.expect(t, `
# HELP godwit_frames_received_total Payloads that the driver handed over.
# TYPE godwit_frames_received_total counter
godwit_frames_received_total{link="sms0"} 1
godwit_frames_received_total{link="udp0"} 3
# HELP godwit_frames_stored_total Payloads with at least one new frame, now on disk.
# TYPE godwit_frames_stored_total counter
godwit_frames_stored_total{link="sms0"} 0
godwit_frames_stored_total{link="udp0"} 1
# HELP godwit_frames_duplicate_total Payloads whose frames were on disk already.
# TYPE godwit_frames_duplicate_total counter
godwit_frames_duplicate_total{link="sms0"} 0
godwit_frames_duplicate_total{link="udp0"} 1
# HELP godwit_frames_quarantined_total Payloads put into the quarantine.
# TYPE godwit_frames_quarantined_total counter
godwit_frames_quarantined_total{link="sms0"} 1
godwit_frames_quarantined_total{link="udp0"} 0
# HELP godwit_quarantine_rows Payloads in the quarantine.
# TYPE godwit_quarantine_rows gauge
godwit_quarantine_rows 1
# HELP godwit_devices Devices by state.
# TYPE godwit_devices gauge
godwit_devices{state="active"} 1
godwit_devices{state="pending"} 0
godwit_devices{state="rejected"} 0
godwit_devices{state="retired"} 0
`, "godwit_frames_received_total", "godwit_frames_stored_total", "godwit_frames_duplicate_total", "godwit_frames_quarantined_total",
		"godwit_quarantine_rows", "godwit_devices")

	got := gather(t, g)
	for name, want := range map[string]float64{
		`godwit_frames_rejected_total link=udp0 reason=malformed`: 1,
		`godwit_frames_rejected_total link=sms0 reason=malformed`: 1,
		`godwit_frames_rejected_total link=udp0 reason=auth`:      0,
		`godwit_bytes_payload_total link=udp0`:                    float64(2*len(frame) + 2),
		`godwit_frame_delay_seconds link=udp0 count`:              1,
		`godwit_frame_delay_seconds link=udp0 sum`:                3,
		`godwit_store_commit_seconds count`:                       2, // a duplicate and a malformed datagram write nothing
	} {
		if v, ok := got[name]; !ok || v != want {
			t.Errorf("%s is %v (there: %t), want %v", name, v, ok, want)
		}
	}
}

// Billed is what came in and what went out, each as its bearer's network counts; a link that sends nothing has its uplinks.
func TestBilled(t *testing.T) {
	g := newGateway(t, metrics.LinkState{
		Name: "udp0", Up: func() bool { return true }, Restarts: func() uint64 { return 0 },
		Sent: func() (uint64, uint64) { return 2, 50 },
	}, metrics.LinkState{
		Name: "sms0", Up: func() bool { return true }, Restarts: func() uint64 { return 0 },
		Sent: func() (uint64, uint64) { return 3, 0 },
	})
	frame := hello(t, 3)
	g.send(t, "udp0", time.Time{}, frame)
	g.send(t, "udp0", time.Time{}, frame) // a repeat is billed as well
	g.send(t, "sms0", time.Time{}, frame)
	got := gather(t, g)
	for link, want := range map[string]int{
		"udp0": 2*(len(frame)+28) + 50 + 2*28,
		"sms0": 140 + 3*140,
	} {
		if v := got["godwit_bytes_billed_total link="+link]; v != float64(want) {
			t.Errorf("%s: %v bytes are billed, want %d", link, v, want)
		}
	}
	if v := gather(t, newGateway(t))["godwit_bytes_billed_total link=sms0"]; v != 0 {
		t.Errorf("%v bytes are billed before anything happened", v)
	}
}

func TestOutbox(t *testing.T) {
	g := newGateway(t)
	g.send(t, "udp0", time.Time{}, hello(t, 3))
	_, pending := g.store.OutboxBounds()
	g.clock.t = g.clock.t.Add(90 * time.Second)
	got := gather(t, g)
	for name, want := range map[string]float64{
		"godwit_outbox_pending": float64(pending), "godwit_outbox_oldest_seconds": 90, "godwit_outbox_rows": float64(pending), "godwit_publisher_ready": 0,
		"godwit_events_total link=udp0": float64(pending),
	} {
		if got[name] != want {
			t.Errorf("before: %s is %v, want %v", name, got[name], want)
		}
	}
	if _, err := g.publisher.PublishOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	got = gather(t, g)
	for name, want := range map[string]float64{
		"godwit_outbox_pending": 0, "godwit_outbox_oldest_seconds": 0, "godwit_outbox_rows": float64(pending), "godwit_publisher_ready": 1,
		"godwit_publisher_published_total": float64(pending), "godwit_publisher_reconciles_total": 1,
	} {
		if got[name] != want {
			t.Errorf("after: %s is %v, want %v", name, got[name], want)
		}
	}
}

func TestDownlinks(t *testing.T) {
	g := newGateway(t)
	g.send(t, "udp0", time.Time{}, hello(t, 3))
	for range 2 {
		if _, err := g.hub.SendMessage(t.Context(), "dev-3", hub.Message{Payload: []byte("hi")}); err != nil {
			t.Fatal(err)
		}
		g.clock.t = g.clock.t.Add(time.Minute)
	}
	g.expect(t, `
# HELP godwit_downlink_queue Downlinks that the network has not taken yet.
# TYPE godwit_downlink_queue gauge
godwit_downlink_queue{link="sms0"} 0
godwit_downlink_queue{link="udp0"} 2
# HELP godwit_downlink_oldest_seconds Age of the oldest downlink that the network has not taken yet.
# TYPE godwit_downlink_oldest_seconds gauge
godwit_downlink_oldest_seconds 120
`, "godwit_downlink_queue", "godwit_downlink_oldest_seconds")
}

func TestLines(t *testing.T) {
	known := true
	g := newGateway(t,
		metrics.LinkState{
			Name: "udp0", Kind: "udp", Up: func() bool { return true }, Restarts: func() uint64 { return 0 },
			UDP: func() map[string]uint64 { return map[string]uint64{"too_large": 2, "socket": 5} },
		},
		metrics.LinkState{
			Name: "sms0", Kind: "smsmodem", Up: func() bool { return true }, Restarts: func() uint64 { return 4 },
			ModemUp: func() bool { return false }, ModemResets: func() uint64 { return 2 }, SlotsUsed: func() (int, bool) { return 3, known }, SlotsTotal: func() (int, bool) { return 20, known },
		},
		metrics.LinkState{
			Name: "sat0", Kind: "directip", Up: func() bool { return true }, Restarts: func() uint64 { return 0 }, Missing: func() uint64 { return 6 },
			Refused:   func() map[string]uint64 { return map[string]uint64{"stranger": 3} },
			Sessions:  func() map[string]uint64 { return map[string]uint64{"failed": 4, "empty": 1} },
			Calls:     func() map[string]uint64 { return map[string]uint64{"account": 2} },
			Confirmed: func() map[string]uint64 { return map[string]uint64{"taken": 8, "kept": 1} },
			Signal:    func() (float64, bool) { return 43.5, true },
		})
	g.ready = errors.New("no link is up")
	names := []string{
		"godwit_transport_up", "godwit_transport_restarts_total", "godwit_udp_dropped_total", "godwit_modem_up", "godwit_modem_signal_dbhz", "godwit_modem_resets_total", "godwit_sim_slots_used",
		"godwit_sim_slots", "godwit_ready", "godwit_connections_refused_total", "godwit_satellite_sessions_total", "godwit_confirmations_total", "godwit_calls_failed_total", "godwit_satellite_missing_total",
	}
	const head = `
# HELP godwit_transport_up 1 while the link's line is up, by the driver's word.
# TYPE godwit_transport_up gauge
godwit_transport_up{link="sat0"} 1
godwit_transport_up{link="sms0"} 1
godwit_transport_up{link="udp0"} 1
# HELP godwit_transport_restarts_total Times that the link's driver lost its line.
# TYPE godwit_transport_restarts_total counter
godwit_transport_restarts_total{link="sat0"} 0
godwit_transport_restarts_total{link="sms0"} 4
godwit_transport_restarts_total{link="udp0"} 0
# HELP godwit_udp_dropped_total Datagrams that the driver dropped by itself, by reason.
# TYPE godwit_udp_dropped_total counter
godwit_udp_dropped_total{link="udp0",reason="socket"} 5
godwit_udp_dropped_total{link="udp0",reason="too_large"} 2
# HELP godwit_connections_refused_total Connections that the driver closed without taking anything, by reason.
# TYPE godwit_connections_refused_total counter
godwit_connections_refused_total{link="sat0",reason="stranger"} 3
# HELP godwit_satellite_sessions_total What the network told of beside payloads, by kind.
# TYPE godwit_satellite_sessions_total counter
godwit_satellite_sessions_total{kind="empty",link="sat0"} 1
godwit_satellite_sessions_total{kind="failed",link="sat0"} 4
# HELP godwit_confirmations_total Messages by what their network was told of them.
# TYPE godwit_confirmations_total counter
godwit_confirmations_total{link="sat0",outcome="kept"} 1
godwit_confirmations_total{link="sat0",outcome="taken"} 8
# HELP godwit_calls_failed_total Calls of a web service that failed, by what that means for the next one.
# TYPE godwit_calls_failed_total counter
godwit_calls_failed_total{link="sat0",reason="account"} 2
# HELP godwit_satellite_missing_total Messages that the network numbered and that never came.
# TYPE godwit_satellite_missing_total counter
godwit_satellite_missing_total{link="sat0"} 6
# HELP godwit_modem_up 1 while the modem is set up and can send.
# TYPE godwit_modem_up gauge
godwit_modem_up{modem="sms0"} 0
# HELP godwit_modem_signal_dbhz Carrier to noise of the satellite at the terminal, as it last said.
# TYPE godwit_modem_signal_dbhz gauge
godwit_modem_signal_dbhz{modem="sat0"} 43.5
# HELP godwit_modem_resets_total Times that a modem that went on failing was told to start over.
# TYPE godwit_modem_resets_total counter
godwit_modem_resets_total{modem="sms0"} 2
# HELP godwit_ready 1 while frames are taken in and events flow, as /readyz.
# TYPE godwit_ready gauge
godwit_ready 0
`
	g.expect(t, head+`
# HELP godwit_sim_slots_used Slots taken in the modem's message storages.
# TYPE godwit_sim_slots_used gauge
godwit_sim_slots_used{modem="sms0"} 3
# HELP godwit_sim_slots Slots of the modem's message storages.
# TYPE godwit_sim_slots gauge
godwit_sim_slots{modem="sms0"} 20
`, names...)
	known = false // no modem has told yet
	g.expect(t, head, names...)
}

func TestHandler(t *testing.T) {
	g := newGateway(t)
	w := httptest.NewRecorder()
	g.metrics.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	for _, want := range []string{`godwit_build_info{go_version="go`, `version="v1.2.3"} 1`, "\ngodwit_ready 1\n", "\ngo_goroutines ", "\npromhttp_metric_handler_errors_total"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// TestLint holds names, types and help to the conventions of Prometheus, and what is collected to what is described.
func TestLint(t *testing.T) {
	g := newGateway(t, metrics.LinkState{
		Name: "sms0", Up: func() bool { return true }, Restarts: func() uint64 { return 0 }, UDP: func() map[string]uint64 { return map[string]uint64{"empty": 1} },
		ModemUp: func() bool { return true }, ModemResets: func() uint64 { return 0 }, SlotsUsed: func() (int, bool) { return 0, true }, SlotsTotal: func() (int, bool) { return 0, true },
		Refused: func() map[string]uint64 { return map[string]uint64{"crowded": 0} }, Sessions: func() map[string]uint64 { return map[string]uint64{"empty": 0} },
		Missing: func() uint64 { return 0 }, Calls: func() map[string]uint64 { return map[string]uint64{"account": 0} }, Signal: func() (float64, bool) { return 43.5, true },
		Confirmed: func() map[string]uint64 { return map[string]uint64{"taken": 0} },
	})
	problems, err := testutil.GatherAndLint(g.metrics.Registry())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	strict := prometheus.NewPedanticRegistry()
	if err := strict.Register(g.metrics); err != nil {
		t.Fatal(err)
	}
	if _, err := strict.Gather(); err != nil {
		t.Error(err)
	}
	g.send(t, "udp0", time.Time{}, hello(t, 1)) // customers that spent something have a series
	g.rollout(t)                                // rollouts that run have two
	// Every other metric has a value even before anything happened: an alert on one that does not exist never fires.
	described := make(chan *prometheus.Desc, 1000)
	g.metrics.Describe(described)
	close(described)
	n, err := testutil.GatherAndCount(strict)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for name := range gather(t, g) {
		if name, _, _ := strings.Cut(name, " "); strings.HasPrefix(name, "godwit_") {
			names[name] = true
		}
	}
	if len(names) != len(described) || n == 0 {
		t.Errorf("%d metrics have values, %d are described", len(names), len(described))
	}
}

// rollout begins one.
func (g *gateway) rollout(t *testing.T) {
	t.Helper()
	_, err := g.hub.AddRelease(t.Context(), rollout.Release{
		Manifest:  manifest.Manifest{Product: "buoy", Version: "2.0.0", Sequence: 2, Size: 1, URL: "https://updates.example/i"},
		Reference: "https://updates.example/m", Hash: make([]byte, 32),
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := g.hub.CreateRollout(t.Context(), rollout.Spec{Name: "x", Product: "buoy", Version: "2.0.0", Waves: []rollout.Wave{{Share: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	other := hub.WithActor(t.Context(), audit.Actor{Name: "ben", Role: "approver"})
	_, e1 := g.hub.MoveRollout(t.Context(), r.ID, rollout.Submit, "")
	_, e2 := g.hub.MoveRollout(other, r.ID, rollout.Approve, "fine")
	_, e3 := g.hub.MoveRollout(other, r.ID, rollout.Start, "")
	if err := errors.Join(e1, e2, e3); err != nil {
		t.Fatal(err)
	}
}

// TestRollouts: how many devices of a rollout stand where, while it runs.
func TestRollouts(t *testing.T) {
	g := newGateway(t)
	g.send(t, "udp0", time.Time{}, hello(t, 1))
	g.rollout(t)
	all := gather(t, g)
	if v, ok := all[`godwit_rollout_devices rollout=1 state=eligible`]; !ok || v != 1 {
		t.Errorf("eligible: %v, %t", v, ok)
	}
	if v, ok := all[`godwit_rollout_excess_silent rollout=1`]; !ok || v != 0 {
		t.Errorf("excess: %v, %t", v, ok)
	}
	if _, err := g.hub.MoveRollout(t.Context(), 1, rollout.Stop, ""); err != nil {
		t.Fatal(err)
	}
	for name := range gather(t, g) {
		if strings.HasPrefix(name, "godwit_rollout_") {
			t.Errorf("a rollout that has ended has %s", name)
		}
	}
}

// TestNoDevices: a label for each device would be a hundred thousand series.
func TestNoDevices(t *testing.T) {
	g := newGateway(t)
	g.send(t, "udp0", time.Time{}, hello(t, 1)) // of a customer, which has a series
	before := gather(t, g)
	for n := range uint32(10) {
		g.send(t, "udp0", time.Time{}, hello(t, n+1))
	}
	after := gather(t, g)
	keys := func(m map[string]float64) map[string]bool {
		out := make(map[string]bool)
		for name := range maps.Keys(m) {
			out[name] = strings.HasPrefix(name, "godwit_")
		}
		return out
	}
	if diff := cmp.Diff(keys(before), keys(after)); diff != "" {
		t.Errorf("devices made series (-before +after):\n%s", diff)
	}
}

// gather returns all values by name and labels; histograms by their count and sum.
func gather(t *testing.T, g *gateway) map[string]float64 {
	t.Helper()
	families, err := g.metrics.Registry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]float64)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetName() + "=" + l.GetValue()
			}
			switch {
			case m.GetHistogram() != nil:
				out[name+" count"], out[name+" sum"] = float64(m.GetHistogram().GetSampleCount()), m.GetHistogram().GetSampleSum()
			case m.GetCounter() != nil:
				out[name] = m.GetCounter().GetValue()
			case m.GetGauge() != nil:
				out[name] = m.GetGauge().GetValue()
			}
		}
	}
	return out
}
