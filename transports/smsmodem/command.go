package smsmodem

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/warthog618/modem/at"
)

// commander speaks commands over a line. Used by one goroutine.
type commander struct {
	line   *line
	timing *timing
	counts *counters
	vendor *vendor // of the modem; of the one before until it has said so
	health *ailments

	port  *port
	at    *at.AT
	dirty bool // an answer may still come to a command that was given up
}

// command issues a command and returns the lines of its answer that bear its name, without name and colon. ctx ends what waits before
// the command; the command itself is finished, which takes timeout at most.
func (c *commander) command(ctx context.Context, cmd string, timeout time.Duration) ([]string, error) {
	lines, err := c.raw(ctx, cmd, timeout)
	if err != nil {
		return nil, err
	}
	prefix := pendingPrefix(cmd)
	var out []string
	for _, text := range lines {
		if len(text) >= len(prefix) && strings.EqualFold(text[:len(prefix)], prefix) {
			out = append(out, strings.TrimSpace(text[len(prefix):]))
		}
	}
	return out, nil
}

// raw issues a command and returns all lines of its answer.
func (c *commander) raw(ctx context.Context, cmd string, timeout time.Duration) ([]string, error) {
	if err := c.ready(ctx); err != nil {
		return nil, err
	}
	lines, err := c.exchange(cmd, false, timeout, func() ([]string, error) { return c.at.Command(cmd, at.WithTimeout(timeout)) })
	if err != nil {
		return nil, fmt.Errorf("AT%s: %w", verb(cmd), err)
	}
	return lines, nil
}

// submit hands one PDU to the modem. handed tells whether all of it was written: if so, an error leaves open whether it was sent.
func (c *commander) submit(ctx context.Context, cmd, pdu string, timeout time.Duration) (lines []string, handed bool, err error) {
	if err := c.ready(ctx); err != nil {
		return nil, false, err
	}
	p := c.port
	p.takeHanded()
	lines, err = c.exchange(cmd, true, timeout, func() ([]string, error) { return c.at.SMSCommand(cmd, pdu, at.WithTimeout(timeout)) })
	if err != nil {
		err = fmt.Errorf("AT%s: %w", verb(cmd), err)
	}
	return lines, p.takeHanded(), err
}

// verb names a command in an error, without its parameters: a PIN is one.
func verb(cmd string) string {
	name, _, _ := strings.Cut(cmd, "=")
	return name
}

func (c *commander) exchange(cmd string, prompt bool, timeout time.Duration, do func() ([]string, error)) ([]string, error) {
	c.line.begin(cmd, prompt)
	defer c.line.end()
	// at.AT waits for its own writes without a limit: a line that takes no bytes is given up from here.
	stuck := time.AfterFunc(timeout+c.timing.write+time.Second, func() { c.line.Fail(fmt.Errorf("%w, and the line is stuck", ErrMute)) })
	defer stuck.Stop()
	lines, err := do()
	if err == nil {
		c.health.did(verb(cmd))
		return lines, nil
	}
	if lost := c.line.Cause(); lost != nil {
		return nil, lost
	}
	if e := refusal(err, c.vendor); e != nil {
		if class, _ := classOf(e); class == classPhone {
			c.health.failed(verb(cmd), time.Now())
		}
		return nil, e
	}
	c.dirty = true
	if errors.Is(err, at.ErrDeadlineExceeded) {
		c.counts.timeouts.Add(1)
		return nil, errTimeout
	}
	return nil, err
}

// ready brings the modem back in step if need be.
func (c *commander) ready(ctx context.Context) error {
	if err := c.line.Check(ctx); err != nil || c.at != nil && !c.dirty {
		return err
	}
	return c.resync(ctx)
}

// resync throws the command processor away with whatever it waits for, lets the modem say what it still has to say, and starts over with
// a fresh one.
func (c *commander) resync(ctx context.Context) error {
	if c.at != nil {
		c.counts.resyncs.Add(1)
		c.line.detach()
		<-c.at.Closed() // its reader has ended
		c.at = nil
	}
	// Out of a PDU that was begun, if there is one; the CR ends what the escape may have become part of.
	if _, err := c.line.Send([]byte{escape, '\r'}); err != nil {
		return err
	}
	if err := c.line.Quiet(ctx, c.timing.quiet, c.timing.drain); err != nil {
		return err
	}
	c.port = c.line.attach()
	c.at = at.New(struct{ io.ReadWriter }{c.port}, at.WithTimeout(c.timing.command))
	c.dirty = false
	const tries = 5
	for range tries {
		_, err := c.exchange("", false, c.timing.probe, func() ([]string, error) { return c.at.Command("", at.WithTimeout(c.timing.probe)) })
		if lost := c.line.Cause(); lost != nil {
			return lost
		}
		if err == nil || !errors.Is(err, errTimeout) {
			// It speaks. What it still says is the answer to a try before.
			c.dirty = false
			return c.line.Quiet(ctx, c.timing.quiet/4, c.timing.drain)
		}
		if ctx.Err() != nil {
			return ctx.Err()
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
