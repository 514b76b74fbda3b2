package transports_test

import (
	"net/netip"
	"testing"

	"github.com/godwit-gateway/godwit/transports"
)

func TestParseListen(t *testing.T) {
	for text, want := range map[string]struct{ addr, network string }{
		"127.0.0.1:8470": {"127.0.0.1:8470", "tcp4"},
		":8470":          {"[::]:8470", "tcp"},
		"[::1]:0":        {"[::1]:0", "tcp"},
	} {
		got, err := transports.ParseListen(text, "")
		if err != nil || got != netip.MustParseAddrPort(want.addr) || transports.ListenNetwork("tcp", got.Addr()) != want.network {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "localhost:8470", "127.0.0.1", ":http"} {
		_, err := transports.ParseListen(text, "192.0.2.1:1 or :1")
		if want := `listen is "` + text + `", want an IP address and a port, such as 192.0.2.1:1 or :1`; err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
