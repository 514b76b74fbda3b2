package publish_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"github.com/godwit-gateway/godwit/gateway/publish"
	"github.com/godwit-gateway/godwit/gateway/publish/streammodel"
)

// oseqs are the numbers of the events on the model, in the order of the stream.
func (m *machine) oseqs() []uint64 {
	var out []uint64
	for s := m.stream.First; s <= m.stream.Last; s++ {
		if msg, ok := m.stream.Messages[s]; ok {
			out = append(out, msg.Oseq+msg.ReplayOf)
		}
	}
	return out
}

func newHealthyMachine(t *testing.T, events int) *machine {
	t.Helper()
	m := newMachine(t)
	t.Cleanup(func() { _ = m.store.Close() })
	m.add(t, events)
	m.heal(t)
	m.check(t)
	return m
}

// TestFaultPairs: publishing fails and was done, or was not, or is done later, of a batch, of a single event and of what fills a hole; then the
// publisher goes on, or is started anew.
func TestFaultPairs(t *testing.T) {
	for f := streammodel.FaultNotDone; f < streammodel.FaultCount; f++ {
		for _, what := range []string{"batch", "single", "hole"} {
			for _, anew := range []bool{false, true} {
				t.Run(fmt.Sprintf("%d %s anew=%t", f, what, anew), func(t *testing.T) {
					m := newHealthyMachine(t, 5)
					m.add(t, map[string]int{"batch": 4, "single": 1, "hole": 3}[what])
					want := m.store.DurableEvents()
					if what == "hole" {
						m.step(t, 0)
						delete(m.stream.Messages, 7)
						m.step(t, 1)
						m.clock.add(11 * time.Second)
						m.step(t, 1)
						m.clock.add(11 * time.Second)
						m.stream.Next = f
						m.step(t, 1)
					} else {
						m.stream.Next = f
						m.step(t, 0)
					}
					if anew {
						m.crash(t, m.snapshot())
					}
					if f == streammodel.FaultLate {
						m.step(t, 2) // looks before it has arrived
					}
					m.heal(t)
					m.check(t)
					if got := m.oseqs(); uint64(len(got)) != want {
						t.Fatalf("on the stream are %v, want %d events", got, want)
					}
				})
			}
		}
	}
}

// TestDuplicateIsNoProof: "after purge the same Msg-Id is acked as duplicate while the message is absent".
func TestDuplicateIsNoProof(t *testing.T) {
	m := newHealthyMachine(t, 5)
	m.stream.Purge(6)
	m.start(t)
	if err := m.store.PutPublisherMeta([]byte(`{"version":1}`), true); err != nil { // nothing is known of what was published
		t.Fatal(err)
	}
	m.start(t)
	m.heal(t)
	m.check(t)
	if d := cmp.Diff(numbers(1, 5), m.oseqs()); d != "" {
		t.Fatalf("events (-want +got):\n%s", d)
	}
	if id := m.stream.Messages[m.stream.Last].ID; id != "dev.0.5.0;r1" {
		t.Fatalf("the last has the id %q, want one that is new", id)
	}
}

// TestTrim: "delete o/ rows only if verified and old enough"; what matters is how long ago they were read back.
func TestTrim(t *testing.T) {
	m := newMachine(t)
	t.Cleanup(func() { _ = m.store.Close() })
	m.stream.Down = true
	m.add(t, 10)
	m.clock.add(48 * time.Hour) // the events are old when the stream comes
	m.heal(t)
	m.trim(t)
	m.clock.add(23 * time.Hour)
	m.add(t, 5)
	m.step(t, 0)
	m.trim(t)
	if first, _ := m.store.OutboxBounds(); first != 1 {
		t.Fatalf("the outbox begins with %d after 23 h, want 1", first)
	}
	m.clock.add(2 * time.Hour)
	m.trim(t)
	if first, last := m.store.OutboxBounds(); first != 11 || last != 15 {
		t.Fatalf("the outbox is %d to %d, want 11 to 15", first, last)
	}
	m.clock.add(100 * time.Hour)
	m.trim(t)
	if first, _ := m.store.OutboxBounds(); first != 11 {
		t.Fatalf("the outbox begins with %d: what was not read back was trimmed", first)
	}
}

