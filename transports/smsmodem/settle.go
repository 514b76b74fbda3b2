package smsmodem

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/godwit-gateway/godwit/gateway/failpoint"
	"github.com/godwit-gateway/godwit/transports"
)

// settle hands a batch to the sink and deletes what the sink has settled. From here on the batch is in hand: it is finished even if Run's
// context is done.
func (s *session) settle(st *storage, batch []item, listed time.Time) error {
	done, err := s.offer(batch)
	if len(done) > 0 {
		if err := s.erase(st, done, listed); err != nil {
			return err
		}
	}
	if err != nil {
		s.log.Warn("messages stay where they are: the sink does not take them", slog.Any("error", err))
		s.later()
		return nil
	}
	s.backoff = 0
	return nil
}

// offer hands messages and reports to the sink. It returns the indexes of what is settled, and the sink's error.
func (s *session) offer(batch []item) (done []int, failed error) {
	var us []transports.Uplink
	var indexes []int
	now := s.t.cfg.Now()
	for _, it := range batch {
		if it.report {
			if err := s.report(it.received); err != nil {
				failed = err
				continue
			}
			done = append(done, it.index)
			continue
		}
		us = append(us, s.uplink(it.received, now))
		indexes = append(indexes, it.index)
	}
	if len(us) == 0 {
		return done, failed
	}
	out := make([]transports.Verdict, len(us))
	if err := s.sink.Uplinks(s.inHand, us, out); err != nil {
		s.t.counts.settled[transports.Unsettled].Add(uint64(len(us)))
		return done, err
	}
	for i := range out {
		settlement := out[i].Settlement
		if settlement > transports.Rejected {
			settlement = transports.Unsettled // not a verdict that we know
		}
		s.t.counts.settled[settlement].Add(1)
		if settlement != transports.Unsettled { // Rejected too: it would keep its slot for ever
			done = append(done, indexes[i])
		}
	}
	return done, failed
}

func (s *session) uplink(r received, now time.Time) transports.Uplink {
	c := &s.t.counts
	c.received.Add(1)
	switch {
	case r.content == transports.ContentText:
		c.text.Add(1)
	case r.content == transports.ContentRaw:
		c.raw.Add(1)
	case !r.part.Whole():
		c.parts.Add(1)
	}
	return transports.Uplink{
		Transport: s.t.cfg.Name, From: transports.Address{Bearer: transports.SMS, ID: r.from}, SentAt: r.at, ReceivedAt: now,
		Port: r.port, Content: r.content, Part: r.part, Payload: r.payload,
	}
}

// erase gives slots back. A sink may take long: what a modem that started over meanwhile calls its slots is not known, so the storage
// is selected again first.
func (s *session) erase(st *storage, indexes []int, listed time.Time) error {
	if time.Since(listed) > s.t.timing.trust {
		if err := s.take(s.inHand, st); err != nil {
			return err
		}
	}
	for _, index := range indexes {
		if s.line.rebooted() {
			return errRebooted
		}
		failpoint.Pass(failpoint.Erasing)
		_, err := s.cmd.command(s.inHand, fmt.Sprintf("+CMGD=%d", index), s.t.timing.list)
		failpoint.Pass(failpoint.Erased)
		c, refused := classOf(err)
		switch {
		case err == nil, c == classSlot:
			s.t.counts.deleted.Add(1)
		case refused: // it is listed again, and then a duplicate
			s.t.counts.deleteErrors.Add(1)
			s.log.Warn("modem does not delete a message", slog.String("storage", st.name), slog.Any("error", err))
			s.later()
		default:
			return err
		}
	}
	return nil
}

// settleDirect hands over what the modem has handed over instead of storing it. In phase 2+ the network sends again what is not
// acknowledged with +CNMA. Before that nobody does, so it is kept here until the sink takes it.
func (s *session) settleDirect(ctx context.Context) error {
	for len(s.direct) > 0 && ctx.Err() == nil {
		d := s.direct[0]
		r, err := parsePDU(d.pdu, s.t.cfg.CountryCode)
		done, err := s.offer([]item{s.item(entry{pdu: d.pdu}, r, err)})
		if len(done) == 0 && !s.phase2 {
			s.log.Warn("message waits in memory: the sink does not take it", slog.Any("error", err))
			s.later()
			return nil
		}
		s.direct = s.direct[1:]
		if len(done) == 0 {
			s.log.Warn("message is not acknowledged: the sink does not take it", slog.Any("error", err))
			continue
		}
		if !s.phase2 {
			continue
		}
		if _, _, err := s.try(s.inHand, "+CNMA"); err != nil {
			return err
		}
	}
	return nil
}

// keep takes what the modem handed over instead of storing it. There is room for many: before phase 2+ nobody else has them. What is beyond
// that is counted and told, and in phase 2+ the network sends it again.
func (s *session) keep(more []direct) {
	s.direct = append(s.direct, more...)
	over := len(s.direct) - waitingMax
	if over <= 0 {
		return
	}
	s.direct = s.direct[:waitingMax]
	s.t.counts.overruns.Add(uint64(over))
	s.log.Error("messages that the modem did not store are dropped: the sink does not take them, and there is no room for more",
		slog.Int("messages", over), slog.Bool("network_repeats", s.phase2))
}
