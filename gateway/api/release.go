package api

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/godwit-gateway/godwit/codec/manifest"
	"github.com/godwit-gateway/godwit/gateway/rollout"
)

// ReleaseRequest is a release to be made known.
type ReleaseRequest struct {
	Manifest []byte `json:"manifest" doc:"the signed manifest, a COSE_Sign1 message, in base64" maxLength:"4096"`
	URL      string `json:"url" doc:"from where devices fetch the manifest" minLength:"1" maxLength:"255"`
}

// A Release is software that devices can be led to.
type Release struct {
	Product   string    `json:"product"`
	Version   string    `json:"version"`
	Build     string    `json:"build,omitempty" doc:"hash of the build, hexadecimal; absent: devices do not tell"`
	Sequence  uint32    `json:"sequence" doc:"rises with each release of the product"`
	Size      uint64    `json:"size_bytes" doc:"of the image"`
	SHA256    string    `json:"sha256" doc:"of the image"`
	Image     string    `json:"image_url"`
	Memory    uint64    `json:"memory_bytes" doc:"that must be free on a device"`
	InPlace   bool      `json:"in_place" doc:"the device patches what it runs"`
	Minimum   uint32    `json:"minimum_sequence,omitempty" doc:"that a device must have: what is below needs another release first"`
	From      []string  `json:"from,omitempty" doc:"versions upon which alone it can be installed"`
	NotAfter  time.Time `json:"not_after,omitzero" doc:"nobody begins to install it afterwards"`
	Notes     string    `json:"notes,omitempty"`
	URL       string    `json:"manifest_url"`
	Hash      string    `json:"manifest_sha256"`
	Signer    string    `json:"signer" doc:"name of the key in the configuration"`
	Added     time.Time `json:"added"`
	By        string    `json:"by"`
	Withdrawn time.Time `json:"withdrawn,omitzero"`
	Why       string    `json:"why,omitempty" doc:"it was withdrawn"`
}

func viewRelease(r *rollout.Release) Release {
	return Release{
		Product: r.Product, Version: r.Version, Build: hex.EncodeToString(r.Build), Sequence: r.Sequence, Size: r.Size, SHA256: hex.EncodeToString(r.SHA256[:]),
		Image: r.URL, Memory: r.Need(), InPlace: r.InPlace, Minimum: r.Minimum, From: r.From, NotAfter: r.NotAfter, Notes: r.Notes, URL: r.Reference,
		Hash: hex.EncodeToString(r.Hash), Signer: r.Signer, Added: r.At, By: r.By, Withdrawn: r.Withdrawn, Why: r.Why,
	}
}

// RemarkRequest says why.
type RemarkRequest struct {
	Remark string `json:"remark,omitempty" maxLength:"1000" doc:"why: it stands in the book of authorisations"`
}

// ReleaseRef names a release in a path.
type ReleaseRef struct {
	Product string `path:"product" maxLength:"64"`
	Version string `path:"version" maxLength:"64"`
}

func (a *api) registerReleases(h huma.API) {
	huma.Register(h, operation(http.MethodGet, "/releases", "list-releases", "Releases by product, as their versions follow each other", Viewer),
		func(_ context.Context, in *struct {
			Product string `query:"product"`
		},
		) (*one[Page[Release]], error) {
			var items []Release
			a.Hub.LookAtRollouts(func(_ time.Time, m *rollout.Machine) {
				for _, r := range m.Releases() {
					if in.Product == "" || r.Product == in.Product {
						items = append(items, viewRelease(&r))
					}
				}
			})
			return page(items, ""), nil
		})
	op := operation(http.MethodPost, "/releases", "add-release", "Make a release known, by a manifest that a signer of the configuration has signed", Operator)
	op.DefaultStatus = http.StatusCreated
	huma.Register(h, op, func(ctx context.Context, in *struct{ Body ReleaseRequest }) (*one[Release], error) {
		r, err := a.signedRelease(&in.Body)
		if err != nil {
			return nil, failed(err)
		}
		return releaseOf(a.Hub.AddRelease(ctx, r))
	})
	huma.Register(h, operation(http.MethodGet, "/releases/{product}/{version}", "show-release", "One release", Viewer),
		func(_ context.Context, in *ReleaseRef) (out *one[Release], err error) {
			a.Hub.LookAtRollouts(func(_ time.Time, m *rollout.Machine) { out, err = releaseOf(m.Release(in.Product, in.Version)) })
			return out, err
		})
	huma.Register(h, operation(http.MethodPost, "/releases/{product}/{version}/withdraw", "withdraw-release", "Offer a release to no device any more", Operator),
		func(ctx context.Context, in *struct {
			ReleaseRef
			Body RemarkRequest
		},
		) (*one[Release], error) {
			return releaseOf(a.Hub.WithdrawRelease(ctx, in.Product, in.Version, in.Body.Remark))
		})
}

func releaseOf(r rollout.Release, err error) (*one[Release], error) {
	return answered(viewRelease(&r), err)
}

// signedRelease is what a manifest says, if one of the signers signed it.
func (a *api) signedRelease(r *ReleaseRequest) (rollout.Release, error) {
	keys := make([]manifest.PublicKey, len(a.Signers))
	for i := range a.Signers {
		keys[i] = a.Signers[i].Key
	}
	s, err := manifest.Verify(r.Manifest, keys)
	if errors.Is(err, manifest.ErrKey) {
		return rollout.Release{}, fmt.Errorf("%w; the configuration has %d in [[signer]]", err, len(keys))
	}
	if err != nil {
		return rollout.Release{}, err //nolint:wrapcheck // it says that it is about the manifest
	}
	hash := manifest.Hash(r.Manifest)
	out := rollout.Release{Manifest: s.Manifest, Reference: r.URL, Hash: hash[:]}
	for i := range a.Signers {
		if slices.Equal(a.Signers[i].Key.ID(), s.KeyID) {
			out.Signer = a.Signers[i].ID
		}
	}
	return out, nil
}
