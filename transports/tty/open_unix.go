//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package tty

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// open opens and configures a line. O_NONBLOCK makes open return without a carrier and puts the file under the runtime's poller, which
// deadlines and Close depend on; O_NOCTTY keeps a daemon without a terminal from getting the modem as one.
func open(device string, baud int) (*os.File, error) {
	f, err := os.OpenFile(device, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		if errors.Is(err, unix.EBUSY) { // someone has it with TIOCEXCL
			return nil, ErrBusy
		}
		return nil, cause(err)
	}
	conn, err := f.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	var failed error
	if err := conn.Control(func(fd uintptr) { failed = prepare(int(fd), baud) }); err != nil {
		failed = err
	}
	if failed != nil {
		return nil, errors.Join(failed, f.Close())
	}
	return f, nil
}

// cause drops the operation and path that os adds: the caller says both.
func cause(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// prepare takes the line for ourselves and sets it up. TIOCEXCL does not keep out privileged processes, and a daemon often is one: flock
// keeps out those that play by it.
func prepare(fd, baud int) error {
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		if errors.Is(err, unix.EWOULDBLOCK) {
			return ErrBusy
		}
		return fmt.Errorf("lock: %w", err)
	}
	t, err := unix.IoctlGetTermios(fd, termiosGet)
	if err != nil {
		return fmt.Errorf("not a serial line: %w", err)
	}
	if err := unix.IoctlSetInt(fd, unix.TIOCEXCL, 0); err != nil {
		return fmt.Errorf("take exclusively: %w", err)
	}
	raw(t)
	setBaud(t, baud)
	if err := unix.IoctlSetTermios(fd, termiosSet, t); err != nil {
		return fmt.Errorf("set to raw at %d baud: %w", baud, err)
	}
	if err := flush(fd); err != nil {
		return fmt.Errorf("discard old input: %w", err)
	}
	return nil
}

// raw is cfmakeraw(3) and 8N1 without flow control. CLOCAL: the modem's carrier line does not hang up the port. Without
// HUPCL a close leaves DTR as it is, whose fall some modems take for a reset.
func raw(t *unix.Termios) {
	t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON | unix.IXOFF
	t.Oflag &^= unix.OPOST
	t.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	t.Cflag &^= unix.CSIZE | unix.PARENB | unix.CSTOPB | unix.CRTSCTS | unix.HUPCL
	t.Cflag |= unix.CS8 | unix.CREAD | unix.CLOCAL
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
}

// discard drops what is waiting to be sent. A device that is gone has nothing of the kind.
func discard(f *os.File) {
	if conn, err := f.SyscallConn(); err == nil {
		_ = conn.Control(func(fd uintptr) { _ = flushOutput(int(fd)) })
	}
}
