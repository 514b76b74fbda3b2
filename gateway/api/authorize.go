package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/godwit-gateway/godwit/gateway/audit"
	"github.com/godwit-gateway/godwit/gateway/hub"
)

const roleKey = "role"

// authorize lets a request through whose token has the operation's role.
func (a *api) authorize(h huma.API) func(huma.Context, func(huma.Context)) {
	deny := func(c huma.Context, p *huma.ErrorModel) {
		if p.Status == http.StatusUnauthorized {
			c.SetHeader("WWW-Authenticate", `Bearer realm="godwit"`)
		}
		if p.Status == http.StatusTooManyRequests {
			c.SetHeader("Retry-After", strconv.Itoa(int(loginWindow/time.Second)))
		}
		c.SetHeader("Content-Type", "application/problem+json")
		c.SetStatus(p.Status)
		_ = h.Marshal(c.BodyWriter(), "application/json", p) // the caller has gone
	}
	return func(c huma.Context, next func(huma.Context)) {
		need, ok := c.Operation().Metadata[roleKey].(Role)
		if !ok {
			panic("api: operation " + c.Operation().OperationID + " has no role")
		}
		secret, ok := strings.CutPrefix(c.Header("Authorization"), "Bearer ")
		if !ok {
			deny(c, problem(http.StatusUnauthorized, "unauthenticated", "the request has no bearer token"))
			return
		}
		token, err := a.Tokens.check(strings.TrimSpace(secret), a.Now())
		if err != nil {
			// Only who failed is counted and turned away: behind a proxy all come from one address, and a stranger must not lock them out.
			if !a.logins.failed(c.RemoteAddr(), a.Now()) {
				deny(c, problem(http.StatusTooManyRequests, "too-many-failed-logins", "too many requests from this address came with a wrong token"))
				return
			}
			deny(c, problem(http.StatusUnauthorized, "unauthenticated", err.Error()))
			return
		}
		role, err := ParseRole(token.Role)
		if err != nil || role < need {
			deny(c, problem(http.StatusForbidden, "forbidden", "token "+token.Name+" is of role "+token.Role+", the operation wants "+need.String()))
			return
		}
		// Here, and nowhere else, who ordered something becomes known to the hub.
		next(huma.WithContext(c, hub.WithActor(c.Context(), audit.Actor{Name: token.Name, Role: token.Role})))
	}
}

// caller is the name of the token that a request came with: who did it, for logs.
func caller(ctx context.Context) string { return hub.ActorOf(ctx).Name }
