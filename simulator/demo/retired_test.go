package demo_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/gateway/api"
	"github.com/godwit-gateway/godwit/gateway/config"
	"github.com/godwit-gateway/godwit/simulator/demo"
)

// retire takes devices out of service as somebody who watches a demo does.
func retire(t *testing.T, dir string, names ...string) {
	t.Helper()
	cfg, err := config.Load(config.Source{Path: filepath.Join(dir, "godwit.toml")})
	if err != nil {
		t.Fatal(err)
	}
	token, err := os.ReadFile(cfg.API.TokenFile)
	if err != nil {
		t.Fatal(err)
	}
	client := api.NewClient(cfg.API.Listen, strings.TrimSpace(string(token)))
	for _, name := range names {
		var d struct{ State string }
		if err := client.Post(t.Context(), "/devices/"+name+"/retire", nil, struct{}{}, &d); err != nil || d.State != "retired" {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
	}
}

// What devices say that were retired during a demo is neither lost nor waited for at its end.
func TestRetiredDevicesDoNotHoldUpTheEnd(t *testing.T) {
	dir, began, seconds := t.TempDir(), time.Now(), 0
	const length = 8 * time.Second
	summary, err := demo.Run(t.Context(), demo.Options{
		For: length, Devices: 6, State: dir, Seed: 1, Interval: 500 * time.Millisecond, SMSInterval: time.Second, Log: slog.New(slog.DiscardHandler),
		Say: func(string, ...any) {},
		Progress: func(string) {
			if seconds++; seconds == 5 { // the devices are known by then
				retire(t, dir, "truck-1001", "buoy-2001")
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > length+50*time.Second {
		t.Errorf("it took %s", took)
	}
	if summary.Links["udp0"].Rejected == 0 || summary.Links["sms0"].Rejected == 0 {
		t.Errorf("nothing was refused: %+v", summary.Links)
	}
}
