package gate_test

import (
	"net"
	"net/netip"
	"testing"

	"github.com/godwit-gateway/godwit/transports/gate"
)

func TestSocket(t *testing.T) {
	s := gate.NewSocket(netip.MustParseAddrPort("127.0.0.1:0"))
	if err := s.Close(); err != nil || s.Up() || s.Addr().Port() != 0 {
		t.Errorf("before it was opened: %v, up %t, %s", err, s.Up(), s.Addr())
	}
	first, opened, err := s.Open()
	if err != nil || !opened {
		t.Fatalf("opened %t, %v", opened, err)
	}
	addr := s.Addr()
	if addr.Port() == 0 || s.Up() {
		t.Errorf("before the run: %s, up %t", addr, s.Up())
	}
	if again, opened, err := s.Open(); err != nil || opened || again != first {
		t.Errorf("a second one was opened: %t, %v", opened, err)
	}

	s.Run(true)
	if err := s.Close(); err != nil || !s.Up() { // the run has it
		t.Errorf("during the run: %v, up %t", err, s.Up())
	}
	if err := first.Close(); err != nil { // as a server does at its end
		t.Error(err)
	}
	s.Run(false)
	if s.Up() {
		t.Error("up after the run")
	}
	if conn, err := net.Dial("tcp4", addr.String()); err == nil {
		_ = conn.Close()
		t.Error("a connection was taken after the run")
	}

	// The same port again, since others know it by now.
	second, opened, err := s.Open()
	if err != nil || !opened || s.Addr() != addr {
		t.Fatalf("again: opened %t, %v, %s, want %s", opened, err, s.Addr(), addr)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil { // it is closed already
		t.Error(err)
	}
}

// A socket whose port another has stays closed, and can be opened once the port is free.
func TestSocketPortTaken(t *testing.T) {
	other, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := gate.NewSocket(other.Addr().(*net.TCPAddr).AddrPort())
	if _, opened, err := s.Open(); err == nil || opened {
		t.Errorf("opened %t, %v", opened, err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if _, opened, err := s.Open(); err != nil || !opened {
		t.Errorf("opened %t, %v", opened, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
