//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/gateway/failpoint"
	"github.com/godwit-gateway/godwit/simulator/peers/gss"
)

// constellation is satellites and the Iridium gateway.
type constellation struct {
	*mail

	gss   *gss.Gateway
	tries atomic.Int64 // of the messages that were settled
}

// withDirectIP adds a link that the Iridium gateway delivers to, and returns that gateway, with modems of devices.
func (s *site) withDirectIP(t *testing.T, devices []*device) *constellation {
	t.Helper()
	address := fmt.Sprintf("127.0.0.1:%d", freePort(t, "tcp"))
	s.add(t, "[link.sat]\nkind = \"directip\"\nlisten = %q\nallow = [\"127.0.0.1\"]\nconfirm = true\nack = \"never\"\n", address)
	c := &constellation{mail: newMail()}
	var err error
	c.gss, err = gss.New(gss.Options{
		Destinations: []string{address}, Confirm: true, Second: time.Millisecond,
		OnSettled: func(m gss.Message, as gss.Outcome) {
			c.tries.Add(int64(m.Tries))
			c.settle(m.Tag, as == gss.Delivered)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range devices {
		if err := c.gss.Add(d.imei()); err != nil {
			t.Fatal(err)
		}
	}
	c.ahead = 8
	c.stats = func() any { return fmt.Sprint(c.tries.Load(), " tries") }
	c.deliver = func(_ context.Context, id uint64, d *device, payload []byte) error {
		_, err := c.gss.Session(gss.Session{IMEI: d.imei(), Payload: payload, Tag: id})
		return err
	}
	beside(t, "Iridium gateway", c.gss.Run)
	return c
}

func (d *device) imei() string { return fmt.Sprintf("3002340%08d", d.number) }

// kept checks, with a gateway that runs, that each message was confirmed and is one event, in order, and that some came twice.
func (c *constellation) kept(t *testing.T, s *site, gw *process, messages int) {
	t.Helper()
	c.mail.kept(t, s, gw, messages)
	if n := c.tries.Load(); n <= int64(messages) {
		t.Errorf("%d tries for %d messages: none came twice", n, messages)
	}
	s.inOrder(t)
	gw.stopped(t)
	s.sound(t)
}

// The gateway is killed at random moments while the Iridium gateway delivers without a pause. A message that was confirmed is one event, one that was not
// comes again, and none is left.
func TestKillWithDirectIPLosesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("kills a gateway many times")
	}
	s := newSite(t)
	devices := s.devices(t, 8, 17)
	c := s.withDirectIP(t, devices)
	gw := s.gateway(t)
	stop := c.feeding(t, devices)
	gw = s.killed(t, gw, &c.book, killing{times: kills(t, "GODWIT_SAT_KILLS", 3), each: 20, within: 60 * time.Millisecond, state: c.stats})
	c.kept(t, s, gw, stop())
}

// The gateway is killed when a message is on disk and about to be confirmed, and just after that: it comes again, and is one event.
func TestKillBeforeAndAfterConfirmation(t *testing.T) {
	for _, p := range []failpoint.Point{failpoint.Replied, failpoint.Answered} {
		t.Run(string(p), func(t *testing.T) {
			if p == failpoint.Answered && !thorough() {
				t.Skip("the short run has the other point")
			}
			t.Parallel()
			s := newSite(t)
			devices := s.devices(t, 2, 3)
			c := s.withDirectIP(t, devices)
			stop := c.feeding(t, devices)
			rng := rand.New(rand.NewPCG(34, 1))
			for range rounds(2, 50) {
				s.killedAt(t, p, 1+rng.IntN(6), nil)
			}
			gw := s.gateway(t)
			c.kept(t, s, gw, stop())
		})
	}
}
