package hub_test

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
	"github.com/godwit-gateway/godwit/transports"
)

// BenchmarkUplinks takes 40-byte frames of 10,000 devices in batches as the readers of a busy UDP link bring them, to a store on disk. One
// operation is one frame.
func BenchmarkUplinks(b *testing.B) { benchmarkUplinks(b, hub.Schedule{}) }

// BenchmarkUplinksPriced is the same on a link whose bytes are paid for.
func BenchmarkUplinksPriced(b *testing.B) {
	book, err := tariff.NewBook([]*tariff.Tariff{{Name: "data", Currency: "EUR", Terms: []tariff.Term{{Unit: tariff.Byte, Min: 50, Price: 3}}}})
	if err != nil {
		b.Fatal(err)
	}
	benchmarkUplinks(b, hub.Schedule{Core: core.Config{Links: []core.Link{{Name: "udp", Tariff: "data"}}, Tariffs: book, Currency: "EUR"}})
}

func benchmarkUplinks(b *testing.B, schedule hub.Schedule) {
	b.Helper()
	const devices, batch = 10_000, 512
	clock := &fakeClock{t: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	log := slog.New(slog.DiscardHandler)
	st, err := store.Open(store.Options{Dir: b.TempDir() + "/db", Log: log, Now: clock.Now})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	kek, err := store.NewKEK(make([]byte, 32))
	if err != nil {
		b.Fatal(err)
	}
	h, err := hub.New(hub.Options{
		Gateway: "gw1", Store: st, KEK: kek, Clock: clock, Log: log, Inline: true, Schedule: schedule,
		Links:     []hub.Link{{Name: "udp", Bearer: transports.UDP, Ack: hub.AckAlways}},
		FleetKeys: []fleet.FleetKey{{ID: "a", Key: fleetSecret, First: 0, Last: devices, Product: "buoy", Customer: "acme", Name: "dev-{number}", CTRBits: 16, TagLen: 8, Register: fleet.RegisterAuto}},
	})
	if err != nil {
		b.Fatal(err)
	}
	ciphers := make([]*codec.Cipher, devices)
	for n := range ciphers {
		key := codec.FleetDeviceKey(fleetSecret, uint32(n))
		ciphers[n] = codec.NewCipher(codec.DeriveSealKey(&key, nil, codec.LabelUp8, uint32(n), 0))
	}
	us, out := make([]transports.Uplink, batch), make([]transports.Verdict, batch)
	sources := make([]string, devices)
	for n := range sources {
		sources[n] = fmt.Sprintf("10.0.%d.%d:9000", n>>8, n&255)
	}
	n := 0
	fill := func() {
		for i := range us {
			dev := n % devices
			plain := [24]byte{byte(codec.MessageUser), byte(n)}
			item, err := ciphers[dev].AppendSealed(nil, codec.MakeHeader(codec.KindExtended, 0, 0),
				codec.Position{Number: uint32(dev), Counter: uint64(n / devices)}, 16, 8, plain[:])
			if err != nil {
				b.Fatal(err)
			}
			us[i] = transports.Uplink{
				Transport: "udp", From: transports.Address{Bearer: transports.UDP, ID: sources[dev]}, ReceivedAt: clock.t,
				Payload: codec.AppendAddressed(nil, uint32(dev), item),
			}
			n++
		}
	}
	for range 2 * devices / batch {
		fill()
		if err := h.Uplinks(b.Context(), us, out); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	for done := 0; done < b.N; done += batch {
		b.StopTimer()
		fill()
		b.StartTimer()
		if err := h.Uplinks(b.Context(), us, out); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	for i := range out {
		if out[i].Settlement != transports.Stored {
			b.Fatalf("settled as %s", out[i].Settlement)
		}
	}
	b.ReportMetric(float64(len(us[0].Payload)), "B/frame")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "frames/s")
}
