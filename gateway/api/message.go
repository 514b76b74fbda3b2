package api

import (
	"context"
	"encoding/hex"
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
	rekey := operation(http.MethodPost, "/devices/{device}/rekey", "rekey-device", "Give a device new keys: queue the message that tells of them", Operator)
	rekey.DefaultStatus = http.StatusAccepted
	huma.Register(h, rekey, func(ctx context.Context, in *struct {
		DeviceRef
		Body RekeyRequest
	},
	) (*one[hub.DownlinkRecord], error) {
		d, err := a.Hub.Rekey(ctx, in.Device, in.Body.Link)
		if err != nil {
			return nil, failed(err)
		}
		a.note(ctx, "rekey queued", in.Device)
		return &one[hub.DownlinkRecord]{d}, nil
	})
	op := operation(http.MethodPost, "/devices/{device}/messages", "send-message", "Seal a message for a device and queue it", Operator)
	op.DefaultStatus = http.StatusAccepted
	huma.Register(h, op, func(ctx context.Context, in *struct {
		DeviceRef
		Body MessageRequest
	},
	) (*one[hub.DownlinkRecord], error) {
		payload, err := hex.DecodeString(in.Body.Payload)
		if err != nil {
			return nil, problem(http.StatusUnprocessableEntity, "message-not-possible", "payload: "+err.Error())
		}
		d, err := a.Hub.SendMessage(ctx, in.Device, hub.Message{Payload: payload, Link: in.Body.Link, TTL: time.Duration(in.Body.TTL) * time.Second})
		if err != nil {
			return nil, failed(err)
		}
		a.note(ctx, "message queued", in.Device)
		return &one[hub.DownlinkRecord]{d}, nil
	})
	huma.Register(h, operation(http.MethodGet, "/devices/{device}/messages", "list-messages", "Downlinks of a device: open, and finished of late", Viewer),
		func(_ context.Context, in *DeviceRef) (*one[Page[hub.DownlinkRecord]], error) {
			found, err := a.Hub.Downlinks(in.Device)
			if err != nil {
				return nil, failed(err)
			}
			return page(found, ""), nil
		})
}
