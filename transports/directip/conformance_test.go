package directip_test

import (
	"testing"

	"github.com/godwit-gateway/godwit/transports/transporttest"
)

func TestConformance(t *testing.T) {
	caps := transporttest.Capabilities{Redelivers: true, ConfirmsRejected: true}
	for name, confirm := range map[string]bool{"with confirmations": true, "without confirmations": false} {
		t.Run(name, func(t *testing.T) {
			transporttest.Run(t, caps, func(t *testing.T) transporttest.Harness {
				t.Helper()
				return newHarness(t, confirm)
			})
		})
	}
}
