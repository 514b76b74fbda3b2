package smsmodem

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/serial"
)

// batchMax is how many messages are handed to the sink at once: about what a SIM holds.
const batchMax = 32

// errRebooted ends a sweep: indexes of a modem that has started over are those of another storage.
var errRebooted = errors.New("modem started over during a sweep")

// A storage is one of the modem's that is listed.
type storage struct {
	name string
	form string // of +CPMS that the modem takes, with %[1]s for the name
	slow bool   // it has no +CMGL: its slots are read one by one
}

// forms are the ways to select a storage (3GPP TS 27.005 §3.2.2). The first leaves alone where new messages go; some modems want all three.
var forms = []string{`+CPMS="%[1]s"`, `+CPMS="%[1]s","%[1]s"`, `+CPMS="%[1]s","%[1]s","%[1]s"`}

// choose finds out which of the storages the modem has, and asks it to store new messages in the first of them.
func (s *session) choose(ctx context.Context) error {
	s.storages = s.storages[:0]
	for _, name := range s.t.cfg.Storages {
		st, err := s.probe(ctx, name)
		if err != nil {
			return err
		}
		if st != nil {
			s.storages = append(s.storages, st)
		}
	}
	if len(s.storages) == 0 {
		return fmt.Errorf("%w: %v", ErrNoStorage, s.t.cfg.Storages)
	}
	// Also done by probe where a modem wants all three; refused where new messages can go to one place only, which is swept like all.
	_, _, err := s.try(ctx, fmt.Sprintf(forms[2], s.storages[0].name))
	return err
}

// probe finds a form of +CPMS that selects a storage; nil if there is none.
func (s *session) probe(ctx context.Context, name string) (*storage, error) {
	for _, form := range forms {
		lines, err := s.must(ctx, fmt.Sprintf(form, name))
		c, refused := classOf(err)
		switch {
		case err == nil:
			s.noteSlots(name, lines)
			return &storage{name: name, form: form}, nil
		case !refused || c == classSIM || c == classBusy:
			return nil, err
		}
	}
	return nil, nil
}

// noteSlots reads how full a storage is. Some modems miscount, so nothing but the gauge depends on it.
func (s *session) noteSlots(name string, lines []string) {
	if len(lines) == 0 {
		return
	}
	if f := serial.Fields(lines[0]); len(f) >= 2 && number(f[0]) >= 0 && number(f[1]) >= 0 {
		s.t.setSlot(name, number(f[0]), number(f[1]))
	}
}

// find returns a storage that the modem rang for. One that nobody configured, such as SR for status reports, is swept from then on.
func (s *session) find(ctx context.Context, name string) (*storage, error) {
	for _, st := range s.storages {
		if st.name == name {
			return st, nil
		}
	}
	if !slices.Contains(storagesKnown, name) {
		return nil, nil
	}
	st, err := s.probe(ctx, name)
	if st != nil {
		s.storages = append(s.storages, st)
	}
	return st, err
}

// sweepAll lists all storages. One that fails does not keep the others from being listed.
func (s *session) sweepAll(ctx context.Context) error {
	failed := s.settleDirect(ctx)
	if failed != nil {
		return failed
	}
	for _, st := range s.storages {
		if over(ctx) {
			return failed
		}
		if err := s.sweepStorage(ctx, st); err != nil {
			if _, refused := classOf(err); !refused {
				return err
			}
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

// sweepStorage hands what a storage holds to the sink, and gives the slots back of what the sink has settled.
func (s *session) sweepStorage(ctx context.Context, st *storage) error {
	if err := s.take(ctx, st); err != nil {
		return err
	}
	listed := time.Now()
	entries, err := s.list(ctx, st)
	if err != nil {
		return fmt.Errorf("list %s: %w", st.name, err)
	}
	s.t.counts.sweeps.Add(1)
	var found []item
	foreign := 0
	for _, e := range entries {
		if e.stat > statRead {
			foreign++
			continue
		}
		it, ok, err := s.examine(ctx, e)
		if err != nil {
			return err
		}
		if ok {
			found = append(found, it)
		}
	}
	s.t.setForeign(st.name, foreign)
	if len(found) == 0 {
		s.backoff = 0
	}
	slices.SortStableFunc(found, func(a, b item) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.index, b.index)) })
	for batch := range slices.Chunk(found, batchMax) {
		if over(ctx) {
			return nil
		}
		if err := s.settle(st, batch, listed); err != nil {
			return err
		}
	}
	return nil
}

