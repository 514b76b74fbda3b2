//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package pty

import "errors"

// A Line is a pseudo-terminal, which this system does not have.
type Line struct{ name, link string }

func openPTY() (*Line, error) { return nil, errors.ErrUnsupported }

// Read fails.
func (l *Line) Read([]byte) (int, error) { return 0, errors.ErrUnsupported }

// Write fails.
func (l *Line) Write([]byte) (int, error) { return 0, errors.ErrUnsupported }

// Drain does nothing.
func (l *Line) Drain() {}

// Close does nothing.
func (l *Line) Close() {}
