package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/godwit-gateway/godwit/gateway/hub"
)

// registerDownlink registers an operation that queues something for a device, described by a B, and answers with the downlink that it became.
// done is what the log says.
func registerDownlink[B any](a *api, h huma.API, what, id, summary string, role Role, done string,
	queue func(ctx context.Context, device string, body *B) (hub.DownlinkRecord, error),
) {
	op := operation(http.MethodPost, "/devices/{device}/"+what, id, summary, role)
	op.DefaultStatus = http.StatusAccepted
	huma.Register(h, op, func(ctx context.Context, in *struct {
		DeviceRef
		Body B
	},
	) (*one[hub.DownlinkRecord], error) {
		d, err := queue(ctx, in.Device, &in.Body)
		if err == nil {
			a.note(ctx, done, in.Device)
		}
		return answered(d, err)
	})
}
