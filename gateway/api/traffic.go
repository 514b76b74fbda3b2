package api

import (
	"context"
	"encoding/hex"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/godwit-gateway/godwit/gateway/hub"
)

// Quarantined is a payload that did not become a frame.
type Quarantined struct {
	hub.QuarantineRecord
	Payload string `json:"payload" doc:"in hex"`
}

// DecodeRequest is a frame to be opened with the keys of a device, without being taken in.
type DecodeRequest struct {
	Device string `json:"device,omitempty" doc:"name or number; not needed if the frame holds a connection id"`
	Frame  string `json:"frame" doc:"in hex" maxLength:"131072"`
}

func (a *api) registerTraffic(h huma.API) {
	huma.Register(h, operation(http.MethodGet, "/links", "list-links", "The links, whether they are up, and what came over them since the start", Viewer),
		func(context.Context, *struct{}) (*one[Page[Link]], error) {
			return page(a.links(), ""), nil
		})
	huma.Register(h, operation(http.MethodGet, "/quarantine", "list-quarantine", "What was not understood, the newest first", Viewer),
		func(_ context.Context, in *struct {
			Link   string `query:"link" doc:"of one link; then also what open links keep in memory only"`
			Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
			Cursor string `query:"cursor"`
		},
		) (*one[Page[Quarantined]], error) {
			if in.Link != "" && !slices.ContainsFunc(a.Hub.Links(), func(l hub.LinkStats) bool { return l.Name == in.Link }) {
				return nil, problem(http.StatusNotFound, "unknown-link", fmt.Sprintf("there is no link %q", in.Link))
			}
			found, next, err := a.Hub.Quarantine(in.Link, in.Cursor, in.Limit)
			if err != nil {
				return nil, failed(err)
			}
			found, next = cut(found, next, in.Limit)
			items := make([]Quarantined, len(found))
			for i := range found {
				items[i] = Quarantined{found[i], hex.EncodeToString(found[i].Payload)}
			}
			return page(items, next), nil
		})
	huma.Register(h, operation(http.MethodPost, "/frames/decode", "decode-frame", "Open a frame with a device's keys; changes nothing", Viewer),
		func(_ context.Context, in *struct{ Body DecodeRequest }) (*one[hub.Decoded], error) {
			frame, err := hex.DecodeString(in.Body.Frame)
			if err != nil {
				return nil, problem(http.StatusUnprocessableEntity, "not-a-frame", "frame: "+err.Error())
			}
			return answered(a.Hub.DecodeFrame(in.Body.Device, frame))
		})
}

// cut keeps to the limit of a page where what is in memory comes on top of what is stored. The next page goes on in the store; of what is in
// memory there is one page.
func cut(found []hub.QuarantineRecord, next string, limit int) ([]hub.QuarantineRecord, string) {
	if len(found) <= limit {
		return found, next
	}
	before := uint64(math.MaxUint64)
	if last := found[limit-1].Seq; last > 0 {
		before = last
	}
	return found[:limit], strconv.FormatUint(before, 10)
}
