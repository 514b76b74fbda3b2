//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package tty

import "golang.org/x/sys/unix"

const (
	termiosGet = unix.TIOCGETA
	termiosSet = unix.TIOCSETAF // discards old input by itself
)

// setBaud sets both speeds. They are plain numbers here, of a type that differs between the systems.
func setBaud(t *unix.Termios, baud int) {
	set(&t.Ispeed, baud)
	set(&t.Ospeed, baud)
}

func set[T int32 | uint32 | uint64](speed *T, baud int) { *speed = T(baud) } //nolint:gosec // one of the known rates

func flush(int) error { return nil }

// flushOutput discards what was not yet sent: FWRITE of sys/fcntl.h.
func flushOutput(fd int) error { return unix.IoctlSetPointerInt(fd, unix.TIOCFLUSH, 2) }
