//go:build e2e

package e2e_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/atmodem"
)

// mixed is the size of messages of which every third takes several short messages.
func mixed(id uint64, rng *rand.Rand) int {
	if id%3 == 0 {
		return 150 + rng.IntN(250)
	}
	return 20
}

// The gateway is killed at random moments while messages come in through a modem without a pause, be it between listing and commit, between commit
// and +CMGD or within the parts of a long message. A message that was deleted from the modem is one event, one that was not is read again, and none is left.
func TestKillWithModemLosesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("kills a gateway many times")
	}
	s := newSite(t)
	card := s.withModem(t, atmodem.Options{
		SMSlots: 10, MESlots: 10, Seed: 21, Retry: 100 * time.Millisecond, Queue: 8,
		Faults: atmodem.Faults{
			Reply: atmodem.Span{Least: time.Millisecond, Most: 8 * time.Millisecond}, URCInReply: 0.1, URCLost: 0.05, PartTwice: 0.1, PartSwap: 0.2,
		},
	})
	card.size = mixed
	gw := s.gateway(t)
	stop := card.feeding(t, s.devices(t, 8, 13))
	gw = s.killed(t, gw, &card.book, killing{times: kills(t, "GODWIT_SMS_KILLS", 10), each: 3, within: 100 * time.Millisecond, state: card.stats})
	card.kept(t, s, gw, stop())
	// A part that came twice may be read after all that counts.
	if !eventually(60*time.Second, func() bool { return card.modem.Stats().Stored == 0 }) {
		t.Errorf("%d messages are left in the modem", card.modem.Stats().Stored)
	}
	gw.stopped(t)
	s.sound(t)
}
