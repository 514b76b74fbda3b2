package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// The demo tells to try the gateway's program as it can be called from here.
func TestBeside(t *testing.T) {
	t.Chdir(t.TempDir())
	if got := beside("./godwit-sim"); got != "" {
		t.Errorf("%q is not there", got)
	}
	if err := os.WriteFile("godwit", nil, 0o700); err != nil {
		t.Fatal(err)
	}
	for program, want := range map[string]string{"./godwit-sim": "./godwit", "godwit-sim": "", "nowhere/godwit-sim": ""} {
		if got := beside(program); got != want {
			t.Errorf("beside %s is %q, want %q", program, got, want)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, tc := range []struct {
		args   string
		code   int
		stdout string
		stderr string
	}{
		{"--help", 0, "godwit-sim <command>", ""},
		{"demo --help", 0, "godwit-sim demo --for 30s -o json", ""},
		{"version", 0, "commit", ""},
		{"", 2, "", "godwit-sim --help"},
		{"fly", 2, "", "fly"},
		{"demo --devices many", 2, "", "Try: godwit-sim demo --help"},
		{"demo --devices 100000", 2, "", "100000 devices"},
		{"demo -o xml", 2, "", "output"},
		{"serve", 2, "", "fleet-key"},
		{"bench schedule --world --days 1", 2, "", "--days 1"},
	} {
		t.Run(tc.args, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if code := run(strings.Fields(tc.args), &stdout, &stderr); code != tc.code {
				t.Errorf("exit code %d, want %d; %s", code, tc.code, &stderr)
			}
			if !strings.Contains(stdout.String(), tc.stdout) || !strings.Contains(stderr.String(), tc.stderr) {
				t.Errorf("stdout:\n%s\nstderr:\n%s", &stdout, &stderr)
			}
		})
	}
}
