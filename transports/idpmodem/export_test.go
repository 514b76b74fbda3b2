package idpmodem

import (
	"maps"
	"slices"
	"time"
)

// Hasten makes the driver wait milliseconds between things. For answers it waits as long as told: a loaded machine is slow.
func (t *Transport) Hasten(answer time.Duration) {
	t.timing = timing{
		command: answer, probe: answer / 4, write: 10 * time.Second, quiet: 15 * time.Millisecond, drain: 100 * time.Millisecond, check: time.Hour,
		start: 2 * time.Second, queue: 5 * time.Second, backoff: 10 * time.Millisecond, settle: 10 * time.Millisecond, keep: time.Hour, grace: 2 * time.Second,
	}
	t.cfg.Poll = 5 * time.Millisecond
}

// CheckEvery sets how often the network is looked at.
func (t *Transport) CheckEvery(d time.Duration) { t.timing.check = d }

// QueueFor sets how long a send waits for its turn.
func (t *Transport) QueueFor(d time.Duration) { t.timing.queue = d }

// GraceOf sets how long what is in hand may take.
func (t *Transport) GraceOf(d time.Duration) { t.timing.grace = d }

// Dialects are the names of the dialects.
func Dialects() []string { return slices.Sorted(maps.Keys(dialects)) }

// Checksum is that of a line.
func Checksum(s string) uint16 { return checksum([]byte(s)) }

// Assemble makes the lines of replies from chunks of bytes.
func Assemble(sums bool, chunks ...[]byte) (lines []string, sawSum bool) {
	a := assembler{sums: sums}
	for _, b := range chunks {
		a.feed(b, func(line string) { lines = append(lines, line) })
	}
	return lines, a.sawSum
}

// Garbled stands for a reply whose checksum is wrong.
const Garbled = garbled

// ParseStatus reads an entry of a queue.
func ParseStatus(dialect, text string) (name string, state, length int, err error) {
	d := dialects[dialect]
	s, err := d.parseStatus(text)
	return s.name, s.state, s.length, err
}

// ParseMessage reads a message.
func ParseMessage(dialect, text string) ([]byte, error) {
	d := dialects[dialect]
	return d.parseMessage(text)
}

// Information returns the lines of a reply without the command's name.
func Information(lines []string) []string { return information(lines) }
