package transports

import (
	"context"
	"errors"
	"time"
)

var (
	errWindow = errors.New("satellites have no windows")
	errEmpty  = errors.New("no payload")
)

// Admit is the error of a Send that is to end before the network is asked, nil if there is none, for a satellite network, which stores messages until
// devices come for them. most is the largest payload in bytes. What else there is to ask, such as for the address, the driver asks itself.
func Admit(ctx context.Context, d *Downlink, most int, now time.Time) error {
	switch {
	case ctx.Err() != nil:
		return &SendError{Outcome: NotSent, Err: ctx.Err()}
	case d.Window.ID != 0:
		return Refuse(errWindow)
	case len(d.Payload) > most:
		return Refuse(ErrTooLarge)
	case len(d.Payload) == 0:
		return Refuse(errEmpty)
	case !d.Expires.IsZero() && !now.Before(d.Expires):
		return Refuse(ErrExpired)
	}
	return nil
}

// Refuse is the error of a Send whose payload the network will never take.
func Refuse(err error) error { return &SendError{Outcome: Refused, Err: err} }
