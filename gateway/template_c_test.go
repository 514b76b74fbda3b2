package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// compiler is a C compiler of the machine.
func compiler(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("CC"), "gcc", "clang", "cc"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	t.Skip("no C compiler at hand: headers of templates are not compiled")
	return ""
}

// firmware is a device that sends a keyframe and then a delta of two statuses, with the template of a header.
const firmware = `
#include "product.h"
#include <stdio.h>

static const uint8_t key[GODWIT_KEY] = {%s};
static const struct godwit_config config = {.number = 7, .key = key, .aes = godwit_aes128};
static struct godwit device;
static struct godwit_history history;
static GODWIT_STATE(FIELDS) states[3];

static int send(int64_t move)
{
	uint8_t record[GODWIT_RECORD], frame[GODWIT_OVERHEAD + 256];
	int64_t values[FIELDS];
	const struct godwit_out out = {frame, sizeof frame, 0};
	struct godwit_status status = {.time = 1800000000 + move * 3600, .values = values, .clock_valid = 1};
	int n, i;

	for (i = 0; i < FIELDS; i++) {
		values[i] = TEMPLATE.fields[i].offset + 3 + (i == 0 ? move : 0);
		fprintf(stderr, "%%d ", IDS[i]);
	}
	if (godwit_record(&device, record))
		godwit_stored(&device);
	if ((n = godwit_status(&device, &history, &status, &out)) < 0)
		return 0;
	for (i = 0; i < n; i++)
		printf("%%02x", frame[i]);
	godwit_delivered(&history, godwit_last(&device));
	return 1;
}

int main(void)
{
	godwit_history_init(&history, &TEMPLATE, 0, &states[0].state, 3);
	if (godwit_boot(&device, &config, NULL) < 0)
		return 1;
	return send(0) && send(1) ? 0 : 1;
}
`

// A header compiles without a warning, and what a device encodes by it the gateway's template decodes: keyframe and delta, models and all.
func TestTemplateC(t *testing.T) {
	cc := compiler(t)
	odd := filepath.Join(t.TempDir(), "odd.toml")
	if err := os.WriteFile(odd, []byte(`name = "4-odd"
time_unit = "minutes"
[[field]]
id = 1
name = "a b"
unit = "*/ x /*"
scale = "1000"
min = "-999999999999000"
bits = 40
[[field]]
id = 2
name = "a-b"
scale = "0.001"
bits = 2
optional = true
group = 8
predictor = "elapsed"
order = 3
spread = 4
model = "`+strings.Repeat("1f", 47)+`"
[[field]]
id = 9
name = "fields"
scale = "1"
bits = 4
`), 0o600); err != nil {
		t.Fatal(err)
	}
	for product, prefix := range map[string]string{"buoy-demo": "buoy_demo", "truck-demo": "truck_demo", odd: "t_4_odd"} {
		t.Run(filepath.Base(product), func(t *testing.T) {
			dir := t.TempDir()
			source, program := filepath.Join(dir, "main.c"), filepath.Join(dir, "main")
			main := fmt.Sprintf(firmware, strings.TrimSuffix(strings.Repeat("0x0f,", 32), ","))
			for path, text := range map[string]string{filepath.Join(dir, "product.h"): godwit(t, 0, "template", "c", product), source: main} {
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			device := filepath.Join("..", "codec", "c")
			out, err := exec.CommandContext(t.Context(), cc, "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-O1", "-I", device, "-I", dir,
				"-DTEMPLATE="+prefix+"_template", "-DIDS="+prefix+"_ids", "-DFIELDS="+strings.ToUpper(prefix)+"_FIELDS", "-o", program,
				source, filepath.Join(device, "godwit.c"), filepath.Join(device, "godwit_aes.c")).CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			run := exec.CommandContext(t.Context(), program)
			var ids bytes.Buffer
			run.Stderr = &ids
			frames, err := run.Output()
			if err != nil {
				t.Fatal(err)
			}
			if product == odd && ids.String() != "1 2 9 1 2 9 " { // of both statuses
				t.Errorf("ids %s", &ids)
			}
			file := product
			if product != odd {
				file = filepath.Join("config", "products", product+".toml")
			}
			shown := godwit(t, 0, append([]string{"frame", "inspect", string(frames), "--product", file}, keyFile(t)...)...)
			contains(t, shown, "keyframe, template slot 0", "delta, template slot 0, base 1", ", +1\n")
			if n := strings.Count(shown, "verified: device 7"); n != 2 {
				t.Errorf("%d frames were opened, want 2:\n%s", n, shown)
			}
		})
	}
}

// The header names the hash that the gateway knows, in text and as JSON; names in C are what was asked for.
func TestTemplateCNames(t *testing.T) {
	hash, _, _ := strings.Cut(strings.TrimSpace(godwit(t, 0, "template", "hash", "buoy-demo")), " ")
	text := godwit(t, 0, "template", "c", "buoy-demo", "--name", "tank")
	contains(t, text, hash, "TANK_WIND_SPEED, /* wind_speed: steps of 0.1 m/s", "struct godwit_template tank_template", "#ifndef TANK_H")
	var out struct{ Product, Hash, C string }
	if err := json.Unmarshal([]byte(godwit(t, 0, "template", "c", "buoy-demo", "--name", "tank", "-o", "json")), &out); err != nil ||
		out.Product != "buoy-demo" || out.Hash != hash || out.C != text {
		t.Errorf("%+v, %v", out, err)
	}
	for _, name := range []string{"9tank", "a-b", "_tank", "ä"} {
		contains(t, godwit(t, 2, "template", "c", "buoy-demo", "--name", name), "--name "+name)
	}
	contains(t, godwit(t, 2, "template", "c", "ghost"), "ghost")
}

// The example of the device's side in C names the template of its product file.
func TestTemplateOfTheExampleInC(t *testing.T) {
	dir := filepath.Join("..", "codec", "c")
	_, hash, ok := strings.Cut(godwit(t, 0, "template", "c", filepath.Join(dir, "example.toml")), ".hash = {")
	if hash, _, _ = strings.Cut(hash, "}"); !ok || len(strings.Split(hash, ", ")) != 8 {
		t.Fatalf("hash %q", hash)
	}
	source, err := os.ReadFile(filepath.Join(dir, "example.c"))
	if err != nil {
		t.Fatal(err)
	}
	contains(t, string(source), ".hash = {"+hash+"}")
}
