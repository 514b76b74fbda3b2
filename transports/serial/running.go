package serial

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrRunning is returned by a second Run.
var ErrRunning = errors.New("already running")

// A Running is where Send finds the session of the Run under way. Its zero value has none. Safe for concurrent use.
type Running[S any] struct {
	mu       sync.Mutex
	session  *S            // of the Run under way once its modem is set up, nil else; guarded by mu
	starting chan struct{} // of a Run whose modem is not set up yet, nil else; closed when that is over; guarded by mu
}

// Begin claims the driver for one Run, until End. It returns ErrRunning if another one has it.
func (r *Running[S]) Begin() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.starting != nil || r.session != nil {
		return ErrRunning
	}
	r.starting = make(chan struct{})
	return nil
}

// Open lets Send find a session, whose modem is set up now. A session that is open already may be opened again.
func (r *Running[S]) Open(session *S) { r.set(session) }

// End is the end of a Run that has begun.
func (r *Running[S]) End() { r.set(nil) }

func (r *Running[S]) set(session *S) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.session = session
	if r.starting != nil {
		close(r.starting)
		r.starting = nil
	}
}

// Current returns the session to send with; nil if there is none. For a modem that is being set up it waits a little: for patience, or until ctx is done.
func (r *Running[S]) Current(ctx context.Context, patience time.Duration) *S {
	session, starting := r.look()
	if session != nil || starting == nil {
		return session
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-starting:
	case <-timer.C:
	case <-ctx.Done():
	}
	session, _ = r.look()
	return session
}

// Up reports whether there is a session.
func (r *Running[S]) Up() bool {
	session, _ := r.look()
	return session != nil
}

func (r *Running[S]) look() (*S, chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.session, r.starting
}
