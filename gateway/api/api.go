package api

import (
	"context"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/godwit-gateway/godwit/gateway/config"
	"github.com/godwit-gateway/godwit/gateway/docs"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/publish"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// Limits of a request.
const (
	bodyMax   = 1 << 20
	importMax = 64 << 20 // bytes of an import file: some 600,000 devices
)

// Options are what the interface shows. All fields but Tariffs and Signers must be set.
type Options struct {
	Gateway string
	Version string
	Hub     *hub.Hub
	Tokens  *Tokens
	Ready   func() error
	Alive   func() error
	Lines   func() map[string]Line // by name of the link
	Outbox  func() publish.Stats
	Tail    func(ctx context.Context, o publish.TailOptions, fn func(publish.Message) error) error
	Metrics http.Handler

	Checkpoints Checkpoints
	Tariffs     *tariff.Book // nil: none can be tried
	Signers     []config.Signer

	Log *slog.Logger
	Now func() time.Time
}

// api is what the handlers share.
type api struct {
	Options
	started time.Time
	logins  *logins
}

// New returns the handler of everything that the gateway serves.
func New(o Options) http.Handler {
	a := &api{Options: o, started: o.Now(), logins: newLogins()}
	mux := http.NewServeMux()
	config := huma.DefaultConfig("Godwit", o.Version)
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "/api/v1/openapi", "", ""
	config.CreateHooks = nil // no links to schemas in each answer
	config.RejectUnknownQueryParameters = true
	config.Transformers = []huma.Transformer{nameProblem}
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer"}}
	config.Security = []map[string][]string{{"token": {}}}
	h := humago.New(mux, config)
	h.UseMiddleware(a.authorize(h))
	a.registerStatus(h)
	a.registerDevices(h)
	a.registerTraffic(h)
	a.registerMessages(h)
	a.registerCommands(h)
	a.registerOffers(h)
	a.registerSchedule(h)
	a.registerSpend(h)
	a.registerEvents(h)
	a.registerTokens(h)
	a.registerCheckpoints(h)
	a.registerReleases(h)
	a.registerRollouts(h)
	a.registerAudit(h)
	mux.HandleFunc("GET /healthz", a.probe(o.Alive))
	mux.HandleFunc("GET /readyz", a.probe(o.Ready))
	mux.Handle("GET /metrics", o.Metrics)
	mux.HandleFunc("GET /docs/", serveDocs)
	return problems404(mux)
}

// probe answers 200 "ok", or 503 with what is in the way.
func (a *api) probe(check func() error) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		if err := check(); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte(err.Error() + "\n")) // the prober sees the status
			return
		}
		_, _ = w.Write([]byte("ok\n")) // the prober sees the status
	}
}

// serveDocs serves the documents as they are: Markdown is for people to read.
func serveDocs(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/docs")
	name = strings.TrimPrefix(name, "/")
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if name == "" {
		_ = fs.WalkDir(docs.Files, ".", func(p string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				_, err = w.Write([]byte("/docs/" + p + "\n"))
			}
			return err
		})
		return
	}
	b, err := fs.ReadFile(docs.Files, name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	_, _ = w.Write(b) //nolint:gosec // a document of ours, as plain text
}

// operation describes one endpoint; its role guards it.
func operation(method, pattern, id, summary string, role Role) huma.Operation {
	return huma.Operation{
		Method: method, Path: "/api/v1" + pattern, OperationID: id, Summary: summary, MaxBodyBytes: bodyMax,
		Metadata: map[string]any{roleKey: role}, Errors: []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests},
	}
}
