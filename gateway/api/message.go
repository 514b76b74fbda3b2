package api

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/godwit-gateway/godwit/gateway/hub"
)

// MessageRequest is a message for the application on a device.
type MessageRequest struct {
	Payload string `json:"payload" doc:"in hex" maxLength:"8192"`
	Link    string `json:"link,omitempty" doc:"name of a link; empty: the one that the device was last heard on"`
	TTL     int    `json:"ttl_seconds,omitempty" minimum:"0" maximum:"604800" doc:"how long it is worth sending; 0: a day"`
}

// RekeyRequest says how a device is told of new keys.
type RekeyRequest struct {
	Link string `json:"link,omitempty" doc:"name of a link; empty: the one that the device was last heard on"`
}

func (a *api) registerMessages(h huma.API) {
	registerDownlink(a, h, "rekey", "rekey-device", "Give a device new keys: queue the message that tells of them", Operator, "rekey queued",
		func(ctx context.Context, device string, r *RekeyRequest) (hub.DownlinkRecord, error) {
			return a.Hub.Rekey(ctx, device, r.Link)
		})
	registerDownlink(a, h, "messages", "send-message", "Seal a message for a device and queue it", Operator, "message queued",
		func(ctx context.Context, device string, r *MessageRequest) (hub.DownlinkRecord, error) {
			payload, err := hex.DecodeString(r.Payload)
			if err != nil {
				return hub.DownlinkRecord{}, fmt.Errorf("%w: payload: %w", hub.ErrDownlink, err)
			}
			return a.Hub.SendMessage(ctx, device, hub.Message{Payload: payload, Link: r.Link, TTL: time.Duration(r.TTL) * time.Second})
		})
	huma.Register(h, operation(http.MethodGet, "/devices/{device}/messages", "list-messages", "Downlinks of a device: open, and finished of late", Viewer),
		func(_ context.Context, in *DeviceRef) (*one[Page[hub.DownlinkRecord]], error) {
			found, err := a.Hub.Downlinks(in.Device)
			return paged(found, "", err)
		})
}
