package publish

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

const (
	retryFirst = 100 * time.Millisecond
	retryMax   = 10 * time.Second
	idleEvery  = 200 * time.Millisecond // between looks at what is to be read back
	trimEvery  = time.Minute
)

// Run publishes until ctx is done, then what is still in the outbox for a moment, and returns nil. It returns an error only if another
// gateway with the same id is found.
func (p *Publisher) Run(ctx context.Context) error {
	defer p.watch(ctx)()
	wait := retryFirst
	p.trimmed = p.now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			p.drain(ctx)
			return nil
		case <-p.store.EventsChanged():
		case <-timer.C:
		}
		more, err := p.flow(ctx)
		switch {
		case errors.Is(err, ErrFenced):
			return err
		case err != nil:
			if ctx.Err() == nil {
				p.log.Warn("events do not flow", slog.String("error", err.Error()), slog.Duration("pause", wait))
			}
			// New events do not cut it short: the stream needs the pause.
			pause(ctx, wait)
			wait = min(2*wait, retryMax)
			timer.Reset(0)
		case more:
			wait = retryFirst
			timer.Reset(0)
		default:
			wait = retryFirst
			timer.Reset(idleEvery)
		}
		p.trim()
	}
}

// trim trims the outbox if that is due.
func (p *Publisher) trim() {
	if p.now().Sub(p.trimmed) < trimEvery {
		return
	}
	p.trimmed = p.now()
	if err := p.TrimOnce(); err != nil {
		p.log.Error("trim the outbox", slog.String("error", err.Error()))
	}
}

// watch suspects the stream whenever the way to it was lost or has come back. The function that it returns ends that.
func (p *Publisher) watch(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.stream.Watch(ctx, p.Suspect)
	}()
	return func() {
		cancel()
		<-done
	}
}

// flow publishes all that there is, and reads back about twice as much as it publishes, so that reading back keeps up whatever the load. It
// reports whether there is more to read back.
func (p *Publisher) flow(ctx context.Context) (more bool, err error) {
	for ctx.Err() == nil {
		n, err := p.PublishOnce(ctx)
		if err != nil {
			return false, err
		}
		for read := 0; ; {
			v, err := p.VerifyOnce(ctx)
			if err != nil {
				return false, err
			}
			more = v > 0
			if read += v; v == 0 || read >= 2*n {
				break
			}
		}
		if n == 0 {
			return more, nil
		}
		p.trim() // under steady load there always is something to publish
	}
	return false, nil
}

// drain publishes what is left when the gateway stops. What does not get out is published after the next start.
func (p *Publisher) drain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	for {
		n, err := p.PublishOnce(ctx)
		if err != nil {
			p.log.Warn("events stay in the outbox until the next start", slog.String("error", err.Error()))
			return
		}
		if n == 0 {
			break
		}
	}
	if err := p.save(true); err != nil {
		p.log.Warn("write the publisher's bookkeeping", slog.String("error", err.Error()))
	}
}
