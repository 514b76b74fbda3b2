package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/godwit-gateway/godwit/gateway/publish"
)

// Times of a stream of events.
const (
	eventWrite = 10 * time.Second // a reader that does not take one for so long is let go
	eventBeat  = 15 * time.Second // a comment while there is no event, so that proxies keep the connection
)

type eventsInput struct {
	From    uint64    `query:"from" doc:"sequence on the stream to begin with; 0: from now on"`
	Since   time.Time `query:"since" doc:"begin with what was published from then on"`
	Subject string    `query:"subject" doc:"of the events, with the wildcards of NATS" maxLength:"256"`
	LastID  string    `header:"Last-Event-ID" doc:"sequence of the last event that was seen; overrides from"`
}

func (a *api) registerEvents(h huma.API) {
	op := operation(http.MethodGet, "/events", "tail-events", "The events as they are published (server-sent events: id is the sequence, event the subject)", Viewer)
	op.Responses = map[string]*huma.Response{"200": {Description: "events", Content: map[string]*huma.MediaType{"text/event-stream": {}}}}
	huma.Register(h, op, func(_ context.Context, in *eventsInput) (*huma.StreamResponse, error) {
		o := publish.TailOptions{From: in.From, Since: in.Since}
		if in.Subject != "" {
			if err := CheckSubject(in.Subject); err != nil {
				return nil, problem(http.StatusUnprocessableEntity, "bad-subject", err.Error())
			}
			o.Subjects = []string{in.Subject}
		}
		if in.LastID != "" {
			last, err := strconv.ParseUint(in.LastID, 10, 64)
			if err != nil {
				return nil, problem(http.StatusBadRequest, "bad-query", "Last-Event-ID is not a sequence")
			}
			o.From = last + 1
		}
		return &huma.StreamResponse{Body: func(c huma.Context) { a.streamEvents(c, o) }}, nil
	})
}

// streamEvents writes events until the reader goes. One goroutine reads the stream; this one writes, and beats while nothing comes.
func (a *api) streamEvents(c huma.Context, o publish.TailOptions) {
	_, raw := humago.Unwrap(c)
	w := http.NewResponseController(raw)
	c.SetHeader("Content-Type", "text/event-stream")
	c.SetHeader("Cache-Control", "no-store")
	c.SetStatus(http.StatusOK)
	ctx, cancel := context.WithCancel(c.Context())
	ch := make(chan publish.Message)
	done := make(chan error, 1)
	go func() {
		done <- a.Tail(ctx, o, func(m publish.Message) error {
			select {
			case ch <- m:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	defer func() {
		cancel()
		<-done //nolint:errcheck // it was told, or the reader has gone
	}()
	beat := time.NewTicker(eventBeat)
	defer beat.Stop()
	write := func(format string, args ...any) bool {
		if w.SetWriteDeadline(a.Now().Add(eventWrite)) != nil {
			return false
		}
		_, err := fmt.Fprintf(raw, format, args...)
		return err == nil && w.Flush() == nil
	}
	ok := write(": events of gateway %s\n\n", a.Gateway)
	for ok {
		select {
		case m := <-ch:
			ok = write("id: %d\nevent: %s\ndata: %s\n\n", m.Sequence, m.Subject, bytes.ReplaceAll(m.Payload, []byte{'\n'}, []byte("\ndata: ")))
		case <-beat.C:
			ok = write(": \n\n")
		case err := <-done:
			done <- nil
			if err != nil && ctx.Err() == nil {
				a.tellBroken(err, write)
			}
			return
		case <-ctx.Done():
			return
		}
	}
}

// problemEvent is the name of the last event of a stream that ended for a reason.
const problemEvent = "problem"

// tellBroken says why a stream of events ends: the status of the answer has long been sent.
func (a *api) tellBroken(err error, write func(format string, args ...any) bool) {
	a.Log.Warn("stream of events ended", slog.String("error", err.Error()))
	b, err := json.Marshal(problem(http.StatusServiceUnavailable, "events-unavailable", err.Error()))
	if err != nil {
		panic("api: a problem is no JSON: " + err.Error())
	}
	write("event: %s\ndata: %s\n\n", problemEvent, b)
}

// CheckSubject reports why a text is no subject to subscribe to: tokens between dots, of which one may be *, and the last may be >.
func CheckSubject(s string) error {
	tokens := strings.Split(s, ".")
	for i, token := range tokens {
		switch {
		case token == "":
			return fmt.Errorf("subject %q has an empty token", s)
		case strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r == 0x7f || unicode.IsSpace(r) }):
			return fmt.Errorf("subject %q holds a space or a control character", s)
		case token == ">" && i < len(tokens)-1:
			return fmt.Errorf("subject %q: > stands at the end only", s)
		case len(token) > 1 && strings.ContainsAny(token, "*>"):
			return fmt.Errorf("subject %q: * and > stand for whole tokens only", s)
		}
	}
	return nil
}
