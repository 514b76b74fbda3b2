package rockblock

import (
	"crypto/rsa"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// errToken is wrapped by errors for webhooks that nobody answers for.
var errToken = errors.New("token")

// issuer is who signs.
const issuer = "Rock 7"

// verifier checks that a webhook is Ground Control's and says what they signed.
type verifier struct {
	key *rsa.PublicKey
	age time.Duration
}

func (v *verifier) verify(w *webhook, now time.Time) error {
	if w.token == "" {
		return fmt.Errorf("%w: there is none", errToken)
	}
	// Expiry and audience are not in it. What is signed when, the check below limits.
	parser := jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodRS256.Alg()}), jwt.WithIssuer(issuer), jwt.WithJSONNumber(),
		jwt.WithTimeFunc(func() time.Time { return now }))
	claims := jwt.MapClaims{}
	if _, err := parser.ParseWithClaims(w.token, claims, func(*jwt.Token) (any, error) { return v.key, nil }); err != nil {
		return fmt.Errorf("%w: %w", errToken, err)
	}
	issued, err := claims.GetIssuedAt()
	if err != nil || issued == nil {
		return fmt.Errorf("%w: it does not say when it was signed", errToken)
	}
	if age := now.Sub(issued.Time); age > v.age || age < -v.age {
		return fmt.Errorf("%w: it was signed %s ago", errToken, age.Round(time.Second))
	}
	if claim(claims, "imei") != w.imei {
		return fmt.Errorf("%w: it is about another modem", errToken)
	}
	if n, err := number(claim(claims, "momsn")); err != nil || n != w.momsn {
		return fmt.Errorf("%w: it is about another message", errToken)
	}
	if !strings.EqualFold(claim(claims, "data"), hex.EncodeToString(w.data)) {
		return fmt.Errorf("%w: it is about other data", errToken)
	}
	return nil
}

// claim is one as text, as it is mostly written also where the body has a number.
func claim(claims jwt.MapClaims, name string) string {
	text, err := plain(claims[name])
	if err != nil {
		return ""
	}
	return text
}
