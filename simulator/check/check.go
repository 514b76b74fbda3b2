package check

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A Frame names one frame of one device for good.
type Frame struct {
	Number, Epoch uint32
	Counter       uint64
}

// String gives number.epoch.counter.
func (f Frame) String() string { return fmt.Sprintf("%d.%d.%d", f.Number, f.Epoch, f.Counter) }

// ErrEvent is wrapped by the error for a message that is no event of ours.
var ErrEvent = errors.New("not an event")

// A Ledger compares what was acknowledged with what was published. Safe for concurrent use.
type Ledger struct {
	mu     sync.Mutex
	names  map[string]named
	frames tracks
	acked  int // distinct frames
	read   uint64
	links  map[string]int // events by link
	kinds  map[string]int // events by kind
	alien  []string       // ids of events of frames that nobody sent
}

// named is a device by the name that events speak of.
type named struct {
	number uint32
	first  uint64 // counters below it are of an earlier run
}

// New returns an empty ledger.
func New() *Ledger {
	return &Ledger{
		names: make(map[string]named), frames: make(tracks), links: make(map[string]int), kinds: make(map[string]int),
	}
}

// Device makes the name of a device known: events speak of names. Events of counters below first are of an earlier run, and not counted.
func (l *Ledger) Device(name string, number uint32, first uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.names[name] = named{number, first}
}

// Sent notes that a device transmitted a frame.
func (l *Ledger) Sent(f Frame) {
	l.mu.Lock()
	defer l.mu.Unlock()
	*l.frames.of(f) |= wasSent
}

// Acknowledged notes that a frame was acknowledged to its device, or confirmed to its network. From here on it must never be lost.
func (l *Ledger) Acknowledged(f Frame) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if m := l.frames.of(f); *m&wasAcked == 0 {
		*m |= wasAcked
		l.acked++
	}
}

// AcknowledgedLen is the number of distinct frames acknowledged so far.
func (l *Ledger) AcknowledgedLen() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.acked
}

// inFull is how often an event is read in full: of a fleet's millions the others are skimmed.
const inFull = 16

// Event notes one message of the stream. Events that the gateway has to say itself are not of frames and count for nothing here.
func (l *Ledger) Event(payload []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := skimEvent(payload)
	if l.read++; !ok || l.read%inFull == 1 {
		var err error
		if e, err = parseEvent(payload); err != nil {
			return err
		}
	}
	name, epoch, counter, k, err := parseID(e.ID)
	if err != nil {
		return err
	}
	if k != 0 || name == "" {
		return nil
	}
	d, known := l.names[name]
	f := Frame{Number: d.number, Epoch: epoch, Counter: counter}
	if known && counter < d.first {
		return nil
	}
	var m *mark
	if known {
		m = l.frames.of(f)
	}
	if m == nil || *m&wasSent == 0 {
		l.alien = append(l.alien, e.ID)
		return nil
	}
	m.event()
	l.links[e.Data.Link]++
	l.kinds[strings.TrimPrefix(e.Type, "io.godwit.")]++
	return nil
}

// parseID reads {name}.{epoch}.{counter}.{k}. The id of an event of the gateway itself, {gateway}.g.{milliseconds}.{n}, gives no name.
func parseID(id string) (name string, epoch uint32, counter uint64, k int, err error) {
	var fields [5]string
	parts := fields[:0]
	for rest, more := id, true; more && len(parts) < cap(parts); {
		var part string
		part, rest, more = strings.Cut(rest, ".")
		parts = append(parts, part)
	}
	if len(parts) == 4 && parts[1] == "g" {
		return "", 0, 0, 0, nil
	}
	if len(parts) != 4 || parts[0] == "" {
		return "", 0, 0, 0, fmt.Errorf("%w: id %q", ErrEvent, id)
	}
	e, errEpoch := strconv.ParseUint(parts[1], 10, 32)
	c, errCounter := strconv.ParseUint(parts[2], 10, 64)
	k, errK := strconv.Atoi(parts[3])
	if err := errors.Join(errEpoch, errCounter, errK); err != nil {
		return "", 0, 0, 0, fmt.Errorf("%w: id %q: %w", ErrEvent, id, err)
	}
	return parts[0], uint32(e), c, k, nil
}

// A Result is how the promise was kept.
type Result struct {
	Acknowledged int            // distinct frames
	Events       int            // events of frames, one for each frame if all is well
	Lost         []Frame        // acknowledged, and no event
	Doubled      []Frame        // more than one event
	Alien        []string       // events of frames that nobody sent
	Links        map[string]int // events by link
	Kinds        map[string]int // events by kind
}

// Result compares both lists.
func (l *Ledger) Result() Result {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := Result{Acknowledged: l.acked, Alien: slices.Clone(l.alien), Links: make(map[string]int, len(l.links))}
	for f, m := range l.frames.all {
		n := m.events()
		r.Events += n
		if n > 1 {
			r.Doubled = append(r.Doubled, f)
		}
		if n == 0 && m&wasAcked != 0 {
			r.Lost = append(r.Lost, f)
		}
	}
	for link, n := range l.links {
		r.Links[link] = n
	}
	r.Kinds = maps.Clone(l.kinds)
	order := func(a, b Frame) int {
		return strings.Compare(a.String(), b.String())
	}
	slices.SortFunc(r.Lost, order)
	slices.SortFunc(r.Doubled, order)
	return r
}

// Complete reports whether every acknowledged frame has an event by now.
func (l *Ledger) Complete() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range l.frames.all {
		if m&wasAcked != 0 && m.events() == 0 {
			return false
		}
	}
	return true
}

// Err is nil if the promise was kept.
func (r Result) Err() error {
	var errs []error
	if n := len(r.Lost); n > 0 {
		errs = append(errs, fmt.Errorf("%d acknowledged frames have no event, such as %s", n, r.Lost[0]))
	}
	if n := len(r.Doubled); n > 0 {
		errs = append(errs, fmt.Errorf("%d frames have more than one event, such as %s", n, r.Doubled[0]))
	}
	if n := len(r.Alien); n > 0 {
		errs = append(errs, fmt.Errorf("%d events of frames that nobody sent, such as %s", n, r.Alien[0]))
	}
	return errors.Join(errs...)
}
