package rockblock

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// A Form is one of a webhook.
type Form int

// Forms.
const (
	Classic   Form = iota // a form, with the year in two digits
	JSON                  // JSON with numbers
	JSONTexts             // JSON with texts, and times as in RFC 3339
)

// Options configure a service. The zero value of a field gives its default.
type Options struct {
	Webhook  string // URL
	Form     Form
	Key      *rsa.PrivateKey // that webhooks are signed with; nil: a new one
	Unsigned bool            // webhooks carry no token, as those of a stranger

	Second time.Duration // how long a second of the pauses between tries lasts; 0: a second
	Answer time.Duration // that it waits for a 200; 0: 3 s
	Forget func() bool   // asked for each 200 whether it was too late; nil: none is
	Now    func() time.Time

	Username, Password string
	Modems             []string // IMEIs of the account
	OnMT               func(imei string, data []byte, flush bool) (code int)
}

// A Message is one from a modem.
type Message struct {
	IMEI   string
	Serial int
	MOMSN  uint64
	At     time.Time
	Data   []byte
}

// Codes of answers to what goes to modems.
const (
	badLogin = 10
	noModem  = 11
	badHex   = 14
	tooLong  = 15
	noData   = 16
)

const (
	answerDefault = 3 * time.Second
	tokenIssuer   = "Rock 7"
	dataMax       = 270
	pauseMost     = 10 // doublings
)

// A Service plays the web service. Safe for concurrent use.
type Service struct {
	o      Options
	client http.Client
	mt     atomic.Uint64 // id of the last message to a modem
}

// New makes a service.
func New(o Options) (*Service, error) {
	if o.Key == nil {
		var err error
		if o.Key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			return nil, fmt.Errorf("key: %w", err)
		}
	}
	if o.Second == 0 {
		o.Second = time.Second
	}
	if o.Answer == 0 {
		o.Answer = answerDefault
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Service{o: o, client: http.Client{Timeout: o.Answer, Transport: &http.Transport{DisableKeepAlives: true}}}, nil
}

// PublicKey is the PEM of the key that webhooks can be verified with.
func (s *Service) PublicKey() (string, error) {
	der, err := x509.MarshalPKIXPublicKey(&s.o.Key.PublicKey)
	if err != nil {
		return "", fmt.Errorf("public key: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), nil
}

// Deliver brings a message until it is taken or ctx is done. It returns how many tries that took.
func (s *Service) Deliver(ctx context.Context, m Message) (tries int, err error) {
	for {
		tries++
		status, err := s.Post(ctx, m)
		if err == nil && status == http.StatusOK && (s.o.Forget == nil || !s.o.Forget()) {
			return tries, nil
		}
		timer := time.NewTimer(s.o.Second << min(tries, pauseMost))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return tries, ctx.Err()
		}
	}
}

// Post makes one try and returns the status of the answer.
func (s *Service) Post(ctx context.Context, m Message) (int, error) {
	contentType, body, err := s.Body(m)
	if err != nil {
		return 0, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.o.Webhook, bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("webhook: %w", err)
	}
	r.Header.Set("Content-Type", contentType)
	res, err := s.client.Do(r)
	if err != nil {
		return 0, fmt.Errorf("webhook: %w", err)
	}
	_, err = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<16))
	return res.StatusCode, errors.Join(err, res.Body.Close())
}

// Body is a webhook's.
func (s *Service) Body(m Message) (contentType string, body []byte, err error) {
	data, momsn := hex.EncodeToString(m.Data), strconv.FormatUint(m.MOMSN, 10)
	fields := map[string]any{
		"imei": m.IMEI, "serial": strconv.Itoa(m.Serial), "momsn": momsn, "transmit_time": m.At.UTC().Format("06-01-02 15:04:05"),
		"iridium_latitude": "51.4954", "iridium_longitude": "-0.1410", "iridium_cep": "3.0", "data": data, "device_type": "ROCKBLOCK",
	}
	if !s.o.Unsigned {
		claims := jwt.MapClaims{
			"iss": tokenIssuer, "iat": s.o.Now().Unix(), "imei": m.IMEI, "momsn": momsn, "data": data,
			"transmit_time": m.At.UTC().Format(time.RFC3339), "iridium_latitude": "51.49540", "iridium_longitude": "-0.14100", "iridium_cep": 3,
		}
		if fields["JWT"], err = jwt.NewWithClaims(jwt.SigningMethodRS256, claims).SignedString(s.o.Key); err != nil {
			return "", nil, fmt.Errorf("sign: %w", err)
		}
	}
	switch s.o.Form {
	case JSON:
		fields["serial"], fields["momsn"], fields["iridium_latitude"], fields["iridium_longitude"], fields["iridium_cep"] = m.Serial, m.MOMSN, 51.4954, -0.141, 3
	case JSONTexts:
		fields["transmit_time"] = m.At.UTC().Format(time.RFC3339)
	default:
		form := url.Values{}
		for name, v := range fields {
			form.Set(name, fmt.Sprint(v))
		}
		return "application/x-www-form-urlencoded", []byte(form.Encode()), nil
	}
	if body, err = json.Marshal(fields); err != nil {
		return "", nil, fmt.Errorf("body: %w", err)
	}
	return "application/json; charset=utf-8", body, nil
}

// ServeHTTP takes what goes to modems.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	code := s.take(r)
	if code != 0 {
		_, _ = fmt.Fprintf(w, "FAILED,%d,no", code)
		return
	}
	_, _ = fmt.Fprintf(w, "OK,%d", s.mt.Add(1))
}

// take returns 0 for what was taken, or the code that says why not.
func (s *Service) take(r *http.Request) int {
	field := func(name string) string { return r.PostFormValue(name) } // the body's, not the URL's
	data, err := hex.DecodeString(field("data"))
	switch {
	case field("username") != s.o.Username || field("password") != s.o.Password:
		return badLogin
	case !slices.Contains(s.o.Modems, field("imei")):
		return noModem
	case err != nil:
		return badHex
	case len(data) > dataMax:
		return tooLong
	case len(data) == 0:
		return noData
	case s.o.OnMT != nil:
		return s.o.OnMT(field("imei"), data, field("flush") == "yes")
	}
	return 0
}
