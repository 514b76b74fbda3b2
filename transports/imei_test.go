package transports_test

import (
	"testing"

	"github.com/godwit-gateway/godwit/transports"
)

func TestValidIMEI(t *testing.T) {
	for s, want := range map[string]bool{"300234010753370": true, "": false, "30023401075337": false, "3002340107533700": false, "30023401075337x": false} {
		if transports.ValidIMEI(s) != want {
			t.Errorf("%q: %t, want %t", s, !want, want)
		}
	}
}
