package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/godwit-gateway/godwit/gateway/audit"
	"github.com/godwit-gateway/godwit/gateway/hub"
)

func (a *api) registerAudit(h huma.API) {
	huma.Register(h, operation(http.MethodGet, "/audit", "list-audit", "Who allowed what, in order", Viewer),
		func(_ context.Context, in *struct {
			Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
			Cursor string `query:"cursor" doc:"number of an entry; those after it are listed"`
		},
		) (*one[Page[hub.AuditEntry]], error) {
			after, err := sequence(in.Cursor)
			if err != nil {
				return nil, failed(err)
			}
			list, next, err := a.Hub.Audit(after, in.Limit)
			return paged(list, cursorOf(next), err)
		})
	huma.Register(h, operation(http.MethodGet, "/audit/verify", "verify-audit", "Whether the chain of authorisations is whole", Viewer),
		func(_ context.Context, in *struct {
			Seq  uint64 `query:"seq" doc:"number of an entry that was seen before"`
			Hash string `query:"hash" doc:"its hash: the chain must hold that entry" maxLength:"64"`
		},
		) (*one[audit.Report], error) {
			known := audit.Head{Seq: in.Seq}
			if in.Seq > 0 || in.Hash != "" {
				if err := known.Hash.UnmarshalText([]byte(in.Hash)); err != nil {
					return nil, failed(fmt.Errorf("%w: %w", hub.ErrQuery, err))
				}
			}
			return answered(a.Hub.VerifyAudit(known))
		})
}

// sequence reads a cursor that is a number; none is 0.
func sequence(cursor string) (uint64, error) {
	if cursor == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(cursor, 10, 63)
	if err != nil {
		return 0, fmt.Errorf("%w: cursor %q", hub.ErrQuery, cursor)
	}
	return n, nil
}

// cursorOf is a number as a cursor, "" for 0.
func cursorOf(n uint64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatUint(n, 10)
}
