package sbdmodem

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/godwit-gateway/godwit/transports"
)

// errNoSignal is why no session starts.
var errNoSignal = errors.New("no signal")

// errNoTime is the same on old firmware.
var errNoTime = errors.New("the transceiver does not know the system's time yet")

// meet has a session, or a registration, if the sky lets it.
func (r *runner) meet(ctx context.Context, now time.Time) error {
	if err := r.t.journal.flush(); err != nil { // the next session must not count for one that failed
		r.t.log.Error("no session starts: what it needs to know after a crash cannot be written", slog.Any("error", err))
		r.hold(now, err, 0)
		return nil
	}
	if err := r.sky(ctx); err != nil {
		if !errors.Is(err, errNoSignal) && !errors.Is(err, errNoTime) {
			return err
		}
		r.t.counts.weak.Add(1)
		r.hold(now, err, statusNoSignal)
		return nil
	}
	if r.held == nil && !r.want {
		return r.register(ctx)
	}
	return r.converse(ctx, now)
}

// hold puts off whatever wants a session.
func (r *runner) hold(now time.Time, err error, status int) {
	r.t.pace.held(now, r.t.timing.poll)
	if r.held != nil {
		r.held.last, r.held.status = err, status
	}
}

// sky looks whether a session has a chance. A session without one takes a minute and as much energy as one that works.
func (r *runner) sky(ctx context.Context) error {
	lines, err := r.cmd.command(ctx, "+CSQF", r.t.timing.signal)
	switch {
	case errors.Is(err, errRefused): // it does not tell
	case err != nil:
		return err
	default:
		bars, err := parseSignal(lines)
		if err != nil {
			return fmt.Errorf("AT+CSQF: %w", err)
		}
		r.t.mu.Lock()
		r.t.signal = bars
		r.t.mu.Unlock()
		if bars < r.t.cfg.Signal {
			return fmt.Errorf("%w: %d bars of 5", errNoSignal, bars)
		}
	}
	if !r.old {
		return nil
	}
	lines, err = r.cmd.command(ctx, "-MSSTM", r.t.timing.signal)
	if errors.Is(err, errRefused) {
		return nil
	}
	if err == nil && !knowsTime(lines) {
		err = errNoTime
	}
	return err
}

// register has the transceiver tell the network where it is, which it must before it can be rung. A session does the same.
func (r *runner) register(ctx context.Context) error {
	r.t.counts.registrations.Add(1)
	lines, err := r.cmd.command(ctx, "+SBDREG", r.t.timing.session)
	if errors.Is(err, errRefused) {
		r.attach = false
		return nil
	}
	if err != nil {
		return err
	}
	status, code, err := parseRegistration(lines)
	if err != nil {
		return fmt.Errorf("AT+SBDREG: %w", err)
	}
	r.registered(status == registered)
	if r.attach {
		r.t.pace.failed(time.Now(), code, &r.t.timing)
		r.status = code
		return nil
	}
	r.t.pace.succeeded()
	return nil
}

func (r *runner) registered(yes bool) {
	r.attach = !yes && (!r.t.cfg.NoRings || r.t.cfg.Moving)
	r.t.mu.Lock()
	r.t.attached = yes
	r.t.mu.Unlock()
}

// converse has one session. It sends what is held and takes what waits.
func (r *runner) converse(ctx context.Context, now time.Time) error {
	before, err := r.state(ctx)
	if err != nil || r.message.waits { // it would be lost
		return err
	}
	q := r.held
	if q != nil && !q.state.CompareAndSwap(stateWaits, stateBegun) {
		r.held = nil // its Send has returned
		return nil
	}
	a := attempt{IMEI: r.imei(), MOMSN: before.momsn}
	if err := r.load(ctx, q); err != nil {
		if errors.Is(err, errSize) { // now or later: tried again it would take the line down, and that for all others
			r.answer(answer{err: transports.Refuse(err)})
			return nil
		}
		if q != nil {
			q.last = err
			q.state.Store(stateWaits)
		}
		return err
	}
	if err := r.begin(q, &a); err != nil {
		q.state.Store(stateWaits)
		r.hold(now, err, 0)
		return nil
	}
	r.t.counts.sessions.Add(1)
	cmd := "+SBDIX"
	if r.rung {
		cmd = "+SBDIXA"
	}
	lines, err := r.cmd.command(r.inHand, cmd, r.t.timing.session)
	r.message = message{}
	var res result
	if err == nil {
		res, err = parseResult(lines)
	}
	if err != nil {
		return r.recover(&a, fmt.Errorf("AT%s: %w", cmd, err))
	}
	return r.ended(res)
}

// load brings the MO buffer into the state that the session needs: the message of the request, or nothing. What it holds otherwise would be sent, and paid.
func (r *runner) load(ctx context.Context, q *request) error {
	if q == nil {
		if r.cleared {
			return nil
		}
		return r.clear(ctx)
	}
	r.cleared = false
	return r.cmd.writeMessage(ctx, q.payload)
}

