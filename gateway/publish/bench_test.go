package publish_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/gateway/publish"
	"github.com/godwit-gateway/godwit/gateway/store"
)

// payload is as long as an event of a status with ten fields.
var payload = bytes.Repeat([]byte(`{"field":12.5}, `), 40)

// BenchmarkStream is what the stream takes in atomic batches, on disk, with nothing else to do: the ceiling of BenchmarkPublishOnce.
func BenchmarkStream(b *testing.B) {
	for _, size := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			s := newJetStream(b, connectEmbedded(b, startServer(b, publish.EmbeddedOptions{Dir: b.TempDir()})))
			if err := s.Create(b.Context(), 1); err != nil {
				b.Fatal(err)
			}
			events, last := chained{publisher: "00112233445566778899aabbccddeeff"}, uint64(0)
			batch := events.next(size)
			for i := range batch {
				batch[i].Payload, batch[i].Frame = payload, "1000001.0.123456.0011223344556677"
			}
			b.ReportAllocs()
			for b.Loop() {
				for i := range batch {
					last++
					batch[i].Oseq, batch[i].ID = last, fmt.Sprintf("dev-1000001.0.%d.0", last)
				}
				if err := s.Publish(b.Context(), batch, last-uint64(size)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(last)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkPublishOnce brings events from a store on disk onto the stream, with and without reading them back.
func BenchmarkPublishOnce(b *testing.B) {
	for _, verify := range []bool{false, true} {
		b.Run(fmt.Sprintf("verify=%t", verify), func(b *testing.B) {
			c := &clock{t: t0}
			s, err := store.Open(store.Options{Dir: b.TempDir(), Now: c.Now})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = s.Close() })
			stream := newJetStream(b, connectEmbedded(b, startServer(b, publish.EmbeddedOptions{Dir: b.TempDir()})))
			p, err := publish.New(publish.Options{Store: s, Stream: stream, Log: quiet, Now: c.Now})
			if err != nil {
				b.Fatal(err)
			}
			if _, err := p.Reconcile(b.Context()); err != nil {
				b.Fatal(err)
			}
			fill(b, s, 0)
			events := 0
			b.ReportAllocs()
			for b.Loop() {
				n, err := p.PublishOnce(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				if events += n; n == 0 {
					b.StopTimer()
					fill(b, s, events)
					b.StartTimer()
				}
				if verify {
					c.add(11 * time.Second)
					if _, err := p.VerifyOnce(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64(events)/float64(b.N), "events/op")
		})
	}
}

// fill commits events for a while of publishing.
func fill(b *testing.B, s *store.Store, from int) {
	b.Helper()
	batch := s.NewBatch()
	for range 20 {
		for range 1000 {
			from++
			id := fmt.Appendf(nil, "dev-1000001.0.%d.0", from)
			batch.AddEvent(id, []byte(subject(0)), []byte("1000001.0.123456.0011223344556677"), payload)
		}
		if err := s.Commit(batch); err != nil {
			b.Fatal(err)
		}
	}
}
