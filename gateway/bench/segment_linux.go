package bench

import (
	"net"

	"golang.org/x/sys/unix"
)

// segment makes the kernel cut what is written into datagrams of a size (UDP_SEGMENT in udp(7)), so that a burst costs one call. It reports false
// where the kernel cannot.
func segment(conn *net.UDPConn, size int) bool {
	raw, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	ok := false
	err = raw.Control(func(fd uintptr) {
		ok = unix.SetsockoptInt(int(fd), unix.SOL_UDP, unix.UDP_SEGMENT, size) == nil
	})
	return ok && err == nil
}
