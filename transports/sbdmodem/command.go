package sbdmodem

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrMute is returned by Run when the transceiver does not answer.
var ErrMute = errors.New("the transceiver does not answer")

// errRefused is a command that was answered with ERROR.
var errRefused = errors.New("the transceiver refuses the command")

// A commander speaks commands over a line. Used by one goroutine. A command that has begun is finished, which takes its time-out at most; contexts
// end what waits before it.
type commander struct {
	line   *line
	timing *timing
	counts *counters

	dirty  bool // an answer may still come to a command that was given up
	filler int  // bytes that the transceiver may still take for a message
}

// command issues a command and returns the lines of its answer.
func (c *commander) command(ctx context.Context, cmd string, timeout time.Duration) ([]string, error) {
	if err := c.ready(ctx); err != nil {
		return nil, err
	}
	lines, err := c.exchange(cmd, timeout)
	if err != nil {
		return nil, fmt.Errorf("AT%s: %w", cmd, err)
	}
	return lines, nil
}

// exchange is command on a line that is in step.
func (c *commander) exchange(cmd string, timeout time.Duration) ([]string, error) {
	c.line.begin(false)
	defer c.line.end()
	if _, err := c.line.Send([]byte("AT" + cmd + "\r")); err != nil {
		return nil, err
	}
	return c.finish(timeout)
}

// finish reads the answer to the command under way, to its end.
func (c *commander) finish(timeout time.Duration) (lines []string, err error) {
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	for {
		r, err := c.line.next(deadline)
		switch {
		case err != nil:
			c.dirty = true
			return nil, err
		case r.text == "OK":
			return lines, nil
		case r.text == "ERROR":
			return nil, errRefused
		case r.block == nil:
			lines = append(lines, r.text)
		}
	}
}

// writeMessage puts a message into the MO buffer (+SBDWB).
func (c *commander) writeMessage(ctx context.Context, message []byte) error {
	if err := c.ready(ctx); err != nil {
		return err
	}
	cmd := fmt.Sprintf("AT+SBDWB=%d", len(message))
	c.line.begin(false)
	defer c.line.end()
	if _, err := c.line.Send([]byte(cmd + "\r")); err != nil {
		return err
	}
	if err := c.awaitReady(len(message)); err != nil {
		return fmt.Errorf("%s: %w", cmd, err)
	}
	b := append(make([]byte, 0, len(message)+blockTail), message...)
	if _, err := c.line.Send(binary.BigEndian.AppendUint16(b, checksum(message))); err != nil {
		return err
	}
	lines, err := c.finish(c.timing.command)
	if errors.Is(err, errTimeout) {
		c.filler = len(message) + blockTail // some of it may have been lost
	}
	if err == nil {
		err = written(lines)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", cmd, err)
	}
	return nil
}

// awaitReady waits until the transceiver takes a message of n bytes.
func (c *commander) awaitReady(n int) error {
	deadline := time.NewTimer(c.timing.command)
	defer deadline.Stop()
	var lines []string
	for {
		r, err := c.line.next(deadline)
		switch {
		case errors.Is(err, errTimeout): // it may have said READY, and takes whatever comes for the message
			c.dirty, c.filler = true, n+blockTail
			return err
		case err != nil:
			return err
		case r.text == "READY":
			return nil
		case r.text == "ERROR":
			return errRefused
		case r.text == "OK":
			if err := written(lines); err != nil {
				return err
			}
			return errAnswer
		}
		lines = append(lines, r.text)
	}
}

// written reads the answer to a message.
func written(lines []string) error {
	for _, text := range lines {
		switch text {
		case "0":
			return nil
		case "1":
			return errors.New("the message did not reach the transceiver in time")
		case "2":
			return errors.New("the message reached the transceiver with a wrong checksum")
		case "3":
			return errSize
		}
	}
	return fmt.Errorf("%w: %.60q", errAnswer, strings.Join(lines, "|"))
}

// readMessage reads what the MT buffer holds (+SBDRB), and leaves it there. With errGarbled there is what came of the block.
func (c *commander) readMessage(ctx context.Context) ([]byte, error) {
	if err := c.ready(ctx); err != nil {
		return nil, err
	}
	c.line.begin(true)
	defer c.line.end()
	if _, err := c.line.Send([]byte("AT+SBDRB\r")); err != nil {
		return nil, err
	}
	deadline := time.NewTimer(c.timing.command)
	defer deadline.Stop()
	for {
		r, err := c.line.next(deadline)
		switch {
		case err != nil:
			c.dirty = true
			return nil, fmt.Errorf("AT+SBDRB: %w", err)
		case r.text == "ERROR":
			return nil, fmt.Errorf("AT+SBDRB: %w", errRefused)
		case r.block == nil: // of no meaning here
			continue
		}
		message, garbled := parseBlock(r.block)
		if garbled != nil {
			c.dirty = true // it may end later than it seemed
			return r.block, fmt.Errorf("AT+SBDRB: %w", garbled)
		}
		// The message is whole: if only the OK is missing, the line is brought in step before the next command.
		if _, err := c.finish(c.timing.tail); err != nil && c.line.Cause() != nil {
			return nil, err
		}
		return message, nil
	}
}

// ready brings the transceiver back in step if need be.
func (c *commander) ready(ctx context.Context) error {
	if err := c.line.Check(ctx); err != nil || !c.dirty {
		return err
	}
	return c.resync(ctx)
}

// resync lets the transceiver say what it still has to say, and asks until it answers. If it may be waiting for a message, it gets one of CRs, which
// has a wrong checksum (but for 257 bytes; the buffer is written or cleared before it is sent) and is a number of empty commands if it is not.
func (c *commander) resync(ctx context.Context) error {
	c.counts.resyncs.Add(1)
	if _, err := c.line.Send([]byte(strings.Repeat("\r", c.filler+1))); err != nil {
		return err
	}
	c.filler = 0
	if err := c.line.Quiet(ctx, c.timing.quiet, c.timing.drain); err != nil {
		return err
	}
	const tries = 5
	for range tries {
		_, err := c.exchange("Q0V1", c.timing.probe) // from any state that another program has left
		if lost := c.line.Cause(); lost != nil {
			return lost
		}
		if err == nil || !errors.Is(err, errTimeout) {
			// It speaks. What it still says is the answer to a try before.
			if err := c.line.Quiet(ctx, c.timing.quiet/4, c.timing.drain); err != nil {
				return err
			}
			c.dirty = false
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return ErrMute
}
