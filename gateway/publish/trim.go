package publish

import (
	"fmt"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/gateway/failpoint"
)

// marksPerKeep is how finely it is remembered when events had been read back.
const marksPerKeep = 24

// TrimOnce forgets the events that were read back long enough ago. That they are old does not count: a stream that was away for days may lose
// again what it took a minute ago.
func (p *Publisher) TrimOnce() error {
	upTo := p.mature()
	for oseq, f := range p.meta.Filled {
		if !f.Verified && oseq <= upTo {
			upTo = oseq - 1
		}
	}
	if first, _ := p.store.OutboxBounds(); upTo < first {
		return nil
	}
	if err := p.save(true); err != nil {
		return err
	}
	failpoint.Pass(failpoint.Trim)
	if err := p.store.TrimOutbox(upTo); err != nil {
		return fmt.Errorf("trim the outbox: %w", err)
	}
	failpoint.Pass(failpoint.Trim)
	for oseq := range p.meta.Filled {
		if oseq <= upTo {
			delete(p.meta.Filled, oseq)
		}
	}
	return nil
}

// mature is the last event that had been read back, with all before it, long enough ago.
func (p *Publisher) mature() uint64 {
	now := p.now()
	for i := range p.meta.Marks {
		if p.meta.Marks[i].At.After(now) {
			p.meta.Marks[i].At = now // the clock was set back: the time since is not known
		}
	}
	newest := mark{}
	if n := len(p.meta.Marks); n > 0 {
		newest = p.meta.Marks[n-1]
	}
	if p.meta.Verified > newest.Oseq && now.Sub(newest.At) >= p.keep/marksPerKeep {
		p.meta.Marks = append(p.meta.Marks, mark{p.meta.Verified, now})
	}
	upTo, limit := uint64(0), now.Add(-p.keep)
	for _, k := range p.meta.Marks {
		if !k.At.After(limit) {
			upTo = min(k.Oseq, p.meta.Verified)
		}
	}
	p.meta.Marks = slices.DeleteFunc(p.meta.Marks, func(k mark) bool { return k.Oseq < upTo })
	return upTo
}

// settling is how far things were at a time.
type settling struct {
	oseq uint64    // last confirmed event
	last uint64    // the stream's last message
	at   time.Time // zero: not noted yet
}

// ripen moves on what may be read back: what was on the stream verifyAfter ago. What was just written would be read from memory.
func (p *Publisher) ripen() {
	now := p.now()
	if p.young.at.IsZero() {
		p.young = settling{p.meta.Confirmed, p.last, now}
	}
	if now.Sub(p.young.at) >= verifyAfter {
		p.settled = p.young
		p.young = settling{p.meta.Confirmed, p.last, now}
	}
}

// limit takes back what is said beyond an event and its sequence.
func (s *settling) limit(oseq, last uint64) {
	s.oseq, s.last = min(s.oseq, oseq), min(s.last, last)
}
