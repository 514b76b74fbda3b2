//go:build e2e

package e2e_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
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

// The gateway is killed at random moments under load. What it had acknowledged, as the devices counted it, is on the stream exactly once and
// in the store.
func TestKillUnderLoadLosesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("kills a gateway many times")
	}
	s := newSite(t)
	rng := rand.New(rand.NewPCG(1, 2))
	var book ledger
	stop := make(chan struct{})
	var wg sync.WaitGroup
	gw := s.gateway(t)
	times := kills(t, "GODWIT_KILLS", 25)
	for n := range uint32(40) {
		d := newDevice(t, 1+n, s.udp, 7)
		wg.Go(func() { d.run(t, stop, book.add) })
	}
	for round := range times {
		before := book.len()
		if !eventually(20*time.Second, func() bool { return book.len() >= before+20 }) {
			links, _ := command(t, "link", "list", "--config", s.config)
			t.Log(links)
			gw.dump(t)
			t.Fatalf("%d acknowledgements in round %d, want 20 more than %d\n%s", book.len(), round, before, gw.out)
		}
		pause := time.NewTimer(time.Duration(rng.IntN(60)) * time.Millisecond)
		<-pause.C
		gw.kill(t)
		gw = s.gateway(t)
	}
	close(stop)
	wg.Wait()
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
