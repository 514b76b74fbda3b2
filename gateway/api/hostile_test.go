package api_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/gateway/api"
)

// TestEnormousBodies: what is enormous is refused by its length, or after the first of it, and is not read to its end.
func TestEnormousBodies(t *testing.T) {
	const size = 256 << 20 // far more than is taken of an import, and the network holds
	b := newBench(t)
	for name, c := range map[string]struct {
		path, kind, headers string
		status              int
	}{
		"no token":                 {"/frames/decode", asJSON, fmt.Sprintf("Content-Length: %d\r\n", size), 401},
		"wrong token":              {"/frames/decode", asJSON, fmt.Sprintf("Content-Length: %d\r\nAuthorization: Bearer no\r\n", size), 401},
		"another scheme":           {"/frames/decode", asJSON, fmt.Sprintf("Content-Length: %d\r\nAuthorization: Basic eDp5\r\n", size), 401},
		"with a length":            {"/frames/decode", asJSON, fmt.Sprintf("Content-Length: %d\r\nAuthorization: Bearer %s\r\n", size, b.token[api.Admin]), 413},
		"without one":              {"/frames/decode", asJSON, "Transfer-Encoding: chunked\r\nAuthorization: Bearer " + b.token[api.Admin] + "\r\n", 413},
		"an import with a length":  {"/devices/import", asCSV, fmt.Sprintf("Content-Length: %d\r\nAuthorization: Bearer %s\r\n", size, b.token[api.Admin]), 413},
		"an import without one":    {"/devices/import", asCSV, "Transfer-Encoding: chunked\r\nAuthorization: Bearer " + b.token[api.Admin] + "\r\n", 413},
		"without one and no token": {"/devices/import", asCSV, "Transfer-Encoding: chunked\r\n", 401},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", strings.TrimPrefix(b.server.URL, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			if _, err := fmt.Fprintf(conn, "POST /api/v1%s HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\n%s\r\n", c.path, c.kind, c.headers); err != nil {
				t.Fatal(err)
			}
			sent := make(chan int, 1)
			go func() { sent <- pour(conn, size, strings.Contains(c.headers, "chunked")) }()
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = res.Body.Close() }()
			if res.StatusCode != c.status {
				t.Errorf("status %d, want %d", res.StatusCode, c.status)
			}
			_, _ = io.Copy(io.Discard, res.Body)
			if n := <-sent; n >= size {
				t.Errorf("all %d bytes were taken", n)
			}
		})
	}
}

// pour writes a body until it is whole or nobody takes it, and returns how many bytes of it were taken.
func pour(conn net.Conn, size int, chunked bool) int {
	piece := strings.Repeat("a", 1<<16)
	text := piece
	if chunked {
		text = fmt.Sprintf("%x\r\n%s\r\n", len(piece), piece)
	}
	n := 0
	for ; n < size; n += len(piece) {
		if _, err := io.WriteString(conn, text); err != nil {
			break
		}
	}
	return n
}

// TestHostileJSON: what is nested, enormous or twice is a wrong request and nothing more.
func TestHostileJSON(t *testing.T) {
	b := newBench(t)
	const deep = 400_000
	for name, body := range map[string]string{
		"deep arrays":      `{"frame":` + strings.Repeat("[", deep) + strings.Repeat("]", deep) + `}`,
		"deep objects":     strings.Repeat(`{"a":`, deep/4) + "1" + strings.Repeat("}", deep/4),
		"deep and open":    `{"frame":` + strings.Repeat("[", deep),
		"an endless text":  `{"frame":"` + strings.Repeat("0", deep),
		"a vast number":    `{"frame":1e999999999}`,
		"a long number":    `{"frame":` + strings.Repeat("9", deep) + `}`,
		"many keys":        `{` + strings.Repeat(`"a":1,`, deep/8) + `"frame":"00"}`,
		"bytes of no text": "{\"frame\":\"\xff\xfe\"}",
		"two values":       `{"frame":"00"}{"frame":"00"}`,
	} {
		for _, path := range []string{"/frames/decode", "/devices/import", "/tokens"} {
			if a := b.ask(t, "POST", "/api/v1"+path, b.token[api.Admin], asJSON, body); a.status < 400 || a.status >= 500 {
				t.Errorf("%s to %s: %d %.200s", name, path, a.status, a.body)
			} else {
				a.problem(t)
			}
		}
	}
}

// TestPathsThatClimb: no path leads out of the documents, however it is written.
func TestPathsThatClimb(t *testing.T) {
	b := newBench(t)
	for _, path := range []string{
		"/../../../etc/passwd", "/docs/../../../../etc/passwd", "/docs/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "/docs/..%2f..%2f..%2fetc%2fpasswd", "/docs/..\\..\\go.mod",
		"/docs//etc/passwd", "/docs/%00", "/docs/adr/../../embed.go", "/docs/embed.go", "/docs/./doc.go", "//etc/passwd", "/docs/....//....//go.mod",
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(b.server.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path); err != nil { // as it is: a client would tidy it
			t.Fatal(err)
		}
		answer, err := io.ReadAll(conn)
		_ = conn.Close()
		status := strings.SplitN(string(answer)+"   ", " ", 3)[1]
		if err != nil || status != "404" && status != "400" && status != "301" && status != "307" || strings.Contains(string(answer), "root:") || strings.Contains(string(answer), "package docs") {
			t.Errorf("%s: %.200s, %v", path, answer, err)
		}
	}
}
