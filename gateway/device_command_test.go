package main_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// asked is a request that a command made.
type asked struct {
	method, path, auth string
	body               map[string]any
}

// gatewayAPI is a gateway that answers every request with the same text and remembers the last one.
func gatewayAPI(t *testing.T, status int, answer string) (address string, last *asked) {
	t.Helper()
	last = new(asked)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*last = asked{method: r.Method, path: r.URL.Path, auth: r.Header.Get("Authorization")}
		b, err := io.ReadAll(r.Body)
		if err == nil && len(b) > 0 {
			err = json.Unmarshal(b, &last.body)
		}
		if err != nil {
			t.Errorf("%s %s: %v", r.Method, r.URL, err)
		}
		if status >= 400 {
			w.Header().Set("Content-Type", "application/problem+json")
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(s.Close)
	t.Setenv("GODWIT_TOKEN", "secret")
	return s.URL, last
}

// pathsAPI is a gateway that answers each path as it is told, and remembers what was asked of it.
func pathsAPI(t *testing.T, answers map[string]string) (address string, asked *[]string) {
	t.Helper()
	asked = new([]string)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, strings.TrimPrefix(r.URL.String(), "/api/v1"))
		_, _ = io.WriteString(w, answers[strings.TrimPrefix(r.URL.Path, "/api/v1")])
	}))
	t.Cleanup(s.Close)
	t.Setenv("GODWIT_TOKEN", "secret")
	return s.URL, asked
}

// Each command says to the gateway just what was meant, and shows the downlink that it became.
func TestDeviceCommands(t *testing.T) {
	address, last := gatewayAPI(t, http.StatusAccepted, `{"ref":7,"kind":"request","link":"udp0","state":"queued","bytes":16}`)
	const day = `"ttl_seconds":86400`
	for _, tc := range []struct{ args, path, body string }{
		{"request buoy-1 --what keyframe,hello", "commands", `{"request":["keyframe","hello"],` + day + `}`},
		{"request buoy-1 --what poll --what hello --ttl 90s --link udp0", "commands", `{"request":["poll","hello"],"link":"udp0","ttl_seconds":90}`},
		{"time buoy-1 --ttl 7d", "commands", `{"time":true,"ttl_seconds":604800}`},
		{"sleep buoy-1", "commands", `{"sleep":{},` + day + `}`},
		{"sleep buoy-1 --for 6h", "commands", `{"sleep":{"seconds":21600},` + day + `}`},
		{
			"offer buoy-1 --rollout 7 --version 2.5.0 --url https://updates.example/m --sha256 9f86d081884c7d659a2feaa0c55ad015 --size 262144 --consent " +
				"--not-before 2026-12-01T22:00:00Z --burst 5,60", "offers",
			`{"rollout":7,"version":"2.5.0","reference":"https://updates.example/m","sha256":"9f86d081884c7d659a2feaa0c55ad015","size_bytes":262144,` +
				`"consent":true,"not_before":"2026-12-01T22:00:00Z","burst_minutes":[5,60],` + day + `}`,
		},
		{"template buoy-1", "commands", `{"template":{"slot":0},` + day + `}`},
		{"template buoy-1 --slot 6 --product truck-demo", "commands", `{"template":{"slot":6,"product":"truck-demo"},` + day + `}`},
		{"policy buoy-1 --quiet none", "commands", `{"policy":{"quiet_minutes":[]},` + day + `}`},
		{"policy buoy-1 --interval 1h", "commands", `{"policy":{"interval_seconds":3600},` + day + `}`},
		{
			"policy buoy-1 --links udp,sms --quiet 22:00-05:30,12:00-12:01 --deadband battery=5;speed=0 --revision 3", "commands",
			`{"policy":{"links":["udp","sms"],"quiet_minutes":[1320,330,720,721],"deadbands":{"battery":5,"speed":0},"revision":3},` + day + `}`,
		},
		{"rekey buoy-1", "rekey", `{}`},
		{"rekey buoy-1 --link udp0", "rekey", `{"link":"udp0"}`},
	} {
		t.Run(tc.args, func(t *testing.T) {
			*last = asked{}
			out := godwit(t, 0, append([]string{"device"}, append(strings.Fields(tc.args), "--api", address)...)...)
			contains(t, out, "queued", "udp0", "7 ")
			var want map[string]any
			if err := json.Unmarshal([]byte(tc.body), &want); err != nil {
				t.Fatal(err)
			}
			w, _ := json.Marshal(want)
			g, _ := json.Marshal(last.body)
			if last.method != http.MethodPost || last.path != "/api/v1/devices/buoy-1/"+tc.path || last.auth != "Bearer secret" || string(g) != string(w) {
				t.Errorf("%+v\n%s, want\n%s", *last, g, w)
			}
		})
	}
	contains(t, godwit(t, 0, "device", "time", "buoy-1", "--api", address, "-o", "json"), `"ref": 7`)
}

