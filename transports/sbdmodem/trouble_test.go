package sbdmodem_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/sbdterm"
	"github.com/godwit-gateway/godwit/transports/sbdmodem"
)

// keep runs a driver, again whenever its line is lost, until stop.
func (s *site) keep(tr *sbdmodem.Transport) (stop func()) {
	ctx, cancel := context.WithCancel(s.ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			_ = tr.Run(ctx, s.sink)
			if err := s.modem.Plug(); err != nil {
				s.t.Error(err)
			}
		}
	}()
	stop = func() {
		cancel()
		<-done
	}
	s.t.Cleanup(stop)
	return stop
}

// deliver sends as the queue does: again, until the network has the message for sure.
func (s *site) deliver(tr *sbdmodem.Transport, ref uint64, payload string) {
	s.t.Helper()
	for {
		s.until("the driver is up", tr.Up)
		_, err := tr.Send(s.ctx, downlink(ref, payload))
		if err == nil {
			return
		}
		if s.ctx.Err() != nil {
			s.t.Fatalf("%s: %v; modem %+v", payload, err, s.modem.Stats())
		}
	}
}

// trouble has something go wrong with the next session.
func (s *site) trouble(rng *rand.Rand) {
	switch rng.IntN(8) {
	case 0:
		s.modem.Inject(sbdterm.Step{Mute: true})
	case 1:
		s.modem.Inject(sbdterm.Step{Mute: true, MO: 13})
	case 2:
		s.modem.Inject(sbdterm.Step{Unplug: true})
	case 3:
		s.modem.Inject(sbdterm.Step{Unplug: true, MO: 18})
	case 4:
		s.modem.Inject(sbdterm.Step{Power: sbdterm.PowerBefore})
	case 5:
		s.modem.Inject(sbdterm.Step{Power: sbdterm.PowerAfter})
	case 6:
		s.modem.Garble(2)
		s.modem.Interleave(3)
	default:
		s.modem.Inject(sbdterm.Step{MTFail: true})
	}
}

// With everything going wrong that can, and a process that dies again and again: what the transceiver gave back has been settled, nothing is lost to a session, and each
// message goes out once.
func TestTroubleOfAllKinds(t *testing.T) {
	const rounds = 8
	for seed := range uint64(2) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			s := newSite(t, func(o *sbdterm.Options) { o.Seed, o.Fail = seed, 0.2 })
			rng := rand.New(rand.NewPCG(seed, 1))
			var want []string
			ups := map[uint64]string{}
			for round := range rounds {
				tr := s.driver()
				tr.SessionFor(200 * time.Millisecond)
				tr.CommandFor(200 * time.Millisecond)
				tr.GraceOf(0)
				stop := s.keep(tr)
				up := fmt.Sprintf("up %d", round)
				ups[s.put(up)] = up
				s.trouble(rng)
				down := fmt.Sprintf("down %d", round)
				s.deliver(tr, uint64(round)+1, down)
				want = append(want, down)
				stop() // in the middle of whatever it does
			}
			last := s.driver()
			s.keep(last)
			if !s.mu.Await(s.ctx, func() bool { return len(s.settled) == rounds }) {
				t.Fatalf("%d of %d messages came to an end; modem %+v, driver %+v", len(s.settled), rounds, s.modem.Stats(), last.Stats())
			}
			s.wantTaken(want...)
			for id, up := range ups {
				if s.settled[id] == sbdterm.PowerLost {
					continue // nobody could help that
				}
				if _, ok := s.sink.Await(s.ctx, []byte(up), 1); !ok || s.settled[id] != sbdterm.Cleared {
					t.Errorf("%q: %v, in the sink %t", up, s.settled[id], ok)
				}
			}
		})
	}
}
