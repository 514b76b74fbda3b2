package transports

import (
	"context"
	"time"
)

// InHand returns a context for what is under way when ctx is done: it may go on, by grace at most. It is to be cancelled when all of it has ended.
func InHand(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	inHand, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	late := time.AfterFunc(grace, giveUp)
	late.Stop()
	stop := context.AfterFunc(ctx, func() { late.Reset(grace) })
	return inHand, func() {
		stop()
		late.Stop()
		giveUp()
	}
}
