package api

import (
	"encoding/json"
	"net/http"
	"strings"
)

// problems404 answers with problem details under /api/ also where no operation is: the mux by itself says 404 and 405 in plain text.
func problems404(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler, pattern := mux.Handler(r)
		if pattern != "" || !strings.HasPrefix(r.URL.Path, "/api/") {
			mux.ServeHTTP(w, r)
			return
		}
		answer := headOnly{header: make(http.Header), status: http.StatusOK}
		handler.ServeHTTP(&answer, r)
		p := problem(answer.status, "not-found", "there is nothing at "+r.URL.Path)
		if answer.status == http.StatusMethodNotAllowed {
			allow := answer.header.Get("Allow")
			w.Header().Set("Allow", allow)
			p = problem(answer.status, "method-not-allowed", r.URL.Path+" does not take "+r.Method+", but "+allow)
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(answer.status)
		_ = json.NewEncoder(w).Encode(p) // the caller has gone
	})
}

// headOnly takes the head of an answer, and no body.
type headOnly struct {
	header http.Header
	status int
}

// Header implements http.ResponseWriter.
func (h *headOnly) Header() http.Header { return h.header }

// WriteHeader implements http.ResponseWriter.
func (h *headOnly) WriteHeader(status int) { h.status = status }

// Write implements http.ResponseWriter.
func (h *headOnly) Write(b []byte) (int, error) { return len(b), nil }
