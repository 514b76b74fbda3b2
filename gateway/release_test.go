package main_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The release file of the help can be signed, by each kind of key; the manifest is the same each time, fits its image and its key alone, and says what the
// file says.
func TestReleaseSign(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	write := func(name, text string) string {
		if err := os.WriteFile(path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path(name)
	}
	_, file, _ := strings.Cut(godwit(t, 0, "release", "sign", "--help"), "A release file:\n")
	file, _, _ = strings.Cut(file, "Example:")
	file = regexp.MustCompile(`(?m)^ +(# (\w+ = ))?`).ReplaceAllString(strings.ReplaceAll(file, "8c1f…", "8c1f0011"), "$2")
	release, image := write("release.toml", file), write("buoy-2.5.0.bin", strings.Repeat("image", 1000))
	for _, alg := range []string{"ed25519", "es256"} {
		key, other := path(alg), path(alg+"-other")
		godwit(t, 0, "release", "keygen", key, "--algorithm", alg)
		godwit(t, 0, "release", "keygen", other, "--algorithm", alg)
		if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
		signed := godwit(t, 0, "release", "sign", release, "--key", key)
		contains(t, godwit(t, 0, "release", "sign", release, "--key", key, "--out", path(alg+".cose")), "sequence   25", "memory     300000 B must be free", "not after  2027-03-01T23:59:59Z")
		again, err := os.ReadFile(path(alg + ".cose"))
		if err != nil || !bytes.Equal(again, []byte(signed)) {
			t.Fatalf("signed again: %x, %v", again, err)
		}
		godwit(t, 0, "release", "verify", path(alg+".cose"), "--key", other+".pub", "--key", key+".pub", "--image", image)
		contains(t, godwit(t, 1, "release", "verify", path(alg+".cose"), "--key", key+".pub", "--image", release), "not the image of the manifest")
		contains(t, godwit(t, 1, "release", "verify", path(alg+".cose"), "--key", other+".pub"), "no known key signed this")
		contains(t, godwit(t, 1, "release", "verify", release, "--key", key+".pub"), "malformed")
		var v struct {
			Product, SHA256, URL string
			Verified             bool
			Size                 uint64
			From                 []string
			ManifestBytes        int `json:"manifest_bytes"`
		}
		if err := json.Unmarshal([]byte(godwit(t, 0, "release", "inspect", path(alg+".cose"), "-o", "json")), &v); err != nil {
			t.Fatal(err)
		}
		if v.Product != "buoy-demo" || v.Verified || v.Size != 5000 || len(v.From) != 2 || v.ManifestBytes != len(signed) || len(v.SHA256) != 64 {
			t.Errorf("%+v", v)
		}
	}
	contains(t, godwit(t, 1, "release", "keygen", path("es256")), "file exists")
	write("taken.pub", "")
	contains(t, godwit(t, 1, "release", "keygen", path("taken")), "file exists")
	if _, err := os.Stat(path("taken")); err == nil {
		t.Error("a private key is left whose public key is nowhere")
	}
	contains(t, godwit(t, 1, "release", "sign", release, "--key", path("es256.pub")), "es256.pub")
	if err := os.Remove(image); err != nil {
		t.Fatal(err)
	}
	contains(t, godwit(t, 1, "release", "sign", release, "--key", path("es256")), "read the image")
}

// Every mistake of a release file is told, with its line.
func TestReleaseFileMistakes(t *testing.T) {
	dir := t.TempDir()
	for name, tt := range map[string]struct {
		text string
		want []string
	}{
		"none": {"", []string{"product: is missing", "version: is missing", "sequence: is missing", "image: is missing", "url: is missing", "5 mistakes"}},
		"many": {
			"product = \"a\"\nversion = \"1\"\nsequence = -1\nimage = \"x\"\nurl = \"here\"\nmemory = -1\nminimum = 4294967296\nnot_after = \"soon\"\nbuild = \"xyz\"\nimag = \"y\"\n",
			[]string{":3: sequence: -1", ":5: url:", ":6: memory:", ":7: minimum: 4294967296", ":8: not_after:", ":9: build:", `:10: imag: is not a known key; is it "image"?`, "7 mistakes"},
		},
		"limits": {
			"product = \"a\"\nversion = \"" + strings.Repeat("1", 65) + "\"\nsequence = 2\nminimum = 2\nimage = \"x\"\nurl = \"https://a/b\"\nbuild = \"0102\"\n",
			[]string{"bytes of version 65, want 1 to 64", "bytes of build 2, want 4 to 32"},
		},
		"minimum": {
			"product = \"a\"\nversion = \"1\"\nsequence = 2\nminimum = 2\nimage = \"x\"\nurl = \"https://a/b\"\n", []string{"minimum sequence 2, want less than 2"},
		},
		"toml": {"product = a", []string{":1:"}},
	} {
		file := filepath.Join(dir, name+".toml")
		if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		contains(t, godwit(t, 1, "release", "sign", file, "--key", file), tt.want...)
	}
}
