//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package atmodem

import "errors"

// A line is a pseudo-terminal, which this system does not have.
type line struct{ name, link string }

func openPTY() (*line, error) { return nil, errors.ErrUnsupported }

func (l *line) read([]byte) (int, error)  { return 0, errors.ErrUnsupported }
func (l *line) write([]byte) (int, error) { return 0, errors.ErrUnsupported }
func (l *line) drain()                    {}
func (l *line) close()                    {}
