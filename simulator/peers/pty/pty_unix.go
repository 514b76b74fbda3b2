//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package pty

import (
	"errors"
	"os"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// A Line is a pseudo-terminal: the modem's end, and the other one, which is kept open so that programs may come and go.
type Line struct {
	master *os.File
	slave  *os.File
	name   string // of the other end
	link   string // symbolic link to it, or ""
}

func openPTY() (*Line, error) {
	master, slave, err := pty.Open()
	if err != nil {
		return nil, err
	}
	l := &Line{slave: slave, name: slave.Name()}
	// As a modem would find a serial line, not a terminal for people: without this it would hear itself until a program sets the line up.
	if _, err := term.MakeRaw(int(slave.Fd())); err != nil {
		return nil, errors.Join(err, master.Close(), slave.Close())
	}
	l.master, err = pollable(master)
	if err != nil {
		return nil, errors.Join(err, slave.Close())
	}
	return l, nil
}

// pollable returns the file under the runtime's poller, which deadlines and Close depend on; not all systems open terminals so.
func pollable(f *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	name := f.Name()
	if err := errors.Join(unix.SetNonblock(fd, true), f.Close()); err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), name), nil
}

// Read reads what the program wrote.
func (l *Line) Read(b []byte) (int, error) {
	n, err := l.master.Read(b)
	l.share()
	return n, err
}

// share lets others open the terminal. A program that takes it for itself (TIOCEXCL) would keep it beyond its end, since this end stays open:
// the next one, or itself after an error, could not open it any more.
func (l *Line) share() {
	if conn, err := l.slave.SyscallConn(); err == nil {
		_ = conn.Control(func(fd uintptr) { _ = unix.IoctlSetInt(int(fd), unix.TIOCNXCL, 0) }) // if it is closed, no matter
	}
}

// Write writes to the program. It gives up after a second in which nobody reads.
func (l *Line) Write(b []byte) (int, error) {
	l.share()
	if err := l.master.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return 0, err
	}
	return l.master.Write(b)
}

// Drain waits until what was written has been read: closing throws it away.
func (l *Line) Drain() {
	conn, err := l.slave.SyscallConn()
	if err != nil {
		return
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(drainTime); time.Now().Before(end); <-tick.C {
		left := 0
		_ = conn.Control(func(fd uintptr) { // if it is closed, nothing is left
			left, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0) //nolint:gosec // a descriptor
		})
		if left == 0 {
			return
		}
	}
}

// Close has the program see that the modem hangs up, and removes the symbolic link.
func (l *Line) Close() {
	if to, err := os.Readlink(l.link); err == nil && to == l.name {
		_ = os.Remove(l.link) // gone already: as wanted
	}
	_ = l.master.Close() // nothing was promised about what is still in it
	_ = l.slave.Close()
}
