package demo

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/godwit-gateway/godwit/simulator/check"
	"github.com/godwit-gateway/godwit/simulator/device"
)

// traffic counts what the devices of one link do.
type traffic struct {
	sent   atomic.Uint64 // transmissions, repeats included
	bytes  atomic.Uint64 // of payload
	billed atomic.Uint64 // bytes that the network would bill
}

// air is what the devices of one link share.
type air struct {
	link    string
	ledger  *check.Ledger
	flash   *flash
	traffic *traffic
	waiting *waiting
	quiet   chan struct{} // closed: nothing new is measured
	now     func() time.Time

	dismissed func(number uint32) bool // an operator wants nothing of the device any more: its frames are refused for good
}

// waiting is the frames that are not acknowledged, by the number of their device. Safe for concurrent use.
type waiting struct {
	mu     sync.Mutex
	frames map[uint32]int
}

func newWaiting() *waiting { return &waiting{frames: make(map[uint32]int)} }

func (w *waiting) set(number uint32, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.frames[number] = n; n == 0 {
		delete(w.frames, number)
	}
}

// total is how many there are but for those of some devices.
func (w *waiting) total(but func(number uint32) bool) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for number, frames := range w.frames {
		if !but(number) {
			n += frames
		}
	}
	return n
}

// mobile is one device on the air.
type mobile struct {
	member
	dev     *device.Device
	pending int
	quiet   bool
}

func (a *air) boot(m member) (*mobile, error) {
	dev, err := device.New(m.Config, a.flash.get(m.Number), a.now())
	if err != nil {
		return nil, err
	}
	return &mobile{member: m, dev: dev}, nil
}

// poll asks the device what to send, and writes its memory before anything of it leaves.
func (a *air) poll(m *mobile, now time.Time) ([]device.Transmission, time.Time, error) {
	if !m.quiet {
		select {
		case <-a.quiet:
			m.quiet = true
			m.dev.Quiet()
		default:
		}
	}
	out, wake, err := m.dev.Poll(now)
	if err != nil {
		return nil, time.Time{}, err
	}
	if err := a.remember(m); err != nil {
		return nil, time.Time{}, err
	}
	for _, tx := range out {
		if !tx.Join {
			a.ledger.Sent(m.frame(tx.Frame))
		}
		a.traffic.sent.Add(1)
		a.traffic.bytes.Add(uint64(len(tx.Payload)))
	}
	return out, wake, nil
}

// remember writes the device's memory and counts what it waits for.
func (a *air) remember(m *mobile) error {
	if n := m.dev.Pending(); n != m.pending {
		a.waiting.set(m.Number, n)
		m.pending = n
	}
	return a.flash.put(m.Number, m.dev.Memory())
}

func (m *mobile) frame(f device.Frame) check.Frame {
	return check.Frame{Number: m.Number, Epoch: f.Epoch, Counter: f.Counter}
}

// earlier returns the earlier of two times of which zero means never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
