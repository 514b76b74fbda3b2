package main

import (
	"encoding/hex"
	"fmt"
	"time"

	"github.com/godwit-gateway/godwit/gateway/api"
)

// deviceOfferCmd offers an update.
type deviceOfferCmd struct {
	commandFlags
	Rollout   uint32   `help:"Number by which the device reports its steps." required:""`
	Version   string   `help:"Of the software." required:""`
	URL       string   `name:"url" help:"Address of the manifest that the device fetches." required:""`
	SHA256    string   `name:"sha256" help:"Hash of the manifest, hexadecimal: its first 16 bytes at least." required:"" placeholder:"HEX"`
	Size      uint64   `help:"Of the image, in bytes." required:"" placeholder:"BYTES"`
	Memory    uint64   `help:"Bytes that must be free; by default twice the image." placeholder:"BYTES"`
	Consent   bool     `help:"Somebody at the device must agree."`
	NotBefore string   `help:"Nothing is installed before this time, as 2026-12-01T22:00:00Z." placeholder:"TIME"`
	Expires   string   `help:"The offer is void after this time." placeholder:"TIME"`
	Burst     []uint16 `help:"Minutes after the start of the new software at which the device reports besides its interval; by default as its policy has it." placeholder:"MINUTES"`
}

// Help shows an example.
func (deviceOfferCmd) Help() string {
	return `The device fetches the manifest over a link of its own, and tells what becomes of it in step logs: whether its
owner agreed and memory sufficed, what it fetched, verified, installed and started, or where it failed. They
are events of the kind update.step. It takes a token of the role approver, and, unless rollout.by_hand says otherwise, a release that
another token made known (godwit release add): its version, and the hash of its manifest. The number may be any that no rollout has;
later rollouts have others.

Example:
  godwit device offer truck-1001 --rollout 7 --version 2.5.0 --url https://updates.example/2.5.0.cose \
    --sha256 9f86d081884c7d659a2feaa0c55ad015 --size 262144 --consent --expires 2026-12-24T00:00:00Z`
}

// Run queues the offer.
func (c *deviceOfferCmd) Run(e *env) error {
	if hash, err := hex.DecodeString(c.SHA256); err != nil || len(hash) < 16 || len(hash) > 32 {
		return fmt.Errorf("%w: --sha256 %s: want 32 to 64 hexadecimal digits", errUsage, c.SHA256)
	}
	if c.Size == 0 {
		return fmt.Errorf("%w: --size 0: want the bytes of the image", errUsage)
	}
	r := api.OfferRequest{
		Rollout: c.Rollout, Version: c.Version, Reference: c.URL, SHA256: c.SHA256, Size: c.Size, Memory: c.Memory, Consent: c.Consent, Burst: c.Burst,
	}
	var err error
	if r.NotBefore, err = instant("--not-before", c.NotBefore); err != nil {
		return err
	}
	if r.Expires, err = instant("--expires", c.Expires); err != nil {
		return err
	}
	r.Link = c.Link
	if r.TTL, err = c.ttl(); err != nil {
		return err
	}
	return c.post(e, "offers", r)
}

// instant reads a time, zero if there is none.
func instant(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, fmt.Errorf("%w: %s %s: want a time as 2026-12-01T22:00:00Z", errUsage, flag, text)
	}
	return t, nil
}
