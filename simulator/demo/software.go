package demo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/godwit-gateway/godwit/codec/manifest"
	"github.com/godwit-gateway/godwit/simulator/device"
)

// What the software of the trucks is made of. It starts with what is on them from the factory; each demo on a state brings the next release.
const (
	truckProduct  = "truck-demo"
	truckImage    = 64 << 10
	firstSequence = 24 // of the factory's software, 2.4.0
)

// software is the developers of the trucks' software, and the web server where devices fetch it.
type software struct {
	dir    string
	key    manifest.SigningKey
	listen *net.TCPListener
}

// developerKey is the key that releases are signed with. It is always the same for a seed: a demo has no secrets. The public key is written to a file.
func developerKey(dir string, seed uint64) (key manifest.SigningKey, public string, err error) {
	if key, err = manifest.SeededKey(secret(seed, "developer")); err != nil {
		return key, "", fmt.Errorf("key of the developers: %w", err)
	}
	public = filepath.Join(dir, "developers.pub")
	if err := os.WriteFile(public, key.Public().PEM(), 0o600); err != nil {
		return key, "", fmt.Errorf("key of the developers: %w", err)
	}
	return key, public, nil
}

// newSoftware opens the web server.
func newSoftware(dir string, seed uint64) (*software, error) {
	s := &software{dir: filepath.Join(dir, "www")}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, fmt.Errorf("folder of the software: %w", err)
	}
	var err error
	if s.key, _, err = developerKey(dir, seed); err != nil {
		return nil, err
	}
	s.listen, err = listenTCP("127.0.0.1:0", "of the software")
	return s, err
}

func (s *software) run(ctx context.Context) error {
	return serveUntil(ctx, s.listen, http.FileServer(http.Dir(s.dir)))
}

func (s *software) close() error { return closeListener(s.listen) }

// release is software that has been signed.
type release struct {
	version string
	signed  []byte
	url     string // of the manifest
}

// truckVersion is that of the n-th release of the trucks' software, from 1 on; 0 is what they have from the factory.
func truckVersion(n int) string { return fmt.Sprintf("2.%d.0", 4+n) }

// truckBuild is the hash of its build, or so its hellos say.
func truckBuild(n int) []byte {
	return binary.BigEndian.AppendUint32(nil, binary.BigEndian.Uint32(build)+uint32(n)) //nolint:gosec // few
}

// publish makes the n-th release, signs it, and puts it on the web server.
func (s *software) publish(n int) (release, error) {
	r := release{version: truckVersion(n)}
	image := bytes.Repeat(truckBuild(n), truckImage/len(build))
	name := "truck-" + r.version
	at := "http://" + s.listen.Addr().String() + "/" + name
	var err error
	r.url = at + ".cose"
	r.signed, err = manifest.Sign(&manifest.Manifest{
		Product: truckProduct, Version: r.version, Build: truckBuild(n), Sequence: firstSequence + uint32(n), Size: truckImage, //nolint:gosec // few
		SHA256: sha256.Sum256(image), URL: at + ".bin", Notes: "made by the demo",
	}, s.key)
	if err != nil {
		return r, fmt.Errorf("sign release %s: %w", r.version, err)
	}
	for path, content := range map[string][]byte{name + ".bin": image, name + ".cose": r.signed} {
		if err := os.WriteFile(filepath.Join(s.dir, path), content, 0o600); err != nil {
			return r, fmt.Errorf("publish release %s: %w", r.version, err)
		}
	}
	return r, nil
}

// equip makes the n-th truck one that installs what the developers sign, up to their last release, and gives it one of the fates that there are in the field.
func (s *software) equip(ctx context.Context, m *member, n, last int) {
	m.Publisher = publisher(ctx, []manifest.PublicKey{s.key.Public()})
	m.FreeMemory = 4 * truckImage
	var mishaps device.Mishaps
	switch n % fatesEach {
	case 3:
		m.FreeMemory = truckImage // no room for a copy
	case 5:
		m.Owner = device.OwnerDeclines
	case 7:
		m.Owner, m.Deferral = device.OwnerDefers, deferral
	case 9:
		mishaps.Start = 1
	}
	m.Images = make(map[string]device.Image)
	for k := 1; k <= last; k++ {
		m.Images[truckVersion(k)] = device.Image{Build: truckBuild(k), Sequence: firstSequence + uint32(k), Mishaps: mishaps}
	}
}

// Of so many trucks each fate happens to one.
const (
	fatesEach = 10
	deferral  = 20 * time.Second
)
