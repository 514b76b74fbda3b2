//go:build e2e

package e2e_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/gateway/failpoint"
	simulated "github.com/godwit-gateway/godwit/simulator/device"
	"github.com/godwit-gateway/godwit/simulator/peers/atmodem"
)

// thorough reports whether tests may take as long as they need.
func thorough() bool { return os.Getenv("GODWIT_FAULTS") != "" }

// rounds is how often a test that can be repeated for long does it: as is usual, or in a thorough run.
func rounds(usual, thoroughly int) int {
	if thorough() {
		return thoroughly
	}
	return usual
}

// thoroughOnly skips a test that takes too long to be run each time.
func thoroughOnly(t *testing.T) {
	t.Helper()
	if !thorough() {
		t.Skip("takes long: only with GODWIT_FAULTS=1")
	}
}

// step is a point at which the gateway is killed, with what brings it there.
type step struct {
	point failpoint.Point
	most  int                                  // passes of a round, drawn from 1 on
	drive func(t *testing.T, s *site, c *crew) // once in each round, when the gateway was started; nil: frames alone bring it there
	quick bool                                 // part of the short run
}

var steps = []step{
	{point: failpoint.Received, most: 30},
	{point: failpoint.Opened, most: 60},
	{point: failpoint.Built, most: 30},
	{point: failpoint.Written, most: 40, quick: true},
	{point: failpoint.Synced, most: 30, quick: true},
	{point: failpoint.Replied, most: 30},
	{point: failpoint.Answered, most: 30, quick: true},
	{point: failpoint.Published, most: 20, quick: true},
	{point: failpoint.PubAcked, most: 20, quick: true},
	{point: failpoint.Confirmed, most: 20},
	{point: failpoint.Checkpoint, most: 2, quick: true, drive: func(t *testing.T, s *site, _ *crew) {
		t.Helper()
		dir := filepath.Join(t.TempDir(), "backup")
		if out, err := command(t, "store", "backup", dir, "--config", s.config); err == nil {
			t.Errorf("a backup of a gateway that was killed within it: %s", out)
		}
		if out, err := command(t, "store", "check", "--backup", dir, "--config", s.config); err == nil || !strings.Contains(out, "not finished") {
			t.Errorf("what is left of it is taken for a backup: %v\n%s", err, out)
		}
	}},
	{point: failpoint.Rekey, most: 3, drive: func(t *testing.T, s *site, c *crew) {
		t.Helper()
		c.grow(t, 3*len(c.members))       // all are known
		for _, m := range c.members[:4] { // more than enough to come to the pass
			_, _ = command(t, "device", "rekey", strconv.Itoa(int(m.config.Number)), "--config", s.config) // the gateway is killed within one of them
		}
	}},
	{point: failpoint.Join, most: 3, quick: true, drive: func(t *testing.T, _ *site, c *crew) {
		t.Helper()
		for _, m := range c.members[:4] {
			m.boot(t, simulated.Erased())
		}
	}},
}

// The gateway is killed at each step of a frame's way, and of a backup, a rekey and a join, at one pass after the other. What it had acknowledged is
// in the store and on the stream, once.
func TestKillAtEachStep(t *testing.T) {
	times := rounds(1, 50)
	for _, st := range steps {
		if st.quick || thorough() {
			t.Run(string(st.point), func(t *testing.T) {
				t.Parallel()
				s := newSite(t)
				rng := rand.New(rand.NewPCG(31, uint64(len(st.point))))
				c := s.crewOf(t, 1, 12)
				if st.drive != nil { // it is for devices that are known
					gw := s.gateway(t)
					c.grow(t, 3*len(c.members))
					gw.kill(t)
				}
				for range times {
					s.killedAt(t, st.point, 1+rng.IntN(st.most), func() {
						if st.drive != nil {
							st.drive(t, s, c)
						}
					})
				}
				c.survived(t, s)
			})
		}
	}
}

