//go:build !linux

package bench

import "net"

// segment reports that each datagram takes a call of its own.
func segment(*net.UDPConn, int) bool { return false }
