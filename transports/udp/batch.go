package udp

import (
	"net"
	"net/netip"
)

// batchSize is the number of datagrams that a reader takes at once. Eight readers make 512, what one commit takes.
const batchSize = 64

// A batch reads datagrams into memory of its own and writes replies to where they came from. Each reader has one.
type batch interface {
	// read waits for at least one datagram and returns how many came.
	read() (int, error)

	// payload returns datagram i of the last read, valid until the next. Of what is longer than UplinkMax there is one byte more.
	payload(i int) []byte

	// peer returns where datagram i came from, an IPv4 address as such whatever the socket.
	peer(i int) netip.AddrPort

	// reply queues a reply to datagram i. The payload must not change before flush.
	reply(i int, payload []byte)

	// flush sends what is queued, in order.
	flush() flushed
}

// flushed counts replies that the kernel took or did not take.
type flushed struct{ sent, bytes, failed int }

// single is the batch of one datagram, for systems that have no call for more.
type single struct {
	conn   *net.UDPConn
	from   netip.AddrPort
	size   int
	queued []byte
	buffer [UplinkMax + 1]byte
}

func newSingle(conn *net.UDPConn) *single { return &single{conn: conn} }

func (s *single) read() (int, error) {
	var err error
	s.size, s.from, err = s.conn.ReadFromUDPAddrPort(s.buffer[:])
	if err != nil {
		return 0, err
	}
	s.from = netip.AddrPortFrom(s.from.Addr().Unmap(), s.from.Port())
	return 1, nil
}

func (s *single) payload(int) []byte { return s.buffer[:s.size] }

func (s *single) peer(int) netip.AddrPort { return s.from }

func (s *single) reply(_ int, payload []byte) { s.queued = payload }

func (s *single) flush() flushed {
	if len(s.queued) == 0 {
		return flushed{}
	}
	defer func() { s.queued = nil }()
	n, err := s.conn.WriteToUDPAddrPort(s.queued, s.from)
	if err != nil {
		return flushed{failed: 1}
	}
	return flushed{sent: 1, bytes: n}
}
