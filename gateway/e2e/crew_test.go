//go:build e2e

package e2e_test

import (
	"bytes"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/simulator/check"
	simulated "github.com/godwit-gateway/godwit/simulator/device"
)

// crew is simulated devices behind sockets of their own, with books of what they sent and what was acknowledged to them, kept outside the
// process under test.
type crew struct {
	members []*member
	end     chan struct{} // closed to stop the devices; nil: they are not running
	running sync.WaitGroup

	mu          sync.Mutex
	sent, acked map[check.Frame]bool   // guarded by mu
	sealed      map[check.Frame]string // what came sealed to a device, by its nonce; guarded by mu
}

// member is one device.
type member struct {
	config  simulated.Config
	gateway *net.UDPAddr
	conn    *net.UDPConn

	turns atomic.Uint64 // completed

	mu  sync.Mutex
	dev *simulated.Device // guarded by mu
}

// crewOf starts n devices from a number on. They send until stop is called.
func (s *site) crewOf(t *testing.T, first, n uint32) *crew {
	t.Helper()
	gateway, err := net.ResolveUDPAddr("udp4", s.udp)
	if err != nil {
		t.Fatal(err)
	}
	c := &crew{sent: make(map[check.Frame]bool), acked: make(map[check.Frame]bool), sealed: make(map[check.Frame]string)}
	for number := first; number < first+n; number++ {
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}) // not connected: nobody there is no error
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		m := &member{gateway: gateway, conn: conn, config: simulatedConfig(t, number)}
		m.config.Interval, m.config.Retry, m.config.RetryMax = 25*time.Millisecond, 40*time.Millisecond, 300*time.Millisecond
		m.config.PendingMax, m.config.Seed = 8, uint64(number)
		m.boot(t, simulated.Memory{})
		c.members = append(c.members, m)
	}
	c.start(t)
	t.Cleanup(c.stop)
	return c
}

// start has the devices send until stop is called.
func (c *crew) start(t *testing.T) {
	t.Helper()
	end := make(chan struct{})
	c.end = end
	for _, m := range c.members {
		c.running.Go(func() { c.run(t, m, end) })
	}
}

// stop stops the devices, if they run, and waits for them.
func (c *crew) stop() {
	if c.end != nil {
		close(c.end)
		c.running.Wait()
		c.end = nil
	}
}

func (m *member) boot(t *testing.T, memory simulated.Memory) {
	t.Helper()
	dev, err := simulated.New(m.config, memory, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dev = dev
}

func (c *crew) run(t *testing.T, m *member, end <-chan struct{}) {
	t.Helper()
	buf := make([]byte, 2048)
	for {
		select {
		case <-end:
			return
		default:
		}
		if err := c.turn(m, buf); err != nil {
			t.Errorf("device %d: %v", m.config.Number, err)
			return
		}
		m.turns.Add(1)
	}
}

// turn sends what is due and takes what comes within a moment.
func (c *crew) turn(m *member, buf []byte) error {
	m.mu.Lock()
	out, _, err := m.dev.Poll(time.Now())
	m.mu.Unlock()
	if err != nil {
		return err
	}
	for _, tx := range out {
		if !tx.Join {
			c.note(c.sent, m, tx.Frame)
		}
		if _, err := m.conn.WriteToUDP(tx.Payload, m.gateway); err != nil {
			return err
		}
	}
	if err := m.conn.SetReadDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
		return err
	}
	n, err := m.conn.Read(buf)
	if err != nil {
		return nil //nolint:nilerr // nothing came
	}
	m.mu.Lock()
	memory := m.dev.Memory()
	frames, err := m.dev.Receive(bytes.Clone(buf[:n]))
	m.mu.Unlock()
	if err := c.nonces(m, &memory, buf[:n]); err != nil {
		return err
	}
	for _, f := range frames {
		c.note(c.acked, m, f)
	}
	return err
}

