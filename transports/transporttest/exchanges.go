package transporttest

import (
	"context"
	"strconv"
	"sync"
	"testing"

	"github.com/godwit-gateway/godwit/transports"
)

// Exchanges are the part of a harness whose network brings each unit to the driver's socket in an exchange of its own, which ends with yes or no, and
// takes downlinks for modems at any time.
type Exchanges struct {
	Socket

	name func(device int) string
	down chan []byte
	open sync.WaitGroup

	mu    Monitor
	units []Exchange // by id; guarded by mu
	taken []bool     // by id: the last exchange of a unit ended with yes; guarded by mu
}

// An Exchange brings a unit once and reports whether the driver took it.
type Exchange func(tb testing.TB) (taken bool)

// NewExchanges returns the part of a harness for a driver and what its devices are called. The test's end waits for exchanges that are under way.
func NewExchanges(tb testing.TB, driver SocketDriver, name func(device int) string) *Exchanges {
	tb.Helper()
	e := &Exchanges{Socket: NewSocket(driver), name: name, down: make(chan []byte, 64)}
	tb.Cleanup(e.open.Wait)
	return e
}

// Address implements Harness.
func (e *Exchanges) Address(device int) transports.Address {
	return transports.Address{Bearer: e.driver.Bearer(), ID: e.name(device)}
}

// Bring begins the exchange of the n-th unit, which unit makes, and returns the unit's id.
func (e *Exchanges) Bring(tb testing.TB, unit func(n int) Exchange) (id string) {
	tb.Helper()
	e.mu.Lock()
	n := len(e.units)
	e.units = append(e.units, unit(n))
	e.taken = append(e.taken, false)
	e.mu.Unlock()
	e.begin(tb, n)
	return strconv.Itoa(n)
}

// begin begins an exchange in a goroutine of its own.
func (e *Exchanges) begin(tb testing.TB, n int) {
	tb.Helper()
	e.Open(tb)
	e.mu.Lock()
	exchange := e.units[n]
	e.mu.Unlock()
	e.open.Go(func() {
		taken := exchange(tb)
		e.mu.Change(func() { e.taken[n] = taken })
	})
}

// number is what an id stands for.
func number(id string) int {
	n, err := strconv.Atoi(id)
	if err != nil {
		panic(err)
	}
	return n
}

// Confirmed implements Harness.
func (e *Exchanges) Confirmed(ctx context.Context, id string) bool {
	return e.mu.Await(ctx, func() bool { return e.taken[number(id)] })
}

// Redeliver implements Harness.
func (e *Exchanges) Redeliver(tb testing.TB, id string) {
	tb.Helper()
	e.begin(tb, number(id))
}

// Target implements Sender.
func (e *Exchanges) Target() transports.Address { return e.Address(1) }

// Reached says that a downlink has reached the target.
func (e *Exchanges) Reached(payload []byte) { e.down <- payload }

// Sent implements Sender.
func (e *Exchanges) Sent(ctx context.Context) ([]byte, bool) {
	select {
	case b := <-e.down:
		return b, true
	case <-ctx.Done():
		return nil, false
	}
}
