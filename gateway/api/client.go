package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// A Client speaks to a running gateway.
type Client struct {
	base  string
	token string
	http  *http.Client
}

// answerMax bounds an answer that is read whole.
const answerMax = 256 << 20

// NewClient returns a client of the gateway at address: "unix:/path", "host:port", or a URL (for a proxy in front).
func NewClient(address, token string) *Client {
	c := &Client{token: token, http: &http.Client{}}
	switch path, unix := strings.CutPrefix(address, "unix:"); {
	case unix:
		c.base = "http://godwit"
		c.http.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		}}
	case strings.Contains(address, "://"):
		c.base = strings.TrimSuffix(address, "/")
	default:
		c.base = "http://" + address
	}
	return c
}

// ErrProblem is wrapped by the errors that the gateway itself answered with, ErrToken besides by those that are about the token.
var (
	ErrProblem = errors.New("gateway")
	ErrToken   = fmt.Errorf("%w: unauthenticated", ErrProblem)
)

func (c *Client) do(ctx context.Context, method, path string, query url.Values, contentType string, body io.Reader) (*http.Response, error) {
	u := c.base + "/api/v1" + path
	if len(query) > 0 {
		u += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, u, body)
	if err != nil {
		return nil, fmt.Errorf("ask the gateway: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the gateway: %w (is it running?)", err)
	}
	if res.StatusCode/100 == 2 {
		return res, nil
	}
	defer func() { _ = res.Body.Close() }() // it was read
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("ask the gateway: %w", err)
	}
	var p huma.ErrorModel
	if kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); kind != "application/problem+json" || json.Unmarshal(text, &p) != nil {
		return nil, fmt.Errorf("%w answered %s", ErrProblem, res.Status)
	}
	detail := p.Detail
	for _, e := range p.Errors {
		detail += "; " + e.Error()
	}
	if res.StatusCode == http.StatusUnauthorized {
		return nil, fmt.Errorf("%w: %s", ErrToken, detail)
	}
	return nil, fmt.Errorf("%w: %s", ErrProblem, detail)
}

// Get asks for path, under /api/v1, and decodes the answer into out.
func (c *Client) Get(ctx context.Context, path string, query url.Values, out any) error {
	res, err := c.do(ctx, http.MethodGet, path, query, "", nil) //nolint:bodyclose // decode closes it
	if err != nil {
		return err
	}
	return decode(res, out)
}

// Post sends in as JSON and decodes the answer into out. An in of type []byte goes as it is, as a CSV file.
func (c *Client) Post(ctx context.Context, path string, query url.Values, in, out any) error {
	contentType := "text/csv"
	body, ok := in.([]byte)
	if !ok {
		var err error
		contentType = "application/json"
		if body, err = json.Marshal(in); err != nil {
			return fmt.Errorf("ask the gateway: %w", err)
		}
	}
	res, err := c.do(ctx, http.MethodPost, path, query, contentType, bytes.NewReader(body)) //nolint:bodyclose // decode closes it
	if err != nil {
		return err
	}
	return decode(res, out)
}

// Delete removes path.
func (c *Client) Delete(ctx context.Context, path string) error {
	res, err := c.do(ctx, http.MethodDelete, path, nil, "", nil)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

func decode(res *http.Response, out any) error {
	defer func() { _ = res.Body.Close() }() // it was read
	if err := json.NewDecoder(io.LimitReader(res.Body, answerMax)).Decode(out); err != nil {
		return fmt.Errorf("read the gateway's answer: %w", err)
	}
	return nil
}

// A StreamEvent is an event as Events reads it.
type StreamEvent struct {
	Sequence uint64
	Subject  string
	Payload  []byte // valid until the function that it was handed to returns
}

// Events calls fn with events until ctx is done or fn returns an error.
func (c *Client) Events(ctx context.Context, query url.Values, fn func(StreamEvent) error) error {
	res, err := c.do(ctx, http.MethodGet, "/events", query, "", nil)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }() // it was read to where we wanted
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(make([]byte, 64<<10), 4<<20)
	var e StreamEvent
	for lines.Scan() {
		field, value, _ := bytes.Cut(lines.Bytes(), []byte(": "))
		switch string(field) {
		case "id":
			if e.Sequence, err = strconv.ParseUint(string(value), 10, 64); err != nil {
				return fmt.Errorf("read the events: %w", err)
			}
		case "event":
			e.Subject = string(value)
		case "data":
			if len(e.Payload) > 0 {
				e.Payload = append(e.Payload, '\n')
			}
			e.Payload = append(e.Payload, value...)
		default:
			if len(lines.Bytes()) > 0 {
				continue // a comment
			}
			if err := e.end(fn); err != nil {
				return err
			}
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read the events: %w", err)
	}
	return fmt.Errorf("read the events: %w ended the stream", ErrProblem)
}

// ended is the error for a problem that ended a stream.
func ended(payload []byte) error {
	var p huma.ErrorModel
	if json.Unmarshal(payload, &p) != nil || p.Detail == "" {
		return fmt.Errorf("read the events: %w ended the stream", ErrProblem)
	}
	return fmt.Errorf("read the events: %w: %s", ErrProblem, p.Detail)
}

// end hands over the event that is whole, if there is one, and begins the next.
func (e *StreamEvent) end(fn func(StreamEvent) error) error {
	if e.Subject == problemEvent && e.Sequence == 0 {
		return ended(e.Payload)
	}
	if e.Sequence == 0 {
		return nil
	}
	err := fn(*e)
	*e = StreamEvent{Payload: e.Payload[:0]}
	return err
}
