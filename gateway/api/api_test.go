package api_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/godwit-gateway/godwit/codec/manifest"
	"github.com/godwit-gateway/godwit/gateway/api"
)

const (
	asJSON = "application/json"
	asCSV  = "text/csv"
	header = "number,name,product,customer,key\n"
)

// operations is every endpoint with a request that is good, and what the least role gets for it.
var operations = []struct {
	method, path string
	kind, body   string
	least        api.Role
	want         int
}{
	{"GET", "/status", "", "", api.Viewer, 200},
	{"GET", "/devices", "", "", api.Viewer, 200},
	{"GET", "/devices?state=pending&limit=1000", "", "", api.Viewer, 200},
	{"GET", "/devices/buoy-1", "", "", api.Viewer, 200},
	{"GET", "/devices/buoy-1/history", "", "", api.Viewer, 200},
	{"POST", "/devices/buoy-1/reject", asJSON, `{"reason":"stolen"}`, api.Operator, 200},
	{"POST", "/devices/buoy-1/approve", asJSON, `{"customer":"port"}`, api.Operator, 200},
	{"POST", "/devices/buoy-1/suspend", asJSON, `{"link":"udp0","from":"2099-12-01"}`, api.Operator, 200},
	{"POST", "/devices/buoy-1/resume", asJSON, `{"link":"udp0","from":"2099-12-24"}`, api.Operator, 200},
	{"POST", "/devices/buoy-1/retire", asJSON, `{"reason":"sunk"}`, api.Operator, 200},
	{"POST", "/devices/buoy-1/approve", asJSON, `{}`, api.Operator, 200},
	{"POST", "/devices/buoy-2/addresses", asJSON, `{"bearer":"sms","id":"+491700000001"}`, api.Operator, 200},
	{"POST", "/devices/import?dry_run=true", asCSV, header + "9,buoy-9,buoy-demo,acme,fleet:a\n", api.Operator, 200},
	{"GET", "/devices/buoy-1/messages", "", "", api.Viewer, 200},
	{"POST", "/devices/buoy-1/messages", asJSON, `{"payload":"0102","link":"udp0"}`, api.Operator, 202},
	{"POST", "/devices/buoy-1/commands", asJSON, `{"request":["keyframe"],"link":"udp0"}`, api.Operator, 202},
	{"POST", "/devices/buoy-1/offers", asJSON, offer, api.Approver, 202},
	{"POST", "/devices/buoy-1/rekey", asJSON, `{"link":"udp0"}`, api.Operator, 202},
	{"POST", "/devices/export", asJSON, `{"transfer_key":"` + strings.Repeat("0a", 32) + `"}`, api.Admin, 200},
	{"GET", "/devices/buoy-1/schedule", "", "", api.Viewer, 200},
	{"GET", "/schedule", "", "", api.Viewer, 200},
	{"POST", "/schedule/what-if", asJSON, `{"budget":"10.00","law":"fixed","interval_seconds":3600}`, api.Viewer, 200},
	{"GET", "/schedule/silent?class=late", "", "", api.Viewer, 200},
	{"GET", "/spend?month=2026-01&by=customer,link", "", "", api.Viewer, 200},
	{"GET", "/spend?cause=fee&customer=acme", "", "", api.Viewer, 200},
	{"GET", "/spend?cause=song", "", "", api.Viewer, 400},
	{"GET", "/spend/devices?limit=5&customer=acme&product=buoy&link=udp0", "", "", api.Viewer, 200},
	{"GET", "/spend/devices?pool=p", "", "", api.Viewer, 422}, // their accounts are by link alone
	{"GET", "/spend/runaways", "", "", api.Viewer, 200},
	{"GET", "/budgets", "", "", api.Viewer, 200},
	{"POST", "/devices/buoy-1/attend", asJSON, `{"factor":5,"seconds":3600}`, api.Operator, 200},
	{"POST", "/spend/reconcile?link=udp0&month=2026-01", asCSV, "device,time\n", api.Operator, 400}, // well asked; the link has no tariff
	{"POST", "/spend/close", asJSON, `{"month":"2020-01"}`, api.Operator, 200},
	{"GET", "/links", "", "", api.Viewer, 200},
	{"GET", "/quarantine?link=udp0", "", "", api.Viewer, 200},
	{"POST", "/frames/decode", asJSON, `{"frame":"00","device":"buoy-1"}`, api.Viewer, 422}, // well asked; it is no frame of the device
	{"GET", "/events", "", "", api.Viewer, 200},
	{"GET", "/tokens", "", "", api.Admin, 200},
	{"POST", "/tokens", asJSON, `{"name":"x","role":"viewer","ttl_seconds":60}`, api.Admin, 201},
	{"DELETE", "/tokens/x", "", "", api.Admin, 204},
	{"POST", "/releases", asJSON, "$RELEASE", api.Operator, 201},
	{"GET", "/releases?product=buoy-demo", "", "", api.Viewer, 200},
	{"GET", "/releases/buoy-demo/2.6.0", "", "", api.Viewer, 200},
	{"POST", "/rollouts/plan", asJSON, spec, api.Viewer, 200},
	{"POST", "/rollouts", asJSON, spec, api.Operator, 201},
	{"GET", "/rollouts?state=draft", "", "", api.Viewer, 200},
	{"GET", "/rollouts/1", "", "", api.Viewer, 200},
	{"POST", "/rollouts/1/submit", asJSON, `{}`, api.Operator, 200},
	{"POST", "/rollouts/1/approve", asJSON, `{"remark":"fine"}`, api.Approver, 200},
	{"POST", "/rollouts/1/start", asJSON, `{}`, api.Operator, 200},
	{"POST", "/rollouts/1/pause", asJSON, `{}`, api.Operator, 200},
	{"POST", "/rollouts/1/resume", asJSON, `{}`, api.Operator, 200},
	{"POST", "/rollouts/1/advance", asJSON, `{"remark":"now"}`, api.Approver, 200},
	{"POST", "/rollouts/1/halt", asJSON, `{"remark":"a call"}`, api.Operator, 200},
	{"POST", "/rollouts/1/override", asJSON, `{"remark":"a mistake"}`, api.Approver, 200},
	{"POST", "/rollouts/1/retry", asJSON, `{"devices":["buoy-1"]}`, api.Operator, 409}, // well asked; it was offered nothing yet
	{"GET", "/rollouts/1/waves", "", "", api.Viewer, 200},
	{"GET", "/rollouts/1/funnel", "", "", api.Viewer, 200},
	{"GET", "/rollouts/1/funnel.csv", "", "", api.Viewer, 200},
	{"GET", "/rollouts/1/adoption?step_seconds=3600", "", "", api.Viewer, 200},
	{"GET", "/rollouts/1/adoption.csv", "", "", api.Viewer, 200},
	{"GET", "/rollouts/1/behind", "", "", api.Viewer, 200},
	{"GET", "/rollouts/1/behind.csv", "", "", api.Viewer, 200},
	{"GET", "/rollouts/1/devices?standing=eligible&silent=false", "", "", api.Viewer, 200},
	{"GET", "/rollouts/1/devices.csv", "", "", api.Viewer, 200},
	{"GET", "/rollouts/1/report", "", "", api.Viewer, 200},
	{"GET", "/devices/buoy-1/updates", "", "", api.Viewer, 200},
	{"POST", "/rollouts/1/deny", asJSON, `{"remark":"no"}`, api.Approver, 409}, // well asked; it is running
	{"POST", "/rollouts/1/stop", asJSON, `{}`, api.Operator, 200},
	{"POST", "/releases/buoy-demo/2.6.0/withdraw", asJSON, `{"remark":"a mistake"}`, api.Operator, 200},
	{"GET", "/audit?limit=5", "", "", api.Viewer, 200},
	{"GET", "/audit/verify", "", "", api.Viewer, 200},
	{"POST", "/store/checkpoint", "", "", api.Admin, 201},
	{"DELETE", "/store/checkpoint", "", "", api.Admin, 204},
}

