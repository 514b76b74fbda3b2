package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/godwit-gateway/godwit/gateway/hub"
)

// Status is how the gateway is.
type Status struct {
	Gateway  string         `json:"gateway"`
	Version  string         `json:"version"`
	Started  time.Time      `json:"started"`
	Ready    bool           `json:"ready"`
	Problems []string       `json:"problems" doc:"what keeps the gateway from being ready"`
	Devices  map[string]int `json:"devices" doc:"number of devices by state"`
	Outbox   Outbox         `json:"outbox"`
	Links    []Link         `json:"links"`
}

// Outbox is how the events get out.
type Outbox struct {
	Pending   uint64 `json:"pending" doc:"durable events that are not on the stream yet"`
	Confirmed uint64 `json:"confirmed" doc:"number of the last event on the stream"`
	Lost      uint64 `json:"lost" doc:"confirmed events that the stream lost, published again"`
	Replayed  uint64 `json:"replayed"`
	Adopted   uint64 `json:"adopted" doc:"events that the store had lost"`
}

// A Line is how the line of a link is.
type Line struct {
	Up       bool   `json:"up" doc:"payloads can come and go"`
	Restarts uint64 `json:"restarts" doc:"times that the line was lost since the start"`
}

// A Link is a link with what came over it since the start.
type Link struct {
	hub.LinkStats
	Line
}

func (a *api) links() []Link {
	lines := a.Lines()
	var out []Link
	for _, s := range a.Hub.Links() {
		out = append(out, Link{s, lines[s.Name]})
	}
	return out
}

type statusOutput struct{ Body Status }

func (a *api) registerStatus(h huma.API) {
	huma.Register(h, operation(http.MethodGet, "/status", "status", "How the gateway is", Viewer),
		func(context.Context, *struct{}) (*statusOutput, error) { return &statusOutput{a.status()}, nil })
}

func (a *api) status() Status {
	out := Status{
		Gateway: a.Gateway, Version: a.Version, Started: a.started.UTC(), Ready: true, Problems: []string{},
		Devices: make(map[string]int), Links: a.links(),
	}
	if err := a.Ready(); err != nil {
		out.Ready, out.Problems = false, strings.Split(err.Error(), "\n")
	}
	for state, n := range a.Hub.Counts() {
		out.Devices[state.String()] = n
	}
	s := a.Outbox()
	out.Outbox = Outbox{Pending: s.Pending, Confirmed: s.Confirmed, Lost: s.Lost, Replayed: s.Replayed, Adopted: s.Adopted}
	return out
}
