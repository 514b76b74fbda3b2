package tty

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// BaudDefault is the rate that nearly every modem of today starts with.
const BaudDefault = 115200

// ErrBusy is wrapped by the error of an Open whose line another process holds.
var ErrBusy = errors.New("in use by another process")

// bauds are the rates that a line can have: the ones of POSIX and those above it that UARTs of modems offer.
var bauds = []int{1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600}

// ValidBaud reports whether a line can have a rate.
func ValidBaud(baud int) bool { return slices.Contains(bauds, baud) }

// A Port is an open line. Safe for concurrent use.
type Port struct {
	f *os.File
}

// Open opens a line with 8 data bits, no parity, one stop bit and no flow control; baud 0 stands for BaudDefault. What the line had received
// before is discarded. While the port is open nobody else can open the line through this package, nor, without privileges, in any way.
func Open(device string, baud int) (*Port, error) {
	if baud == 0 {
		baud = BaudDefault
	}
	if !ValidBaud(baud) {
		return nil, fmt.Errorf("open %s: %d baud is not one of %v", device, baud, bauds)
	}
	f, err := open(device, baud)
	if err != nil {
		return nil, fmt.Errorf("open serial line %s: %w", device, err)
	}
	return &Port{f: f}, nil
}

// Name returns the name that the line was opened by.
func (p *Port) Name() string { return p.f.Name() }

// Read implements io.Reader. When the device is gone it returns an error: EIO, ENODEV, or io.EOF after a hang-up.
func (p *Port) Read(b []byte) (int, error) { return p.f.Read(b) }

// Write implements io.Writer.
func (p *Port) Write(b []byte) (int, error) { return p.f.Write(b) }

// SetReadDeadline sets when reads return os.ErrDeadlineExceeded; zero: never.
func (p *Port) SetReadDeadline(t time.Time) error { return p.f.SetReadDeadline(t) }

// SetWriteDeadline sets when writes return os.ErrDeadlineExceeded; zero: never.
func (p *Port) SetWriteDeadline(t time.Time) error { return p.f.SetWriteDeadline(t) }

// Close gives the line back. Reads and writes that are waiting return os.ErrClosed. What the device has not taken yet is discarded: the
// kernel would wait for that, half a minute where nothing is at the other end.
func (p *Port) Close() error {
	discard(p.f)
	return p.f.Close()
}
