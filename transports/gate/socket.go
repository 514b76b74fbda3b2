package gate

import (
	"errors"
	"net"
	"net/netip"
	"sync"

	"github.com/godwit-gateway/godwit/transports"
)

// A Socket is a TCP socket that a transport listens on. It may be opened before the transport runs, so that its address is known and taken, and is
// closed after each run. Safe for concurrent use.
type Socket struct {
	mu       sync.Mutex
	listener *net.TCPListener // nil if it is not open; guarded by mu
	running  bool             // guarded by mu
	addr     netip.AddrPort   // where the socket is or was; a port taken from the system is taken again; guarded by mu
}

// NewSocket returns a socket that is not open yet.
func NewSocket(addr netip.AddrPort) *Socket { return &Socket{addr: addr} }

// Open opens the socket if it is not open, and says whether it did.
func (s *Socket) Open() (listener *net.TCPListener, opened bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != nil {
		return s.listener, false, nil
	}
	if s.listener, err = net.ListenTCP(transports.ListenNetwork("tcp", s.addr.Addr()), net.TCPAddrFromAddrPort(s.addr)); err != nil {
		return nil, false, err
	}
	if local, ok := s.listener.Addr().(*net.TCPAddr); ok {
		s.addr = netip.AddrPortFrom(s.addr.Addr(), local.AddrPort().Port())
	}
	return s.listener, true, nil
}

// Addr returns the socket's address, with port 0 if that is yet to be chosen.
func (s *Socket) Addr() netip.AddrPort {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addr
}

// Close closes a socket that was opened and that no run took. A run closes its own with Run(false).
func (s *Socket) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running {
		return nil
	}
	return s.closeLocked()
}

// closeLocked closes the socket if it is open. Called with mu held.
func (s *Socket) closeLocked() error {
	if s.listener == nil {
		return nil
	}
	err := s.listener.Close()
	s.listener = nil
	if errors.Is(err, net.ErrClosed) { // by the server that had it
		return nil
	}
	return err
}

// Up reports whether the socket is open and connections are taken.
func (s *Socket) Up() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running && s.listener != nil
}

// Run says that connections are taken now, or no more: then the socket is closed, and whoever was waiting connects again.
func (s *Socket) Run(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = on
	if !on {
		_ = s.closeLocked() // nothing is lost with a socket that takes no more
	}
}
