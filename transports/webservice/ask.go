package webservice

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"time"
)

const headersMax = 64 << 10 // bytes of an answer's headers

// NewClient returns a client whose calls take as long as limit, 0: as long as their contexts. It follows no redirect: what that leads to is not whom the
// credentials are for. Connections are kept for the next call if keep says so; net/http then makes a GET that broke off again.
func NewClient(limit time.Duration, keep bool) *http.Client {
	tr, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		tr = &http.Transport{Proxy: http.ProxyFromEnvironment}
	}
	tr = tr.Clone()
	tr.MaxResponseHeaderBytes, tr.DisableKeepAlives = headersMax, !keep
	return &http.Client{
		Transport: tr, Timeout: limit, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// An Answer is what a web service said.
type Answer struct {
	Status int // of HTTP; 0: there was no answer
	Header http.Header
	Body   []byte // cut behind one byte more than was wanted at most
}

// Ask makes a request and reads the answer, and at most one byte more of its body than most, which tells that it is too long. The service may have acted
// on the request if it was reached. An error is as of [WithoutText]; one while the body is read leaves the status and the headers.
func Ask(client *http.Client, r *http.Request, most int) (a Answer, reached bool, err error) {
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { reached = true }}
	res, err := client.Do(r.WithContext(httptrace.WithClientTrace(r.Context(), trace))) //nolint:gosec // an operator names the address
	if err != nil {
		return Answer{}, reached, WithoutText(err)
	}
	defer func() { _ = res.Body.Close() }() // it was read
	a = Answer{Status: res.StatusCode, Header: res.Header}
	if a.Body, err = io.ReadAll(io.LimitReader(res.Body, int64(most)+1)); err != nil {
		err = WithoutText(err)
	}
	return a, true, err
}

// errNoHTTP stands for errors of net/http that repeat what was sent, or what was answered.
var errNoHTTP = errors.New("the answer is no HTTP")

// WithoutText is an error of net/http without the address, which may have credentials in it, and without what was answered, which may repeat them.
func WithoutText(err error) error {
	var network *net.OpError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, context.DeadlineExceeded), os.IsTimeout(err):
		return context.DeadlineExceeded
	case errors.As(err, &network):
		return network
	case errors.As(err, &certificate):
		return certificate
	case errors.Is(err, http.ErrSchemeMismatch):
		return http.ErrSchemeMismatch
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return io.ErrUnexpectedEOF
	default:
		return errNoHTTP
	}
}
