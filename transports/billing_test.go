package transports_test

import (
	"testing"

	"github.com/godwit-gateway/godwit/transports"
)

func TestBilled(t *testing.T) {
	for _, c := range []struct {
		bearer            transports.Bearer
		messages, payload uint64
		want              uint64
	}{
		{transports.SMS, 0, 0, 0},
		{transports.SMS, 1, 1, 140},
		{transports.SMS, 1, 140, 140},
		{transports.SMS, 2, 200, 280}, // in two parts
		{transports.UDP, 0, 0, 0},
		{transports.UDP, 1, 13, 41},
		{transports.UDP, 3, 60, 144},
		{transports.IDP, 2, 60, 64},
		{"pigeon", 2, 60, 60}, // of a network that nobody knows, at least what it carried
	} {
		if got := c.bearer.Billed(c.messages, c.payload); got != c.want {
			t.Errorf("%s: %d messages with %d bytes are billed as %d, want %d", c.bearer, c.messages, c.payload, got, c.want)
		}
	}
}
