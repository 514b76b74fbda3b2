package idp

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/godwit-gateway/godwit/transports"
)

// A gateway, or one that gives tokens, that is not reached has said nothing about the message. One that answers has.
func TestUnasked(t *testing.T) {
	tr, err := New("orb", Config{Dialect: V1, URL: "http://127.0.0.1:1", Account: "a", Password: "p", File: filepath.Join(t.TempDir(), "m")}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		err     error
		unasked bool
	}{
		"no connection": {&callError{what: whatSubmit, failure: unreachable, err: errors.New("connection refused")}, true},
		"no token":      {tokenError(&callError{what: whatToken, failure: unreachable, connected: true, status: 503, err: errors.New("status 503")}), true},
		"stopped":       {&callError{what: whatToken, err: context.Canceled}, true},
		"queue is full": {&callError{what: whatSubmit, failure: permanent, code: 21795, connected: true, answered: true, err: saidError(21795)}, false},
		"account":       {&callError{what: whatSubmit, failure: refusedAuth, status: 403, connected: true, answered: true, err: errors.New("status 403")}, false},
		"too fast":      {&callError{what: whatSubmit, failure: tooFast, code: 16, connected: true, answered: true, err: saidError(16)}, true},
		"no answer":     {&callError{what: whatSubmit, failure: unreachable, connected: true, err: errors.New("time is over")}, false},
	} {
		if err := tr.sendError(c.err); transports.Unasked(err) != c.unasked {
			t.Errorf("%s: %v, not asked: %t", name, err, !c.unasked)
		}
	}
}
