package transports

import (
	"context"
	"errors"
	"fmt"
)

// ErrDown is wrapped by the error of a Send while the transport's line is not up. Nothing has left.
var ErrDown = errors.New("transport is down")

// ErrExpired is wrapped by the error of a Send whose downlink or reply window had run out. Nothing has left.
var ErrExpired = errors.New("expired")

// ErrTooLarge is wrapped by the error of a Send whose payload exceeds Limits.DownlinkMax. Nothing has left.
var ErrTooLarge = errors.New("payload too large")

// An Outcome says what is known of a downlink whose Send returned an error. The zero value is the one that must not be retried blindly.
type Outcome uint8

// Outcomes of a failed Send.
const (
	MaybeSent Outcome = iota // the network may have it
	NotSent                  // the network does not have it; a later try may succeed
	Refused                  // the network does not have it, and will never take it
)

// String names the outcome as logs do.
func (o Outcome) String() string {
	switch o {
	case MaybeSent:
		return "maybe sent"
	case NotSent:
		return "not sent"
	case Refused:
		return "refused"
	default:
		return "invalid"
	}
}

// A SendError is a failed Send with what is known of the payload.
type SendError struct {
	Outcome Outcome
	Code    int  // the network's own error number, such as that of +CMS ERROR (3GPP TS 27.005 §3.2.5); 0 if none
	Slow    bool // with NotSent: it will not go better within minutes, as when the recipient is out of reach
	Unasked bool // with NotSent: the network was not even reached, so it has said nothing about the payload
	Err     error
}

// Error implements error.
func (e *SendError) Error() string {
	if e.Code != 0 {
		return fmt.Sprintf("%s (code %d): %v", e.Outcome, e.Code, e.Err)
	}
	return fmt.Sprintf("%s: %v", e.Outcome, e.Err)
}

// Unwrap returns the cause.
func (e *SendError) Unwrap() error { return e.Err }

// Unreached is the error of a Send that ended before the network was asked. Nothing has left.
func Unreached(err error) error {
	return &SendError{Outcome: NotSent, Unasked: true, Err: err}
}

// Unasked reports whether a Send failed before the network was asked: its line was down, it could not be reached, or there was no time left. Such a
// try says nothing about the payload.
func Unasked(err error) bool {
	var se *SendError
	return errors.As(err, &se) && se.Outcome == NotSent && (se.Unasked || errors.Is(err, ErrDown) || errors.Is(err, context.Canceled))
}
