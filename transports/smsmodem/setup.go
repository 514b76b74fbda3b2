package smsmodem

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/transports/serial"
)

// identity is what a modem says of itself.
type identity struct {
	imei, maker, model string
}

// try issues a command that a modem may refuse.
func (s *session) try(ctx context.Context, cmd string) (lines []string, ok bool, err error) {
	lines, err = s.cmd.command(ctx, cmd, s.t.timing.command)
	if _, refused := classOf(err); refused {
		return nil, false, nil
	}
	return lines, err == nil, err
}

// must issues a command that has to work, and waits for a SIM that is busy, as it is for a while after power-up.
func (s *session) must(ctx context.Context, cmd string) ([]string, error) {
	end := time.Now().Add(s.t.timing.sim)
	for {
		lines, err := s.cmd.command(ctx, cmd, s.t.timing.command)
		if c, _ := classOf(err); err == nil || c != classBusy || time.Now().After(end) {
			return lines, err
		}
		if err := s.line.Pause(ctx, s.t.timing.poll); err != nil {
			return nil, err
		}
	}
}

// setup brings the modem, whatever its state, into the one that the session counts on. A modem loses most of it when it starts over.
func (s *session) setup(ctx context.Context) error {
	s.t.counts.setups.Add(1)
	n := s.line.takeNews() // all is listed after this
	s.keep(n.direct)
	for _, step := range []func(context.Context) error{s.greet, s.identify, s.unlock, s.centre, s.storeMode, s.choose, s.indicate, s.lookNetwork} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	s.t.mu.Lock()
	id := s.t.modem
	s.t.mu.Unlock()
	s.log.Info("modem is set up", slog.String("imei", id.imei), slog.String("maker", id.maker), slog.String("model", id.model), slog.String("indications", s.cnmi))
	return nil
}

// greet turns the echo off and error numbers on. Modems that refuse are understood all the same.
func (s *session) greet(ctx context.Context) error {
	s.cmd.dirty = true // starts with what may be left of another program's command
	for _, cmd := range []string{"E0", "+CMEE=1"} {
		if _, _, err := s.try(ctx, cmd); err != nil {
			return err
		}
	}
	return nil
}

// identify asks who is there. A USB modem that is plugged in again may have another's place.
func (s *session) identify(ctx context.Context) error {
	imei, err := s.ask(ctx, "+CGSN", imeiPattern.MatchString)
	if err != nil {
		return err
	}
	maker, err := s.ask(ctx, "+CGMI", isName)
	if err != nil {
		return err
	}
	s.cmd.vendor = vendorOf(maker)
	model, err := s.ask(ctx, "+CGMM", isName)
	if err != nil {
		return err
	}
	s.t.mu.Lock()
	known := s.t.modem.imei
	if known != "" && imei != "" && imei != known {
		s.t.health = ailments{} // those of another modem; one that does not say its IMEI now is taken for the same
	}
	s.t.modem = identity{imei: cmp.Or(imei, known), maker: maker, model: model}
	s.t.mu.Unlock()
	if want := s.t.cfg.IMEI; want != "" && imei != want {
		return fmt.Errorf("%w: it has IMEI %q", ErrWrongModem, imei)
	}
	return nil
}

