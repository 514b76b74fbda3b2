package webservice

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"testing"
)

// What people need to know of an error is left of it.
func TestWithoutText(t *testing.T) {
	const secret = "https://x/?password=secret"
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	for _, c := range []struct{ err, want error }{
		{refused, refused},
		{&url.Error{Op: "Get", URL: secret, Err: refused}, refused},
		{context.DeadlineExceeded, context.DeadlineExceeded},
		{context.Canceled, context.Canceled},
		{io.EOF, io.ErrUnexpectedEOF},
		{errors.New("malformed HTTP response " + secret), errNoHTTP},
	} {
		got := WithoutText(fmt.Errorf("again: %w", &url.Error{Op: "Get", URL: secret, Err: c.err}))
		if got.Error() != c.want.Error() {
			t.Errorf("%v, want %v", got, c.want)
		}
	}
}
