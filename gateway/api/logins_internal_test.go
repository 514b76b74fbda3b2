package api

import (
	"fmt"
	"testing"
	"time"
)

// However many addresses fail, the table does not grow, and there is room again once their minute is over.
func TestLoginsAreBounded(t *testing.T) {
	l := newLogins()
	now := time.Unix(1_000_000, 0)
	for i := range 50_000 {
		l.failed(fmt.Sprintf("10.%d.%d.%d:99", i>>16, i>>8&0xFF, i&0xFF), now.Add(time.Duration(i)*time.Microsecond))
	}
	if n := len(l.seen); n > loginsMax {
		t.Errorf("%d addresses are counted, want at most %d", n, loginsMax)
	}
	if l.failed("192.0.2.1:1", now.Add(time.Second)) {
		t.Error("an address for which there is no room is not turned away")
	}
	if !l.failed("192.0.2.1:1", now.Add(2*loginWindow)) {
		t.Error("there is no room after two minutes")
	}
}

func TestLoginKeys(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"192.0.2.1:1", "192.0.2.1:2", true},
		{"192.0.2.1:1", "192.0.2.2:1", false},
		{"192.0.2.1:1", "[::ffff:192.0.2.1]:1", true},
		{"[2001:db8::1]:1", "[2001:db8::ffff:2]:1", true},
		{"[2001:db8::1]:1", "[2001:db8:0:1::1]:1", false},
		{"", "@", true},
	} {
		if got := loginKey(c.a) == loginKey(c.b); got != c.same {
			t.Errorf("%q and %q are counted together: %v", c.a, c.b, got)
		}
	}
}
