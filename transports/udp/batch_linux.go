package udp

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// newBatch returns the batch for this system.
func newBatch(conn *net.UDPConn) (batch, error) { return newMulti(conn) }

// multi is a batch over recvmmsg(2) and sendmmsg(2). ReadBatch of golang.org/x/net allocates an address per datagram; here a peer stays
// the socket address that the kernel wrote, which is what a reply needs.
type multi struct {
	raw     syscall.RawConn
	reading func(fd uintptr) bool // kept, since a new closure per read would be an allocation
	writing func(fd uintptr) bool
	count   int           // datagrams of the last read
	queued  int           // replies to send
	done    int           // replies dealt with
	result  flushed       // of those
	errno   syscall.Errno // of the last read

	in       [batchSize]unix.Mmsghdr
	inParts  [batchSize]unix.Iovec
	out      [batchSize]unix.Mmsghdr
	outParts [batchSize]unix.Iovec
	names    [batchSize]unix.RawSockaddrInet6 // large enough for IPv4 too
	buffers  [batchSize][UplinkMax + 1]byte
}

func newMulti(conn *net.UDPConn) (*multi, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("reach the socket: %w", err)
	}
	m := &multi{raw: raw}
	m.reading, m.writing = m.receive, m.send
	for i := range batchSize {
		m.inParts[i].Base = &m.buffers[i][0]
		m.inParts[i].SetLen(len(m.buffers[i]))
		m.in[i].Hdr.Name = (*byte)(unsafe.Pointer(&m.names[i]))
		m.in[i].Hdr.Iov = &m.inParts[i]
		m.in[i].Hdr.SetIovlen(1)
		m.out[i].Hdr.Iov = &m.outParts[i]
		m.out[i].Hdr.SetIovlen(1)
	}
	return m, nil
}

func (m *multi) read() (int, error) {
	if err := m.raw.Read(m.reading); err != nil {
		return 0, err
	}
	if m.errno != 0 {
		return 0, fmt.Errorf("recvmmsg: %w", m.errno)
	}
	return m.count, nil
}

// receive takes what the socket holds. It returns false if that is nothing, to be called again when there is something.
func (m *multi) receive(fd uintptr) bool {
	for i := range m.in {
		m.in[i].Hdr.Namelen = unix.SizeofSockaddrInet6
	}
	for {
		n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&m.in[0])), batchSize, unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			return false
		}
		m.count, m.errno = int(n), errno
		return true
	}
}

func (m *multi) payload(i int) []byte { return m.buffers[i][:m.in[i].Len] }

func (m *multi) peer(i int) netip.AddrPort {
	name := &m.names[i]
	port := binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(&name.Port))[:])
	if name.Family == unix.AF_INET {
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(name))
		return netip.AddrPortFrom(netip.AddrFrom4(v4.Addr), port)
	}
	addr := netip.AddrFrom16(name.Addr).Unmap()
	if name.Scope_id != 0 && addr.IsLinkLocalUnicast() {
		addr = addr.WithZone(strconv.FormatUint(uint64(name.Scope_id), 10))
	}
	return netip.AddrPortFrom(addr, port)
}

func (m *multi) reply(i int, payload []byte) {
	hdr := &m.out[m.queued].Hdr
	hdr.Name, hdr.Namelen = m.in[i].Hdr.Name, m.in[i].Hdr.Namelen
	hdr.Iov.Base = &payload[0]
	hdr.Iov.SetLen(len(payload))
	m.queued++
}

func (m *multi) flush() flushed {
	if m.queued == 0 {
		return flushed{}
	}
	m.done, m.result = 0, flushed{}
	if err := m.raw.Write(m.writing); err != nil {
		m.result.failed += m.queued - m.done
	}
	m.queued = 0
	return m.result
}

// send hands over what is queued. It returns false if the socket is full, to be called again when it has room.
func (m *multi) send(fd uintptr) bool {
	for m.done < m.queued {
		first := &m.out[m.done]
		n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(first)), uintptr(m.queued-m.done), unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			for _, sent := range m.out[m.done : m.done+int(n)] {
				m.result.bytes += int(sent.Len)
			}
			m.result.sent += int(n)
			m.done += int(n)
		case unix.EINTR:
		case unix.EAGAIN:
			return false
		default: // of the first one alone, such as an address without a route
			m.result.failed++
			m.done++
		}
	}
	return true
}
