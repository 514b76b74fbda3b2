package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/godwit-gateway/godwit/gateway/api"
	"github.com/godwit-gateway/godwit/gateway/config"
)

type eventCmd struct {
	Tail eventTailCmd `cmd:"" help:"Print events as they are published."`
}

type eventTailCmd struct {
	From    uint64 `help:"Begin with this sequence of the stream; 1 for all that is there." xor:"begin"`
	Since   string `help:"Begin with what was published from then on: a duration back, as 2h or 1d, or a time as 2026-01-31T12:00:00Z." xor:"begin"`
	Subject string `help:"Only events of this subject; * stands for a token, > for the rest." placeholder:"SUBJECT"`
	Max     int    `help:"End after so many."`
}

// Help shows examples.
func (eventTailCmd) Help() string {
	return `With -o json each line is the event as it stands on the stream, a CloudEvent.

Example:
  godwit event tail
  godwit event tail --since 1h --subject 'godwit.v1.gw1.event.acme.>' -o json
  godwit event tail --from 1 --max 10`
}

var errEnough = errors.New("enough")

// Run follows the stream until it is interrupted.
func (c *eventTailCmd) Run(e *env) error {
	q := url.Values{}
	if c.From > 0 {
		q.Set("from", strconv.FormatUint(c.From, 10))
	}
	if c.Since != "" {
		t, err := parseSince(c.Since, time.Now())
		if err != nil {
			return err
		}
		q.Set("since", t.UTC().Format(time.RFC3339))
	}
	if c.Max < 0 {
		return fmt.Errorf("%w: --max %d: want 0 or more", errUsage, c.Max)
	}
	if c.Subject != "" {
		if err := api.CheckSubject(c.Subject); err != nil {
			return fmt.Errorf("%w: --subject: %w", errUsage, err)
		}
		q.Set("subject", c.Subject)
	}
	client, err := e.client()
	if err != nil {
		return err
	}
	n := 0
	err = client.Events(e.ctx, q, func(ev api.StreamEvent) error {
		if err := c.show(e, ev); err != nil {
			return err
		}
		if n++; n == c.Max {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

func (c *eventTailCmd) show(e *env, ev api.StreamEvent) error {
	if e.cli.Output == "json" {
		_, err := fmt.Fprintf(e.stdout, "%s\n", ev.Payload)
		return written(err)
	}
	var x struct {
		ID, Type, Subject string
		Time              time.Time
		Data              json.RawMessage
	}
	if err := json.Unmarshal(ev.Payload, &x); err != nil {
		return fmt.Errorf("event %d: %w", ev.Sequence, err)
	}
	_, err := fmt.Fprintf(e.stdout, "%d  %s  %s  %s  %s\n", ev.Sequence, cell(x.Time), x.Type, cell(x.ID), cell(string(x.Data)))
	return written(err)
}

// parseSince reads a duration back from now, or a time.
func parseSince(s string, now time.Time) (time.Time, error) {
	if d, err := config.ParseDuration(s); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, fmt.Errorf("%w: since %q: want a duration as 2h or 1d, or a time as 2026-01-31T12:00:00Z", errUsage, s)
	}
	return t, nil
}
