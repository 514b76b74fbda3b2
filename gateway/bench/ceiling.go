package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/godwit-gateway/godwit/gateway/publish"
	"github.com/godwit-gateway/godwit/gateway/store"
)

// What one batch on the stream holds at most, as package publish has it.
const (
	publishMessages = 1000
	publishBytes    = 512 << 10
)

// countingStream counts the batches that were published.
type countingStream struct {
	*publish.JetStream
	batches atomic.Uint64
}

// Publish implements publish.Stream.
func (s *countingStream) Publish(ctx context.Context, messages []publish.Message, last uint64) error {
	s.batches.Add(1)
	return s.JetStream.Publish(ctx, messages, last)
}

// workload is what an ingest wrote, ready to be written again without the gateway.
type workload struct {
	rows    [][]byte // of frames, devices and events, one element per commit
	group   int      // frames per commit
	batches [][]publish.Message
	events  int
}

// rowBytes is how much is written to Pebble per frame.
func (w *workload) rowBytes() float64 {
	n := 0
	for _, rows := range w.rows {
		n += len(rows)
	}
	return ratio(float64(n), float64(w.events))
}

// collect reads n events from number first on back from the store, with their frames and devices, and forms them into the rows of commits of
// group frames, and into the batches of the stream.
func (g *gateway) collect(dir string, first uint64, n, group int) (*workload, error) {
	w := &workload{group: max(1, group)}
	err := within(dir, func() error {
		// Only a store of its own gives rows like those that the gateway wrote.
		s, err := store.Open(store.Options{Dir: dir, Log: quiet()})
		if err != nil {
			return err
		}
		return errors.Join(g.copyTo(s, first, n, w), s.Close())
	})
	return w, err
}

func (g *gateway) copyTo(s *store.Store, first uint64, n int, w *workload) error {
	b, devices, held := s.NewBatch(), make(map[uint32]bool), 0
	flush := func() error {
		w.rows = append(w.rows, b.Rows(nil))
		clear(devices)
		held = 0
		return s.Commit(b)
	}
	for w.events < n {
		events, err := g.store.Outbox(nil, first, min(publishMessages, n-w.events), publishBytes)
		if err != nil || len(events) == 0 {
			return fmt.Errorf("read event %d back: %w", first, cmp.Or(err, errEvents))
		}
		first += uint64(len(events))
		w.events += len(events)
		w.batches = append(w.batches, messages(events))
		for i := range events {
			if err := g.copyFrame(b, &events[i], devices); err != nil {
				return err
			}
			if held++; held == w.group {
				if err := flush(); err != nil {
					return err
				}
			}
		}
	}
	if held == 0 {
		return nil
	}
	return flush()
}

// copyFrame puts the rows of one event into b: the frame that it came from, the event, and the device once in each batch.
func (g *gateway) copyFrame(b *store.Batch, e *store.Event, devices map[uint32]bool) error {
	k, err := frameKey(e.Frame)
	if err != nil {
		return err
	}
	frame, ok, err := g.store.Frame(k)
	if err != nil || !ok {
		return fmt.Errorf("read frame %v back: %w", k, errors.Join(err, errEvents))
	}
	b.PutFrame(k, &frame)
	if !devices[k.Number] {
		devices[k.Number] = true
		row, _, err := g.store.DeviceRow(k.Number)
		if err != nil {
			return err
		}
		b.PutDevice(k.Number, row)
	}
	b.AddEvent([]byte(e.ID), []byte(e.Subject), []byte(e.Frame), e.Payload)
	return nil
}

// frameKey reads number.epoch.counter.hash.
func frameKey(ref string) (k store.FrameKey, err error) {
	parts := strings.Split(ref, ".")
	if len(parts) != 4 {
		return k, fmt.Errorf("frame %q of an event: %w", ref, errEvents)
	}
	number, err1 := strconv.ParseUint(parts[0], 10, 32)
	epoch, err2 := strconv.ParseUint(parts[1], 10, 32)
	counter, err3 := strconv.ParseUint(parts[2], 10, 64)
	k = store.FrameKey{Number: uint32(number), Epoch: uint32(epoch), Counter: counter}
	return k, errors.Join(err1, err2, err3)
}

func messages(events []store.Event) []publish.Message {
	out := make([]publish.Message, len(events))
	for i := range events {
		e := &events[i]
		out[i] = publish.Message{ID: e.ID, Subject: e.Subject, Frame: e.Frame, Publisher: strings.Repeat("0", 32), Oseq: e.Seq, Chain: e.Chain, Payload: e.Payload}
	}
	return out
}

// ceilings writes the workload to a store, to a stream, or to both at once, each as fast as it goes, and returns their frames per second.
func (w *workload) ceilings(ctx context.Context, dir string, wantStore, wantStream bool) (ofStore, ofStream float64, err error) {
	err = within(dir, func() error {
		s, err := store.Open(store.Options{Dir: filepath.Join(dir, "store"), Log: quiet()})
		if err != nil {
			return err
		}
		stream, done, err := openStream(dir)
		if err != nil {
			return errors.Join(err, s.Close())
		}
		var group errgroup.Group
		timed := func(perSecond *float64, work func() error) func() error {
			return func() error {
				began := time.Now()
				err := work()
				*perSecond = float64(w.events) / time.Since(began).Seconds()
				return err
			}
		}
		if err = stream.Create(ctx, 1); err == nil {
			runtime.GC()
			if wantStore {
				group.Go(timed(&ofStore, func() error { return w.replay(s) }))
			}
			if wantStream {
				group.Go(timed(&ofStream, func() error { return w.publish(ctx, stream) }))
			}
			err = group.Wait()
		}
		done()
		return errors.Join(err, s.Close())
	})
	return ofStore, ofStream, err
}

func (w *workload) replay(s *store.Store) error {
	r := s.NewReplay()
	for _, rows := range w.rows {
		if err := r.Commit(rows); err != nil {
			return err
		}
	}
	return nil
}

func (w *workload) publish(ctx context.Context, stream *publish.JetStream) error {
	last := uint64(0)
	for _, batch := range w.batches {
		if err := stream.Publish(ctx, batch, last); err != nil {
			return err
		}
		last += uint64(len(batch))
	}
	return nil
}
