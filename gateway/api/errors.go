package api

import (
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/manifest"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/rollout"
	"github.com/godwit-gateway/godwit/gateway/store"
)

// ProblemPrefix begins the type of every problem of ours; what follows is a name that does not change.
const ProblemPrefix = "urn:godwit:problem:"

func problem(status int, code, detail string) *huma.ErrorModel {
	return &huma.ErrorModel{Type: ProblemPrefix + code, Status: status, Title: http.StatusText(status), Detail: detail}
}

// problems is what becomes of an error on its way out. The first that matches counts.
var problems = []struct {
	err    error
	status int
	code   string
}{
	{fleet.ErrUnknownDevice, http.StatusNotFound, "unknown-device"},
	{fleet.ErrState, http.StatusConflict, "wrong-state"},
	{hub.ErrFrame, http.StatusUnprocessableEntity, "not-a-frame"},
	{hub.ErrDownlink, http.StatusUnprocessableEntity, "message-not-possible"},
	{hub.ErrSchedule, http.StatusUnprocessableEntity, "not-possible"},
	{rollout.ErrUnknown, http.StatusNotFound, "unknown-rollout-or-release"},
	{rollout.ErrExists, http.StatusConflict, "exists-already"},
	{rollout.ErrSameActor, http.StatusForbidden, "same-token"},
	{rollout.ErrForbidden, http.StatusForbidden, "forbidden"},
	{rollout.ErrRemark, http.StatusUnprocessableEntity, "remark-missing"},
	{rollout.ErrState, http.StatusConflict, "wrong-state"},
	{rollout.ErrInvalid, http.StatusUnprocessableEntity, "not-possible"},
	{manifest.ErrKey, http.StatusUnprocessableEntity, "not-signed"},
	{manifest.ErrSignature, http.StatusUnprocessableEntity, "not-signed"},
	{codec.ErrMalformed, http.StatusUnprocessableEntity, "malformed"},
	{codec.ErrTruncated, http.StatusUnprocessableEntity, "malformed"},
	{codec.ErrUnsupported, http.StatusUnprocessableEntity, "malformed"},
	{hub.ErrQuery, http.StatusBadRequest, "bad-query"},
	{store.ErrCursor, http.StatusBadRequest, "bad-query"},
	{ErrUnknownToken, http.StatusNotFound, "unknown-token"},
	{ErrTokenName, http.StatusUnprocessableEntity, "bad-token-name"},
	{hub.ErrClosed, http.StatusServiceUnavailable, "stopping"},
	{store.ErrLowSpace, http.StatusInsufficientStorage, "disk-full"},
	{store.ErrStalled, http.StatusServiceUnavailable, "disk-stalled"},
}

// failed is the problem for an error.
func failed(err error) error {
	for _, p := range problems {
		if errors.Is(err, p.err) {
			return problem(p.status, p.code, err.Error())
		}
	}
	return problem(http.StatusInternalServerError, "internal", err.Error())
}

// nameProblem gives a name to the problems that come from checking a request against its description.
func nameProblem(_ huma.Context, _ string, v any) (any, error) {
	if p, ok := v.(*huma.ErrorModel); ok && p.Type == "" {
		p.Type = ProblemPrefix + "bad-request"
	}
	return v, nil
}
