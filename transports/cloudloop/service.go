package cloudloop

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/godwit-gateway/godwit/transports/webservice"
)

// service is the web service.
type service struct {
	base   string
	token  string
	client *http.Client
}

// newService asks over a new connection each time: over one that was used before a message could be sent twice.
func newService(base, token string) service {
	return service{base: strings.TrimSuffix(base, "/"), token: token, client: webservice.NewClient(0, false)}
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
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+"/"+action+"?"+query.Encode(), http.NoBody)
	if err != nil {
		return &failure{err: fmt.Errorf("cloudloop %s: %w", action, webservice.WithoutText(err))}
	}
	r.Header.Set("Accept", "application/json")
	a, reached, err := webservice.Ask(s.client, r, answerMax)
	switch {
	case err != nil:
		return &failure{reached: reached, status: a.Status, err: fmt.Errorf("cloudloop %s: %w", action, err)}
	case len(a.Body) > answerMax:
		return &failure{reached: true, status: a.Status, err: fmt.Errorf("cloudloop %s: the answer is longer than %d bytes", action, answerMax)}
	}
	if err := s.complaint(action, &a); err != nil {
		return err
	}
	if err := json.Unmarshal(a.Body, into); err != nil {
		return &failure{reached: true, status: a.Status, err: fmt.Errorf("cloudloop %s: answer: %w", action, err)}
	}
	return nil
}

// textMax is how much of a text of the web service goes into an error.
const textMax = 200

// complaint is the error that an answer tells of.
func (s *service) complaint(action string, a *webservice.Answer) error {
	var said struct {
		Error      text `json:"error"`
		Exceptions []struct {
			ID   text `json:"id"`
			Name text `json:"name"`
		} `json:"exceptions"`
	}
	_ = json.Unmarshal(a.Body, &said) // what is no such object says nothing
	if said.Error == "" && a.Status == http.StatusOK {
		return nil
	}
	f := &failure{reached: true, status: a.Status, said: said.Error != ""}
	words := string(said.Error)
	for _, e := range said.Exceptions {
		words += ", " + string(e.Name)
		if f.code == 0 {
			f.code = e.ID.number()
		}
	}
	words = strings.NewReplacer(s.token, "…", url.QueryEscape(s.token), "…").Replace(words)
	f.err = fmt.Errorf("cloudloop %s: status %d %.*q", action, a.Status, textMax, words)
	if strings.Contains(strings.ToLower(words), "authenticat") { // whatever the status
		f.status = http.StatusUnauthorized
	}
	return f
}
