package api_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/godwit-gateway/godwit/gateway/api"
	"github.com/godwit-gateway/godwit/gateway/publish"
)

// Events come as they are; a stream that breaks says why.
func TestEvents(t *testing.T) {
	b := newBench(t)
	var asked publish.TailOptions
	b.tail = func(_ context.Context, o publish.TailOptions, fn func(publish.Message) error) error {
		asked = o
		for i, payload := range []string{`{"a":1}`, "{\n\"b\":2}"} {
			if err := fn(publish.Message{Sequence: uint64(5 + i), Subject: "godwit.v1.gw1.event.x", Payload: []byte(payload)}); err != nil {
				return err
			}
		}
		return errors.New("the stream is gone")
	}
	var got []string
	client := api.NewClient(b.server.URL, b.token[api.Viewer])
	err := client.Events(t.Context(), url.Values{"from": {"5"}, "subject": {"godwit.v1.gw1.>"}}, func(e api.StreamEvent) error {
		got = append(got, e.Subject+" "+string(e.Payload))
		return nil
	})
	if !errors.Is(err, api.ErrProblem) || !strings.Contains(err.Error(), "the stream is gone") {
		t.Errorf("end of the stream: %v, want why", err)
	}
	want := "godwit.v1.gw1.event.x {\"a\":1}|godwit.v1.gw1.event.x {\n\"b\":2}"
	if strings.Join(got, "|") != want {
		t.Errorf("events %q, want %q", got, want)
	}
	if asked.From != 5 || len(asked.Subjects) != 1 || asked.Subjects[0] != "godwit.v1.gw1.>" {
		t.Errorf("asked for %+v", asked)
	}
}

func TestCheckSubject(t *testing.T) {
	for s, ok := range map[string]bool{
		"godwit.v1.gw1.>": true, "a": true, "*": true, ">": true, "a.*.b": true, "": false, "a.": false, ".a": false, "a b": false, "a\tb": false,
		"a.>.b": false, "a.b>": false, "a.b*": false, "a.\u00a0": false,
	} {
		if err := api.CheckSubject(s); (err == nil) != ok {
			t.Errorf("%q: %v, want good: %v", s, err, ok)
		}
	}
}
