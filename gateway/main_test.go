package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// files are a key and a configuration that is good.
func files(t *testing.T) (key, conf string) {
	t.Helper()
	dir := t.TempDir()
	key, conf = filepath.Join(dir, "fleet.key"), filepath.Join(dir, "godwit.toml")
	text := "[gateway]\nstate_dir = \"" + dir + "\"\n[link.udp0]\nkind = \"udp\"\nlisten = \"127.0.0.1:5688\"\n"
	for path, content := range map[string]string{key: strings.Repeat("5f", 32), conf: text} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return key, conf
}

// Commands that make no sense say how they are to be used and where there is more, and end with 2; what cannot be done ends with 1.
func TestUsage(t *testing.T) {
	key, conf := files(t)
	for _, tc := range []struct {
		args   string
		code   int
		stdout string
		stderr string
	}{
		{"--help", 0, "Usage: godwit <command>", ""},
		{"device --help", 0, "godwit device <command>", ""},
		{"device import --help", 0, "godwit device import fleet.csv --dry-run", ""},
		{"message send --help", 0, "Either this or --hex.", ""},
		{"template train --help", 0, " 100% trains on all", ""},
		{"rollout halt --help", 0, "Usage: godwit rollout halt --remark=TEXT <rollout>", ""},
		{"rollout halt 1", 2, "", "--remark"},
		{"rollout halt 1 --remark=", 2, "", "--remark"},
		{"tariff price --help", 0, "Usage: godwit tariff price --bytes=INT-64 [flags]", ""},
		{"tariff price --bytes 8", 2, "", "--link or --tariff"},
		{"event tail --from 1 --since 1h", 2, "", "--from and --since"},
		{"version --help", 0, "godwit version -o json", ""},
		{"version", 0, "godwit", ""},
		{"version -o json", 0, `"version"`, ""},
		{"config default", 0, `max_age = "30d"`, ""},
		{"", 2, "", "Usage: godwit <command>"},
		{"", 2, "", "Try: godwit --help"},
		{"fly", 2, "", "fly"},
		{"--fly", 2, "", "--fly"},
		{"device", 2, "", "import"},
		{"device", 2, "", "Try: godwit device --help"},
		{"device import", 2, "", "Usage: godwit device import"},
		{"device import", 2, "", "Try: godwit device import --help"},
		{"device list --state asleep", 2, "", "state"},
		{"device list --fly", 2, "", "Try: godwit device list --help"},
		{"device address x 4711", 2, "", "bearer:id"},
		{"frame inspect", 2, "", "Try: godwit frame inspect --help"},
		{"frame inspect xyz", 2, "", "hex"},
		{"frame inspect ffff", 1, "malformed", "would be refused"},
		{"frame inspect ffff -o json", 1, `"error"`, "would be refused"},
		{"frame encode --counter 1 --number 7", 2, "", "--fleet-key"},
		{"frame encode --counter 1 --number 7 --fleet-key " + key + " battery=12.6", 0, "8207", ""},
		{"frame encode --counter 1 --number 7 --fleet-key " + key + " battery=9999", 2, "", "out of range"},
		{"frame encode --counter 1 --number 7 --fleet-key " + key + " battery=-9999", 2, "", "out of range"},
		{"frame encode --counter 1 --number 7 --fleet-key " + key + " battery=full", 2, "", "field=number"},
		{"frame encode --counter 1 --number 7 --fleet-key " + key + " speed=1", 2, "", "there is no field"},
		{"event tail --since yesterday", 2, "", "duration"},
		{"event tail --subject a..b", 2, "", "empty token"},
		{"event tail --max -1", 2, "", "--max"},
		{"quarantine list --limit 0", 2, "", "--limit"},
		{"message send buoy-1", 2, "", "--hex or --text"},
		{"message send buoy-1 --hex 00 --text x", 2, "", "--text"},
		{"message send buoy-1 --hex xy", 2, "", "--hex"},
		{"message send buoy-1 --hex 00 --ttl soon", 2, "", "--ttl"},
		{"token create x --role king", 2, "", "role"},
		{"token create x --ttl soon", 2, "", "--ttl"},
		{"store accept-loss", 2, "", "--yes"},
		{"bench --dir /nowhere/at/all", 2, "", "/nowhere"},
		{"link list -o xml", 2, "", "output"},
		{"config check -c " + conf, 0, "udp on 127.0.0.1:5688", ""},
		{"config check -c " + conf + " -o json", 0, `"max_age": "30d"`, ""},
		{"config check -c " + conf + " --set nats.mode=carrier-pigeon", 1, "", "--set nats.mode"},
		{"config check -c /nowhere.toml", 1, "", "godwit config default"},
		{"device import -c " + conf + " -", 1, "", "standard input is empty"},
		{"store check -c " + conf, 1, "", "there is none"},
		{"status -c " + conf, 1, "", "token"},
		{"device import -c " + conf + " --transfer-key-file /nowhere.key " + conf, 1, "", "transfer key: "},
	} {
		t.Run(tc.args, func(t *testing.T) {
			code, stdout, stderr := godwit(strings.Fields(tc.args)...)
			if code != tc.code {
				t.Errorf("exit code %d, want %d; %s", code, tc.code, stderr)
			}
			if !strings.Contains(stdout, tc.stdout) || !strings.Contains(stderr, tc.stderr) {
				t.Errorf("stdout:\n%s\nstderr:\n%s\nwant %q and %q", stdout, stderr, tc.stdout, tc.stderr)
			}
			if code == 2 && stdout != "" {
				t.Errorf("how it is to be used went to the standard output:\n%s", stdout)
			}
		})
	}
}

