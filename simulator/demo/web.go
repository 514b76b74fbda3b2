package demo

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/godwit-gateway/godwit/codec/manifest"
	"github.com/godwit-gateway/godwit/simulator/device"
)

// fetchTimeout bounds how long the devices of a link wait for one of them.
const fetchTimeout = 5 * time.Second

// web is where devices fetch manifests and images: HTTP, one after the other.
type web struct {
	ctx    context.Context //nolint:containedctx // devices know no contexts, and it lives as long as they do
	client http.Client
}

// publisher is the web as devices take it.
func publisher(ctx context.Context, signers []manifest.PublicKey) *device.Publisher {
	w := &web{ctx: ctx, client: http.Client{Timeout: fetchTimeout}}
	return &device.Publisher{Fetch: w.manifest, Image: w.image, Signers: signers}
}

// manifest is what is at an address, if that is no more than a manifest may be.
func (w *web) manifest(reference string) ([]byte, bool) {
	var signed []byte
	err := w.get(reference, func(body io.Reader) (err error) {
		signed, err = io.ReadAll(io.LimitReader(body, manifest.SizeMax+1))
		return err
	})
	return signed, err == nil
}

// image is the size and the hash of what is at an address, up to a byte more than it should have.
func (w *web) image(url string, most uint64) (size uint64, sum [32]byte, ok bool) {
	h := sha256.New()
	err := w.get(url, func(body io.Reader) error {
		n, err := io.Copy(h, io.LimitReader(body, int64(most)+1)) //nolint:gosec // manifests have sizes below 2^40
		size = uint64(n)                                          //nolint:gosec // not negative
		return err
	})
	return size, [32]byte(h.Sum(nil)), err == nil
}

func (w *web) get(url string, read func(body io.Reader) error) error {
	request, err := http.NewRequestWithContext(w.ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return fmt.Errorf("fetch %s: %w", url, err)
	}
	response, err := w.client.Do(request)
	if err != nil {
		return fmt.Errorf("fetch %s: %w", url, err)
	}
	defer func() { _ = response.Body.Close() }() // only read
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("fetch %s: %s", url, response.Status) //nolint:err113 // nobody branches on it
	}
	return read(response.Body)
}
