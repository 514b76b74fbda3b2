package node

import (
	"log/slog"
	"maps"
	"testing"

	"github.com/godwit-gateway/godwit/gateway/config"
	"github.com/godwit-gateway/godwit/transports/cloudloop"
	"github.com/godwit-gateway/godwit/transports/directip"
	"github.com/godwit-gateway/godwit/transports/idp"
	"github.com/godwit-gateway/godwit/transports/rockblock"
)

// Each message that a network brought is counted by what the network was told of it: powers of two tell what a sum is made of.
func TestConfirmed(t *testing.T) {
	for name, tc := range map[string]struct{ got, want map[string]uint64 }{
		"directip": {
			confirmedDirectIP(directip.Stats{
				Failed: 1, Empty: 2, Repeated: 4, Stored: 8, Duplicate: 16, Quarantined: 32, Rejected: 64, Unconfirmed: 128, Unanswered: 256, Stranger: 512,
			}),
			map[string]uint64{"taken": 127, "kept": 128, "unsaid": 256},
		},
		"rockblock": { // a rejected message is told to come again
			confirmedRockBLOCK(rockblock.Stats{Empty: 2, Repeated: 4, Stored: 8, Duplicate: 16, Quarantined: 32, Rejected: 64, Unconfirmed: 128, Late: 256, Stranger: 512}),
			map[string]uint64{"taken": 62, "kept": 192, "late": 256},
		},
		"cloudloop": {
			confirmedCloudloop(cloudloop.Stats{Empty: 2, Stored: 8, Duplicate: 16, Quarantined: 32, Rejected: 64, Unconfirmed: 128}),
			map[string]uint64{"taken": 122, "kept": 128},
		},
		"idp": {
			confirmedIDP(idp.Stats{Repeated: 4, Stored: 8, Duplicate: 16, Quarantined: 32, Rejected: 64, Unconfirmed: 128}),
			map[string]uint64{"taken": 120, "kept": 128},
		},
	} {
		if !maps.Equal(tc.got, tc.want) {
			t.Errorf("%s: %v, want %v", name, tc.got, tc.want)
		}
	}
}

// The state of a satellite network's link has them.
func TestStateHasConfirmations(t *testing.T) {
	c := directip.Config{Listen: "127.0.0.1:0", Allow: []string{"192.0.2.1"}}
	w, err := wireLink(config.Link{Name: "sat0", Kind: "directip", DirectIP: &c}, "", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if got := w.state().Confirmed(); len(got) != 3 {
		t.Errorf("%v", got)
	}
}
