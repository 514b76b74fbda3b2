package pty

import (
	"errors"
	"fmt"
	"os"
	"time"
)

const (
	drainTime = 200 * time.Millisecond // that a program may take to read what came before the cable was pulled
	writeTime = time.Second            // that a write may take while nobody reads
)

// ErrOptions is wrapped by the error for options that make no sense.
var ErrOptions = errors.New("options")

// Open opens a terminal and lets path, unless it is "", point to it.
func Open(path string) (*Line, error) {
	l, err := openPTY()
	if err != nil {
		return nil, fmt.Errorf("open pseudo-terminal: %w", err)
	}
	if path == "" {
		return l, nil
	}
	if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSymlink == 0 {
		l.Close()
		return nil, fmt.Errorf("%w: path %s exists and is no symbolic link", ErrOptions, path)
	}
	next := path + ".new"
	_ = os.Remove(next) // left by a process that died
	if err := os.Symlink(l.name, next); err != nil {
		l.Close()
		return nil, fmt.Errorf("link to pseudo-terminal: %w", err)
	}
	if err := os.Rename(next, path); err != nil {
		l.Close()
		return nil, fmt.Errorf("link to pseudo-terminal: %w", err)
	}
	l.link = path
	return l, nil
}

// Name is that of the terminal itself.
func (l *Line) Name() string { return l.name }