// take selects a storage.
func (s *session) take(ctx context.Context, st *storage) error {
	lines, err := s.cmd.command(ctx, fmt.Sprintf(st.form, st.name), s.t.timing.command)
	if err != nil {
		return fmt.Errorf("select %s: %w", st.name, err)
	}
	s.noteSlots(st.name, lines)
	return nil
}

// list returns what the selected storage holds.
func (s *session) list(ctx context.Context, st *storage) ([]entry, error) {
	if !st.slow {
		lines, err := s.cmd.raw(ctx, "+CMGL=4", s.t.timing.list) // 4: all, in PDU mode
		c, refused := classOf(err)
		switch {
		case err == nil:
			return parseList(lines)
		case c == classSlot: // some say so of an empty storage
			return nil, nil
		case !refused || c == classBusy || c == classSIM || c == classPhone || (c == classRetry && codeOf(err) != 0):
			return nil, err
		}
		st.slow = true
		s.log.Warn("modem cannot list a storage: its slots are read one by one", slog.String("storage", st.name), slog.Any("error", err))
	}
	var out []entry
	for index := range s.t.slotsOf(st.name) + 1 { // from 0 on some modems, from 1 on most
		e, ok, err := s.read(ctx, index)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, e)
		}
	}
	return out, nil
}

// read reads one slot of the selected storage.
func (s *session) read(ctx context.Context, index int) (entry, bool, error) {
	lines, err := s.cmd.raw(ctx, fmt.Sprintf("+CMGR=%d", index), s.t.timing.command)
	if c, refused := classOf(err); refused && c != classBusy && c != classSIM {
		return entry{}, false, nil // an empty slot, in whatever words
	}
	if err != nil {
		return entry{}, false, err
	}
	e, err := parseRead(index, lines)
	return e, err == nil && e.pdu != "", err
}

// An item is a listed message that is ready for the sink.
type item struct {
	received
	index int
}

// examine reads one entry of a listing. What is odd about it may be the fault of the line, so it is read again: only what the modem says
// twice is taken for what it stores. ok is false for what is left for the next sweep.
func (s *session) examine(ctx context.Context, e entry) (it item, ok bool, err error) {
	r, parseErr := parsePDU(e.pdu, s.t.cfg.CountryCode)
	if parseErr == nil && wellFormed(e.pdu, e.length) {
		return s.item(e, r, nil), true, nil
	}
	for range 2 {
		again, ok, err := s.read(ctx, e.index)
		if err != nil || !ok {
			return item{}, false, err
		}
		r, parseErr = parsePDU(again.pdu, s.t.cfg.CountryCode)
		if (parseErr == nil && wellFormed(again.pdu, again.length)) || strings.EqualFold(again.pdu, e.pdu) {
			return s.item(again, r, parseErr), true, nil
		}
		e = again
	}
	return item{}, false, nil
}

// item turns a message that cannot be read, or that is for another port, into bytes that the sink keeps as they are.
func (s *session) item(e entry, r received, parseErr error) item {
	if parseErr != nil {
		s.log.Warn("message cannot be read and is kept as it is", slog.Any("error", parseErr))
		return item{index: e.index, received: received{content: transports.ContentRaw, payload: rawPDU(e.pdu)}}
	}
	if port := s.t.cfg.Port; port != 0 && !r.report && r.content == transports.ContentData && r.port != port {
		r.content, r.payload = transports.ContentRaw, rawPDU(e.pdu)
	}
	return item{received: r, index: e.index}
}
