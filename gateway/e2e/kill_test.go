//go:build e2e

package e2e_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// kills is how often the gateway is killed: as is usual, or as a variable of the environment says.
func kills(t *testing.T, variable string, usual int) int {
	t.Helper()
	if s := os.Getenv(variable); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return usual
}

// pause lets a random part of a time pass: a power failure comes when it comes.
func pause(rng *rand.Rand, least, most time.Duration) {
	timer := time.NewTimer(least + time.Duration(rng.Int64N(int64(most-least))))
	<-timer.C
}

// killing is how a gateway is killed again and again.
type killing struct {
	times  int
	each   int           // messages that are confirmed from one kill to the next, at least
	within time.Duration // after them
	before func()        // each kill; nil: nothing
	state  func() any    // of what is beside the gateway, to be told if that goes no further
}

// killed kills the gateway at random moments while it confirms messages, and starts it again. It returns the one that runs then.
func (s *site) killed(t *testing.T, gw *process, book *ledger, k killing) *process {
	t.Helper()
	rng := rand.New(rand.NewPCG(7, 8))
	for round := range k.times {
		before := book.len()
		if !eventually(time.Minute, func() bool { return book.len() >= before+k.each }) {
			state := k.state()
			gw.dump(t)
			t.Fatalf("%d messages confirmed in round %d, want %d more than %d; %+v\n%s", book.len(), round, k.each, before, state, gw.out)
		}
		pause(rng, 0, k.within)
		if k.before != nil {
			k.before()
		}
		gw.kill(t)
		gw = s.gateway(t)
	}
	return gw
}

// The gateway is killed at random moments under load. What it had acknowledged, as the devices counted it, is on the stream exactly once and
// in the store.
func TestKillUnderLoadLosesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("kills a gateway many times")
	}
	s := newSite(t)
	var book ledger
	gw := s.gateway(t)
	stop := s.crowd(t, 1, 40, &book)
	times := kills(t, "GODWIT_KILLS", 25)
	gw = s.killed(t, gw, &book, killing{times: times, each: 20, within: 60 * time.Millisecond, state: func() any {
		links, _ := command(t, "link", "list", "--config", s.config)
		return links
	}})
	stop()
	t.Logf("%d frames were acknowledged over %d kills", book.len(), times)
	s.exactlyOnce(t, book.acked)
	s.inOrder(t)
	gw.stopped(t)
	s.sound(t)
}

// sound checks the store of a gateway that was stopped.
func (s *site) sound(t *testing.T) {
	t.Helper()
	out, err := command(t, "store", "check", "--config", s.config)
	if err != nil {
		t.Fatalf("store check: %v\n%s", err, out)
	}
	if !strings.Contains(out, "no fault") {
		t.Errorf("store check says:\n%s", out)
	}
}
