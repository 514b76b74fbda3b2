package idpmodem

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/warthog618/modem/at"

	"github.com/godwit-gateway/godwit/transports/isatdata"
)

// ErrMute is wrapped by the error of a Run whose terminal does not answer.
var ErrMute = errors.New("terminal does not answer")

var (
	errTimeout = errors.New("terminal did not answer in time")
	errGarbled = errors.New("checksum of the reply is wrong")
)

// A terminalError is a command that the terminal refused.
type terminalError struct{ code int }

// Error implements error.
func (e *terminalError) Error() string {
	return fmt.Sprintf("terminal said error %d (%s)", e.code, isatdata.TerminalError(e.code))
}

// codeOf returns the terminal's number for an error; refused is false if it is not one of the terminal's.
func codeOf(err error) (code int, refused bool) {
	var e *terminalError
	if !errors.As(err, &e) {
		return 0, false
	}
	return e.code, true
}

// tries is how often a command is issued whose line was garbled.
const tries = 4

// commander speaks commands over a line. Used by one goroutine.
type commander struct {
	line   *line
	timing *timing
	counts *counters
	baud   int

	at     *at.AT
	dirty  bool // an answer may still come to a command that was given up
	anew   bool // the terminal had to be found again: it may have started over
	issued int  // how often the command that was to be issued last has been
}

// do issues a command and returns the lines of its answer. ctx ends what waits before the command; the command itself is finished. extra is how many bytes
// more than usual pass the line. A command must be one that may be repeated.
func (c *commander) do(ctx context.Context, cmd string, extra int) ([]string, error) {
	c.issued = 0
	var err error
	for range tries {
		if err = c.ready(ctx); err != nil {
			return nil, err
		}
		c.issued++
		var lines []string
		lines, err = c.exchange(ctx, cmd, c.timing.command+c.wire(extra))
		if err == nil {
			return lines, nil
		}
		if errors.Is(err, at.ErrError) {
			err = c.why(ctx)
		}
		if code, _ := codeOf(err); code == isatdata.TerminalBadCRC {
			c.counts.badCommands.Add(1)
		} else if !errors.Is(err, errGarbled) {
			break
		}
	}
	return nil, fmt.Errorf("AT%s: %w", verb(cmd), err)
}

// wire is the time that bytes take on the line, with a start and a stop bit each.
func (c *commander) wire(bytes int) time.Duration {
	return time.Duration(bytes) * 10 * time.Second / time.Duration(c.baud)
}

// verb names a command in an error, without its parameters.
func verb(cmd string) string {
	name, _, _ := strings.Cut(cmd, "=")
	return name
}

// why asks for the code of the error that the terminal has just reported; 0 is one that it does not tell.
func (c *commander) why(ctx context.Context) error {
	for range tries {
		if err := c.ready(ctx); err != nil {
			return err
		}
		lines, err := c.exchange(ctx, "S80?", c.timing.command)
		switch {
		case err == nil && len(lines) > 0:
			return &terminalError{code: max(0, number(lines[0]))}
		case err != nil && !errors.Is(err, errGarbled) && !errors.Is(err, at.ErrError): // those two may be the line's fault
			return err
		}
	}
	return &terminalError{}
}

// exchange is one command and its reply.
func (c *commander) exchange(ctx context.Context, cmd string, timeout time.Duration) ([]string, error) {
	c.line.begin()
	defer c.line.end()
	lines, err := c.at.Command(cmd, at.WithTimeout(timeout))
	if err == nil {
		return lines, nil
	}
	if lost := c.line.Cause(); lost != nil {
		return nil, lost
	}
	var cme at.CMEError
	switch {
	case errors.Is(err, at.ErrError) && c.sumsMissing(ctx):
		c.dirty = true
		return nil, errGarbled
	case errors.Is(err, at.ErrError):
		return nil, at.ErrError
	case errors.As(err, &cme):
		return nil, errGarbled
	}
	c.dirty = true
	if errors.Is(err, at.ErrDeadlineExceeded) {
		c.counts.timeouts.Add(1)
		return nil, errTimeout
	}
	return nil, err
}

// sumsMissing reports whether the terminal has checksums on and we do not: then it refuses whatever we say.
func (c *commander) sumsMissing(ctx context.Context) bool {
	if c.line.sums() {
		return false
	}
	// The checksum comes behind the ERROR. A line that is lost meanwhile the next command tells of.
	return c.line.Quiet(ctx, c.timing.quiet/4, c.timing.drain) == nil && c.line.sawSum()
}

// ready brings the terminal back in step if need be.
func (c *commander) ready(ctx context.Context) error {
	if err := c.line.Check(ctx); err != nil || c.at != nil && !c.dirty {
		return err
	}
	return c.resync(ctx)
}

// resync throws the command processor away with whatever it waits for, lets the terminal say what it still has to say, and starts over with a fresh one. It
// finds out whether the terminal has checksums on: without one it answers ERROR then, and with one it does not know what we say if they are off.
func (c *commander) resync(ctx context.Context) error {
	rest := c.timing.quiet / 4 // without a byte, that what it says is over
	if c.at != nil {
		rest = c.timing.quiet // it may have much to answer still
		c.counts.resyncs.Add(1)
		c.line.detach()
		<-c.at.Closed() // its reader has ended
		c.at = nil
	}
	c.anew = true
	if _, err := c.line.Send([]byte{'\r'}); err != nil { // ends what is left of a command
		return err
	}
	if err := c.line.Quiet(ctx, c.timing.quiet, c.timing.drain); err != nil {
		return err
	}
	c.at = at.New(c.line.attach(), at.WithTimeout(c.timing.command))
	const probes = 6
	for range probes {
		_, err := c.exchange(ctx, "", c.timing.probe)
		if lost := c.line.Cause(); lost != nil {
			return lost
		}
		// What it still says is the answer to a try before, or a checksum. None of it may be left for the next command.
		if err := c.line.Quiet(ctx, rest, c.timing.drain); err != nil {
			return err
		}
		switch {
		case !c.line.sums() && c.line.sawSum(): // whatever the answer, which may be to a try before
			c.line.setSums(true)
		case err == nil:
			c.dirty = false
			return nil
		case errors.Is(err, errTimeout):
			rest = c.timing.quiet
			c.line.setSums(false)
		}
	}
	return ErrMute
}

// close ends the command processor. The line must be closed or detached before.
func (c *commander) close() {
	if c.at != nil {
		<-c.at.Closed()
	}
}

// number reads a parameter that is a small number; -1 if it is none.
func number(s string) int {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 31)
	if err != nil {
		return -1
	}
	return int(n)
}
