package transports

import (
	"bytes"
	"context"
	"errors"
	"time"
)

var (
	errWindow = errors.New("satellites have no windows")
	errEmpty  = errors.New("no payload")
	errIMEI   = errors.New("want an IMEI of 15 digits")
	errPrefix = errors.New(`a payload that begins with "RB" the web service of a RockBLOCK takes for an order to itself`)
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

// AdmitSBD is Admit for Iridium, where messages go to an IMEI.
func AdmitSBD(ctx context.Context, d *Downlink, most int, now time.Time) error {
	if err := Admit(ctx, d, most, now); err != nil {
		return err
	}
	if d.To.Bearer != SBD || !ValidIMEI(d.To.ID) {
		return Refuse(errIMEI)
	}
	return nil
}

// AdmitRockBLOCK is AdmitSBD for modems behind Ground Control's web services, which take some payloads for orders to themselves.
func AdmitRockBLOCK(ctx context.Context, d *Downlink, most int, now time.Time) error {
	if err := AdmitSBD(ctx, d, most, now); err != nil {
		return err
	}
	if bytes.HasPrefix(d.Payload, []byte("RB")) {
		return Refuse(errPrefix)
	}
	return nil
}

// Refuse is the error of a Send whose payload the network will never take.
func Refuse(err error) error { return &SendError{Outcome: Refused, Err: err} }
