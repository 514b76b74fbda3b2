package tty

import "golang.org/x/sys/unix"

const (
	termiosGet = unix.TCGETS
	termiosSet = unix.TCSETS
)

// rates are the codes of bauds; Linux keeps them in the control flags.
var rates = map[int]uint32{
	1200: unix.B1200, 2400: unix.B2400, 4800: unix.B4800, 9600: unix.B9600, 19200: unix.B19200, 38400: unix.B38400, 57600: unix.B57600,
	115200: unix.B115200, 230400: unix.B230400, 460800: unix.B460800, 921600: unix.B921600,
}

func setBaud(t *unix.Termios, baud int) {
	rate := rates[baud]
	t.Cflag = t.Cflag&^unix.CBAUD | rate
	t.Ispeed, t.Ospeed = rate, rate
}

// flush discards what was received and what was not yet sent.
func flush(fd int) error { return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIOFLUSH) }

// flushOutput discards what was not yet sent.
func flushOutput(fd int) error { return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCOFLUSH) }
