package store

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// CheckOptions say what Check looks at besides the rows themselves.
type CheckOptions struct {
	Report func(CheckProgress)                   // called now and then, and at the end of each kind of row; nil: not at all
	Device func(number uint32, row []byte) error // reads a device row, whose encoding is not the store's; nil: not read
	KEK    *KEK                                  // unwraps every device key; nil: only their form is looked at

	Schedule func(number uint32, row []byte) error // as Device, of a schedule row
	Account  func(account, row []byte) error       // as Device, of an account
	Rollout  func(key, row []byte) error           // as Device, of a row of the rollouts
	Audit    func(seq uint64, row []byte) error    // as Device, of an authorisation
}

// CheckProgress says how far a check is.
type CheckProgress struct {
	Kind        string // of the rows being read
	Rows        uint64 // read so far, of all kinds
	Part, Parts int    // which of how many kinds
}

// A CheckReport is what a check found.
type CheckReport struct {
	Counts      []KindCount
	First, Last uint64   // events in the outbox
	Problems    []string // the first problemsMax
	Found       uint64   // all problems
}

// A KindCount is how many rows of a kind there are, and the bytes of their keys and values before compression.
type KindCount struct {
	Kind  string
	Rows  uint64
	Bytes uint64
}

// problemsMax bounds how many problems are described; the others are counted.
const problemsMax = 100

// reportEvery is how many rows are read between two reports.
const reportEvery = 50_000

type checker struct {
	s             *Store
	ctx           context.Context //nolint:containedctx // of the one call that made the checker
	o             CheckOptions
	report        CheckReport
	rows          uint64
	part          int
	kind          string
	outbox        outboxBase // the event before the next row
	frames, times uint64
	pairs         pairs // of the rows that are walked now
}

// Check reads every row, decodes it, and holds it against the others: frames against their time index, names, addresses and keys
// against devices, events against their numbers and their chain. It changes nothing. An error means that the check could not be finished;
// what is wrong with the store is in the report. Run it on a store that is open for reading only.
func (s *Store) Check(ctx context.Context, o CheckOptions) (CheckReport, error) {
	if o.Report == nil {
		o.Report = func(CheckProgress) {}
	}
	c := &checker{s: s, ctx: ctx, o: o}
	var err error
	if c.outbox, err = s.readBase(); err != nil {
		c.problem("outbox base: %v", err)
	}
	c.report.First = c.outbox.seq + 1
	for i, k := range kinds {
		c.part, c.kind = i+1, k.name
		if err := c.walk(k.prefix); err != nil {
			return c.report, err
		}
	}
	c.report.Last = c.outbox.seq
	if c.frames != c.times {
		c.problem("%d frames, but %d entries of the time index", c.frames, c.times)
	}
	if err := c.strangers(); err != nil {
		return c.report, err
	}
	return c.report, nil
}

// walk reads the rows of one kind. A damaged block ends the kind, not the check.
func (c *checker) walk(prefix byte) error {
	count := KindCount{Kind: c.kind}
	c.pairs = pairs{s: c.s, prefix: prefixTime, places: c.pairs.places}
	if prefix == prefixTime {
		c.pairs.prefix = prefixFrame
	}
	defer c.pairs.close()
	stopped := error(nil)
	err := c.s.each(prefix, func(key, value []byte) error {
		count.Rows++
		count.Bytes += uint64(len(key) + len(value))
		if c.rows++; c.rows%reportEvery == 0 {
			c.progress()
			if stopped = c.ctx.Err(); stopped != nil {
				return stopped
			}
		}
		if err := c.row(prefix, key, value); err != nil {
			c.problem("%s %x: %v", c.kind, key[1:], err)
		}
		return nil
	})
	if stopped != nil {
		return stopped
	}
	if err != nil {
		c.problem("%s, after row %d: %v", c.kind, count.Rows, err)
	}
	c.report.Counts = append(c.report.Counts, count)
	c.progress()
	return c.ctx.Err()
}

func (c *checker) progress() {
	c.o.Report(CheckProgress{Kind: c.kind, Rows: c.rows, Part: c.part, Parts: len(kinds)})
}

func (c *checker) problem(format string, args ...any) {
	c.report.Found++
	if len(c.report.Problems) < problemsMax {
		c.report.Problems = append(c.report.Problems, fmt.Sprintf(format, args...))
	}
}

// strangers looks for keys that no kind of row has.
func (c *checker) strangers() error {
	from := []byte{0}
	for i := 0; i <= len(kinds); i++ {
		upper := []byte{0xff}
		if i < len(kinds) {
			upper = []byte{kinds[i].prefix}
		}
		err := c.s.walk(from, upper, func(key, _ []byte) error {
			c.problem("key %x: of no known kind", key)
			return c.ctx.Err()
		})
		if err != nil {
			return err
		}
		if i < len(kinds) {
			from = []byte{kinds[i].prefix + 1}
		}
	}
	return nil
}

