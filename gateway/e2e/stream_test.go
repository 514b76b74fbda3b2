//go:build e2e

package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// stream is the gateway's stream as a consumer of its own sees it, over the network.
func (s *site) stream(t *testing.T) jetstream.Stream {
	t.Helper()
	nc, err := nats.Connect("nats://" + s.nats)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	st, err := js.Stream(t.Context(), "GODWIT_gw1")
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// ids reads the whole stream and counts the events by the id in their body, not in their header.
func ids(t *testing.T, st jetstream.Stream) map[string]int {
	t.Helper()
	counts := make(map[string]int)
	events(t, st, 1, func(msg jetstream.Msg) {
		var e struct{ ID string }
		if err := json.Unmarshal(msg.Data(), &e); err != nil {
			t.Fatalf("event is no JSON: %v", err)
		}
		counts[e.ID]++
	})
	return counts
}

// events calls f with each message that is on the stream now, from a sequence on, and returns the sequence of the next.
func events(t *testing.T, st jetstream.Stream, from uint64, f func(jetstream.Msg)) (next uint64) {
	t.Helper()
	info, err := st.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if info.State.LastSeq < from || info.State.Msgs == 0 {
		return from
	}
	cons, err := st.OrderedConsumer(t.Context(), jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: from})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	it, err := cons.Messages(jetstream.PullMaxMessages(1000))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		it.Stop()
		// Else it stays for minutes, and a stream has only so many.
		if info := cons.CachedInfo(); info != nil {
			_ = st.DeleteConsumer(t.Context(), info.Name)
		}
	}()
	context.AfterFunc(ctx, it.Stop)
	for {
		msg, err := it.Next()
		if err != nil {
			t.Fatalf("read the stream up to %d: %v", info.State.LastSeq, err)
		}
		f(msg)
		md, err := msg.Metadata()
		if err != nil {
			t.Fatal(err)
		}
		if md.Sequence.Stream >= info.State.LastSeq {
			return md.Sequence.Stream + 1
		}
	}
}

func eventID(s sent) string { return fmt.Sprintf("dev-%d.0.%d.0", s.number, s.counter) }

// exactlyOnce waits until every acknowledged frame is on the stream and fails if one is missing or there twice, or if the gateway, which runs, has grown.
func (s *site) exactlyOnce(t *testing.T, acked map[sent]bool) {
	t.Helper()
	s.bounded(t)
	st := s.stream(t)
	var lost []string
	var counts map[string]int
	deadline := time.Now().Add(30 * time.Second)
	for {
		counts, lost = ids(t, st), nil
		for f := range acked {
			if counts[eventID(f)] == 0 {
				lost = append(lost, eventID(f))
			}
		}
		if len(lost) == 0 || time.Now().After(deadline) {
			break
		}
	}
	if len(lost) > 0 {
		t.Errorf("%d of %d acknowledged frames are not on the stream, as %s", len(lost), len(acked), lost[0])
	}
	for id, n := range counts {
		if n > 1 {
			t.Errorf("event %s stands on the stream %d times", id, n)
		}
	}
}

// inOrder checks that the events of each device, which sent one frame after the other, are on the stream in this order.
func (s *site) inOrder(t *testing.T) {
	t.Helper()
	last := make(map[uint32]uint64)
	events(t, s.stream(t), 1, func(msg jetstream.Msg) {
		var e struct {
			ID   string
			Data struct {
				Number  uint32
				Counter uint64
			}
		}
		if err := json.Unmarshal(msg.Data(), &e); err != nil {
			t.Fatalf("event is no JSON: %v", err)
		}
		if msg.Headers().Get("Gw-Replay-Of") != "" || strings.Contains(e.ID, ".g.") { // out of its order by intent, or of no frame
			return
		}
		if before, ok := last[e.Data.Number]; ok && e.Data.Counter <= before {
			t.Errorf("event %s comes after that of counter %d", e.ID, before)
		}
		last[e.Data.Number] = e.Data.Counter
	})
}
