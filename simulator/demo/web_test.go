package demo_test

import (
	"bytes"
	"crypto/sha256"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/godwit-gateway/godwit/codec/manifest"
	"github.com/godwit-gateway/godwit/simulator/demo"
)

// What devices fetch they read up to what it may be; what is not there, or leads nowhere, is nothing.
func TestWeb(t *testing.T) {
	long := bytes.Repeat([]byte{7}, 2*manifest.SizeMax)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/short":
			_, _ = w.Write(long[:100])
		case "/long":
			_, _ = w.Write(long)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	p := demo.Publisher(t.Context(), nil)
	for path, want := range map[string]int{"/short": 100, "/long": manifest.SizeMax + 1, "/none": -1} {
		if b, ok := p.Fetch(server.URL + path); ok != (want >= 0) || ok && len(b) != want {
			t.Errorf("manifest %s: %d bytes, %t, want %d", path, len(b), ok, want)
		}
	}
	for _, tt := range []struct {
		path       string
		most, size uint64
	}{{"/short", 100, 100}, {"/short", 200, 100}, {"/short", 99, 100}, {"/long", 100, 101}} {
		size, sum, ok := p.Image(server.URL+tt.path, tt.most)
		if !ok || size != tt.size || sum != sha256.Sum256(long[:tt.size]) {
			t.Errorf("image %s of %d bytes: %d, %t", tt.path, tt.most, size, ok)
		}
	}
	for _, url := range []string{server.URL + "/none", "file:///etc/hostname", "://", ""} {
		if _, ok := p.Fetch(url); ok {
			t.Errorf("a manifest at %q", url)
		}
		if _, _, ok := p.Image(url, 10); ok {
			t.Errorf("an image at %q", url)
		}
	}
}
