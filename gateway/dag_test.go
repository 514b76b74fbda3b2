package main_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/godwit-gateway/godwit"

// imports is who may import whom within the module, by folder. An entry ending in /... means the folders below it too. A folder that is
// not listed fails the test: its place must be decided first.
var imports = map[string][]string{
	"codec":                   {"codec/aes128"},
	"codec/aes128":            {},
	"codec/session":           {"codec"},
	"codec/train":             {"codec"},
	"codec/entropy":           {"codec"},
	"codec/manifest":          {"codec"},
	"transports":              {},
	"scheduler":               {},
	"scheduler/row":           {},
	"scheduler/tariff":        {"scheduler", "scheduler/row"},
	"scheduler/ledger":        {"scheduler", "scheduler/row", "scheduler/tariff"},
	"scheduler/presence":      {"scheduler"},
	"scheduler/core":          {"scheduler", "scheduler/ledger", "scheduler/presence", "scheduler/row", "scheduler/tariff"},
	"gateway/docs":            {},
	"gateway/audit":           {},
	"gateway/fleet":           {"codec", "codec/session", "scheduler/row", "scheduler/tariff"},
	"gateway/store":           {"gateway/failpoint"},
	"gateway/hub":             {"codec", "codec/session", "codec/manifest", "transports", "scheduler/...", "gateway/audit", "gateway/fleet", "gateway/rollout/...", "gateway/store", "gateway/failpoint"},
	"gateway/publish":         {"gateway/store", "gateway/failpoint"},
	"gateway/rollout":         {"codec", "codec/manifest", "scheduler/presence", "scheduler/row", "gateway/rollout/silence", "gateway/rollout/verdict"},
	"gateway/rollout/silence": {"scheduler/presence"},

	"gateway/rollout/verdict": {"scheduler", "scheduler/presence"},

	"gateway/failpoint": {},
	"gateway/backup":    {},

	"gateway/publish/streammodel": {"gateway/publish", "gateway/store"},

	"gateway/config":  {"codec", "codec/train", "codec/manifest", "scheduler/...", "transports/...", "gateway/fleet", "gateway/hub", "gateway/store", "gateway/publish"},
	"gateway/metrics": {"scheduler/...", "gateway/hub", "gateway/fleet", "gateway/store", "gateway/publish"},
	"gateway/api":     {"codec", "codec/manifest", "scheduler/...", "gateway/audit", "gateway/rollout/...", "gateway/config", "gateway/docs", "gateway/fleet", "gateway/hub", "gateway/metrics", "gateway/store", "gateway/publish"},
	"gateway/node":    {"codec/...", "scheduler/...", "transports/...", "gateway/..."},
	"gateway/bench":   {"codec/...", "scheduler/...", "transports/...", "gateway/..."},

	"gateway/bench/size": {"codec", "codec/train", "codec/entropy"},

	"gateway/e2e": {"codec/...", "scheduler/...", "transports/...", "gateway/..."},
	"gateway":     {"codec/...", "scheduler/...", "transports/...", "gateway/..."},

	"transports/tty":             {"transports"},
	"transports/smsmodem":        {"transports", "transports/serial", "transports/tty", "gateway/failpoint"},
	"transports/cloudloop":       {"transports", "transports/mark", "transports/recent", "transports/webservice", "gateway/failpoint"},
	"transports/directip":        {"transports", "transports/gate", "transports/recent", "gateway/failpoint"},
	"transports/gate":            {"transports"},
	"transports/idpmodem":        {"transports", "transports/isatdata", "transports/serial", "transports/tty", "gateway/failpoint"},
	"transports/idp":             {"transports", "transports/isatdata", "transports/mark", "transports/webservice", "gateway/failpoint"},
	"transports/isatdata":        {},
	"transports/mark":            {},
	"transports/recent":          {},
	"transports/rockblock":       {"transports", "transports/gate", "transports/recent", "transports/webservice", "gateway/failpoint"},
	"transports/sbdmodem":        {"transports", "transports/serial", "transports/tty", "transports/mark", "gateway/failpoint"},
	"transports/serial":          {"transports"},
	"transports/udp":             {"transports", "gateway/failpoint"},
	"transports/transporttest":   {"transports"},
	"transports/webservice":      {},
	"simulator/device":           {"codec", "codec/session", "codec/manifest"},
	"simulator/radio":            {},
	"simulator/check":            {},
	"simulator/faults":           {},
	"simulator/world":            {"codec", "codec/session", "codec/manifest", "scheduler/...", "transports", "gateway/audit", "gateway/fleet", "gateway/hub", "gateway/rollout/...", "gateway/store", "gateway/publish", "gateway/publish/streammodel", "simulator/check", "simulator/device", "simulator/radio"},
	"simulator/satbench":         {"codec", "gateway/config", "gateway/node", "simulator/peers/rockblock"},
	"simulator/trial":            {"scheduler", "scheduler/presence"},
	"simulator/year":             {"codec", "gateway/hub", "scheduler", "scheduler/core", "scheduler/tariff", "transports", "simulator/device", "simulator/radio", "simulator/trial", "simulator/world"},
	"simulator/trial/rollouts":   {"scheduler", "scheduler/presence", "gateway/rollout/verdict", "simulator/trial"},
	"simulator/scenario":         {"codec", "codec/session", "codec/manifest", "scheduler/...", "transports", "gateway/config", "gateway/fleet", "gateway/hub", "gateway/rollout", "simulator/device", "simulator/radio", "simulator/world"},
	"simulator/report":           {"transports", "gateway/rollout/...", "scheduler/presence", "simulator/device", "simulator/radio", "simulator/report/chart", "simulator/world"},
	"simulator/report/chart":     {},
	"simulator/peers/atmodem":    {"simulator/peers/pty"},
	"simulator/peers/pty":        {},
	"simulator/peers/sbdterm":    {"simulator/peers/pty"},
	"simulator/peers/gss":        {},
	"simulator/peers/idpterm":    {"simulator/peers/pty"},
	"simulator/peers/igws":       {},
	"simulator/peers/rockblock":  {},
	"simulator":                  {"..."},
	"simulator/demo":             {"..."},
	"simulator/world/natsstream": {"gateway/publish"},
}

