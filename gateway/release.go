package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/godwit-gateway/godwit/codec/manifest"
)

type releaseCmd struct {
	Keygen  releaseKeygenCmd  `cmd:"" help:"Make a key that signs releases."`
	Sign    releaseSignCmd    `cmd:"" help:"Sign the manifest of a release."`
	Verify  releaseVerifyCmd  `cmd:"" help:"Verify a manifest, and an image against it."`
	Inspect releaseInspectCmd `cmd:"" help:"Show what a manifest says, without verifying it."`

	Add      releaseAddCmd      `cmd:"" help:"Make a release known to the gateway."`
	List     releaseListCmd     `cmd:"" help:"List the releases that the gateway knows."`
	Show     releaseShowCmd     `cmd:"" help:"Show one release."`
	Withdraw releaseWithdrawCmd `cmd:"" help:"Offer a release to no device any more."`
}

type releaseKeygenCmd struct {
	File      string `arg:"" help:"File of the private key, which must not be there yet; the public key goes to FILE.pub." type:"path"`
	Algorithm string `help:"ed25519, or es256 where devices verify with P-256 in hardware." enum:"ed25519,es256" default:"ed25519"`
}

// Help shows an example.
func (releaseKeygenCmd) Help() string {
	return `The private key belongs to whoever makes the software and on no gateway: who has it can install software on every device
that trusts it. The public key goes into the firmware, and to the gateway as [[signer]]. Keys of openssl work as well.

Example:
  godwit release keygen releases.key
  openssl genpkey -algorithm ed25519 -out releases.key && openssl pkey -in releases.key -pubout -out releases.key.pub`
}

// keyView is a key as it is printed.
type keyView struct {
	File      string `json:"file"`
	Public    string `json:"public"`
	Algorithm string `json:"algorithm"`
	Key       string `json:"key"`
}

// Run makes a key.
func (c *releaseKeygenCmd) Run(e *env) error {
	alg := manifest.EdDSA
	if c.Algorithm == "es256" {
		alg = manifest.ES256
	}
	key, err := manifest.GenerateKey(rand.Reader, alg)
	if err != nil {
		return err
	}
	text, err := key.PEM()
	if err != nil {
		return err
	}
	if err := writeNew(c.File, 0o600, text); err != nil {
		return fmt.Errorf("write the private key: %w", err)
	}
	v := keyView{File: c.File, Public: c.File + ".pub", Algorithm: alg.String(), Key: hex.EncodeToString(key.Public().ID())}
	if err := writeNew(v.Public, 0o644, key.Public().PEM()); err != nil {
		return errors.Join(fmt.Errorf("write the public key: %w", err), os.Remove(c.File)) // nobody has used it
	}
	return e.print(v, "", func(row func(...any)) {
		row("key", v.Key, v.Algorithm)
		row("private", v.File, "keep it apart from gateways")
		row("public", v.Public, "for firmware, and [[signer]] of the configuration")
	})
}

// writeNew writes a file that must not be there yet, to the disk.
func writeNew(path string, mode os.FileMode, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Sync(), f.Close())
}

type releaseVerifyCmd struct {
	Manifest string   `arg:"" help:"File of the manifest, - for standard input." type:"path"`
	Key      []string `help:"Files of public keys; by default the signers of the configuration." type:"path" placeholder:"FILE"`
	Image    string   `help:"File of the image, whose size and hash must be those of the manifest." type:"path" placeholder:"FILE"`
}

// Help shows an example.
func (releaseVerifyCmd) Help() string {
	return `Fails unless one of the keys signed the manifest.

Example:
  godwit release verify 2.5.0.cose --key releases.key.pub --image buoy-2.5.0.bin`
}

// Run verifies.
func (c *releaseVerifyCmd) Run(e *env) error {
	keys, err := c.keys(e)
	if err != nil {
		return err
	}
	signed, err := readManifest(c.Manifest)
	if err != nil {
		return err
	}
	s, err := manifest.Verify(signed, keys)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Manifest, err)
	}
	if c.Image != "" {
		size, sum, err := hashImage(c.Image)
		if err != nil {
			return err
		}
		if m := &s.Manifest; size != m.Size || sum != m.SHA256 {
			return fmt.Errorf("%s is not the image of the manifest: %d bytes with SHA-256 %x, want %d with %x", c.Image, size, sum, m.Size, m.SHA256)
		}
	}
	v := viewManifest(signed, &s, true)
	return e.print(v, "", v.rows)
}