// A clock that was years ahead when events were read back, and was set right since, does not keep them for years.
func TestTrimAfterTheClockWasSetBack(t *testing.T) {
	m := newMachine(t)
	t.Cleanup(func() { _ = m.store.Close() })
	m.add(t, 10)
	m.heal(t)
	m.trim(t)
	m.clock.add(-5 * 365 * 24 * time.Hour)
	m.trim(t)
	m.clock.add(23 * time.Hour)
	m.trim(t)
	if first, _ := m.store.OutboxBounds(); first != 1 {
		t.Fatalf("the outbox begins with %d after 23 h, want 1", first)
	}
	m.clock.add(2 * time.Hour)
	m.trim(t)
	if first, _ := m.store.OutboxBounds(); first != 11 {
		t.Fatalf("the outbox begins with %d after 25 h, want 11", first)
	}
}

// TestTrimWaitsForFilled: an event that filled a hole is held until that too was read back.
func TestTrimWaitsForFilled(t *testing.T) {
	m := newMachine(t)
	t.Cleanup(func() { _ = m.store.Close() })
	m.add(t, 9)
	m.step(t, 0)
	delete(m.stream.Messages, 4)
	m.step(t, 1)
	m.clock.add(11 * time.Second)
	m.step(t, 1) // fills it
	m.trim(t)
	m.clock.add(30 * time.Hour)
	m.trim(t)
	if first, _ := m.store.OutboxBounds(); first != 4 {
		t.Fatalf("the outbox begins with %d, want 4", first)
	}
	m.heal(t)
	m.trim(t)
	if first, _ := m.store.OutboxBounds(); first != 10 {
		t.Fatalf("the outbox begins with %d, want 10", first)
	}
	m.check(t)
}

// TestAged: what the stream drops for its age or by its limits is no loss.
func TestAged(t *testing.T) {
	for _, limited := range []bool{false, true} {
		t.Run(fmt.Sprintf("limited=%t", limited), func(t *testing.T) {
			m := newHealthyMachine(t, 20)
			if m.stream.Limited = limited; !limited {
				m.stream.MaxAge = time.Hour
			}
			m.clock.add(2 * time.Hour)
			m.add(t, 3)
			m.step(t, 0)
			m.stream.Purge(15)
			m.heal(t)
			if d := cmp.Diff(numbers(15, 23), m.oseqs()); d != "" {
				t.Fatalf("events (-want +got):\n%s", d)
			}
		})
	}
}

// TestStreamReplaced: another gateway's stream is in the place of ours.
func TestStreamReplaced(t *testing.T) {
	m := newHealthyMachine(t, 8)
	other := newMachine(t)
	t.Cleanup(func() { _ = other.store.Close() })
	other.added = 1000
	for _, n := range []int{5, 10} { // fewer events, more events
		other.add(t, n)
		other.heal(t)
		m.stream.State = other.stream.Copy()
		m.stream.Restart()
		m.p.Suspect()
		for range 2 {
			if _, err := m.p.PublishOnce(t.Context()); !errors.Is(err, publish.ErrFenced) {
				t.Fatalf("PublishOnce = %v, want ErrFenced", err)
			}
			m.start(t)
		}
	}
	if got := len(m.stream.Messages); got != 15 {
		t.Fatalf("the other's stream has %d messages, want its 15", got)
	}
}

