//go:build !linux

package udp

import "net"

// newBatch returns the batch for this system.
func newBatch(conn *net.UDPConn) (batch, error) { return newSingle(conn), nil }
