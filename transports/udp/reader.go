package udp

import (
	"context"
	"log/slog"
	"time"

	"github.com/godwit-gateway/godwit/gateway/failpoint"
	"github.com/godwit-gateway/godwit/transports"
)

// sinkErrorEvery is how often a reader logs an error of the sink.
const sinkErrorEvery = 10 * time.Second

// A reader moves one batch after another from the socket to the sink, and the replies back. Each belongs to one goroutine of Run.
// All its memory is its own and used again, so a datagram allocates nothing.
type reader struct {
	t         *Transport
	sink      transports.Sink
	batch     batch
	uplinks   [batchSize]transports.Uplink
	verdicts  [batchSize]transports.Verdict
	sources   [batchSize]source
	positions [batchSize]int // of the uplinks in the batch
	logged    time.Time      // when an error of the sink was logged last
}

// run reads until ctx is done. The sink works under inHand.
func (r *reader) run(ctx, inHand context.Context) error {
	for ctx.Err() == nil {
		n, err := r.batch.read()
		if err != nil {
			if ctx.Err() != nil {
				return nil //nolint:nilerr // the deadline that ends the wait
			}
			return err
		}
		n = r.admit(n)
		if n == 0 {
			continue
		}
		failpoint.Pass(failpoint.Received)
		if err := r.sink.Uplinks(inHand, r.uplinks[:n], r.verdicts[:n]); err != nil {
			r.failed(n, err)
			continue
		}
		r.settle(n)
	}
	return nil
}

// admit makes uplinks of those of n datagrams that may go to the sink, and returns how many they are.
func (r *reader) admit(n int) int {
	t := r.t
	at := t.now()
	now := at.Sub(t.started)
	k, size, empty, large := 0, 0, 0, 0
	var decided [limitedTotal + 1]int
	t.gate.Lock()
	for i := range n {
		payload := r.batch.payload(i)
		size += len(payload)
		if len(payload) == 0 {
			empty++
			continue
		}
		if len(payload) > UplinkMax {
			large++
			continue
		}
		peer := r.batch.peer(i)
		from := t.limiter.source(peer)
		d := t.limiter.admit(now, from)
		decided[d]++
		if d != admitted {
			continue
		}
		r.sources[k], r.positions[k] = from, i
		r.verdicts[k].Settlement, r.verdicts[k].Reply = transports.Unsettled, r.verdicts[k].Reply[:0]
		r.uplinks[k] = transports.Uplink{
			Transport:  t.name,
			From:       transports.Address{Bearer: transports.UDP, ID: t.peers.name(peer)},
			ReceivedAt: at,
			Window:     transports.Window{ID: t.windows.open(now, peer), Until: at.Add(WindowTime)},
			Payload:    payload,
		}
		k++
	}
	t.gate.Unlock()
	c := &t.counts
	add(&c.received, n)
	add(&c.receivedBytes, size)
	add(&c.empty, empty)
	add(&c.tooLarge, large)
	add(&c.limitedPrefix, decided[limitedPrefix])
	add(&c.limitedSource, decided[limitedSource])
	add(&c.limitedTotal, decided[limitedTotal])
	return k
}

// settle takes the verdicts on the first n uplinks: charges who failed, opens windows and sends replies.
func (r *reader) settle(n int) {
	t := r.t
	now := t.clock()
	var settled [transports.Rejected + 1]int
	withheld := 0
	t.gate.Lock()
	for k := range n {
		v := r.verdicts[k].Settlement
		if v > transports.Rejected {
			v = transports.Unsettled
		}
		settled[v]++
		t.limiter.settle(now, r.sources[k], v)
		reply, short := r.verdicts[k].Reply, len(r.uplinks[k].Payload)+ReplySlack
		verified := v == transports.Stored || v == transports.Duplicate || v == transports.Quarantined
		switch {
		case len(reply) == 0:
		case verified && len(reply) <= short:
			r.batch.reply(r.positions[k], reply)
			short -= len(reply)
		default:
			withheld++
		}
		t.windows.settle(r.uplinks[k].Window.ID, v, short)
	}
	t.windows.told()
	t.gate.Unlock()
	failpoint.Pass(failpoint.Replied)
	f := r.batch.flush()
	if f.sent > 0 {
		failpoint.Pass(failpoint.Answered)
	}
	c := &t.counts
	for v := range settled {
		add(&c.settled[v], settled[v])
	}
	add(&c.withheld, withheld)
	add(&c.sent, f.sent)
	add(&c.sentBytes, f.bytes)
	add(&c.sendErrors, f.failed)
}

// failed counts n uplinks that the sink did not settle. Their devices hear nothing and send again.
func (r *reader) failed(n int, err error) {
	add(&r.t.counts.settled[transports.Unsettled], n)
	if now := r.t.now(); now.Sub(r.logged) >= sinkErrorEvery {
		r.logged = now
		r.t.log.Warn("datagrams were not stored", slog.String("transport", r.t.name), slog.Int("datagrams", n), slog.Any("error", err))
	}
}
