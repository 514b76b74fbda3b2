package session_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
)

// countersModel is the dumb truth: every counter ever accepted.
type countersModel struct {
	all     map[uint64]bool
	highest uint64
	floor   uint64
}

func (m *countersModel) classify(c uint64) session.Class {
	switch {
	case c < m.floor:
		return session.TooOld
	case len(m.all) == 0 || c > m.highest:
		return session.New
	case m.highest-c > session.WindowLen:
		return session.Unknown
	case m.all[c]:
		return session.Duplicate
	default:
		return session.Missing
	}
}

// F-026, F-027: the window knows what was accepted, whatever the order, the gaps and the jumps.
func TestCountersAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := countersModel{all: make(map[uint64]bool)}
		var c session.Counters
		if _, ok := c.Ack(); ok || c.Known() != 0 {
			t.Fatal("acknowledges before the first frame")
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			near := rapid.Int64Range(-80, 80).Draw(t, "distance")
			counter := uint64(max(0, int64(m.highest)+near))
			if rapid.IntRange(0, 9).Draw(t, "jump") == 0 {
				counter = rapid.Uint64Range(0, codec.CounterMax).Draw(t, "counter")
			}
			want := m.classify(counter)
			if got := c.Classify(counter); got != want {
				t.Fatalf("%d is %d, want %d (%+v)", counter, got, want, c)
			}
			if want == session.TooOld {
				continue
			}
			c.Accept(counter)
			m.all[counter] = true
			m.highest = max(m.highest, counter)
			if rapid.IntRange(0, 19).Draw(t, "raise") == 0 {
				m.floor = max(m.floor, m.highest-min(m.highest, rapid.Uint64Range(0, 100).Draw(t, "kept")))
				c.Floor = m.floor
			}
			checkAck(t, &c, &m)
		}
	})
}

// checkAck compares the acknowledgement with the model, counter by counter.
func checkAck(t *rapid.T, c *session.Counters, m *countersModel) {
	a, ok := c.Ack()
	if !ok || a.Counter != m.highest {
		t.Fatalf("%+v, %t, want %d", a, ok, m.highest)
	}
	known := 1
	for i := range uint64(session.WindowLen) {
		there := i < m.highest && m.all[m.highest-1-i]
		if there {
			known++
		}
		if i < 32 && (a.Bitmap>>i&1 == 1) != there {
			t.Fatalf("bit %d of %032b, want %t", i, a.Bitmap, there)
		}
	}
	if c.Known() != known {
		t.Fatalf("knows %d, want %d", c.Known(), known)
	}
}

// F-022, F-028: power may go at any moment, and no counter is ever given out twice; a restart skips fewer than the reserve.
func TestSenderNeverRepeats(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bits := rapid.SampledFrom([]uint8{8, 16}).Draw(t, "bits")
		step := uint64(session.Reserve16)
		if bits == 8 {
			step = session.Reserve8
		}
		var memory, last uint64
		used := false
		s := session.NewSender(memory, bits)
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			if rapid.IntRange(0, 9).Draw(t, "power") == 0 {
				s = session.NewSender(memory, bits)
				continue
			}
			if reserved, write := s.Reserve(); write {
				if _, err := s.Next(); !errors.Is(err, session.ErrNotPersisted) {
					t.Fatalf("a counter beyond what is in memory: %v", err)
				}
				memory = reserved
				if rapid.IntRange(0, 9).Draw(t, "power in between") == 0 {
					s = session.NewSender(memory, bits)
					continue
				}
				s.Persisted(reserved)
			}
			n, err := s.Next()
			if err != nil {
				t.Fatal(err)
			}
			if used && n <= last || n >= memory || used && n-last > 20*2*step {
				t.Fatalf("%d behind %d, memory %d", n, last, memory)
			}
			last, used = n, true
			if l, ok := s.Last(); !ok || l != n {
				t.Fatalf("last is %d, %t", l, ok)
			}
		}
	})
}

// F-024: the last counter of an epoch is used, none behind it.
func TestSenderExhausted(t *testing.T) {
	s := session.NewSender(codec.CounterMax, 16)
	reserved, _ := s.Reserve()
	s.Persisted(reserved)
	if n, err := s.Next(); err != nil || n != codec.CounterMax {
		t.Fatalf("%d, %v", n, err)
	}
	if n, err := s.Next(); !errors.Is(err, codec.ErrExhausted) {
		t.Fatalf("%d, %v", n, err)
	}
}

func TestSenderFresh(t *testing.T) {
	s := session.NewSender(0, 8)
	if _, ok := s.Last(); ok {
		t.Error("a new device has used a counter")
	}
	if n, write := s.Reserve(); n != session.Reserve8 || !write {
		t.Errorf("reserve %d, %t", n, write)
	}
}
