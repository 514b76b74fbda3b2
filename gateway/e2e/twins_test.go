//go:build e2e

package e2e_test

import (
	"errors"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A second gateway on the same state folder does not start, and the first goes on.
func TestSecondGatewayOnOneFolder(t *testing.T) {
	s := newSite(t)
	c := s.crewOf(t, 1, 2)
	gw := s.gateway(t)
	if out := s.refused(t); !strings.Contains(out, "store: in use by another process") || !strings.Contains(out, "stop it first") {
		t.Errorf("the second does not say why:\n%s", out)
	}
	c.grow(t, 10)
	c.published(t, s)
	gw.stopped(t)
}

// Two gateways with one id and folders of their own, on one stream: the one that finds the other's events stops and says why. The other goes on, and its
// frames stay what they are.
func TestSecondGatewayOnOneStream(t *testing.T) {
	s := newSite(t)
	s.withBroker(t)
	c := s.crewOf(t, 1, 4)
	first := s.gateway(t)
	c.grow(t, 40)

	// It has events of its own when it meets the stream: else it would be a store that was lost, and take over what it finds there.
	other := newSite(t)
	stranger := other.crewOf(t, 5001, 2)
	gw := other.gateway(t)
	stranger.grow(t, 10)
	gw.stopped(t)
	other.shares(t, s)
	if out := other.refused(t); !strings.Contains(out, "another gateway with this id writes to the stream") {
		t.Errorf("the second does not say why:\n%s", out)
	}

	c.grow(t, 40)
	c.kept(t, s, first)
}

// A gateway with an empty folder takes the stream for that of the store that it replaces. If the other one still runs, that one finds events which are
// not its own, and stops.
func TestReplacedGatewayStops(t *testing.T) {
	s := newSite(t)
	s.withBroker(t)
	c := s.crewOf(t, 1, 2)
	first := s.gateway(t)
	c.grow(t, 20)
	c.stop()
	other := newSite(t)
	other.shares(t, s)
	newcomers := other.crewOf(t, 5001, 2)
	second := other.gateway(t)
	newcomers.grow(t, 20)
	c.start(t) // what it has to publish makes it look
	if out := first.failed(t); !hasLine(out, "another gateway with this id writes to the stream") {
		t.Errorf("it does not say why:\n%s", out)
	}
	newcomers.grow(t, 20)
	second.stopped(t)
	newcomers.stored(t, other)
}

// SIGTERM under load: what was taken is committed and acknowledged, the rest is left to the devices, and the process ends well. The next one goes on.
func TestTerminatedUnderLoad(t *testing.T) {
	s := newSite(t)
	c := s.crewOf(t, 1, 20)
	for range rounds(3, 20) {
		gw := s.gateway(t)
		c.grow(t, 40)
		began := time.Now()
		if err := gw.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		var ended *exec.ExitError
		if err := gw.wait(t); errors.As(err, &ended) || !hasLine(gw.out.String(), "gateway has stopped") {
			t.Fatalf("SIGTERM: %v\n%s", err, gw.out)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("it took %s to stop, want 10 s at most\n%s", took, gw.out)
		}
	}
	c.survived(t, s)
}