// row holds one row against what it should be.
func (c *checker) row(prefix byte, key, value []byte) error {
	switch prefix {
	case prefixFrame:
		return c.frame(key, value)
	case prefixTime:
		return c.time(key, value)
	case prefixDevice:
		return c.device(key, value)
	case prefixName:
		number, err := decodeName(value)
		if err != nil {
			return err
		}
		return c.known(number)
	case prefixAddress:
		_, _, number, ok := parseAddressKey(key)
		if !ok || len(value) != 0 {
			return ErrRow
		}
		return c.known(number)
	case prefixKey:
		return c.key(key, value)
	case prefixDownlink:
		_, err := downlinkRow(key, value)
		return err
	case prefixEvent:
		return c.event(key, value)
	case prefixPart:
		return messagePart(key, value)
	case prefixQuarantine:
		_, err := quarantineRow(key, value)
		return err
	case prefixCharge:
		_, err := chargeRow(key, value)
		return err
	case prefixFragment:
		_, err := fragmentRow(key, value)
		return err
	case prefixParked:
		return c.parked(key, value)
	case prefixSchedule:
		return c.schedule(key, value)
	case prefixAccount:
		return opaque(c.o.Account, key, value)
	case prefixRollout:
		return opaque(c.o.Rollout, key, value)
	case prefixAudit:
		return c.audit(key, value)
	}
	return nil
}

// opaque has a row read by who knows its encoding, if anybody does.
func opaque(read func(key, row []byte) error, key, value []byte) error {
	if read == nil {
		return nil
	}
	return read(key[1:], value)
}

func (c *checker) audit(key, value []byte) error {
	seq, ok := parseSequenced(key)
	if !ok {
		return ErrRow
	}
	if c.o.Audit == nil {
		return nil
	}
	return c.o.Audit(seq, value)
}

func (c *checker) frame(key, value []byte) error {
	c.frames++
	k, ok := parseFrameKey(key)
	if !ok {
		return ErrRow
	}
	f, err := decodeFrame(value)
	if err != nil {
		return err
	}
	at := clampMillis(f.ReceivedAt)
	if ok, err := c.pairs.has(k, at); ok && err == nil {
		return nil
	}
	return c.has(appendTimeKey(nil, k, at), "its entry in the time index")
}

func (c *checker) time(key, value []byte) error {
	c.times++
	k, _, ok := parseTimeKey(key)
	if !ok || len(value) > 1 || len(value) == 1 && value[0] != rowVersion {
		return ErrRow
	}
	if ok, err := c.pairs.has(k, 0); ok && err == nil {
		return nil
	}
	return c.has(appendFrameKey(nil, k), "its frame")
}

func (c *checker) device(key, value []byte) error {
	if len(key) != deviceKeySize {
		return ErrRow
	}
	if c.o.Device == nil {
		return nil
	}
	return c.o.Device(binary.BigEndian.Uint32(key[1:]), value)
}

func (c *checker) schedule(key, value []byte) error {
	number, ok := parseScheduleKey(key)
	if !ok {
		return ErrRow
	}
	if c.o.Schedule != nil {
		if err := c.o.Schedule(number, value); err != nil {
			return err
		}
	}
	return c.known(number)
}

func (c *checker) key(key, value []byte) error {
	if len(key) != wrappedKeySize {
		return ErrRow
	}
	number, version := binary.BigEndian.Uint32(key[1:]), binary.BigEndian.Uint32(key[5:])
	if err := wellFormed(value); err != nil {
		return err
	}
	if c.o.KEK != nil {
		k, err := c.o.KEK.Unwrap(number, version, value)
		clear(k[:])
		if err != nil {
			return err
		}
	}
	return c.known(number)
}

func (c *checker) event(key, value []byte) error {
	seq, ok := parseSequenced(key)
	if !ok {
		return ErrRow
	}
	e, err := decodeEvent(seq, value, new(arena))
	if err != nil {
		return err
	}
	before := c.outbox
	c.outbox = outboxBase{seq: seq, chain: e.Chain}
	if seq != before.seq+1 {
		return fmt.Errorf("%w: follows event %d", ErrCorrupt, before.seq)
	}
	if e.Chain != NextChain(before.chain, []byte(e.ID), []byte(e.Subject), e.Payload) {
		return fmt.Errorf("%w: event %d breaks the chain", ErrCorrupt, seq)
	}
	return nil
}

func (c *checker) parked(key, value []byte) error {
	k, p, err := parkedRow(key, value)
	if err != nil {
		return err
	}
	if p.Base >= k.Counter {
		return fmt.Errorf("%w: counter %d waits for %d", ErrCorrupt, k.Counter, p.Base)
	}
	return c.has(appendFrameKey(nil, k), "its frame")
}

func messagePart(key, value []byte) error {
	if len(key) != sequencedKeySize {
		return ErrRow
	}
	_, err := decodePart(value)
	return err
}

func (c *checker) known(number uint32) error {
	return c.has(appendDeviceKey(nil, number), fmt.Sprintf("device %d", number))
}

func (c *checker) has(key []byte, what string) error {
	_, closer, err := c.s.db.Get(key)
	if err == pebble.ErrNotFound { //nolint:errorlint // Get's own value, in a loop over all rows
		return fmt.Errorf("%w: %s is missing", ErrCorrupt, what)
	}
	if err != nil {
		return asCorrupt(err)
	}
	return closer.Close()
}

// KeyCounts counts the rows of each kind. It reads all keys: it is for tests and for people.
func (s *Store) KeyCounts() (map[string]uint64, error) {
	counts := make(map[string]uint64, len(kinds))
	for _, k := range kinds {
		err := s.each(k.prefix, func(_, _ []byte) error {
			counts[k.name]++
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return counts, nil
}
