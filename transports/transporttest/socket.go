package transporttest

import (
	"testing"

	"github.com/godwit-gateway/godwit/transports"
)

// A SocketDriver is a driver that listens on a socket.
type SocketDriver interface {
	transports.Transport

	// Listen opens the socket if it is not open.
	Listen() error

	// CutSocket closes it under the running driver. Drivers have it for tests only.
	CutSocket()
}

// A Socket is the part of a harness that is the same for all drivers that listen on a socket: losing it is how the line is lost.
type Socket struct{ driver SocketDriver }

// NewSocket returns the part of a harness for a driver.
func NewSocket(driver SocketDriver) Socket { return Socket{driver: driver} }

// Transport implements Harness.
func (s Socket) Transport() transports.Transport { return s.driver }

// Open opens the socket if it is not open: a Run that is just starting may not have done it yet.
func (s Socket) Open(tb testing.TB) {
	tb.Helper()
	if err := s.driver.Listen(); err != nil {
		tb.Errorf("open the socket: %v", err)
	}
}

// Cut implements Cutter.
func (s Socket) Cut(testing.TB) { s.driver.CutSocket() }

// Mend implements Cutter.
func (s Socket) Mend(tb testing.TB) {
	tb.Helper()
	s.Open(tb)
}
