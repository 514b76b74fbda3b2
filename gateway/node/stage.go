package node

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// stage is one part of the node that runs. Its context is cancelled only in its turn.
type stage struct {
	name  string
	grace time.Duration                   // how long it may take to stop
	run   func(ctx context.Context) error // blocks; ctx done means: finish what is in hand, return nil
}

// errStuck is wrapped by the error for a stage that did not stop within its grace.
var errStuck = errors.New("did not stop in time")

// run starts the stages in order. When ctx is done, or any stage ends, all are stopped in reverse order, each after the one that
// depends on it has ended. A stage that overruns its grace is named in the error and left behind: the process is about to end.
func run(ctx context.Context, stages ...stage) error {
	type end struct {
		index int
		err   error
	}
	ends := make(chan end, len(stages))
	cancels := make([]context.CancelFunc, len(stages))
	for i, s := range stages {
		stageCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		cancels[i] = cancel
		go func() { ends <- end{i, s.run(stageCtx)} }()
	}
	ended := make([]bool, len(stages))
	var errs []error
	note := func(e end) {
		ended[e.index] = true
		if e.err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", stages[e.index].name, e.err))
		}
	}
	select {
	case <-ctx.Done():
	case e := <-ends:
		note(e)
		if e.err == nil {
			errs = append(errs, fmt.Errorf("%s: ended by itself", stages[e.index].name))
		}
	}
	for i := len(stages) - 1; i >= 0; i-- {
		cancels[i]()
		deadline := time.NewTimer(stages[i].grace)
		for !ended[i] {
			select {
			case e := <-ends:
				note(e)
				continue
			case <-deadline.C:
				errs = append(errs, fmt.Errorf("%s: %w (%s)", stages[i].name, errStuck, stages[i].grace))
			}
			break
		}
		deadline.Stop()
	}
	return errors.Join(errs...)
}