const offer = `{"rollout":7,"version":"2.5.0","reference":"https://updates.example/m","sha256":"9f86d081884c7d659a2feaa0c55ad015","size_bytes":262144,"link":"udp0"}`

const spec = `{"name":"spring","product":"buoy-demo","version":"2.6.0","waves":[{"share":0.5,"least_seconds":3600},{"share":1}],"windows":[{"days":["mon"],"from_hour":22,"to_hour":6}]}`

// signed is the request that makes a release known, signed by a key.
func signed(t *testing.T, key manifest.SigningKey, version string, sequence uint32) string {
	t.Helper()
	b, err := manifest.Sign(&manifest.Manifest{
		Product: "buoy-demo", Version: version, Sequence: sequence, Size: 1000, URL: "https://updates.example/" + version + ".bin",
	}, key)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(api.ReleaseRequest{Manifest: b, URL: "https://updates.example/" + version + ".cose"})
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// fill imports the devices that the table speaks of.
func (b *bench) fill(t *testing.T) {
	t.Helper()
	rows := "number,name,product,customer,key,msisdn\n1,buoy-1,buoy-demo,acme,fleet:a,\n2,buoy-2,buoy-demo,acme,fleet:a,+491700000001\n"
	if a := b.ask(t, "POST", "/api/v1/devices/import", b.token[api.Operator], asCSV, rows); a.status != 200 || !strings.Contains(a.body, `"done":true`) {
		t.Fatalf("import: %d %s", a.status, a.body)
	}
}

// Each operation is open to its role and those above, and to nobody else.
func TestRoles(t *testing.T) {
	b := newBench(t)
	b.fill(t)
	for _, op := range operations {
		if op.body == "$RELEASE" {
			op.body = signed(t, b.signer, "2.6.0", 26)
		}
		t.Run(op.method+" "+op.path, func(t *testing.T) {
			a := b.ask(t, op.method, "/api/v1"+op.path, "", op.kind, op.body)
			if p := a.problem(t); a.status != 401 || p.Type != "urn:godwit:problem:unauthenticated" || a.head.Get("WWW-Authenticate") == "" {
				t.Errorf("without a token: %d %s", a.status, a.body)
			}
			for role := api.Viewer; role < op.least; role++ {
				a := b.ask(t, op.method, "/api/v1"+op.path, b.token[role], op.kind, op.body)
				if p := a.problem(t); a.status != 403 || p.Type != "urn:godwit:problem:forbidden" || !strings.Contains(p.Detail, op.least.String()) {
					t.Errorf("as %s: %d %s", role, a.status, a.body)
				}
			}
			if a := b.ask(t, op.method, "/api/v1"+op.path, b.token[op.least], op.kind, op.body); a.status != op.want {
				t.Errorf("as %s: %d %s, want %d", op.least, a.status, a.body, op.want)
			}
		})
	}
}

// The table of operations is all of them: the description says which there are.
func TestEveryOperationIsInTheTable(t *testing.T) {
	b := newBench(t)
	a := b.ask(t, "GET", "/api/v1/openapi.json", "", "", "")
	var d struct {
		OpenAPI string
		Paths   map[string]map[string]struct{ OperationID string }
	}
	if err := json.Unmarshal([]byte(a.body), &d); err != nil || a.status != 200 {
		t.Fatalf("%d %v", a.status, err)
	}
	if !strings.HasPrefix(d.OpenAPI, "3.1") {
		t.Errorf("OpenAPI %s, want 3.1", d.OpenAPI)
	}
	covered := func(method, pattern string) bool {
		for _, op := range operations {
			path, _, _ := strings.Cut(op.path, "?")
			if strings.EqualFold(op.method, method) && matches(pattern, "/api/v1"+path) {
				return true
			}
		}
		return false
	}
	for pattern, methods := range d.Paths {
		for method, op := range methods {
			if !covered(method, pattern) {
				t.Errorf("%s %s is not in the table", method, pattern)
			}
			if op.OperationID == "" {
				t.Errorf("%s %s has no id", method, pattern)
			}
		}
	}
}

func matches(pattern, path string) bool {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	return slices.EqualFunc(want, got, func(w, g string) bool { return w == g || strings.HasPrefix(w, "{") })
}

// Whatever is wrong with a request is told as problem details, with the status that says whose fault it is.
func TestBadRequests(t *testing.T) {
	b := newBench(t)
	b.fill(t)
	big := strings.Repeat("a", 1<<20)
	for _, c := range []struct {
		method, path, kind, body string
		status                   int
		detail                   string
	}{
		{"GET", "/api/v1/nothing", "", "", 404, "/api/v1/nothing"},
		{"GET", "/api/v2/status", "", "", 404, "/api/v2/status"},
		{"GET", "/api/", "", "", 404, ""},
		{"DELETE", "/api/v1/status", "", "", 405, "GET"},
		{"PUT", "/api/v1/tokens/x", "", "", 405, "DELETE"},
		{"GET", "/api/v1/devices/nobody", "", "", 404, "nobody"},
		{"GET", "/api/v1/devices/nobody/history", "", "", 404, "nobody"},
		{"GET", "/api/v1/devices/" + strings.Repeat("n", 65), "", "", 422, ""},
		{"GET", "/api/v1/devices?state=asleep", "", "", 422, ""},
		{"GET", "/api/v1/devices?limit=0", "", "", 422, ""},
		{"GET", "/api/v1/devices?limit=many", "", "", 422, ""},
		{"GET", "/api/v1/devices?cursor=x", "", "", 400, "cursor"},
		{"GET", "/api/v1/devices?color=red", "", "", 422, ""},
		{"GET", "/api/v1/devices/buoy-1/history?from=yesterday", "", "", 422, ""},
		{"GET", "/api/v1/devices/buoy-1/history?cursor=x", "", "", 400, "cursor"},
		{"GET", "/api/v1/quarantine?link=nope", "", "", 404, "nope"},
		{"GET", "/api/v1/quarantine?cursor=x", "", "", 400, "cursor"},
		{"GET", "/api/v1/events?subject=a%20b", "", "", 422, "space"},
		{"GET", "/api/v1/events?subject=a..b", "", "", 422, "empty token"},
		{"GET", "/api/v1/events?subject=a.%3E.b", "", "", 422, "at the end only"},
		{"GET", "/api/v1/events?subject=a.b*", "", "", 422, "whole tokens"},
		{"GET", "/api/v1/events?from=first", "", "", 422, ""},
		{"POST", "/api/v1/devices/buoy-1/approve", asJSON, `{`, 400, ""},
		{"POST", "/api/v1/devices/buoy-1/approve", asJSON, ``, 400, ""},
		{"POST", "/api/v1/devices/buoy-1/approve", asJSON, `{"colour":"red"}`, 422, ""},
		{"POST", "/api/v1/devices/buoy-1/approve", asJSON, `{"product":"submarine"}`, 400, "submarine"},
		{"POST", "/api/v1/devices/buoy-1/approve", asJSON, `{}`, 409, ""}, // it is active
		{"POST", "/api/v1/devices/nobody/approve", asJSON, `{}`, 404, "nobody"},
		{"POST", "/api/v1/devices/buoy-1/reject", asJSON, `{"reason":"` + strings.Repeat("r", 201) + `"}`, 422, ""},
		{"POST", "/api/v1/devices/buoy-1/reject", "application/xml", `<reason/>`, 415, ""},
		{"POST", "/api/v1/devices/buoy-1/suspend", asJSON, `{"link":"udp0","from":"soon"}`, 422, "YYYY-MM-DD"},
		{"POST", "/api/v1/devices/buoy-1/suspend", asJSON, `{"link":"nope"}`, 400, `there is no link \"nope\"`},
		{"POST", "/api/v1/devices/buoy-1/resume", asJSON, `{"link":"udp0"}`, 409, "not suspended"},
		{"POST", "/api/v1/devices/nobody/suspend", asJSON, `{"link":"udp0"}`, 404, "nobody"},
		{"POST", "/api/v1/devices/nobody/retire", asJSON, `{}`, 404, "nobody"},
		{"POST", "/api/v1/devices/buoy-1/addresses", asJSON, `{"bearer":"sms","id":"+4900"}`, 400, "never heard"},
		{"POST", "/api/v1/devices/buoy-1/addresses", asJSON, `{"bearer":"sms"}`, 422, ""},
		{"POST", "/api/v1/devices/buoy-1/messages", asJSON, `{"payload":"xy"}`, 422, "payload"},
		{"POST", "/api/v1/devices/buoy-1/messages", asJSON, `{"payload":""}`, 422, ""},
		{"POST", "/api/v1/devices/buoy-1/messages", asJSON, `{"payload":"00","link":"nope"}`, 422, "nope"},
		{"POST", "/api/v1/devices/buoy-1/messages", asJSON, `{"payload":"00","ttl_seconds":-1}`, 422, ""},
		{"POST", "/api/v1/frames/decode", asJSON, `{"frame":"xy"}`, 422, "frame"},
		{"POST", "/api/v1/frames/decode", asJSON, `{"frame":"ffff"}`, 422, ""},
		{"POST", "/api/v1/frames/decode", asJSON, `{"frame":"` + big + `"}`, 413, ""},
		{"POST", "/api/v1/devices/buoy-1/commands", asJSON, `{}`, 422, "want one"},
		{"POST", "/api/v1/devices/buoy-1/offers", asJSON, strings.Replace(offer, "9f86", "xx86", 1), 422, "sha256"},
		{"POST", "/api/v1/devices/buoy-1/offers", asJSON, strings.Replace(offer, "262144", "0", 1), 422, "size_bytes"},
		{"POST", "/api/v1/devices/buoy-1/commands", asJSON, `{"request":["coffee"]}`, 422, ""},
		{"POST", "/api/v1/devices/buoy-1/rekey", asJSON, `{"link":"nope"}`, 422, "nope"},
		{"POST", "/api/v1/devices/export", asJSON, `{"transfer_key":"00"}`, 422, ""},
		{"POST", "/api/v1/devices/import", asCSV, "", 400, "body"},
		{"POST", "/api/v1/devices/import", asCSV, " \n", 422, "empty"},
		{"POST", "/api/v1/devices/import", asJSON, "{}", 415, ""},
		{"POST", "/api/v1/tokens", asJSON, `{"name":"x","role":"king"}`, 422, ""},
		{"POST", "/api/v1/tokens", asJSON, `{"name":"a b","role":"viewer"}`, 422, "a b"},
		{"POST", "/api/v1/tokens", asJSON, `{"name":"of-admin","role":"viewer"}`, 422, "taken"},
		{"POST", "/api/v1/tokens", asJSON, `{"name":"x","role":"viewer","ttl_seconds":-5}`, 422, ""},
		{"DELETE", "/api/v1/tokens/nobody", "", "", 404, "nobody"},
		{"DELETE", "/api/v1/tokens/first", "", "", 422, "token file"},
	} {
		t.Run(c.method+" "+c.path[:min(len(c.path), 60)]+" "+c.body[:min(len(c.body), 40)], func(t *testing.T) {
			a := b.ask(t, c.method, c.path, b.token[api.Admin], c.kind, c.body)
			if a.status != c.status {
				t.Errorf("status %d, want %d: %s", a.status, c.status, a.body)
			}
			if a.problem(t); !strings.Contains(a.body, c.detail) {
				t.Errorf("answer does not say %q: %s", c.detail, a.body)
			}
			if c.status == 405 && a.head.Get("Allow") == "" {
				t.Error("does not say what is allowed")
			}
		})
	}
}

// All that is wrong with an import is told at once, and nothing of it is taken.
func TestImportTellsAllErrors(t *testing.T) {
	b := newBench(t)
	rows := header +
		"1,a,buoy-demo,acme,short\n" +
		"2,b,submarine,acme,fleet:a\n" +
		"3,c,buoy-demo,acme,fleet:nope\n" +
		"4,d,buoy-demo,acme,fleet:a\n" +
		"5,e,barge,acme,short\n" + // malformed, and not possible besides
		"5,f,buoy-demo,acme,fleet:a\n" +
		"6,g\"g,buoy-demo,acme,fleet:a\n" +
		"x,h,sloop,acme,fleet:none\n" +
		"7,i,buoy-demo\n" +
		"4000,j,buoy-demo,acme,fleet:a,5\n" +
		"4000,k,ketch,a b,fleet:a\n"
	want := map[int][]string{
		2: {"64 hexadecimal digits"}, 3: {"submarine"}, 4: {"nope"}, 6: {"64 hexadecimal digits", "barge"}, 7: {"number 5 stands in line 6 too"},
		8: {"bare"}, 9: {`number "x"`, "sloop"}, 10: {"number of fields"}, 11: {"number of fields"}, 12: {"customer", "ketch", "numbers 1 to 1000"},
	}
	for _, query := range []string{"", "?dry_run=true"} {
		a := b.ask(t, "POST", "/api/v1/devices/import"+query, b.token[api.Operator], asCSV, rows)
		var r api.ImportReport
		if err := json.Unmarshal([]byte(a.body), &r); err != nil || a.status != 200 {
			t.Fatalf("%d %s", a.status, a.body)
		}
		if r.Done || len(r.Errors) != len(want) || r.Rows != 11 {
			t.Errorf("%+v, want errors in %d lines of 11 rows and nothing done", r, len(want))
		}
		for i, e := range r.Errors {
			if i > 0 && e.Line <= r.Errors[i-1].Line {
				t.Errorf("line %d stands behind line %d", e.Line, r.Errors[i-1].Line)
			}
			for _, part := range want[e.Line] {
				if !strings.Contains(e.Error, part) {
					t.Errorf("error %+v, want %q", e, part)
				}
			}
			if want[e.Line] == nil {
				t.Errorf("error %+v in a line that is good", e)
			}
		}
	}
	if a := b.ask(t, "GET", "/api/v1/devices", b.token[api.Viewer], "", ""); !strings.Contains(a.body, `"items":[]`) {
		t.Errorf("devices were taken: %s", a.body)
	}
}

// What a probe, a scraper and a reader need is open to all.
func TestOpenPages(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct {
		path   string
		status int
		says   string
	}{
		{"/healthz", 200, "ok"},
		{"/readyz", 200, "ok"},
		{"/metrics", 200, "godwit_up"},
		{"/docs/", 200, "/docs/OPERATIONS.md"},
		{"/docs/OPERATIONS.md", 200, "# "},
		{"/docs/../docs/OPERATIONS.md", 200, "# "},
		{"/docs/nothing", 404, ""},
		{"/docs/..%2f..%2fgo.mod", 404, ""},
		{"/api/v1/openapi.yaml", 200, "openapi: 3.1"},
	} {
		a := b.ask(t, "GET", c.path, "", "", "")
		if a.status != c.status || !strings.Contains(a.body, c.says) {
			t.Errorf("%s: %d %.100s", c.path, a.status, a.body)
		}
	}
	b.ready, b.alive = errors.New("no link is up"), errors.New("a write has failed")
	for path, says := range map[string]string{"/readyz": "no link is up", "/healthz": "a write has failed"} {
		if a := b.ask(t, "GET", path, "", "", ""); a.status != http.StatusServiceUnavailable || !strings.Contains(a.body, says) {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}

// Status and links say whether the line is there.
func TestLinksShowTheirLines(t *testing.T) {
	b := newBench(t)
	for _, path := range []string{"/status", "/links"} {
		a := b.ask(t, "GET", "/api/v1"+path, b.token[api.Viewer], "", "")
		if !strings.Contains(a.body, `"up":true`) || !strings.Contains(a.body, `"restarts":3`) || !strings.Contains(a.body, `"name":"udp0"`) {
			t.Errorf("%s: %s", path, a.body)
		}
	}
}
