package smsmodem

import (
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/transports/serial"
	"github.com/godwit-gateway/godwit/transports/transporttest"
)

// A command processor that is attached to a line that is lost would wait for ever, and Run for it.
func TestPortReadsTheEnd(t *testing.T) {
	transporttest.ReadsTheEnd(t, func() (lose func(), attach func() io.Reader) {
		near, _ := net.Pipe()
		l := newLine(near, slog.New(slog.DiscardHandler), new(counters), time.Second)
		return func() { l.Fail(serial.ErrClosed) }, func() io.Reader { return l.attach() }
	})
}