// nonces holds what comes sealed in the device's epoch against what came before: no counter may have two contents. Downlink counters of a test stay
// below 2^16, so that what is on air is all of them.
func (c *crew) nonces(m *member, memory *simulated.Memory, payload []byte) error {
	item, _, err := codec.NextItem(payload)
	if err != nil {
		return nil // the device has said so
	}
	s, err := codec.ParseSealed(item.Content, 16, 8)
	if err != nil {
		return nil // an acknowledgement, or an answer to a join
	}
	epoch := memory.Current.Number
	cipher := codec.NewCipher(codec.DeriveSealKey(&m.config.Key, memory.Current.SaltBytes(), codec.LabelDown, m.config.Number, epoch))
	if _, err := cipher.Open(nil, &s, codec.Position{Direction: codec.Down, Number: m.config.Number, Epoch: epoch, Counter: s.CTR}); err != nil {
		return nil // of another epoch
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	nonce := check.Frame{Number: m.config.Number, Epoch: epoch, Counter: s.CTR}
	if before, ok := c.sealed[nonce]; ok && before != string(item.Content) {
		return fmt.Errorf("downlink %s was sealed with two contents: %x and %x", nonce, before, item.Content)
	}
	c.sealed[nonce] = string(item.Content)
	return nil
}

func (c *crew) note(book map[check.Frame]bool, m *member, f simulated.Frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	book[check.Frame{Number: m.config.Number, Epoch: f.Epoch, Counter: f.Counter}] = true
}

// len is the number of acknowledged frames.
func (c *crew) len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.acked)
}

// grow waits for so many further acknowledgements.
func (c *crew) grow(t *testing.T, n int) {
	t.Helper()
	before := c.len()
	until(t, time.Minute, fmt.Sprintf("%d acknowledgements", n), func() bool { return c.len() >= before+n })
}

// silence waits until no device has heard an acknowledgement for so many turns of each, while they go on sending.
func (c *crew) silence(t *testing.T, turns uint64) {
	t.Helper()
	began := make([]uint64, len(c.members))
	count := -1
	until(t, time.Minute, "acknowledgements to end", func() bool {
		if n := c.len(); n != count { // heard something: the count begins again
			count = n
			for i, m := range c.members {
				began[i] = m.turns.Load()
			}
			return false
		}
		for i, m := range c.members {
			if m.turns.Load() < began[i]+turns {
				return false
			}
		}
		return true
	})
}

// published stops the devices, waits until every acknowledged frame is on the stream, and holds the whole stream against the books: nothing
// lost, nothing twice, nothing that nobody sent.
func (c *crew) published(t *testing.T, s *site) {
	t.Helper()
	c.stop()
	book := check.New()
	for _, m := range c.members {
		book.Device(fmt.Sprintf("dev-%d", m.config.Number), m.config.Number, 0)
	}
	for f := range c.sent {
		book.Sent(f)
	}
	for f := range c.acked {
		book.Acknowledged(f)
	}
	st, next := s.stream(t), uint64(1)
	complete := eventually(time.Minute, func() bool {
		next = events(t, st, next, func(msg jetstream.Msg) {
			if err := book.Event(msg.Data()); err != nil {
				t.Error(err)
			}
		})
		return book.Complete()
	})
	r := book.Result()
	if err := r.Err(); err != nil || !complete {
		t.Errorf("%d frames were acknowledged: %v", r.Acknowledged, err)
	}
}

// kept ends the gateway and checks that nothing that was acknowledged is lost, on the stream or in the store, and that it had not grown.
func (c *crew) kept(t *testing.T, s *site, gw *process) {
	t.Helper()
	c.published(t, s)
	s.bounded(t)
	gw.stopped(t)
	c.stored(t, s)
}

// stored checks the store of a gateway that was stopped: it is sound, and has every frame that was acknowledged.
func (c *crew) stored(t *testing.T, s *site) {
	t.Helper()
	s.sound(t)
	st, err := store.Open(store.Options{Dir: filepath.Join(s.stateDir, "store"), ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}()
	c.mu.Lock()
	defer c.mu.Unlock()
	missing := 0
	for f := range c.acked {
		if _, ok, err := st.Frame(store.FrameKey{Number: f.Number, Epoch: f.Epoch, Counter: f.Counter}); err != nil || !ok {
			missing++
			if missing == 1 {
				t.Errorf("frame %s was acknowledged and is not in the store: %v", f, err)
			}
		}
	}
	if missing > 0 {
		t.Errorf("%d of %d acknowledged frames are not in the store", missing, len(c.acked))
	}
}
