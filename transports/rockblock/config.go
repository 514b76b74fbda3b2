package rockblock

import (
	"cmp"
	"crypto/rsa"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/webservice"
)

// Sizes.
const (
	UplinkMax    = 340      // bytes that a 9602 or 9603 sends
	DownlinkMax  = 270      // bytes that it takes
	bodyMax      = 16 << 10 // of a webhook
	headersMax   = 16 << 10
	replyMax     = 4 << 10 // of an answer to what goes to modems
	connsMax     = 256
	creditBytes  = 50 // of payload that a credit holds
	passwordsMax = 256
)

// Defaults of a Config.
const (
	PathDefault     = "/"
	MTDefault       = "https://rockblock.rock7.com/rockblock/MT"
	TokenAgeDefault = 24 * time.Hour // the web service comes again for some twelve hours
	SendTimeDefault = 30 * time.Second
)

const listenExample = "127.0.0.1:8470" // behind a proxy, which has the certificate

// A Config configures a transport. What is zero stands for its default.
type Config struct {
	Listen   string        // "address:port" or ":port"; port 0 takes a free one
	Path     string        // of the webhook
	Key      string        // PEM of the RSA public key that webhooks are signed for
	TokenAge time.Duration // how old, or how far ahead of our clock, a token may be
	MT       string        // URL that takes what goes to modems
	Username string        // of the account there; "": nothing goes to modems
	Password string
	Flush    bool // a message takes the place of those that wait for its modem
	SendTime time.Duration
}

// withDefaults replaces zeros.
func (c Config) withDefaults() Config {
	c.Path = cmp.Or(c.Path, PathDefault)
	c.MT = cmp.Or(c.MT, MTDefault)
	c.TokenAge = cmp.Or(c.TokenAge, TokenAgeDefault)
	c.SendTime = cmp.Or(c.SendTime, SendTimeDefault)
	return c
}

// Validate reports everything that is wrong with a configuration.
func (c *Config) Validate() error {
	d := c.withDefaults()
	var errs []error
	wrong := func(bad bool, text string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(text, args...))
		}
	}
	_, err := transports.ParseListen(c.Listen, listenExample)
	wrong(err != nil, "%w", err)
	wrong(!strings.HasPrefix(d.Path, "/") || strings.ContainsAny(d.Path, "{} ?#") || path.Clean(d.Path) != strings.TrimSuffix(d.Path, "/") && d.Path != "/", "path is %q, want one such as /rockblock", d.Path)
	_, err = parseKey(c.Key)
	wrong(err != nil, "%w", err)
	wrong(d.TokenAge < time.Minute || d.TokenAge > 30*24*time.Hour, "token_age is %s, want 1m to 720h", d.TokenAge)
	errs = append(errs, webservice.CheckAddress("mt", d.MT, MTDefault))
	wrong((c.Username == "") != (c.Password == ""), "username and password_file belong together")
	wrong(len(c.Username) > passwordsMax || len(c.Password) > passwordsMax, "username or password_file is longer than %d bytes", passwordsMax)
	wrong(d.SendTime < time.Second || d.SendTime > 5*time.Minute, "send_time is %s, want 1s to 5m", d.SendTime)
	return errors.Join(errs...)
}

func parseKey(pem string) (*rsa.PublicKey, error) {
	key, err := jwt.ParseRSAPublicKeyFromPEM([]byte(pem))
	if err != nil {
		return nil, errors.New("key_file holds no RSA public key in PEM, such as the one on Ground Control's page about webhooks")
	}
	if key.N.BitLen() < 2048 {
		return nil, fmt.Errorf("key_file holds a key of %d bits, want 2048 at least", key.N.BitLen())
	}
	return key, nil
}
