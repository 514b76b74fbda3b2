//go:build !linux

package udp

import "net"

// setReceiveBuffer asks for a receive buffer and returns what was granted, as far as is known.
func setReceiveBuffer(conn *net.UDPConn, size int) int {
	if err := conn.SetReadBuffer(size); err != nil {
		return 0
	}
	return size
}

// socketDrops returns how many datagrams the kernel has dropped at a socket: here that is not known.
func socketDrops(*net.UDPConn) uint64 { return 0 }
