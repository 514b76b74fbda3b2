package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/godwit-gateway/godwit/gateway/api"
)

type statusCmd struct{}

// Help shows an example.
func (statusCmd) Help() string {
	return `Ends with exit code 1 if the gateway is not ready.

Example:
  godwit status
  godwit status -o json | jq .outbox.pending`
}

var errNotReady = errors.New("the gateway is not ready")

// Run shows the status.
func (statusCmd) Run(e *env) error {
	c, err := e.client()
	if err != nil {
		return err
	}
	var s api.Status
	if err := c.Get(e.ctx, "/status", nil, &s); err != nil {
		return err
	}
	err = e.print(s, "", func(row func(...any)) {
		row("gateway", s.Gateway)
		row("version", s.Version)
		row("started", s.Started)
		row("ready", s.Ready)
		for _, p := range s.Problems {
			row("problem", p)
		}
		states := make([]string, 0, len(s.Devices))
		for state := range s.Devices {
			states = append(states, state)
		}
		slices.Sort(states)
		for _, state := range states {
			row("devices "+state, s.Devices[state])
		}
		row("events published", s.Outbox.Confirmed)
		row("events waiting", s.Outbox.Pending)
		for i := range s.Links {
			l := &s.Links[i]
			row("link "+l.Name, strings.Join([]string{upOrDown(l.Up) + ",", "received", cell(l.Received), "stored", cell(l.Stored), "duplicate", cell(l.Duplicate)}, " "))
		}
	})
	if err == nil && !s.Ready {
		return errNotReady
	}
	return err
}

func upOrDown(up bool) string {
	if up {
		return "up"
	}
	return "down"
}
