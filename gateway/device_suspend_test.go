package main_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// Suspending a line and resuming it says to the gateway just what was meant, and shows what came of it.
func TestDeviceSuspend(t *testing.T) {
	const answer = `{"number":7,"name":"buoy-1","suspensions":[{"link":"sbd0","from":"2026-12-01","until":"2027-03-01"},{"link":"sms0","from":"2026-11-30"}]}`
	address, last := gatewayAPI(t, http.StatusOK, answer)
	for _, tc := range []struct{ args, path, body string }{
		{"suspend buoy-1 --link sbd0", "suspend", `{"link":"sbd0"}`},
		{"suspend buoy-1 --link sbd0 --from 2026-12-01", "suspend", `{"from":"2026-12-01","link":"sbd0"}`},
		{"resume buoy-1 --link sbd0 --from 2027-03-01", "resume", `{"from":"2027-03-01","link":"sbd0"}`},
	} {
		*last = asked{}
		out := godwit(t, 0, append([]string{"device", "--api", address}, strings.Fields(tc.args)...)...)
		if fields := strings.Fields(out); strings.Join(fields[5:], " ") != "7 buoy-1 sbd0 2026-12-01 2027-03-01 7 buoy-1 sms0 2026-11-30 -" {
			t.Errorf("%s: %s", tc.args, out)
		}
		got, _ := json.Marshal(last.body)
		if last.method != http.MethodPost || last.path != "/api/v1/devices/buoy-1/"+tc.path || string(got) != tc.body {
			t.Errorf("%s: %+v, want %s", tc.args, *last, tc.body)
		}
	}
	for args, want := range map[string]string{
		"suspend buoy-1":                         "--link",
		"suspend buoy-1 --link sbd0 --from soon": "want YYYY-MM-DD",
		"resume --link sbd0":                     "<device>",
	} {
		*last = asked{}
		contains(t, godwit(t, 2, append([]string{"device", "--api", address}, strings.Fields(args)...)...), want)
		if last.method != "" {
			t.Errorf("%s: the gateway was asked", args)
		}
	}
	show, _ := pathsAPI(t, map[string]string{"/devices/buoy-1": answer, "/devices/buoy-1/updates": `{"items":[]}`, "/devices/buoy-1/history": `{"items":[]}`})
	contains(t, godwit(t, 0, "device", "show", "buoy-1", "--api", show), "sbd0 from 2026-12-01 until 2027-03-01\n", "sms0 from 2026-11-30 until it is resumed\n")
}