// begin writes down a session that is to send.
func (r *runner) begin(q *request, a *attempt) error {
	if q == nil {
		return nil
	}
	a.Key = q.key
	err := r.t.journal.begin(*a)
	if err != nil {
		r.t.log.Error("no session starts: what it needs to know after a crash cannot be written", slog.Any("error", err))
	}
	return err
}

// clear empties the MO buffer.
func (r *runner) clear(ctx context.Context) error {
	if err := r.erase(ctx, "+SBDD0"); err != nil {
		return err
	}
	r.cleared = true
	return nil
}

// erase issues one of the commands that empty buffers.
func (r *runner) erase(ctx context.Context, cmd string) error {
	lines, err := r.cmd.command(ctx, cmd, r.t.timing.command)
	if err != nil {
		return err
	}
	if len(lines) == 0 || lines[len(lines)-1] != "0" {
		return fmt.Errorf("AT%s: %w: %.60q", cmd, errAnswer, lines)
	}
	return nil
}

// recover finds out how a session ended whose status was lost.
func (r *runner) recover(a *attempt, cause error) error {
	r.t.counts.lost.Add(1)
	r.t.log.Warn("the outcome of a session was lost", slog.Any("error", cause))
	after, err := r.state(r.inHand)
	if err != nil { // the journal keeps it for the next Run
		r.setUp = true
		r.unknown(errors.Join(errLost, cause))
		if lost := r.line.Cause(); lost != nil {
			return lost
		}
		return err
	}
	ending := a.compare(r.imei(), after.momsn)
	if ending != endUnknown {
		r.t.counts.recovered.Add(1)
	}
	switch ending {
	case endTaken:
		return r.ended(result{momsn: a.MOMSN, mt: mtNone, queued: after.waiting})
	case endFailed:
		return r.failed(0, cause)
	default:
		r.settle(false)
		r.unknown(errors.Join(errMomsn, cause))
		return nil
	}
}

// unknown ends a session that may have taken place. A mailbox check counts as if it had, as a message does that may have left.
func (r *runner) unknown(err error) {
	if r.held == nil {
		r.checked()
		return
	}
	r.answer(answer{err: &transports.SendError{Outcome: transports.MaybeSent, Err: err}})
}

// ended does what a session calls for whose outcome is known.
func (r *runner) ended(res result) error {
	if res.mt == mtReceived {
		r.message = message{waits: true, mtmsn: res.mtmsn}
	}
	if res.mo >= statusFailed {
		return r.failed(res.mo, statusError(res.mo))
	}
	r.registered(true)
	r.line.takeRing() // up to here the session has answered them: it says itself what waits still
	r.status, r.rung = 0, false
	r.more(res)
	if every := r.t.cfg.MailboxCheck; every > 0 {
		r.checkAt = time.Now().Add(every)
	}
	if res.mt == mtFailed {
		r.t.counts.mtFailed.Add(1)
		r.t.pace.failed(time.Now(), 0, &r.t.timing)
	} else {
		r.t.pace.succeeded()
	}
	flagged := r.flagged
	r.flagged = false
	if r.held == nil {
		r.checked()
		if res.mt == mtNone && !r.message.waits {
			r.t.counts.empty.Add(1)
			if flagged { // one that never goes would cost a session a minute
				r.flagsAt = time.Now().Add(r.t.timing.doubt)
			}
		}
		return nil
	}
	r.settle(true)
	r.t.counts.sent.Add(1)
	r.t.counts.sentBytes.Add(uint64(len(r.held.payload)))
	err := r.clear(r.inHand) // or the next session sends it again
	r.answer(answer{receipt: r.receipt()})
	return err
}

// vainMax is how many sessions in a row are tried for a message that waits and does not come. Each is paid for.
const vainMax = 5

// more says whether another session is wanted, for what waits with the network still.
func (r *runner) more(res result) {
	r.want = res.queued > 0 || res.mt == mtFailed
	if !r.want || r.message.waits {
		r.vain = 0
		return
	}
	if r.vain++; r.vain >= vainMax {
		r.want, r.vain = false, 0
		r.t.log.Error("what waits with the network does not come: it is left until the next ring alert, check or message", slog.Int("waiting", res.queued))
	}
}

// failed does what a session calls for that brought nothing.
func (r *runner) failed(status int, cause error) error {
	r.t.counts.failed.Add(1)
	r.t.log.Debug("a session failed", slog.Any("error", cause))
	r.status = status
	r.t.pace.failed(time.Now(), status, &r.t.timing)
	if r.held == nil {
		return nil
	}
	r.settle(false)
	r.held.last, r.held.status = cause, status
	r.held.state.Store(stateWaits)
	if err := refusal(status); err != nil {
		r.answer(answer{err: err})
	}
	return nil
}

// settle writes down how a session that sent has ended. What cannot be written is tried again before the next session.
func (r *runner) settle(taken bool) {
	if err := r.t.journal.settle(taken); err != nil {
		r.t.log.Error("the outcome of a session cannot be written", slog.Any("error", err))
	}
}

func (r *runner) imei() string {
	r.t.mu.Lock()
	defer r.t.mu.Unlock()
	return r.t.modem.imei
}