// Every point is a step of one of the tests.
func TestStepsAreAllPoints(t *testing.T) {
	var all []failpoint.Point
	for _, st := range steps {
		all = append(all, st.point)
	}
	all = append(all, failpoint.Erasing, failpoint.Erased, failpoint.Trim)
	for _, p := range failpoint.Points() {
		if !slices.Contains(all, p) {
			t.Errorf("the gateway is never killed at %s", p)
		}
	}
}

// killedAt starts the gateway, has it driven, and waits until it was killed at its n-th pass of a point.
func (s *site) killedAt(t *testing.T, p failpoint.Point, n int, drive func()) {
	t.Helper()
	gw := s.armed(t, p, n)
	if drive != nil {
		gw.ready(t, true)
		drive()
	}
	gw.killed(t, p, n)
}

// armed starts a gateway that is killed at its n-th pass of a point.
func (s *site) armed(t *testing.T, p failpoint.Point, n int) *process {
	t.Helper()
	return startWith(t, []string{fmt.Sprintf("%s=%s:%d", failpoint.Variable, p, n)}, "failing", "run", "--config", s.config)
}

// killed waits until a process was killed, as nothing but its failpoint does.
func (p *process) killed(t *testing.T, at failpoint.Point, n int) {
	t.Helper()
	err := p.wait(t)
	var ended *exec.ExitError
	if !errors.As(err, &ended) {
		t.Fatalf("at pass %d of %s: %v\n%s", n, at, err, p.out)
	}
	if status, ok := ended.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Fatalf("at pass %d of %s: %v\n%s", n, at, err, p.out)
	}
}

// survived starts the gateway as it is, has the devices go on, and checks that nothing was lost.
func (c *crew) survived(t *testing.T, s *site) {
	t.Helper()
	gw := s.gateway(t)
	c.grow(t, 5*len(c.members))
	c.kept(t, s, gw)
	t.Logf("%d frames were acknowledged, %d downlinks came sealed", c.len(), len(c.sealed))
}

// The gateway is killed before and after it deletes events from the outbox that the stream has. Trimming is done once a minute.
func TestKillAtTrim(t *testing.T) {
	thoroughOnly(t)
	type one struct {
		site *site
		crew *crew
		gw   *process
	}
	var all []one
	for i := range 12 { // at once, for each has a minute to wait
		s := newSite(t)
		s.edit(t, func(text string) string { return strings.Replace(text, "[nats]", "[nats]\noutbox_keep = \"1m\"", 1) })
		all = append(all, one{s, s.crewOf(t, uint32(1+2*i), 2), s.armed(t, failpoint.Trim, 1+i%2)})
	}
	for i, o := range all {
		until(t, 8*time.Minute, "the outbox to be trimmed", o.gw.ended)
		o.gw.killed(t, failpoint.Trim, 1+i%2)
		o.crew.survived(t, o.site)
	}
}

// The gateway is killed when a message that it took from the modem is on disk and about to be deleted there, and just after that.
func TestKillBeforeAndAfterDeletion(t *testing.T) {
	for _, p := range []failpoint.Point{failpoint.Erasing, failpoint.Erased} {
		t.Run(string(p), func(t *testing.T) {
			if p == failpoint.Erased && !thorough() {
				t.Skip("the short run has the other point")
			}
			t.Parallel()
			s := newSite(t)
			card := s.withModem(t, atmodem.Options{SMSlots: 10, MESlots: 10, Seed: 23, Retry: 100 * time.Millisecond, Queue: 8})
			card.size = mixed
			stop := card.feeding(t, s.devices(t, 2, 3))
			rng := rand.New(rand.NewPCG(33, 1))
			for range rounds(2, 50) {
				s.killedAt(t, p, 1+rng.IntN(4), nil)
			}
			gw := s.gateway(t)
			card.kept(t, s, gw, stop())
			gw.stopped(t)
			s.sound(t)
		})
	}
}