// TestGap: the stream lost more than the outbox still holds.
func TestGap(t *testing.T) {
	m := newHealthyMachine(t, 8)
	m.trim(t)
	m.clock.add(25 * time.Hour)
	m.add(t, 4)
	m.heal(t)
	m.trim(t)
	m.stream.LoseTail(9)
	m.stream.Restart()
	out, err := m.p.Reconcile(t.Context())
	if err != nil || out.Gone != 5 || out.Lost != 4 {
		t.Fatalf("outcome %+v, %v; want 5 events gone and 4 lost", out, err)
	}
	m.heal(t)
	m.check(t)
	if d := cmp.Diff([]uint64{1, 2, 3, 9, 10, 11, 12}, m.oseqs()); d != "" {
		t.Fatalf("events (-want +got):\n%s", d)
	}
}

// TestRestoredThenLost: a store that was brought back from a backup is as good as the one that was lost. What it took over from the stream it can
// publish again.
func TestRestoredThenLost(t *testing.T) {
	m := newHealthyMachine(t, 5)
	backup := m.snapshot()
	m.add(t, 7)
	m.heal(t)
	m.crash(t, backup)
	if out, err := m.p.Reconcile(t.Context()); err != nil || out.Adopted != 7 {
		t.Fatalf("outcome %+v, %v; want 7 events taken over", out, err)
	}
	if m.gaps {
		t.Error("something is said to be missing")
	}
	if first, last := m.store.OutboxBounds(); first != 1 || last != 12 {
		t.Fatalf("the outbox holds %d to %d, want 1 to 12", first, last)
	}
	m.stream.LoseTail(9)
	m.stream.Restart()
	if out, err := m.p.Reconcile(t.Context()); err != nil || out.Lost != 9 || out.Gone != 0 {
		t.Fatalf("outcome %+v, %v; want 9 events lost, none for good", out, err)
	}
	m.heal(t)
	m.check(t)
	if d := cmp.Diff([]uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, m.oseqs()); d != "" {
		t.Fatalf("events (-want +got):\n%s", d)
	}
}

// TestLostStoreThenLostTail: the same with a store that is new and a stream whose first events are gone, so that their chain cannot be known.
func TestLostStoreThenLostTail(t *testing.T) {
	m := newHealthyMachine(t, 9)
	m.stream.Purge(4)
	m.crash(t, vfs.NewCrashableMem())
	if out, err := m.p.Reconcile(t.Context()); err != nil || out.Adopted != 6 {
		t.Fatalf("outcome %+v, %v; want 6 events taken over", out, err)
	}
	if !m.gaps {
		t.Error("nobody is told that the first three are missing")
	}
	if first, last := m.store.OutboxBounds(); first != 5 || last != 9 {
		t.Fatalf("the outbox holds %d to %d, want 5 to 9: of the first that is left only what follows it can be checked", first, last)
	}
	m.stream.LoseTail(3)
	m.stream.Restart()
	m.heal(t)
	m.check(t)
	if d := cmp.Diff([]uint64{4, 5, 6, 7, 8, 9}, m.oseqs()); d != "" {
		t.Fatalf("events (-want +got):\n%s", d)
	}
}

// An event that was appended again for a hole is not appended once more where the stream is set back to an older copy that is as long and has it in another place.
func TestSetBackToAnotherPlaceOfWhatFilled(t *testing.T) {
	m := newHealthyMachine(t, 2)
	m.stream.Purge(2)
	m.heal(t)
	m.add(t, 1)
	m.heal(t)
	older := m.stream.Copy()
	m.stream.LoseTail(2)
	m.stream.Cut()
	m.heal(t)
	m.setBack(older)
	m.heal(t)
	m.check(t)
}

// A store that is brought back has read nothing back of what it held but for what it knew then: an event that was damaged on the stream since is appended again.
func TestHoleBeforeRestoredStore(t *testing.T) {
	m := newMachine(t)
	defer func() { _ = m.store.Close() }()
	m.add(t, 3)
	m.step(t, 0)
	disk := m.snapshot()
	m.add(t, 2)
	m.step(t, 0)
	delete(m.stream.Messages, 2)
	m.crash(t, disk)
	m.heal(t)
	m.check(t)
}
