package main

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/godwit-gateway/godwit/gateway/api"
)

type quarantineCmd struct {
	List quarantineListCmd `cmd:"" help:"List what was not understood, the newest first."`
}

type quarantineListCmd struct {
	Link  string `help:"Only of this link; then also what open links keep in memory only."`
	Limit int    `help:"At most so many." default:"50"`
}

// Help shows an example.
func (quarantineListCmd) Help() string {
	return `Payloads that did not become frames. On open links, where anybody can send anything for nothing,
they are counted, and only the last 256 of each are kept, in memory: name the link to see them.

Example:
  godwit quarantine list
  godwit quarantine list --link udp0 -o json`
}

// Run lists.
func (c *quarantineListCmd) Run(e *env) error {
	if c.Limit < 1 {
		return fmt.Errorf("%w: --limit %d: want 1 or more", errUsage, c.Limit)
	}
	client, err := e.client()
	if err != nil {
		return err
	}
	q := url.Values{}
	if c.Link != "" {
		q.Set("link", c.Link)
	}
	all := []api.Quarantined{}
	for len(all) < c.Limit {
		q.Set("limit", strconv.Itoa(min(c.Limit-len(all), 1000)))
		var p api.Page[api.Quarantined]
		if err := client.Get(e.ctx, "/quarantine", q, &p); err != nil {
			return err
		}
		all = append(all, p.Items...)
		if p.Next == "" {
			break
		}
		q.Set("cursor", p.Next)
	}
	return e.print(all, "SEQ RECEIVED LINK FROM DEVICE REASON PAYLOAD", func(row func(...any)) {
		for i := range all {
			x := &all[i]
			row(x.Seq, x.ReceivedAt, x.Link, x.From, x.Number, x.Reason, x.Payload)
		}
	})
}

type linkCmd struct {
	List linkListCmd `cmd:"" help:"List links with their counters since the gateway's start."`
}

type linkListCmd struct{}

// Help shows an example.
func (linkListCmd) Help() string {
	return `Example:
  godwit link list`
}

// Run lists.
func (linkListCmd) Run(e *env) error {
	client, err := e.client()
	if err != nil {
		return err
	}
	var p api.Page[api.Link]
	if err := client.Get(e.ctx, "/links", nil, &p); err != nil {
		return err
	}
	return e.print(p.Items, "LINK BEARER LINE RECEIVED BYTES STORED DUPLICATE QUARANTINED EVENTS REPLIES REJECTED", func(row func(...any)) {
		for i := range p.Items {
			l := &p.Items[i]
			row(l.Name, l.Bearer, upOrDown(l.Up), l.Received, l.Bytes, l.Stored, l.Duplicate, l.Quarantined, l.Events, l.Replies, reasons(l.Rejected))
		}
	})
}

func reasons(m map[string]uint64) string {
	var parts []string
	for _, reason := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%s:%d", reason, m[reason]))
	}
	return strings.Join(parts, " ")
}
