package hub

import (
	"context"
	"errors"
	"fmt"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/failpoint"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/store"
)

// commit is the work of one synced batch. It is kept from one to the next, so that a batch allocates nothing for itself.
type commit struct {
	batch *store.Batch
	first *request   // received by the loop that waited for work
	left  []*request // taken before, and not or not wholly in the batch before this one: it was full
	taken []*request
	dirty []fleet.Index // devices whose row goes into the batch
	marks []uint64      // by fleet.Index: the batch that last marked the device
	round uint64
	fresh map[store.FrameKey]freshFrame // frames of this batch, which the store does not show yet
	known []store.FrameKey              // those of fresh
	bases []byte                        // what deltas of this batch may be counted from, one after the other
	last  [baseCacheLen]cachedBase      // of batches before, too
	kept  []store.Quarantine            // rows of this batch that wait for an approval, which the store does not show yet
	wake  bool                          // downlinks may have become due
	err   error                         // nothing of the batch may be confirmed
}

// freshFrame is what must be known of a frame before the store shows it.
type freshFrame struct {
	hash       [8]byte
	header     codec.Header
	from, upto int // in commit.bases: the plaintext of a keyframe, the state after a delta or batch
}

func (c *commit) init(s *store.Store) {
	c.batch = s.NewBatch()
	c.fresh = make(map[store.FrameKey]freshFrame)
}

// note makes a frame known to what follows in the batch. base is what a delta may be counted from.
func (c *commit) note(key store.FrameKey, hash [8]byte, header codec.Header, base []byte) {
	from := len(c.bases)
	c.bases = append(c.bases, base...)
	c.fresh[key] = freshFrame{hash: hash, header: header, from: from, upto: len(c.bases)}
	c.known = append(c.known, key)
	c.keepBase(key, header, base)
}

// forget drops the frames of the batch. A map keeps the size of the largest batch: after one frame it is not gone through as a whole.
func (c *commit) forget() {
	for _, key := range c.known {
		delete(c.fresh, key)
	}
	c.known, c.bases = c.known[:0], c.bases[:0]
}

// touch makes the device's row part of the batch.
func (c *commit) touch(i fleet.Index) {
	for int(i) >= len(c.marks) {
		c.marks = append(c.marks, make([]uint64, max(1024, len(c.marks)/4))...)
	}
	if c.marks[i] != c.round {
		c.marks[i] = c.round
		c.dirty = append(c.dirty, i)
	}
}

// fail records that nothing of the batch may be confirmed: the store could not be read, or an operation left half of its work. The first
// error counts.
func (c *commit) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// CommitOnce takes what is queued, up to the limits of a batch, and makes it durable with one sync. It returns the number of requests
// that it answered: 0 if none was queued, or if the first became too much for one batch, and goes on in the next. There is no linger: under load
// the queue fills while the last batch syncs, and without load nobody waits. An error wraps ErrFatal: nothing of the batch was confirmed, and the process must end.
func (h *Hub) CommitOnce(ctx context.Context) (int, error) {
	c := &h.commit
	h.take(c)
	if len(c.taken) == 0 {
		return 0, nil
	}
	c.round++
	h.mu.Lock()
	if h.inDoubt && !h.starting {
		h.reviewPlans(c)
	}
	if len(h.outgoing.unknown) > 0 && !h.starting {
		h.settleUnknown(c)
	}
	h.serve(c)
	h.tell(c)
	if err := h.rollouts.Failed(); err != nil {
		c.fail(err)
	}
	if h.core.Must() || h.rollouts.Must() || c.batch.Len() > 0 || len(c.dirty) > 0 {
		h.core.Drain(c.batch)
		h.rollouts.Drain(c.batch)
	}
	for _, i := range c.dirty {
		h.scratch.row = h.fleet.AppendRow(h.scratch.row[:0], i)
		c.batch.PutDevice(h.fleet.Head(i).Number, h.scratch.row)
	}
	h.mu.Unlock()
	err := h.sync(ctx, c)
	n := len(c.taken)
	if err != nil { // the process ends: nobody takes up what was left
		c.taken, c.left = append(c.taken, c.left...), c.left[:0]
	}
	for _, r := range c.taken {
		if err != nil {
			r.err = err
		}
		r.done <- struct{}{}
	}
	c.taken = c.taken[:0]
	c.dirty = c.dirty[:0]
	c.forget()
	clear(c.kept)
	c.kept = c.kept[:0]
	if c.wake {
		c.wake = false
		h.poke()
	}
	return n, err
}

// serve does what the taken requests ask for. What comes when the batch is full is left for the next one. Called with mu held.
func (h *Hub) serve(c *commit) {
	for k, r := range c.taken {
		if r.op != nil {
			if r.err = r.op(c); errors.Is(r.err, ErrFatal) {
				c.fail(r.err) // it may have written half of what it meant to
			}
			continue
		}
		for ; r.settled < len(r.us); r.settled++ {
			if c.batch.Bytes() >= batchRowsMax {
				c.left, c.taken = append(c.left, c.taken[k:]...), c.taken[:k]
				return
			}
			i := r.settled
			r.out[i].Reply = r.out[i].Reply[:0]
			r.out[i].Settlement = h.uplink(c, &r.us[i], &r.out[i])
		}
	}
}

func (h *Hub) sync(_ context.Context, c *commit) error {
	switch {
	case errors.Is(c.err, ErrFatal):
		return c.err
	case c.err != nil:
		return fmt.Errorf("%w: read the store: %w", ErrFatal, c.err)
	}
	if c.batch.Len() == 0 {
		return nil
	}
	failpoint.Pass(failpoint.Built)
	began := h.clock.Now()
	if err := h.store.Commit(c.batch); err != nil {
		return fmt.Errorf("%w: commit: %w", ErrFatal, err)
	}
	h.commits.Observe(h.clock.Now().Sub(began))
	return nil
}

// take moves what was left and queued requests into c until a limit of the batch is reached. One request always fits.
func (h *Hub) take(c *commit) {
	frames, bytes := 0, 0
	add := func(r *request) {
		c.taken = append(c.taken, r)
		frames += len(r.us)
		for i := range r.us {
			bytes += len(r.us[i].Payload)
		}
	}
	for _, r := range c.left {
		add(r)
	}
	c.left = c.left[:0]
	if c.first != nil {
		add(c.first)
		c.first = nil
	}
	for frames < batchFramesMax && bytes < batchBytesMax {
		select {
		case r := <-h.queue:
			add(r)
		default:
			return
		}
	}
}