func godwit(args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = run(args, &out, &err)
	return code, out.String(), err.String()
}

func TestSubjectWithASpace(t *testing.T) {
	if code, _, stderr := godwit("event", "tail", "--subject", "a b"); code != 2 || !strings.Contains(stderr, "space") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

// Mistakes come as JSON where JSON is asked for, with the variable that a value came from.
func TestConfigProblemsAsJSON(t *testing.T) {
	_, conf := files(t)
	t.Setenv("GODWIT_BOGUS", "1")
	t.Setenv("GODWIT_NATS__MODE", "pigeon")
	code, stdout, stderr := godwit("config", "check", "-c", conf, "-o", "json")
	var got struct {
		Problems []struct{ File, Key, Text, Hint string }
	}
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || code != 1 {
		t.Fatalf("exit code %d, %v: %s\n%s", code, err, stdout, stderr)
	}
	if len(got.Problems) != 2 {
		t.Fatalf("%+v, want two problems", got.Problems)
	}
	if p := got.Problems[0]; p.File != "GODWIT_BOGUS" || p.Text == "" {
		t.Errorf("%+v, want the variable's name", p)
	}
	if p := got.Problems[1]; p.File != "variable GODWIT_NATS__MODE" || p.Key != "nats.mode" {
		t.Errorf("%+v, want the variable's name", p)
	}
}

// What is in effect has the keys of the file, all in lower case.
func TestConfigJSONHasTheKeysOfTheFile(t *testing.T) {
	_, conf := files(t)
	code, stdout, stderr := godwit("config", "check", "-c", conf, "-o", "json")
	var got any
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || code != 0 {
		t.Fatalf("exit code %d, %v: %s", code, err, stderr)
	}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		if table, ok := v.(map[string]any); ok {
			for key, v := range table {
				if key != strings.ToLower(key) {
					t.Errorf("key %s.%s", path, key)
				}
				walk(path+"."+key, v)
			}
		}
	}
	walk("", got)
}

// Who is turned away is told where the token came from, and who may not read the gateway's files, what others do.
func TestStrangers(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"status":401,"detail":"the token is not known"}`)
	}))
	defer s.Close()
	t.Setenv("GODWIT_TOKEN", "wrong")
	code, _, stderr := godwit("device", "list", "--api", s.URL)
	if code != 1 || !strings.Contains(stderr, "the token is not known") || !strings.Contains(stderr, "else of GODWIT_TOKEN") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if err := stranger(fmt.Errorf("read: %w", fs.ErrPermission)); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "GODWIT_TOKEN") {
		t.Error(err)
	}
	if err := stranger(fs.ErrExist); !errors.Is(err, fs.ErrExist) || strings.Contains(err.Error(), "GODWIT_TOKEN") {
		t.Error(err)
	}
}
