package transports

import (
	"fmt"
	"net/netip"
	"strings"
)

// ParseListen reads where a driver listens, "address:port" or ":port". Names are refused: what they stand for may change between two starts. The
// example goes into the error.
func ParseListen(s, example string) (netip.AddrPort, error) {
	full := s
	if strings.HasPrefix(s, ":") {
		full = "[::]" + s
	}
	ap, err := netip.ParseAddrPort(full)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("listen is %q, want an IP address and a port, such as %s", s, example)
	}
	return ap, nil
}

// ListenNetwork is the network of package net, "tcp" or "udp" as told, that a socket of the address listens on: [::] takes IPv4 too.
func ListenNetwork(protocol string, addr netip.Addr) string {
	if addr.Is6() {
		return protocol
	}
	return protocol + "4"
}
