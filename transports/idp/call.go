package idp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/godwit-gateway/godwit/transports/isatdata"
	"github.com/godwit-gateway/godwit/transports/webservice"
)

// Sizes and times of calls.
const (
	bodyMax       = 16 << 20 // of an answer: a page of 500 messages of the largest size as lists of numbers takes 13 MB
	retryAfterMax = time.Hour
)

// A failure says what a call that failed means for the next one.
type failure int

// Failures.
const (
	unreachable failure = iota // no answer, or none that makes sense
	refusedAuth                // the gateway does not take the account
	tooFast                    // to be called less often
	temporary                  // an error of the gateway that passes
	permanent                  // an error that repeats itself
)

var failureNames = [...]string{"unreachable", "account", "pace", "temporary", "permanent"}

// A callError is a call that failed. Its text has neither an address nor anything that the gateway wrote.
type callError struct {
	what      string
	failure   failure
	status    int           // of HTTP, if it was not 200
	code      int           // ErrorID of the gateway, if it said one
	connected bool          // the call may have reached the gateway
	answered  bool          // the gateway said that it did not do it
	after     time.Duration // that it asked for before the next one
	err       error
}

// Error implements error.
func (e *callError) Error() string { return fmt.Sprintf("%s: %v", e.what, e.err) }

// Unwrap returns the cause.
func (e *callError) Unwrap() error { return e.err }

// A call is one of the gateway's, in a dialect.
type call struct {
	what  string // "poll messages"
	path  string
	query url.Values
	body  []byte // nil: a GET
	form  bool   // the body is a form, else JSON
}

// A gateway makes calls.
type gateway struct {
	dialect

	base   string
	client *http.Client
}

func newGateway(cfg Config, now func() time.Time) *gateway {
	g := &gateway{base: cfg.URL, client: webservice.NewClient(cfg.CallTime, true)}
	if cfg.Dialect == OGWS {
		g.dialect = &ogws{account: cfg.Account, password: cfg.Password, now: now, lock: make(chan struct{}, 1)}
	} else {
		g.dialect = &v1{account: cfg.Account, password: cfg.Password}
	}
	return g
}

// do makes a call and returns the answer. A token that is refused is fetched anew, once: what was refused was not done.
func (g *gateway) do(ctx context.Context, c call) ([]byte, error) {
	for again := false; ; again = true {
		bearer, err := g.bearer(ctx, g)
		if err != nil {
			return nil, err
		}
		body, err := g.once(ctx, c, bearer)
		var failed *callError
		if errors.As(err, &failed) && failed.status == http.StatusUnauthorized && g.forget(bearer) && !again {
			continue
		}
		return body, err
	}
}

// ask makes a call and reads the answer.
func (g *gateway) ask(ctx context.Context, c call) (*page, error) {
	body, err := g.do(ctx, c)
	if err != nil {
		return nil, err
	}
	return parsePage(c.what, body)
}

// once makes a call with a token, "" for none.
func (g *gateway) once(ctx context.Context, c call, bearer string) ([]byte, error) {
	fail := callError{what: c.what}
	failed := func(f failure, err error) ([]byte, error) {
		fail.failure, fail.err = f, err
		return nil, &fail
	}
	r, err := g.request(ctx, c)
	if err != nil {
		return failed(permanent, webservice.WithoutText(err))
	}
	r.Header.Set("Accept", "application/json")
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	a, reached, err := webservice.Ask(g.client, r, bodyMax)
	fail.connected = reached
	switch {
	case err != nil:
		return failed(unreachable, err)
	case len(a.Body) > bodyMax:
		return failed(unreachable, fmt.Errorf("the answer has more than %d bytes", bodyMax))
	case a.Status == http.StatusOK:
		return a.Body, nil
	}
	fail.status, fail.after = a.Status, retryAfter(a.Header)
	fail.answered = a.Status >= 400 && a.Status < 500 && a.Status != http.StatusRequestTimeout
	return failed(classify(&fail, a.Body))
}

// request writes a call.
func (g *gateway) request(ctx context.Context, c call) (*http.Request, error) {
	address := g.base + c.path
	if len(c.query) > 0 {
		address += "?" + c.query.Encode()
	}
	if c.body == nil {
		return http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(c.body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	if c.form {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r, nil
}

// classify says what an HTTP status that is no 200 means. The gateway may say more in its own words.
func classify(e *callError, body []byte) (failure, error) {
	var said struct{ ErrorID int }
	if e.answered && shallow(body) && json.Unmarshal(body, &said) == nil && said.ErrorID != 0 {
		e.code = said.ErrorID
		return meaning(said.ErrorID), saidError(said.ErrorID)
	}
	text := fmt.Errorf("the gateway answers with HTTP status %d", e.status)
	switch {
	case e.status == http.StatusTooManyRequests:
		return tooFast, text
	case e.status == http.StatusUnauthorized, e.status == http.StatusForbidden:
		return refusedAuth, text
	case e.answered:
		return permanent, text
	default:
		return unreachable, text
	}
}

// meaning is what an error code of the gateway means for the next call.
func meaning(code int) failure {
	switch {
	case code == isatdata.GatewayRate, code == isatdata.GatewaySameMark:
		return tooFast
	case code == isatdata.GatewayAuth:
		return refusedAuth
	case isatdata.GatewayRetry(code):
		return temporary
	default:
		return permanent
	}
}

func saidError(code int) error {
	return fmt.Errorf("the gateway says error %d: %s", code, isatdata.GatewayError(code))
}

// retryAfter is how long the gateway wants to be left alone, if it says so in seconds.
func retryAfter(h http.Header) time.Duration {
	n, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || n < 0 {
		return 0
	}
	return min(time.Duration(min(n, 1<<20))*time.Second, retryAfterMax)
}
