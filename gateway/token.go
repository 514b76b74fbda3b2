package main

import (
	"fmt"
	"net/url"
	"time"

	"github.com/godwit-gateway/godwit/gateway/api"
	"github.com/godwit-gateway/godwit/gateway/config"
)

type tokenCmd struct {
	List   tokenListCmd   `cmd:"" help:"List tokens."`
	Create tokenCreateCmd `cmd:"" help:"Make a token and print it, once."`
	Revoke tokenRevokeCmd `cmd:"" help:"Make a token worthless at once."`
}

type tokenListCmd struct{}

// Help shows an example.
func (tokenListCmd) Help() string {
	return `Example:
  godwit token list`
}

// Run lists.
func (tokenListCmd) Run(e *env) error {
	client, err := e.client()
	if err != nil {
		return err
	}
	var p api.Page[api.TokenView]
	if err := client.Get(e.ctx, "/tokens", nil, &p); err != nil {
		return err
	}
	return e.print(p.Items, "NAME ROLE CREATED EXPIRES", func(row func(...any)) {
		for _, t := range p.Items {
			row(t.Name, t.Role, t.Created, t.Expires)
		}
	})
}

type tokenCreateCmd struct {
	Name string `arg:"" help:"Who it is for."`
	Role string `help:"viewer, operator, approver or admin." enum:"viewer,operator,approver,admin" default:"viewer"`
	TTL  string `name:"ttl" help:"How long it is good for, as 12h or 90d; by default until it is revoked." placeholder:"DURATION"`
}

// Help shows an example.
func (tokenCreateCmd) Help() string {
	return `Only its hash is kept.

Example:
  godwit token create grafana --role viewer
  godwit token create contractor --role operator --ttl 90d`
}

// Run creates.
func (c *tokenCreateCmd) Run(e *env) error {
	ttl := time.Duration(0)
	if c.TTL != "" {
		var err error
		if ttl, err = config.ParseDuration(c.TTL); err != nil || ttl < time.Second {
			return fmt.Errorf("%w: --ttl %s: want 1s or more, as 12h or 90d", errUsage, c.TTL)
		}
	}
	client, err := e.client()
	if err != nil {
		return err
	}
	var t api.NewToken
	if err := client.Post(e.ctx, "/tokens", nil, api.TokenRequest{Name: c.Name, Role: c.Role, TTL: int(ttl / time.Second)}, &t); err != nil {
		return err
	}
	return e.print(t, "", func(row func(...any)) { row(t.Token) })
}

type tokenRevokeCmd struct {
	Name string `arg:"" help:"Name of the token."`
}

// Help shows an example.
func (tokenRevokeCmd) Help() string {
	return `Example:
  godwit token revoke grafana`
}

// Run revokes.
func (c *tokenRevokeCmd) Run(e *env) error {
	client, err := e.client()
	if err != nil {
		return err
	}
	if err := client.Delete(e.ctx, "/tokens/"+url.PathEscape(c.Name)); err != nil {
		return err
	}
	return e.print(map[string]string{"revoked": c.Name}, "", func(row func(...any)) { row(fmt.Sprintf("token %s is revoked", c.Name)) })
}
