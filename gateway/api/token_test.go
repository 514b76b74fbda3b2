package api_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/gateway/api"
)

// A token is 32 random bytes, of which only a hash is kept, in a file for the gateway's user alone.
func TestTokensAreKeptAsHashes(t *testing.T) {
	b := newBench(t)
	for role, token := range b.token {
		raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(token, "godwit_"))
		if err != nil || len(raw) != 32 {
			t.Errorf("token of %s has %d bytes, want 32: %v", role, len(raw), err)
		}
	}
	table, err := os.ReadFile(filepath.Join(b.dir, "tokens.json"))
	if err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(filepath.Join(b.dir, "api.token"))
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range append([]string{strings.TrimSpace(string(first))}, b.token[api.Viewer], b.token[api.Admin]) {
		if bytes.Contains(table, []byte(token)) {
			t.Error("the table holds a token itself")
		}
	}
	for _, name := range []string{"tokens.json", "api.token"} {
		info, err := os.Stat(filepath.Join(b.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != fs.FileMode(0o600) {
			t.Errorf("%s has mode %s, want 0600", name, info.Mode().Perm())
		}
	}
}

func (b *bench) create(t *testing.T, body string) string {
	t.Helper()
	a := b.ask(t, "POST", "/api/v1/tokens", b.token[api.Admin], asJSON, body)
	var made api.NewToken
	if err := json.Unmarshal([]byte(a.body), &made); err != nil || a.status != 201 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	return made.Token
}

// A token with an end is good until then; the end stays what it is over a new start.
func TestTokenExpires(t *testing.T) {
	b := newBench(t)
	short, long := b.create(t, `{"name":"short","role":"viewer","ttl_seconds":60}`), b.create(t, `{"name":"long","role":"viewer"}`)
	status := func(token string) int { return b.ask(t, "GET", "/api/v1/links", token, "", "").status }
	if status(short) != 200 || status(long) != 200 {
		t.Error("a new token is not taken")
	}
	b.clock.move(time.Minute)
	if got := b.ask(t, "GET", "/api/v1/links", short, "", ""); got.status != 401 || !strings.Contains(got.body, "expired") {
		t.Errorf("expired token: %d %s", got.status, got.body)
	}
	if status(long) != 200 {
		t.Error("a token without an end is not taken after a minute")
	}
	a := b.ask(t, "GET", "/api/v1/tokens", b.token[api.Admin], "", "")
	if strings.Count(a.body, `"expires"`) != 1 {
		t.Errorf("list: %s", a.body)
	}
	again, err := api.OpenTokens(filepath.Join(b.dir, "tokens.json"), filepath.Join(b.dir, "api.token"), b.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range again.List() {
		if (k.Name == "short") != !k.Expires.IsZero() {
			t.Errorf("after a new start %s expires %s", k.Name, k.Expires)
		}
	}
}

func TestRevokedTokenIsWorthless(t *testing.T) {
	b := newBench(t)
	token := b.create(t, `{"name":"x","role":"admin"}`)
	if a := b.ask(t, "DELETE", "/api/v1/tokens/x", token, "", ""); a.status != 204 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := b.ask(t, "GET", "/api/v1/links", token, "", ""); a.status != 401 {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// Ten wrong tokens in a minute are answered from one address; who has a right one there is not locked out.
func TestFailedLoginsAreLimited(t *testing.T) {
	b := newBench(t)
	wrong := func(i int) answer { return b.ask(t, "GET", "/api/v1/links", fmt.Sprintf("godwit_wrong-%d", i), "", "") }
	for i := range 10 {
		if a := wrong(i); a.status != 401 {
			t.Fatalf("failed login %d: %d %s", i, a.status, a.body)
		}
	}
	a := wrong(10)
	if p := a.problem(t); a.status != 429 || p.Type != "urn:godwit:problem:too-many-failed-logins" || a.head.Get("Retry-After") == "" {
		t.Errorf("failed login 11: %d %s", a.status, a.body)
	}
	if a := b.ask(t, "GET", "/api/v1/links", b.token[api.Viewer], "", ""); a.status != 200 {
		t.Errorf("right token meanwhile: %d %s", a.status, a.body)
	}
	b.clock.move(time.Minute)
	if a := wrong(11); a.status != 401 {
		t.Errorf("a minute later: %d %s", a.status, a.body)
	}
}
