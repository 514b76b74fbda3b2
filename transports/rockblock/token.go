package rockblock

import (
	"crypto/rsa"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
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
	for _, f := range repeated {
		if said := claim(claims, f.name); said != "" && !f.same(said, w.fields[f.name]) {
			return fmt.Errorf("%w: it is about another %s", errToken, f.name)
		}
	}
	return nil
}

// repeated are the fields that a token may repeat. One that the body leaves out is another one: else whoever has a token could make a new message of it.
var repeated = []struct {
	name string
	same func(claim, field string) bool
}{
	{"transmit_time", sameTime}, {"iridium_latitude", sameNumber}, {"iridium_longitude", sameNumber}, {"iridium_cep", sameNumber},
}

// sameTime compares seconds, as one of the forms has no less. A claim in a form that we do not know says nothing: for its sake no payload is refused.
func sameTime(claim, field string) bool {
	a := parseTime(claim)
	return a.IsZero() || a.Unix() == parseTime(field).Unix()
}

// sameNumber compares values: "51.49540" here is 51.4954 there. What is no number must be the same text.
func sameNumber(claim, field string) bool {
	a, err1 := strconv.ParseFloat(claim, 64)
	b, err2 := strconv.ParseFloat(field, 64)
	return claim == field || err1 == nil && err2 == nil && a == b
}

// claim is one as text, as it is mostly written also where the body has a number.
func claim(claims jwt.MapClaims, name string) string {
	text, err := plain(claims[name])
	if err != nil {
		return ""
	}
	return text
}