// outside is who alone may import the packages of others that carry a promise: what reaches the disk, the stream and the line.
var outside = map[string][]string{
	"github.com/cockroachdb/pebble/v2":    {"gateway/store"},
	"github.com/nats-io/nats-server":      {"gateway/publish", "gateway/node"},
	"github.com/nats-io/nats.go":          {"gateway/publish", "gateway/node", "simulator/demo", "simulator/world/natsstream"},
	"github.com/golang-jwt/jwt":           {"transports/rockblock", "simulator/peers/rockblock"},
	"github.com/warthog618/modem":         {"transports/smsmodem", "transports/idpmodem"},
	"github.com/warthog618/sms":           {"transports/smsmodem", "simulator/peers/atmodem", "simulator/demo"},
	"github.com/danielgtaylor/huma":       {"gateway/api"},
	"github.com/prometheus/client_golang": {"gateway/metrics", "gateway/api", "gateway/node"},
	"github.com/fxamacker/cbor":           {"codec", "codec/manifest", "gateway/bench/size"},
	"github.com/veraison/go-cose":         {"codec/manifest"},
	"github.com/klauspost/compress":       {"gateway/bench/size"},
	"google.golang.org/protobuf":          {"gateway/bench/size"},
	"github.com/BurntSushi/toml":          {"gateway/config"},
	"github.com/go-viper/mapstructure":    {"gateway/config"},
}

type listed struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", module+"/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// allowed reports whether a list of folders names the folder.
func allowed(list []string, folder string) bool {
	return slices.ContainsFunc(list, func(entry string) bool {
		below, ok := strings.CutSuffix(entry, "...")
		return entry == folder || ok && (strings.HasPrefix(folder, below) || folder+"/" == below)
	})
}

func TestImports(t *testing.T) {
	for _, p := range packages(t) {
		folder := strings.TrimPrefix(p.ImportPath, module+"/")
		list, ok := imports[folder]
		if !ok {
			t.Errorf("%s: not in the import table: decide who may import it and what it may import", folder)
			continue
		}
		for _, imp := range p.Imports {
			if own, ok := strings.CutPrefix(imp, module+"/"); ok && !allowed(list, own) {
				t.Errorf("%s may not import %s", folder, own)
			}
			for prefix, who := range outside {
				if (imp == prefix || strings.HasPrefix(imp, prefix+"/")) && imp != "github.com/cockroachdb/pebble/v2/vfs" && !slices.Contains(who, folder) {
					t.Errorf("%s may not import %s: only %s may", folder, imp, strings.Join(who, ", "))
				}
			}
		}
	}
}

// TestPure holds the pure packages to their promise: bytes and values in, bytes and values out.
func TestPure(t *testing.T) {
	pure := []string{"codec", "codec/aes128", "codec/session", "codec/train", "codec/entropy", "codec/manifest", "gateway/fleet", "gateway/rollout", "gateway/rollout/silence", "gateway/rollout/verdict", "scheduler", "scheduler/row", "scheduler/tariff", "scheduler/ledger", "scheduler/presence", "scheduler/core", "gateway/audit", "simulator/device", "simulator/radio", "simulator/check"}
	for _, p := range packages(t) {
		folder := strings.TrimPrefix(p.ImportPath, module+"/")
		if !slices.Contains(pure, folder) {
			continue
		}
		for _, imp := range p.Imports {
			root, _, _ := strings.Cut(imp, "/")
			if slices.Contains([]string{"net", "os", "syscall", "log"}, root) || imp == "crypto/rand" {
				t.Errorf("%s is pure and may not import %s", folder, imp)
			}
		}
	}
}
