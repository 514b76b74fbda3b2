package api

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/hub"
)

// OfferRequest is an update that a device may take. What it then does it tells in step logs.
type OfferRequest struct {
	Rollout   uint32    `json:"rollout" minimum:"1" doc:"number by which the device reports its steps; no rollout has it, or will have it"`
	Version   string    `json:"version" minLength:"1" maxLength:"64" doc:"of the software"`
	Reference string    `json:"reference" minLength:"1" maxLength:"255" doc:"address of the manifest"`
	SHA256    string    `json:"sha256" minLength:"32" maxLength:"64" pattern:"^[0-9a-fA-F]*$" doc:"hash of the manifest, hexadecimal: its first 16 bytes at least"`
	Size      uint64    `json:"size_bytes" minimum:"1" doc:"of the image"`
	Memory    uint64    `json:"memory_bytes,omitempty" doc:"that must be free; 0: twice the image"`
	Consent   bool      `json:"consent,omitempty" doc:"somebody at the device must agree"`
	NotBefore time.Time `json:"not_before,omitzero" doc:"nothing is installed before"`
	Expires   time.Time `json:"expires,omitzero" doc:"the offer is void afterwards"`
	Burst     []uint16  `json:"burst_minutes,omitempty" maxItems:"16" doc:"minutes after the start of the new software at which the device reports besides its interval, rising; left out: as the policy of its schedule has it"`
	Link      string    `json:"link,omitempty" doc:"name of a link; empty: the one that the device was last heard on"`
	TTL       int       `json:"ttl_seconds,omitempty" minimum:"0" maximum:"604800" doc:"how long it is worth sending; 0: a day"`
}

// command is the offer as the hub takes it. The device must hold the old image and the new one.
func (r *OfferRequest) command() (hub.Command, error) {
	hash, err := hex.DecodeString(r.SHA256)
	if err != nil {
		return hub.Command{}, fmt.Errorf("%w: sha256: %w", hub.ErrDownlink, err)
	}
	o := codec.Offer{
		Rollout: r.Rollout, Version: r.Version, Reference: r.Reference, Burst: r.Burst, Size: r.Size, Hash: hash, Memory: r.Memory, Consent: r.Consent,
		NotBefore: unixSeconds(r.NotBefore), Expires: unixSeconds(r.Expires),
	}
	if o.Memory == 0 {
		o.Memory = 2 * r.Size
	}
	return hub.Command{Offer: &o, Link: r.Link, TTL: time.Duration(r.TTL) * time.Second}, nil
}

// unixSeconds is zero for a time that was not given.
func unixSeconds(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(max(t.Unix(), 1))
}

func (a *api) registerOffers(h huma.API) {
	registerDownlink(a, h, "offers", "send-offer", "Offer a device an update", Approver, "update offered",
		func(ctx context.Context, device string, r *OfferRequest) (hub.DownlinkRecord, error) {
			c, err := r.command()
			if err != nil {
				return hub.DownlinkRecord{}, err
			}
			return a.Hub.SendCommand(ctx, device, c)
		})
}
