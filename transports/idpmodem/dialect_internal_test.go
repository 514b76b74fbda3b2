package idpmodem

import (
	"testing"

	"github.com/godwit-gateway/godwit/transports/isatdata"
)

// Names have 8 characters, and 12 where the terminal is Quectel's, which has a comma before the MIN.
func TestSubmitCommand(t *testing.T) {
	for name, want := range map[string]struct {
		length  int
		command string
	}{
		dialectDefault: {8, `%MGRT="NAME",4,128.7,3,AQID`},
		"quectel":      {12, `+QSMGT="NAME",4,128,7,3,AQID`},
	} {
		d := dialects[name]
		if got := d.submitCommand("NAME", 4, isatdata.Header{SIN: 128, MIN: 7}, "AQID"); got != want.command {
			t.Errorf("%s: %s, want %s", name, got, want.command)
		}
		if got := (&queue{}).nameOf([]byte("down"), d.nameMax); len(got) != want.length || !ours(got, want.length) {
			t.Errorf("%s: the name %q, want one of ours with %d characters", name, got, want.length)
		}
	}
}
