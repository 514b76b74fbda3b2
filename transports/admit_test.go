package transports_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/transports"
)

func TestAdmit(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	good := transports.Downlink{Payload: make([]byte, 10), Expires: now.Add(1)}
	if err := transports.Admit(t.Context(), &good, 10, now); err != nil {
		t.Error(err)
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx     context.Context
		change  func(*transports.Downlink)
		outcome transports.Outcome
		is      error // nil: any
	}{
		"nobody waits":       {done, func(*transports.Downlink) {}, transports.NotSent, context.Canceled},
		"a window":           {t.Context(), func(d *transports.Downlink) { d.Window.ID = 1 }, transports.Refused, nil},
		"a byte too many":    {t.Context(), func(d *transports.Downlink) { d.Payload = make([]byte, 11) }, transports.Refused, transports.ErrTooLarge},
		"no payload":         {t.Context(), func(d *transports.Downlink) { d.Payload = nil }, transports.Refused, nil},
		"its time is up now": {t.Context(), func(d *transports.Downlink) { d.Expires = now }, transports.Refused, transports.ErrExpired},
	} {
		d := good
		c.change(&d)
		err := transports.Admit(c.ctx, &d, 10, now)
		var failed *transports.SendError
		if !errors.As(err, &failed) || failed.Outcome != c.outcome || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: %v, want %s: %v", name, err, c.outcome, c.is)
		}
	}
}
