package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/godwit-gateway/godwit/codec/manifest"
	"github.com/godwit-gateway/godwit/gateway/config"
)

type releaseSignCmd struct {
	File string `arg:"" help:"Release file." type:"path"`
	Key  string `help:"File of the private key." required:"" type:"path" placeholder:"FILE"`
	Out  string `help:"File for the manifest, which must not be there yet, instead of standard output." type:"path" placeholder:"FILE"`
}

// Help shows an example.
func (releaseSignCmd) Help() string {
	return `Writes a signed manifest (COSE_Sign1, up to 2,048 bytes). Size and SHA-256 are taken from the image. Put the manifest behind
a URL of at most 255 bytes, which offers lead to; a manifest that is signed again says the same in the same bytes. A release file:

  product = "buoy-demo"                     # as hellos of the devices have it
  version = "2.5.0"
  sequence = 25                             # rises with each release of the product; a device installs nothing that is not above its own
  image = "buoy-2.5.0.bin"                  # beside this file
  url = "https://updates.example/buoy-2.5.0.bin"
  # build = "8c1f…"                         # hash of the build as hellos have it, 4 to 32 bytes: only that confirms the update
  # memory = 300000                         # bytes that must be free; by default twice the image
  # in_place = true                         # the device patches what it runs: it needs memory, or room for the image once
  # minimum = 20                            # the sequence that a device must run at least
  # from = ["2.4.0", "2.4.1"]               # or the versions, up to 8: others need another release first
  # not_after = "2027-03-01"                # nobody begins to install it later
  # notes = "defrost timer"                 # for people, up to 255 bytes

Example:
  godwit release sign release.toml --key releases.key > 2.5.0.cose`
}

// Run signs.
func (c *releaseSignCmd) Run(e *env) error {
	text, err := os.ReadFile(c.File)
	if err != nil {
		return fmt.Errorf("read the release file: %w", err)
	}
	r, err := config.ParseRelease(c.File, string(text))
	if err != nil {
		return err
	}
	secret, err := os.ReadFile(c.Key)
	if err != nil {
		return fmt.Errorf("read the key: %w", err)
	}
	key, err := manifest.ParseSigningKey(secret)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Key, err)
	}
	image := r.Image
	if !filepath.IsAbs(image) {
		image = filepath.Join(filepath.Dir(c.File), image)
	}
	if r.Manifest.Size, r.Manifest.SHA256, err = hashImage(image); err != nil {
		return err
	}
	signed, err := manifest.Sign(&r.Manifest, key)
	if err != nil {
		return err
	}
	if c.Out != "" {
		if err := writeNew(c.Out, 0o644, signed); err != nil {
			return fmt.Errorf("write the manifest: %w", err)
		}
	}
	s, err := manifest.Verify(signed, []manifest.PublicKey{key.Public()})
	if err != nil {
		return err
	}
	v := viewManifest(signed, &s, true)
	if e.cli.Output == "json" {
		return e.print(struct {
			manifestView
			Manifest []byte `json:"manifest"` // base64
		}{v, signed}, "", nil)
	}
	if c.Out != "" {
		return e.print(v, "", v.rows)
	}
	_, err = io.Copy(e.stdout, bytes.NewReader(signed))
	return written(err)
}

// hashImage is the size of a file and its SHA-256.
func hashImage(path string) (size uint64, sum [32]byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, sum, fmt.Errorf("read the image: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return 0, sum, fmt.Errorf("read the image: %w", err)
	}
	return uint64(n), [32]byte(h.Sum(nil)), nil //nolint:gosec // not negative
}
