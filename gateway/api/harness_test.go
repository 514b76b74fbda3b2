package api_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/godwit-gateway/godwit/codec/manifest"
	"github.com/godwit-gateway/godwit/gateway/api"
	"github.com/godwit-gateway/godwit/gateway/config"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/publish"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/transports"
)

// clock stands until it is moved.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// line is a transport whose answers wait for a frame of the device.
type line struct{ transports.Transport }

func (line) Name() string { return "udp0" }

func (line) Bearer() transports.Bearer { return transports.UDP }

func (line) Limits() transports.Limits { return transports.Limits{UplinkMax: 1280, DownlinkMax: 1232} }

// copies are checkpoints of the store in memory.
type copies struct {
	store *store.Store
	fs    vfs.FS
}

func (c *copies) Make() (string, error) { return "copy", c.store.Checkpoint("copy") }

func (c *copies) Release() error { return c.fs.RemoveAll("copy") }

// bench is the whole interface on a hub in memory.
type bench struct {
	clock  clock
	dir    string
	hub    *hub.Hub
	tokens *api.Tokens
	signer manifest.SigningKey
	ready  error
	alive  error
	tail   func(ctx context.Context, o publish.TailOptions, fn func(publish.Message) error) error
	server *httptest.Server
	token  map[api.Role]string
}

var secret = [32]byte{42}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{dir: t.TempDir(), token: make(map[api.Role]string)}
	b.clock.t = time.Now().Truncate(time.Second)
	b.tail = func(context.Context, publish.TailOptions, func(publish.Message) error) error { return nil }
	fs := vfs.NewMem()
	s, err := store.Open(store.Options{Dir: "db", FS: fs, Log: slog.New(slog.DiscardHandler), Now: b.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	kek, err := store.NewKEK(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	product, err := config.BuiltIn("buoy-demo")
	if err != nil {
		t.Fatal(err)
	}
	b.hub, err = hub.New(hub.Options{
		Gateway: "gw1", Store: s, KEK: kek, Clock: &b.clock, Log: slog.New(slog.DiscardHandler), Inline: true,
		Links: []hub.Link{{Name: "udp0", Bearer: transports.UDP, Ack: hub.AckAlways, Transport: line{}}},
		FleetKeys: []fleet.FleetKey{{
			ID: "a", Key: secret, First: 1, Last: 1000, Product: "buoy-demo", Customer: "acme", Name: "dev-{number}", CTRBits: 16, TagLen: 8,
			Register: fleet.RegisterPending, Template: fleet.TemplateHash(product.Template.Hash()),
		}},
		Products: []hub.Product{product}, Retention: hub.Retention{Frames: time.Hour, Quarantine: time.Hour},
	})
	if err != nil {
		t.Fatal(err)
	}
	b.tokens, err = api.OpenTokens(filepath.Join(b.dir, "tokens.json"), filepath.Join(b.dir, "api.token"), b.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []api.Role{api.Viewer, api.Operator, api.Approver, api.Admin} {
		if b.token[r], err = b.tokens.Create("of-"+r.String(), r, 0, b.clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if b.signer, err = manifest.GenerateKey(rand.Reader, manifest.EdDSA); err != nil {
		t.Fatal(err)
	}
	b.server = httptest.NewServer(api.New(api.Options{
		Gateway: "gw1", Version: "test", Hub: b.hub, Tokens: b.tokens, Ready: func() error { return b.ready }, Alive: func() error { return b.alive },
		Lines:  func() map[string]api.Line { return map[string]api.Line{"udp0": {Up: true, Restarts: 3}} },
		Outbox: func() publish.Stats { return publish.Stats{Confirmed: 7} },
		Tail: func(ctx context.Context, o publish.TailOptions, fn func(publish.Message) error) error {
			return b.tail(ctx, o, fn)
		},
		Metrics:     http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "godwit_up 1\n") }),
		Checkpoints: &copies{store: s, fs: fs},
		Signers:     []config.Signer{{ID: "releases", Key: b.signer.Public()}},
		Log:         slog.New(slog.DiscardHandler), Now: b.clock.Now,
	}))
	t.Cleanup(b.server.Close)
	return b
}

// answer is what came back.
type answer struct {
	status int
	head   http.Header
	body   string
}

// problem is the answer as problem details, which it must be.
func (a *answer) problem(t *testing.T) (p struct {
	Type, Title, Detail string
	Status              int
},
) {
	t.Helper()
	if kind := a.head.Get("Content-Type"); kind != "application/problem+json" {
		t.Errorf("content type %q, want problem details; body: %s", kind, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		t.Errorf("%v in %s", err, a.body)
	}
	if p.Status != a.status || p.Title == "" || !strings.HasPrefix(p.Type, api.ProblemPrefix) {
		t.Errorf("status %d: problem %s", a.status, a.body)
	}
	return p
}

func (b *bench) ask(t *testing.T, method, path, token, contentType, body string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, b.server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(text)}
}
