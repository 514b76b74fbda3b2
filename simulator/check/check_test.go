package check_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/godwit-gateway/godwit/simulator/check"
)

func event(id string) []byte {
	return fmt.Appendf(nil, `{"id":%q,"data":{"link":"udp"}}`, id)
}

func ledger() *check.Ledger {
	l := check.New()
	l.Device("buoy-1", 1, 1)
	for c := uint64(1); c < 4; c++ {
		l.Sent(check.Frame{Number: 1, Counter: c})
		l.Acknowledged(check.Frame{Number: 1, Counter: c})
	}
	return l
}

func TestLedger(t *testing.T) {
	for _, tc := range []struct {
		name                 string
		ids                  []string
		events               int
		lost, doubled, alien int
	}{
		{"kept", []string{"buoy-1.0.1.0", "buoy-1.0.2.0", "buoy-1.0.3.0"}, 3, 0, 0, 0},
		{"events of the gateway and further events of a frame do not count", []string{"gw1.g.1767225600000.1", "buoy-1.0.1.0", "buoy-1.0.1.1", "buoy-1.0.2.0", "buoy-1.0.3.0"}, 3, 0, 0, 0},
		{"lost", []string{"buoy-1.0.1.0", "buoy-1.0.3.0"}, 2, 1, 0, 0},
		{"doubled", []string{"buoy-1.0.1.0", "buoy-1.0.2.0", "buoy-1.0.2.0", "buoy-1.0.3.0"}, 4, 0, 1, 0},
		{"another epoch is another frame", []string{"buoy-1.1.1.0", "buoy-1.0.2.0", "buoy-1.0.3.0"}, 2, 1, 0, 1},
		{"a device that nobody has", []string{"buoy-1.0.1.0", "buoy-1.0.2.0", "buoy-1.0.3.0", "ghost.0.0.0"}, 3, 0, 0, 1},
		{"events of an earlier run do not count", []string{"buoy-1.0.0.0", "buoy-1.0.1.0", "buoy-1.0.2.0", "buoy-1.0.3.0"}, 3, 0, 0, 0},
		{"nothing", nil, 0, 3, 0, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := ledger()
			for _, id := range tc.ids {
				if err := l.Event(event(id)); err != nil {
					t.Fatal(err)
				}
			}
			r := l.Result()
			if r.Acknowledged != 3 || r.Events != tc.events || len(r.Lost) != tc.lost || len(r.Doubled) != tc.doubled || len(r.Alien) != tc.alien {
				t.Errorf("%+v", r)
			}
			if kept := tc.lost+tc.doubled+tc.alien == 0; (r.Err() == nil) != kept || l.Complete() != (tc.lost == 0) {
				t.Errorf("kept is %v: %v, complete %v", kept, r.Err(), l.Complete())
			}
		})
	}
}

func TestNotAnEvent(t *testing.T) {
	for _, payload := range []string{"", "{}", `{"id":"buoy-1.0.0"}`, `{"id":"buoy-1.x.0.0"}`, `{"id":".0.0.0"}`, `{"id":"buoy-1.0.0.0.0"}`} {
		if err := ledger().Event([]byte(payload)); !errors.Is(err, check.ErrEvent) {
			t.Errorf("%q: %v", payload, err)
		}
	}
}