// What makes no sense is told before the gateway is asked.
func TestDeviceCommandsRefuse(t *testing.T) {
	address, last := gatewayAPI(t, http.StatusAccepted, `{}`)
	for args, want := range map[string]string{
		"request buoy-1":                       "--what",
		"request buoy-1 --what song":           "--what",
		"time buoy-1 --ttl soon":               "--ttl soon",
		"time buoy-1 --ttl 0s":                 "--ttl 0s",
		"time buoy-1 --ttl 169h":               "want 1s to 7d",
		"sleep buoy-1 --for x":                 "--for x",
		"sleep buoy-1 --for 0s":                "--for 0s",
		"sleep buoy-1 --for 50000d":            "--for 50000d",
		"template buoy-1 --slot 7":             "want 0 to 6",
		"template buoy-1 --slot 300":           "--slot",
		"policy buoy-1":                        "nothing to say",
		"policy buoy-1 --revision 3":           "nothing to say",
		"policy buoy-1 --interval x":           "--interval x",
		"policy buoy-1 --quiet 24:00-05:00":    "--quiet 24:00-05:00",
		"policy buoy-1 --quiet 22:60-05:00":    "--quiet 22:60-05:00",
		"policy buoy-1 --quiet 22:00":          "--quiet 22:00",
		"policy buoy-1 --quiet none,1:00-2:00": "--quiet none",
		"policy buoy-1 --quiet 05:00-05:00":    "empty",
		"policy buoy-1 --quiet 5:00-05:00":     "empty",
		"policy buoy-1 --deadband battery":     "deadband",
		"policy buoy-1 --deadband battery=-1":  "deadband",
		"rekey":                                "<device>",
	} {
		t.Run(args, func(t *testing.T) {
			*last = asked{}
			contains(t, godwit(t, 2, append([]string{"device"}, append(strings.Fields(args), "--api", address)...)...), want)
			if last.method != "" {
				t.Errorf("the gateway was asked: %+v", *last)
			}
		})
	}
}

// What the gateway refuses is told in its words, with exit code 1.
func TestDeviceCommandsRefusedByTheGateway(t *testing.T) {
	address, _ := gatewayAPI(t, http.StatusUnprocessableEntity, `{"detail":"downlink: the queue is full"}`)
	for _, args := range []string{"request x --what poll", "time x", "sleep x", "template x", "policy x --interval 1h", "rekey x"} {
		contains(t, godwit(t, 1, append([]string{"device"}, append(strings.Fields(args), "--api", address)...)...), "godwit: gateway: downlink: the queue is full")
	}
}

// An export is a file of its own with a transfer key beside it; one that fails leaves no file, and none is overwritten.
func TestDeviceExport(t *testing.T) {
	dir := t.TempDir()
	path, key := filepath.Join(dir, "fleet.csv"), filepath.Join(dir, "transfer.key")
	address, last := gatewayAPI(t, http.StatusOK, `{"devices":2,"keyless":1,"csv":"number,name\n1,a\n2,b\n"}`)
	args := []string{"device", "export", path, "--transfer-key-file", key, "--api", address}
	out := godwit(t, 0, args...)
	contains(t, out, "2 devices exported", "1 left out")
	first, _ := last.body["transfer_key"].(string)
	if len(first) != 64 || strings.Contains(out, first) || last.body["expand"] != nil {
		t.Errorf("%v\n%s", last.body, out)
	}
	for p, mode := range map[string]os.FileMode{path: 0o600, key: 0o600} {
		if st, err := os.Stat(p); err != nil || st.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", p, st, err)
		}
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "number,name\n1,a\n2,b\n" {
		t.Errorf("%q, %v", b, err)
	}
	contains(t, godwit(t, 1, args...), "exists")
	out = godwit(t, 0, "device", "export", path+"2", "--transfer-key-file", key, "--expand", "--api", address, "-o", "json")
	if strings.Contains(out, "number,name") || last.body["transfer_key"] != first || last.body["expand"] != true {
		t.Errorf("%v\n%s", last.body, out)
	}
	refusing, _ := gatewayAPI(t, http.StatusForbidden, `{"detail":"a token of an admin is needed"}`)
	contains(t, godwit(t, 1, "device", "export", path+"3", "--transfer-key-file", key, "--api", refusing), "admin is needed")
	if _, err := os.Stat(path + "3"); !os.IsNotExist(err) {
		t.Errorf("an export that failed left a file: %v", err)
	}
}

// quarantine list asks for no more than it is to show, and for the next page until it has that.
func TestQuarantineListLimit(t *testing.T) {
	var limits []string
	pages := map[string]string{
		"":  `{"items":[{"link":"udp0","reason":"auth","payload":"01"},{"link":"udp0","reason":"auth","payload":"02"}],"next":"9"}`,
		"9": `{"items":[{"seq":8,"link":"udp0","reason":"auth","payload":"03"}],"next":"8"}`,
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		limits = append(limits, r.URL.Query().Get("limit"))
		_, _ = io.WriteString(w, pages[r.URL.Query().Get("cursor")])
	}))
	defer s.Close()
	t.Setenv("GODWIT_TOKEN", "secret")
	for limit, want := range map[string]string{"2": "2", "3": "3 1"} {
		limits = nil
		out := godwit(t, 0, "quarantine", "list", "--link", "udp0", "--limit", limit, "--api", s.URL, "-o", "json")
		if got := strings.Join(limits, " "); got != want || strings.Contains(out, `"03"`) != (limit == "3") {
			t.Errorf("--limit %s asked for %s, want %s\n%s", limit, got, want, out)
		}
	}
}

// A device that is refused or out of service is shown with since when.
func TestDeviceShowDismissed(t *testing.T) {
	for _, field := range []string{"rejected", "retired"} {
		address, _ := pathsAPI(t, map[string]string{
			"/devices/buoy-1": `{"number":7,"name":"buoy-1","` + field + `":"2026-11-20T10:00:00Z"}`, "/devices/buoy-1/updates": `{"items":[]}`, "/devices/buoy-1/history": `{"items":[]}`,
		})
		if out := godwit(t, 0, "device", "show", "buoy-1", "--api", address); !regexp.MustCompile(`(?m)^` + field + ` +2026-11-20T10:00:00Z$`).MatchString(out) {
			t.Errorf("%s: %s", field, out)
		}
	}
}
