package sbdmodem

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/godwit-gateway/godwit/transports"
)

// ErrWrongModem is wrapped by the error of a Run that found another transceiver than the configured one.
var ErrWrongModem = errors.New("another transceiver is there")

// prepare sets the transceiver up, finds out what became of what was under way when it was last seen, and opens the transport for Send. Whatever
// the transceiver holds then is dealt with: it is the memory of a process that has died, too.
func (r *runner) prepare(ctx context.Context) error {
	r.t.counts.setups.Add(1)
	// It may be in the middle of a command of another program, or of a process that died, or wait for the rest of a message.
	r.cmd.dirty, r.cmd.filler = true, MOMost+blockTail
	for _, step := range []func(context.Context) error{r.greet, r.identify, r.listen, r.adopt} {
		if err := step(ctx); err != nil {
			return fmt.Errorf("set up the transceiver: %w", err)
		}
	}
	r.setUp = false
	now := time.Now()
	r.lookAt = now.Add(r.t.timing.check)
	if every := r.t.cfg.MailboxCheck; every > 0 && r.checkAt.IsZero() {
		r.checkAt = now.Add(every)
	}
	r.t.running.Open(r)
	r.t.mu.Lock()
	id, attached := r.t.modem, r.t.attached
	r.t.mu.Unlock()
	r.t.log.Info("transceiver is set up", slog.String("imei", id.imei), slog.String("firmware", cmp.Or(id.firmware, "unknown")), slog.Bool("registered", attached))
	return nil
}

// try issues a command that a transceiver may refuse.
func (r *runner) try(ctx context.Context, cmd string) (lines []string, done bool, err error) {
	lines, err = r.cmd.command(ctx, cmd, r.t.timing.command)
	if errors.Is(err, errRefused) {
		return nil, false, nil
	}
	return lines, err == nil, err
}

// greet turns echo and flow control off. Without its wires the latter would stop the line for good.
func (r *runner) greet(ctx context.Context) error {
	if _, err := r.cmd.command(ctx, "E0", r.t.timing.command); err != nil {
		return err
	}
	r.line.takeEcho() // up to here there was one
	_, _, err := r.try(ctx, "&K0")
	return err
}

// identify asks who is there.
func (r *runner) identify(ctx context.Context) error {
	lines, err := r.cmd.command(ctx, "+CGSN", r.t.timing.command)
	if err != nil {
		return err
	}
	id := identity{}
	for _, text := range lines {
		if transports.ValidIMEI(text) {
			id.imei = text
		}
	}
	if id.imei == "" { // outcomes of sessions are compared with those of the same transceiver only
		return fmt.Errorf("AT+CGSN: %w: %.60q", errAnswer, lines)
	}
	if want := r.t.cfg.IMEI; want != "" && id.imei != want {
		return fmt.Errorf("%w: it has IMEI %q", ErrWrongModem, id.imei)
	}
	if lines, _, err = r.try(ctx, "+CGMR"); err != nil {
		return err
	}
	id.firmware, r.old = parseFirmware(lines)
	r.t.mu.Lock()
	r.t.modem = id
	r.t.mu.Unlock()
	return nil
}

// listen has the transceiver tell of ring alerts, and register as far as it must for them.
func (r *runner) listen(ctx context.Context) error {
	rings := 1
	if r.t.cfg.NoRings {
		rings = 0
	}
	if _, done, err := r.try(ctx, fmt.Sprintf("+SBDMTA=%d", rings)); err != nil {
		return err
	} else if !done {
		r.t.log.Warn("the transceiver does not tell of ring alerts: messages come only with sessions that take place anyway")
	}
	if r.t.cfg.Moving {
		if _, done, err := r.try(ctx, "+SBDAREG=1"); err != nil {
			return err
		} else if !done {
			r.t.log.Warn("the transceiver does not register by itself: ring alerts may stop when it has moved far")
		}
	}
	lines, done, err := r.try(ctx, "+SBDREG?")
	if err != nil || !done {
		return err
	}
	status, _, err := parseRegistration(lines)
	if err != nil {
		return fmt.Errorf("AT+SBDREG?: %w", err)
	}
	r.registered(status == registered)
	return nil
}

// adopt looks at the buffers. A message that came is read before anything else. One that was to be sent is never sent as it lies there: either the
// journal tells what became of it, or nobody knows, and the queue that brings it again decides.
func (r *runner) adopt(ctx context.Context) error {
	s, err := r.state(ctx)
	if err != nil {
		return err
	}
	if a := r.t.journal.kept.Pending; a != nil {
		ending := a.compare(r.imei(), s.momsn)
		if ending != endUnknown {
			r.t.counts.recovered.Add(1)
		}
		r.settle(ending == endTaken)
		r.t.log.Info("a session was under way when the transceiver was last seen", slog.Bool("known", ending != endUnknown), slog.Bool("taken", ending == endTaken))
	} else if s.mo {
		r.t.log.Warn("the transceiver held a message of which nothing is known: it was not sent from here")
	}
	if s.mo {
		if err := r.clear(ctx); err != nil {
			return err
		}
	}
	if s.ring && !r.t.cfg.NoRings && !time.Now().Before(r.flagsAt) {
		r.flagged = true
		r.ring()
	}
	r.want = r.want || s.waiting > 0
	return nil
}
