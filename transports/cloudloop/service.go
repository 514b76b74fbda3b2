package cloudloop

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
)

// service is the web service.
type service struct {
	base   string
	token  string
	client *http.Client
}

// newService asks over a new connection each time: over one that was used before, package net/http would make a request again that broke off, and a message
// could be sent twice.
func newService(base, token string) service {
	return service{base: strings.TrimSuffix(base, "/"), token: token, client: &http.Client{
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true},
		// What a redirect leads to is not whom the token is for.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// A failure is a request that came to nothing.
type failure struct {
	reached bool // the web service may have acted on it
	status  int  // of the answer, 0: there was none
	code    int  // the web service's own, 0: none
	said    bool // the web service said in words that it will not
	err     error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// refused reports whether the web service understood a request of us whom it knows, and said no to it: asked again it would say no again.
func refused(err error) bool {
	var f *failure
	if !errors.As(err, &f) {
		return false
	}
	switch f.status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusRequestTimeout, http.StatusTooManyRequests:
		return false
	case http.StatusNotFound, http.StatusBadRequest:
		return true
	default:
		return f.said && f.status < http.StatusInternalServerError
	}
}

// get calls an action and reads its answer into what is given.
func (s *service) get(ctx context.Context, action string, query url.Values, into any) error {
	query.Set("token", s.token)
	reached := false
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { reached = true }})
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+"/"+action+"?"+query.Encode(), http.NoBody)
	if err != nil {
		return &failure{err: fmt.Errorf("cloudloop %s: %w", action, bare(err))}
	}
	r.Header.Set("Accept", "application/json")
	res, err := s.client.Do(r)
	if err != nil {
		return &failure{reached: reached, err: fmt.Errorf("cloudloop %s: %w", action, bare(err))}
	}
	defer func() { _ = res.Body.Close() }() // it was read
	body, err := io.ReadAll(io.LimitReader(res.Body, answerMax+1))
	switch {
	case err != nil:
		return &failure{reached: true, status: res.StatusCode, err: fmt.Errorf("cloudloop %s: %w", action, bare(err))}
	case len(body) > answerMax:
		return &failure{reached: true, status: res.StatusCode, err: fmt.Errorf("cloudloop %s: the answer is longer than %d bytes", action, answerMax)}
	}
	if err := s.complaint(action, res, body); err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return &failure{reached: true, status: res.StatusCode, err: fmt.Errorf("cloudloop %s: answer: %w", action, err)}
	}
	return nil
}

// textMax is how much of a text of the web service goes into an error.
const textMax = 200

// complaint is the error that an answer tells of.
func (s *service) complaint(action string, res *http.Response, body []byte) error {
	var said struct {
		Error      text `json:"error"`
		Exceptions []struct {
			ID   text `json:"id"`
			Name text `json:"name"`
		} `json:"exceptions"`
	}
	_ = json.Unmarshal(body, &said) // what is no such object says nothing
	if said.Error == "" && res.StatusCode == http.StatusOK {
		return nil
	}
	f := &failure{reached: true, status: res.StatusCode, said: said.Error != ""}
	words := string(said.Error)
	for _, e := range said.Exceptions {
		words += ", " + string(e.Name)
		if f.code == 0 {
			f.code = e.ID.number()
		}
	}
	words = strings.ReplaceAll(words, s.token, "…")
	f.err = fmt.Errorf("cloudloop %s: %s %.*q", action, res.Status, textMax, words)
	if strings.Contains(strings.ToLower(words), "authenticat") { // whatever the status
		f.status = http.StatusUnauthorized
	}
	return f
}

// bare is the error of a request without its address, which has the token.
func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
