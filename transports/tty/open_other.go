//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package tty

import (
	"errors"
	"os"
)

func open(string, int) (*os.File, error) { return nil, errors.ErrUnsupported }

func discard(*os.File) {}
