//go:build e2e

package e2e_test

import (
	"errors"
	"os/exec"
	"path/filepath"
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
	if err := gw.stop(t); err != nil {
		t.Fatalf("stop: %v\n%s", err, gw.out)
	}
}

// Two gateways with one id and folders of their own, on one stream: the one that finds the other's events stops and says why. The other goes on, and its
// frames stay what they are.
func TestSecondGatewayOnOneStream(t *testing.T) {
	s := newSite(t)
	s.external(t)
	b := broker(t, s.nats, filepath.Join(s.dir, "broker"))
	defer func() {
		b.Shutdown()
		b.WaitForShutdown()
	}()
	c := s.crewOf(t, 1, 4)
	first := s.gateway(t)
	c.grow(t, 40)

	// It has events of its own when it meets the stream: else it would be a store that was lost, and take over what it finds there.
	other := newSite(t)
	stranger := other.crewOf(t, 5001, 2)
	gw := other.gateway(t)
	stranger.grow(t, 10)
	if err := gw.stop(t); err != nil {
		t.Fatalf("stop: %v\n%s", err, gw.out)
	}
	other.external(t)
	other.edit(t, func(text string) string { return strings.ReplaceAll(text, other.nats, s.nats) })
	if out := other.refused(t); !strings.Contains(out, "another gateway with this id writes to the stream") {
		t.Errorf("the second does not say why:\n%s", out)
	}

	c.grow(t, 40)
	c.published(t, s)
	if err := first.stop(t); err != nil {
		t.Fatalf("stop: %v\n%s", err, first.out)
	}
	c.stored(t, s)
}

// A gateway with an empty folder takes the stream for that of the store that it replaces. If the other one still runs, that one finds events which are
// not its own, and stops.
func TestReplacedGatewayStops(t *testing.T) {
	s := newSite(t)
	s.external(t)
	b := broker(t, s.nats, filepath.Join(s.dir, "broker"))
	defer func() {
		b.Shutdown()
		b.WaitForShutdown()
	}()
	c := s.crewOf(t, 1, 2)
	first := s.gateway(t)
	c.grow(t, 20)
	c.stop()
	other := newSite(t)
	other.external(t)
	other.edit(t, func(text string) string { return strings.ReplaceAll(text, other.nats, s.nats) })
	other.nats = s.nats
	newcomers := other.crewOf(t, 5001, 2)
	second := other.gateway(t)
	newcomers.grow(t, 20)
	c.start(t) // what it has to publish makes it look
	var ended *exec.ExitError
	if err := first.wait(t); !errors.As(err, &ended) || ended.ExitCode() != 1 || !hasLine(first.out.String(), "another gateway with this id writes to the stream") {
		t.Errorf("%v, want exit code 1\n%s", err, first.out)
	}
	newcomers.grow(t, 20)
	if err := second.stop(t); err != nil {
		t.Fatalf("stop: %v\n%s", err, second.out)
	}
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
