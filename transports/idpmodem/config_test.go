package idpmodem_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/transports/idpmodem"
)

func TestConfig(t *testing.T) {
	for want, cfg := range map[string]idpmodem.Config{
		"":                   {MobileID: mobileID, Peer: peer, Dialect: "quectel", SIN: 255, MIN: 0, Priority: 1, Poll: time.Minute},
		"device is":          {},
		"baud is 1":          {Baud: 1},
		"mobile_id is short": {MobileID: "short"},
		"peer is 0123":       {Peer: "0123"},
		"peer is " + peer:    {Peer: peer, MobileID: peer},
		"dialect is morse":   {Dialect: "morse"},
		"sin 15 is":          {SIN: 15},
		"min 256 is":         {SIN: 128, MIN: 256},
		"priority is 5":      {Priority: 5},
		"wake is 1m1s":       {Wake: time.Minute + time.Second},
		"wake is 1m0s":       {Wake: time.Minute, Dialect: "quectel"}, // it is not known how
		"poll is 1ms":        {Poll: time.Millisecond},
	} {
		if want != "device is" {
			cfg.Device = "/dev/null"
		}
		_, err := idpmodem.New("idp0", cfg, slog.New(slog.DiscardHandler))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", cfg, err, want)
		}
	}
}
