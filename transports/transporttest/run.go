package transporttest

import (
	"context"
	"sync"
	"testing"

	"github.com/godwit-gateway/godwit/transports"
)

// Until waits for what can only be asked for, and ends the test if it does not come to pass.
func Until(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 2*patience)
	defer cancel()
	if !Poll(ctx, ok) {
		tb.Fatalf("waited for %s", what)
	}
}

// Start runs a driver until stop is called, at the latest until the test ends. An error of Run fails the test.
func Start(tb testing.TB, driver transports.Transport, sink transports.Sink) (stop func()) {
	tb.Helper()
	return Background(tb, func(ctx context.Context) error { return driver.Run(ctx, sink) })
}

// Background runs something, such as a simulated network, until stop is called, at the latest until the test ends. An error of it fails the test.
func Background(tb testing.TB, run func(context.Context) error) (stop func()) {
	tb.Helper()
	ctx, cancel := context.WithCancel(tb.Context())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			tb.Error(err)
		}
	})
	tb.Cleanup(stop)
	return stop
}
