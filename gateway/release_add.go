package main

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/godwit-gateway/godwit/gateway/api"
)

type releaseAddCmd struct {
	Manifest string `arg:"" help:"File of the signed manifest, - for standard input." type:"path"`
	URL      string `name:"url" help:"Address from which devices fetch the manifest." required:""`
}

// Help shows an example.
func (releaseAddCmd) Help() string {
	return `The gateway takes a manifest that verifies under a [[signer]] of its configuration, and nothing else. Publish the
manifest and the image first: devices fetch both.

Example:
  godwit release add 2.5.0.cose --url https://updates.example/2.5.0.cose`
}

// Run makes the release known.
func (c *releaseAddCmd) Run(e *env) error {
	if u, err := url.Parse(c.URL); err != nil || u.Scheme == "" || u.Host == "" {
		return fmt.Errorf("%w: --url %s: want an address as https://updates.example/2.5.0.cose", errUsage, c.URL)
	}
	signed, err := readManifest(c.Manifest)
	if err != nil {
		return err
	}
	client, err := e.client()
	if err != nil {
		return err
	}
	var r api.Release
	if err := client.Post(e.ctx, "/releases", nil, api.ReleaseRequest{Manifest: signed, URL: c.URL}, &r); err != nil {
		return err
	}
	return printRelease(e, &r)
}

func releasePath(product, version string) string {
	return "/releases/" + url.PathEscape(product) + "/" + url.PathEscape(version)
}

func printRelease(e *env, r *api.Release) error {
	return e.print(r, "", func(row func(...any)) {
		row("product", r.Product)
		row("version", r.Version)
		row("build", r.Build)
		row("sequence", r.Sequence)
		row("image", r.Image)
		row("size", fmt.Sprintf("%d B, SHA-256 %s", r.Size, r.SHA256))
		row("memory", fmt.Sprintf("%d B must be free", r.Memory))
		if r.Minimum > 0 {
			row("minimum", fmt.Sprintf("sequence %d", r.Minimum))
		}
		if len(r.From) > 0 {
			row("from", strings.Join(r.From, ", "))
		}
		row("not after", r.NotAfter)
		row("notes", r.Notes)
		row("manifest", r.URL)
		row("signed by", r.Signer)
		row("added", cell(r.Added)+" by "+r.By)
		if !r.Withdrawn.IsZero() {
			row("withdrawn", cell(r.Withdrawn)+" "+r.Why)
		}
	})
}

type releaseListCmd struct {
	Product string `help:"Only releases of this product."`
}

// Help shows an example.
func (releaseListCmd) Help() string {
	return `Example:
  godwit release list --product buoy-demo`
}

// Run lists.
func (c *releaseListCmd) Run(e *env) error {
	path := "/releases"
	if c.Product != "" {
		path += "?" + url.Values{"product": {c.Product}}.Encode()
	}
	all, err := list[api.Release](e, path)
	if err != nil {
		return err
	}
	return e.print(all, "PRODUCT VERSION SEQUENCE SIZE SIGNER ADDED BY WITHDRAWN", func(row func(...any)) {
		for i := range all {
			r := &all[i]
			row(r.Product, r.Version, r.Sequence, r.Size, r.Signer, r.Added, r.By, r.Withdrawn)
		}
	})
}

type releaseShowCmd struct {
	Product string `arg:"" help:"Its product."`
	Version string `arg:"" help:"Its version."`
}

// Help shows an example.
func (releaseShowCmd) Help() string {
	return `Example:
  godwit release show buoy-demo 2.5.0`
}

// Run shows.
func (c *releaseShowCmd) Run(e *env) error {
	client, err := e.client()
	if err != nil {
		return err
	}
	var r api.Release
	if err := client.Get(e.ctx, releasePath(c.Product, c.Version), nil, &r); err != nil {
		return err
	}
	return printRelease(e, &r)
}

type releaseWithdrawCmd struct {
	Product string `arg:"" help:"Its product."`
	Version string `arg:"" help:"Its version."`
	Remark  string `help:"Why; it stands in the book of authorisations." required:"" placeholder:"TEXT"`
}

// Help shows an example.
func (releaseWithdrawCmd) Help() string {
	return `No rollout offers the release any more. What devices have already fetched they may still install.

Example:
  godwit release withdraw buoy-demo 2.5.0 --remark "loses its clock"`
}

// Run withdraws.
func (c *releaseWithdrawCmd) Run(e *env) error {
	client, err := e.client()
	if err != nil {
		return err
	}
	var r api.Release
	if err := client.Post(e.ctx, releasePath(c.Product, c.Version)+"/withdraw", nil, api.RemarkRequest{Remark: c.Remark}, &r); err != nil {
		return err
	}
	return printRelease(e, &r)
}
