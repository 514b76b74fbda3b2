//go:build e2e

package e2e_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// mail is what devices send to the gateway over a network that tells what became of it: a modem's, or one of satellites.
type mail struct {
	deliver func(ctx context.Context, id uint64, d *device, payload []byte) error // gives a message to the network, and waits while that is full
	stats   func() any                                                            // of the network, to be told where a test fails
	size    func(id uint64, rng *rand.Rand) int                                   // of a message, in bytes before it is sealed; nil: small
	ahead   int                                                                   // messages that are not settled at a time; 0: as many as the network takes

	book ledger // confirmed by the gateway

	mu      sync.Mutex
	sent    map[uint64]sent // not settled
	lost    int             // by the network
	settled chan struct{}   // holds one token when a message was settled
}

func newMail() *mail { return &mail{sent: make(map[uint64]sent), settled: make(chan struct{}, 1)} }

// settle notes that the gateway confirmed a message, or that the network lost it.
func (m *mail) settle(id uint64, confirmed bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if confirmed {
		m.book.add(m.sent[id])
	} else {
		m.lost++
	}
	delete(m.sent, id)
	select {
	case m.settled <- struct{}{}:
	default:
	}
}

func (m *mail) waiting() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.sent)
}

// send has a device send a message of so many bytes.
func (m *mail) send(ctx context.Context, t *testing.T, id uint64, d *device, size int) error {
	t.Helper()
	counter, payload := d.long(t, size)
	m.mu.Lock()
	m.sent[id] = sent{d.number, counter}
	m.mu.Unlock()
	err := m.deliver(ctx, id, d, payload)
	if err != nil {
		m.mu.Lock()
		delete(m.sent, id)
		m.mu.Unlock()
	}
	return err
}

// feeding has devices send one message after the other until stop, which returns how many the network took.
func (m *mail) feeding(t *testing.T, devices []*device) (stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	taken := make(chan int, 1)
	go func() { taken <- m.feed(ctx, t, devices) }()
	stop = sync.OnceValue(func() int { cancel(); return <-taken })
	t.Cleanup(func() { stop() }) // also when the test fails: nothing may run on after it
	return stop
}

func (m *mail) feed(ctx context.Context, t *testing.T, devices []*device) (taken int) {
	t.Helper()
	rng, size := rand.New(rand.NewPCG(9, 10)), small
	for ; m.room(ctx); taken++ {
		id, d := uint64(1+taken), devices[rng.IntN(len(devices))]
		if m.size != nil {
			size = m.size(id, rng)
		}
		if err := m.send(ctx, t, id, d, size); err != nil {
			if ctx.Err() == nil {
				t.Errorf("network: %v", err)
			}
			break
		}
	}
	return taken
}

// room waits until one more message may be sent. It reports false when ctx is done.
func (m *mail) room(ctx context.Context) bool {
	for m.ahead > 0 && m.waiting() >= m.ahead && ctx.Err() == nil {
		select {
		case <-m.settled:
		case <-ctx.Done():
		}
	}
	return ctx.Err() == nil
}

// kept checks, with a gateway that runs, that of so many messages each is confirmed and is one event.
func (m *mail) kept(t *testing.T, s *site, gw *process, messages int) {
	t.Helper()
	if !eventually(2*time.Minute, func() bool { return m.waiting() == 0 }) {
		t.Fatalf("%d messages are still on their way; %+v\n%s", m.waiting(), m.stats(), gw.out)
	}
	t.Logf("%d messages were confirmed; %+v", m.book.len(), m.stats())
	if m.lost != 0 || m.book.len() != messages {
		t.Errorf("%d messages confirmed and %d lost, want %d confirmed", m.book.len(), m.lost, messages)
	}
	s.exactlyOnce(t, m.book.acked)
}

// beside runs what is beside the gateway until the test ends.
func beside(t *testing.T, what string, run func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("%s: %v", what, err)
		}
	})
}

// devices are the first n of the site.
func (s *site) devices(t *testing.T, n uint32, seed uint64) []*device {
	t.Helper()
	var all []*device
	for i := range n {
		all = append(all, newDevice(t, 1+i, s.udp, seed))
	}
	return all
}

// orders has the operator send a message to the device at an address: c0ffee.
func (s *site) orders(t *testing.T, device, address string, more ...string) {
	t.Helper()
	s.must(t, append([]string{"device", "address", device, address}, more...)...)
	s.must(t, "message", "send", device, "--hex", "c0ffee")
}