func (c *releaseVerifyCmd) keys(e *env) ([]manifest.PublicKey, error) {
	if len(c.Key) == 0 {
		cfg, err := e.load()
		if err != nil {
			return nil, err
		}
		if len(cfg.Signers) == 0 {
			return nil, fmt.Errorf("%w: the configuration has no [[signer]]: want --key FILE", errUsage)
		}
		return cfg.SignerKeys(), nil
	}
	var keys []manifest.PublicKey
	for _, path := range c.Key {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read the public key: %w", err)
		}
		key, err := manifest.ParsePublicKey(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

type releaseInspectCmd struct {
	Manifest string `arg:"" help:"File of the manifest, - for standard input." type:"path"`
}

// Help shows an example.
func (releaseInspectCmd) Help() string {
	return `Whoever wrote the file may have written anything into it: only verify says whether it is to be believed.

Example:
  godwit release inspect 2.5.0.cose -o json`
}

// Run shows.
func (c *releaseInspectCmd) Run(e *env) error {
	signed, err := readManifest(c.Manifest)
	if err != nil {
		return err
	}
	s, err := manifest.Decode(signed)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Manifest, err)
	}
	v := viewManifest(signed, &s, false)
	return e.print(v, "", v.rows)
}

// readManifest reads a file that is not too large to be a manifest.
func readManifest(path string) ([]byte, error) {
	var in io.Reader = os.Stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("read the manifest: %w", err)
		}
		defer func() { _ = f.Close() }() // only read
		in = f
	}
	signed, err := io.ReadAll(io.LimitReader(in, manifest.SizeMax+1))
	if err != nil {
		return nil, fmt.Errorf("read the manifest: %w", err)
	}
	return signed, nil
}

// manifestView is a manifest as it is printed.
type manifestView struct {
	Product        string     `json:"product"`
	Version        string     `json:"version"`
	Build          string     `json:"build,omitempty"`
	Sequence       uint32     `json:"sequence"`
	URL            string     `json:"url"`
	Size           uint64     `json:"size"`
	SHA256         string     `json:"sha256"`
	Memory         uint64     `json:"memory"` // bytes that must be free, as the rule gives them
	InPlace        bool       `json:"in_place"`
	Minimum        uint32     `json:"minimum,omitempty"`
	From           []string   `json:"from,omitempty"`
	NotAfter       *time.Time `json:"not_after,omitempty"`
	Notes          string     `json:"notes,omitempty"`
	Algorithm      string     `json:"algorithm"`
	Key            string     `json:"key"`
	Verified       bool       `json:"verified"`
	ManifestSHA256 string     `json:"manifest_sha256"` // what an offer says
	ManifestBytes  int        `json:"manifest_bytes"`
}

func viewManifest(signed []byte, s *manifest.Signed, verified bool) manifestView {
	m, hash := &s.Manifest, manifest.Hash(signed)
	v := manifestView{
		Product: m.Product, Version: m.Version, Build: hex.EncodeToString(m.Build), Sequence: m.Sequence, URL: m.URL, Size: m.Size,
		SHA256: hex.EncodeToString(m.SHA256[:]), Memory: m.Need(), InPlace: m.InPlace, Minimum: m.Minimum, From: m.From, Notes: m.Notes,
		Algorithm: s.Algorithm.String(), Key: hex.EncodeToString(s.KeyID), Verified: verified, ManifestSHA256: hex.EncodeToString(hash[:]), ManifestBytes: len(signed),
	}
	if !m.NotAfter.IsZero() {
		v.NotAfter = &m.NotAfter
	}
	return v
}

// rows fills the table.
func (v *manifestView) rows(row func(...any)) {
	row("product", v.Product)
	row("version", v.Version)
	row("build", v.Build)
	row("sequence", v.Sequence)
	row("image", v.URL)
	row("size", fmt.Sprintf("%d B", v.Size))
	row("sha-256", v.SHA256)
	row("memory", fmt.Sprintf("%d B must be free", v.Memory))
	if v.InPlace {
		row("in place", "yes")
	}
	if v.Minimum > 0 {
		row("minimum", fmt.Sprintf("sequence %d", v.Minimum))
	}
	for _, from := range v.From {
		row("from", from)
	}
	if v.NotAfter != nil {
		row("not after", *v.NotAfter)
	}
	row("notes", v.Notes)
	row("key", v.Key+" ("+v.Algorithm+")")
	if v.Verified {
		row("signature", "good")
	} else {
		row("signature", "not verified")
	}
	row("manifest", fmt.Sprintf("%d B, SHA-256 %s", v.ManifestBytes, v.ManifestSHA256))
}
