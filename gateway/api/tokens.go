package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// TokenView is a token as lists show it.
type TokenView struct {
	Name    string    `json:"name"`
	Role    string    `json:"role"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero" doc:"absent: never"`
}

// TokenRequest is a token to be made.
type TokenRequest struct {
	Name string `json:"name" maxLength:"64"`
	Role string `json:"role" enum:"viewer,operator,approver,admin"`
	TTL  int    `json:"ttl_seconds,omitempty" minimum:"0" maximum:"315360000" doc:"how long it is good for; 0: until it is revoked"`
}

// NewToken is a token that was made. It is shown this once.
type NewToken struct {
	Name  string `json:"name"`
	Role  string `json:"role"`
	Token string `json:"token"`
}

func (a *api) registerTokens(h huma.API) {
	huma.Register(h, operation(http.MethodGet, "/tokens", "list-tokens", "Tokens by name", Admin),
		func(context.Context, *struct{}) (*one[Page[TokenView]], error) {
			var items []TokenView
			for _, t := range a.Tokens.List() {
				items = append(items, TokenView{t.Name, t.Role, t.Created, t.Expires})
			}
			return page(items, ""), nil
		})
	op := operation(http.MethodPost, "/tokens", "create-token", "Make a token; it is shown once", Admin)
	op.DefaultStatus = http.StatusCreated
	huma.Register(h, op, func(ctx context.Context, in *struct{ Body TokenRequest }) (*one[NewToken], error) {
		role, err := ParseRole(in.Body.Role)
		if err != nil {
			return nil, problem(http.StatusUnprocessableEntity, "bad-role", err.Error())
		}
		secret, err := a.Tokens.Create(in.Body.Name, role, time.Duration(in.Body.TTL)*time.Second, a.Now())
		if err != nil {
			return nil, failed(err)
		}
		if err := a.Hub.Authorise(ctx, "token.create", in.Body.Name, "role "+in.Body.Role); err != nil {
			return nil, failed(errors.Join(err, a.Tokens.Revoke(in.Body.Name))) // nobody has seen it
		}
		a.note(ctx, "token created", in.Body.Name)
		return &one[NewToken]{NewToken{in.Body.Name, in.Body.Role, secret}}, nil
	})
	op = operation(http.MethodDelete, "/tokens/{name}", "revoke-token", "Make a token worthless at once", Admin)
	huma.Register(h, op, func(ctx context.Context, in *struct {
		Name string `path:"name" maxLength:"64"`
	},
	) (*struct{}, error) {
		if err := a.Tokens.Revoke(in.Name); err != nil {
			return nil, failed(err)
		}
		a.note(ctx, "token revoked", in.Name)
		if err := a.Hub.Authorise(ctx, "token.revoke", in.Name, ""); err != nil {
			return nil, failed(fmt.Errorf("the token is revoked, but that is not written down: %w", err))
		}
		return nil, nil
	})
}
