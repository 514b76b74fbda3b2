package config_test

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/godwit-gateway/godwit/codec/manifest"
	"github.com/godwit-gateway/godwit/gateway/config"
)

// A signer without a name, a file or a key is a mistake at its place.
func TestSigners(t *testing.T) {
	dir := t.TempDir()
	key, err := manifest.GenerateKey(rand.Reader, manifest.ES256)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := key.PEM()
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, text []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good, private := write("good.pub", key.Public().PEM()), write("private", secret)
	const head = "[link.udp0]\nkind = \"udp\"\nlisten = \"127.0.0.1:0\"\n"
	signer := func(id, file string) string { return "[[signer]]\nid = \"" + id + "\"\nfile = \"" + file + "\"\n" }
	for name, tt := range map[string]struct {
		text string
		want []string // keys of the problems
	}{
		"one":           {signer("releases", good), nil},
		"two":           {signer("old", good) + signer("new", good), nil},
		"twice":         {signer("a", good) + signer("a", good), []string{"signer[1].id"}},
		"no name":       {signer("", good), []string{"signer[0].id"}},
		"no file":       {"[[signer]]\nid = \"a\"\n", []string{"signer[0].file"}},
		"not there":     {signer("a", filepath.Join(dir, "none")), []string{"signer[0].file"}},
		"a private key": {signer("a", private), []string{"signer[0].file"}},
	} {
		c, err := config.Load(config.Source{Text: head + tt.text})
		var ps config.FileErrors
		if err != nil && !errors.As(err, &ps) {
			t.Fatal(err)
		}
		var got []string
		for _, p := range ps {
			got = append(got, p.Key)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: mistakes at %q, want %q", name, got, tt.want)
		}
		if len(tt.want) == 0 && (len(c.SignerKeys()) != len(c.Signers) || string(c.SignerKeys()[0].ID()) != string(key.Public().ID())) {
			t.Errorf("%s: %d keys", name, len(c.SignerKeys()))
		}
	}
}
