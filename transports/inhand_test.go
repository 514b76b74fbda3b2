package transports_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-gateway/godwit/transports"
)

// What is in hand goes on after its caller's end, until it is done or the grace period is over.
func TestInHand(t *testing.T) {
	const grace = 5 * time.Second
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(t.Context())
		inHand, done := transports.InHand(ctx, grace)
		defer done()
		end()
		ended := time.Now()
		synctest.Wait()
		if err := inHand.Err(); err != nil {
			t.Fatalf("it ends with its caller: %v", err)
		}
		<-inHand.Done()
		if got := time.Since(ended); got != grace {
			t.Errorf("it ends %s after its caller, want %s", got, grace)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		inHand, done := transports.InHand(t.Context(), grace)
		if done(); inHand.Err() == nil {
			t.Error("it goes on when all is done")
		}
	})
}