// isName reports whether a line can be the name of a maker or a model, rather than an echo or noise.
func isName(text string) bool {
	if text == "" || len(text) > 64 || strings.HasPrefix(text, "AT") {
		return false
	}
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// ask returns the first line of an answer, with its name or without, that is as wanted; "" if there is none.
func (s *session) ask(ctx context.Context, cmd string, wanted func(string) bool) (string, error) {
	lines, err := s.cmd.raw(ctx, cmd, s.t.timing.command)
	if _, refused := classOf(err); refused {
		return "", nil
	}
	for _, text := range lines {
		text = strings.Trim(strings.TrimSpace(strings.TrimPrefix(text, cmd+":")), `"`)
		if wanted(text) {
			return text, nil
		}
	}
	return "", err
}

// unlock waits for the SIM and gives it its PIN.
func (s *session) unlock(ctx context.Context) error {
	end := time.Now().Add(s.t.timing.sim)
	for unknown := 0; ; {
		lines, err := s.cmd.command(ctx, "+CPIN?", s.t.timing.command)
		c, refused := classOf(err)
		switch {
		case err == nil && len(lines) > 0:
			if err := s.unlockAs(ctx, strings.ToUpper(lines[0])); !errors.Is(err, errSIMWait) {
				return err
			}
		case err != nil && !refused:
			return err
		case codeOf(err) == 0: // also an answer without a word on the PIN
			if unknown++; unknown == 3 {
				return nil // a modem that does not know the command
			}
		case c != classBusy && c != classSIM, time.Now().After(end):
			return fmt.Errorf("SIM: %w", err)
		}
		if time.Now().After(end) {
			return fmt.Errorf("SIM is not ready: %w", ErrPIN)
		}
		if err := s.line.Pause(ctx, s.t.timing.poll); err != nil {
			return err
		}
	}
}

// errSIMWait says that the SIM has to be asked again.
var errSIMWait = errors.New("SIM is not ready yet")

func (s *session) unlockAs(ctx context.Context, state string) error {
	switch {
	case state == "READY", strings.HasPrefix(state, "SIM PIN2"), strings.HasPrefix(state, "SIM PUK2"):
		return nil
	case state == "SIM PIN":
		return s.enterPIN(ctx)
	case strings.HasPrefix(state, "NOT "): // READY, INSERTED: some say so while the SIM powers up
		return errSIMWait
	default:
		return fmt.Errorf("%w: it wants %s", ErrPIN, state)
	}
}

// enterPIN gives the SIM its PIN. A SIM locks itself after three wrong ones: a PIN that was refused, or of which that is not known, is
// not given again by this process, and one that is the SIM's last chance is not given at all.
func (s *session) enterPIN(ctx context.Context) error {
	s.t.mu.Lock()
	bad := s.t.badPIN
	s.t.mu.Unlock()
	switch {
	case s.t.cfg.PIN == "":
		return fmt.Errorf("%w: none is configured", ErrPIN)
	case bad:
		return fmt.Errorf("%w: the one configured was refused", ErrPIN)
	}
	lines, _, err := s.try(ctx, "+CPINR")
	if err != nil {
		return err
	}
	for _, text := range lines {
		if f := serial.Fields(text); len(f) > 1 && f[0] == "SIM PIN" && (number(f[1]) == 0 || number(f[1]) == 1) {
			return fmt.Errorf("%w: the SIM takes one more try at most, which is for people", ErrPIN)
		}
	}
	s.setBadPIN(true)
	_, err = s.cmd.command(ctx, fmt.Sprintf("+CPIN=%q", s.t.cfg.PIN), s.t.timing.pin)
	if c, refused := classOf(err); err == nil || (refused && c == classBusy) {
		s.setBadPIN(false)
		return errSIMWait // it needs a while to become ready
	}
	if _, refused := classOf(err); refused {
		return fmt.Errorf("%w: %w", ErrPIN, err)
	}
	return err
}

func (s *session) setBadPIN(bad bool) {
	s.t.mu.Lock()
	defer s.t.mu.Unlock()
	s.t.badPIN = bad
}

// centre sets the service centre, if one is configured.
func (s *session) centre(ctx context.Context) error {
	if s.t.cfg.SMSC == "" {
		return nil
	}
	_, err := s.must(ctx, fmt.Sprintf("+CSCA=%q,145", s.t.cfg.SMSC))
	if _, refused := classOf(err); refused {
		s.log.Warn("modem does not take the service centre", slog.Any("error", err))
		return nil
	}
	return err
}

// storeMode chooses PDU mode, which has to work, and phase 2+, which some modems do not have.
func (s *session) storeMode(ctx context.Context) error {
	if _, err := s.must(ctx, "+CMGF=0"); err != nil {
		return err
	}
	var err error
	_, s.phase2, err = s.try(ctx, "+CSMS=1")
	return err
}

// indications are settings of +CNMI (3GPP TS 27.005 §3.4.1), best first: messages stored and rung for, reports stored and rung for, else
// handed over, else not at all. Some modems take only 1 for the buffer, and some cannot buffer while the line is busy.
var indications = []string{
	"2,1,0,2,0", "2,1,0,2,1", "1,1,0,2,0", "1,1,0,2,1",
	"2,1,0,1,0", "2,1,0,1,1", "1,1,0,1,0", "1,1,0,1,1",
	"2,1,0,0,0", "2,1,0,0,1", "1,1,0,0,0", "1,1,0,0,1", "2,1", "1,1",
}

// indicate has the modem ring for what it stores. One that never does is swept.
func (s *session) indicate(ctx context.Context) error {
	s.cnmi = ""
	for _, setting := range indications {
		_, ok, err := s.try(ctx, "+CNMI="+setting)
		if err != nil {
			return err
		}
		if ok {
			lines, _, err := s.try(ctx, "+CNMI?")
			if len(lines) > 0 {
				s.cnmi = lines[0]
			}
			return err
		}
	}
	s.log.Warn("modem does not tell of new messages: they wait for the next sweep")
	return nil
}

// look checks that the modem is alive and still as it was set up: it may have started over without a word.
func (s *session) look(ctx context.Context) error {
	if err := s.lookNetwork(ctx); err != nil {
		return err
	}
	mode, _, err := s.try(ctx, "+CMGF?")
	if err != nil {
		return err
	}
	cnmi := []string{s.cnmi}
	if s.cnmi != "" {
		var ok bool
		if cnmi, ok, err = s.try(ctx, "+CNMI?"); err != nil {
			return err
		} else if !ok || len(cnmi) == 0 {
			return nil // it did answer before: busy
		}
	}
	if (len(mode) > 0 && mode[0] != "0") || cnmi[0] != s.cnmi {
		s.t.counts.reboots.Add(1)
		s.log.Warn("the modem has lost its settings")
		s.setUp = true
	}
	return nil
}

// lookNetwork records registration and signal.
func (s *session) lookNetwork(ctx context.Context) error {
	if _, err := s.registered(ctx); err != nil {
		return err
	}
	lines, _, err := s.try(ctx, "+CSQ")
	if err != nil {
		return err
	}
	dbm := 0
	if len(lines) > 0 {
		if n := number(serial.Fields(lines[0])[0]); n >= 0 && n <= 31 { // 3GPP TS 27.007 §8.5
			dbm = -113 + 2*n
		}
	}
	s.t.mu.Lock()
	s.t.signal = dbm
	s.t.mu.Unlock()
	return nil
}

// registered asks for the registration with any of the networks that carry SMS. A modem that does not know the questions is taken to be.
func (s *session) registered(ctx context.Context) (bool, error) {
	asked, attached, roaming := false, false, false
	for _, cmd := range []string{"+CREG?", "+CEREG?", "+CGREG?"} {
		lines, _, err := s.try(ctx, cmd)
		if err != nil {
			return false, err
		}
		stat := registration(lines)
		asked = asked || stat >= 0
		switch stat { // 3GPP TS 27.007 §7.2
		case 1, 6:
			attached = true
		case 5, 7:
			attached, roaming = true, true
		}
		if attached {
			break
		}
	}
	s.t.mu.Lock()
	defer s.t.mu.Unlock()
	s.t.attached, s.t.roaming = attached || !asked, roaming
	return s.t.attached, nil
}

// registration returns the state in an answer, -1 if there is none. An indication of one parameter may have come in between.
func registration(lines []string) int {
	stat := -1
	for _, text := range lines {
		switch f := serial.Fields(text); {
		case len(f) >= 2:
			return number(f[1])
		case len(f) == 1:
			stat = number(f[0])
		}
	}
	return stat
}
