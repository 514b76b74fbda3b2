package api_test

import (
	"crypto/rand"
	"encoding/json"
	"strings"
	"testing"

	"github.com/godwit-gateway/godwit/codec/manifest"
	"github.com/godwit-gateway/godwit/gateway/api"
)

func (b *bench) post(t *testing.T, role api.Role, path, body string) answer {
	t.Helper()
	return b.ask(t, "POST", "/api/v1"+path, b.token[role], asJSON, body)
}

// denied fails the test unless an answer is a problem of a status and a name.
func (a answer) denied(t *testing.T, what string, status int, name string) {
	t.Helper()
	if p := a.problem(t); a.status != status || p.Type != "urn:godwit:problem:"+name {
		t.Errorf("%s: %d %s, want %d %s", what, a.status, a.body, status, name)
	}
}

// Nobody approves what the same token created or submitted, whatever its role: the name of the token decides.
func TestNobodyApprovesTheirOwn(t *testing.T) {
	b := newBench(t)
	b.fill(t)
	if a := b.post(t, api.Admin, "/releases", signed(t, b.signer, "2.6.0", 26)); a.status != 201 {
		t.Fatalf("release: %d %s", a.status, a.body)
	}
	for _, by := range []struct{ creates, submits api.Role }{{api.Admin, api.Operator}, {api.Operator, api.Admin}} {
		a := b.post(t, by.creates, "/rollouts", spec)
		var r api.Rollout
		if err := json.Unmarshal([]byte(a.body), &r); err != nil || a.status != 201 {
			t.Fatalf("create: %d %s", a.status, a.body)
		}
		path := rolloutPath(r.ID)
		if a := b.post(t, by.submits, path+"/submit", `{}`); a.status != 200 {
			t.Fatalf("submit: %d %s", a.status, a.body)
		}
		b.post(t, api.Admin, path+"/approve", `{"remark":"mine"}`).denied(t, "approve one's own", 403, "same-token")
		b.post(t, api.Admin, path+"/deny", `{"remark":"mine"}`).denied(t, "deny one's own", 403, "same-token")
		b.post(t, api.Approver, path+"/approve", `{}`).denied(t, "approve without a word", 422, "remark-missing")
		b.post(t, api.Approver, path+"/start", `{}`).denied(t, "start before it is approved", 409, "wrong-state")
		if a := b.post(t, api.Approver, path+"/approve", `{"remark":"fine"}`); a.status != 200 || !strings.Contains(a.body, `"approver":"of-approver"`) {
			t.Errorf("approve: %d %s", a.status, a.body)
		}
	}
	a := b.ask(t, "GET", "/api/v1/audit", b.token[api.Viewer], "", "")
	if strings.Count(a.body, `"rollout.approve"`) != 2 || !strings.Contains(a.body, `"who":"of-approver","role":"approver","action":"rollout.approve"`) {
		t.Errorf("the book: %s", a.body)
	}
	if a := b.ask(t, "GET", "/api/v1/audit/verify", b.token[api.Viewer], "", ""); a.status != 200 || !strings.Contains(a.body, `"sound":true`) {
		t.Errorf("verify: %d %s", a.status, a.body)
	}
}

func rolloutPath(id uint32) string {
	text, _ := json.Marshal(id)
	return "/rollouts/" + string(text)
}

// A release is known by a manifest that a configured signer signed, and only by that.
func TestReleasesAreSigned(t *testing.T) {
	b := newBench(t)
	stranger, err := manifest.GenerateKey(rand.Reader, manifest.ES256)
	if err != nil {
		t.Fatal(err)
	}
	good := signed(t, b.signer, "2.6.0", 26)
	b.post(t, api.Operator, "/releases", signed(t, stranger, "2.6.0", 26)).denied(t, "another key", 422, "not-signed")
	b.post(t, api.Operator, "/releases", `{"manifest":"AAAA","url":"https://updates.example/x"}`).denied(t, "no manifest", 422, "malformed")
	b.post(t, api.Operator, "/releases", `{"manifest":"","url":"https://updates.example/x"}`).denied(t, "nothing", 422, "bad-request")
	if a := b.post(t, api.Operator, "/releases", good); a.status != 201 || !strings.Contains(a.body, `"signer":"releases"`) {
		t.Fatalf("release: %d %s", a.status, a.body)
	}
	b.post(t, api.Operator, "/releases", good).denied(t, "twice", 409, "exists-already")
	b.post(t, api.Operator, "/rollouts", strings.Replace(spec, "2.6.0", "9.9.9", 1)).denied(t, "unknown release", 404, "unknown-rollout-or-release")
	b.post(t, api.Operator, "/rollouts", strings.Replace(spec, `"share":1`, `"share":0.7`, 1)).denied(t, "waves that do not end", 422, "not-possible")
	b.ask(t, "GET", "/api/v1/rollouts/7", b.token[api.Viewer], "", "").denied(t, "unknown rollout", 404, "unknown-rollout-or-release")
	b.ask(t, "GET", "/api/v1/audit/verify?seq=1&hash=00", b.token[api.Viewer], "", "").denied(t, "no hash", 400, "bad-query")
}

// Tables come as CSV with the names of their columns.
func TestTablesAsCSV(t *testing.T) {
	b := newBench(t)
	b.fill(t)
	if a := b.post(t, api.Operator, "/releases", signed(t, b.signer, "2.6.0", 26)); a.status != 201 {
		t.Fatalf("release: %d %s", a.status, a.body)
	}
	for _, x := range []struct {
		role       api.Role
		path, body string
	}{
		{api.Operator, "/rollouts", spec},
		{api.Operator, "/rollouts/1/submit", `{}`},
		{api.Approver, "/rollouts/1/approve", `{"remark":"x"}`},
		{api.Operator, "/rollouts/1/start", `{}`},
	} {
		if a := b.post(t, x.role, x.path, x.body); a.status/100 != 2 {
			t.Fatalf("%s: %d %s", x.path, a.status, a.body)
		}
	}
	a := b.ask(t, "GET", "/api/v1/rollouts/1/devices.csv", b.token[api.Viewer], "", "")
	lines := strings.Split(strings.TrimSpace(a.body), "\n")
	if a.status != 200 || !strings.HasPrefix(a.head.Get("Content-Type"), "text/csv") || len(lines) != 3 || !strings.HasPrefix(lines[0], "number,name,customer,") ||
		!strings.HasPrefix(lines[1], "1,buoy-1,acme,") {
		t.Errorf("%d %s\n%s", a.status, a.head.Get("Content-Type"), a.body)
	}
	a = b.ask(t, "GET", "/api/v1/rollouts/1/devices.csv?standing=asleep", b.token[api.Viewer], "", "")
	a.denied(t, "no standing", 400, "bad-query")
	if !strings.Contains(a.body, "want one of held_out, waiting, ") {
		t.Errorf("no standing: %s", a.body)
	}
}
