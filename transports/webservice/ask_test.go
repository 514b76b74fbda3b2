package webservice_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/godwit-gateway/godwit/transports/webservice"
)

func TestAsk(t *testing.T) {
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		switch r.URL.Path {
		case "/elsewhere":
			w.Header().Set("Location", "/")
			w.WriteHeader(http.StatusFound)
		case "/broken":
			w.Header().Set("Content-Length", "20")
			_, _ = w.Write([]byte("hunter2"))
		case "/headers":
			w.Header().Set("X-Long", strings.Repeat("x", 1<<17))
		default:
			_, _ = w.Write([]byte("0123456789"))
		}
	}))
	defer server.Close()
	client := webservice.NewClient(0, false)
	ask := func(path string) (webservice.Answer, bool, error) {
		r, err := http.NewRequest(http.MethodGet, server.URL+path+"?password=hunter2", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		return webservice.Ask(client, r, 9)
	}
	for path, want := range map[string]struct {
		status int
		body   string
		fails  bool
	}{
		"/": {200, "0123456789", false}, "/elsewhere": {302, "", false}, "/broken": {200, "hunter2", true}, "/headers": {0, "", true},
	} {
		a, reached, err := ask(path)
		if a.Status != want.status || string(a.Body) != want.body || !reached || (err != nil) != want.fails || err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %d %q, reached %t, %v", path, a.Status, a.Body, reached, err)
		}
	}
	if len(asked) != 4 {
		t.Errorf("asked %q: a redirect was followed", asked)
	}
	server.Close()
	if a, reached, err := ask("/"); err == nil || a.Status != 0 || reached || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("nobody there: %d, reached %t, %v", a.Status, reached, err)
	}
}
