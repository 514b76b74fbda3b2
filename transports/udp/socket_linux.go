package udp

import (
	"net"
	"unsafe"

	"golang.org/x/sys/unix"
)

// setReceiveBuffer asks for a receive buffer, past the system's limit where the process may, and returns what was granted.
func setReceiveBuffer(conn *net.UDPConn, size int) int {
	if err := conn.SetReadBuffer(size); err != nil {
		return 0
	}
	granted := 0
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0
	}
	err = raw.Control(func(fd uintptr) {
		// net.core.rmem_max caps the first call; this one needs CAP_NET_ADMIN, and without it the first stands.
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, size)
		granted, _ = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF)
	})
	if err != nil {
		return 0
	}
	return granted
}

// socketDrops returns how many datagrams the kernel has dropped at a socket.
func socketDrops(conn *net.UDPConn) uint64 {
	const drops = 8 // SK_MEMINFO_DROPS of linux/sock_diag.h
	var info [drops + 1]uint32
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0
	}
	err = raw.Control(func(fd uintptr) {
		size := uint32(unsafe.Sizeof(info))
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_MEMINFO,
			uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
		if errno != 0 {
			info[drops] = 0
		}
	})
	if err != nil {
		return 0
	}
	return uint64(info[drops])
}
