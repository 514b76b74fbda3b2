package idp_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/igws"
	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/idp"
	"github.com/godwit-gateway/godwit/transports/transporttest"
)

// A gateway that wants to be asked less often, or has an error that passes, is there all the same; what it has comes once it answers.
func TestErrorCodesOfPolls(t *testing.T) {
	for _, dialect := range dialects {
		t.Run(dialect, func(t *testing.T) {
			for code, reason := range map[int]string{
				16: "pace", 21817: "pace", 18: "temporary", 19: "temporary", 20: "temporary", 128: "temporary", 17: "permanent", 514: "permanent", 21785: "account",
			} {
				p := newPair(t, dialect, igws.Options{}, nil)
				sink := &transporttest.Sink{}
				p.start(t, sink)
				p.until(t, "it is up", p.Up)
				down := false
				p.service.Fail(igws.CallReturns, igws.Fault{Code: code})
				p.until(t, fmt.Sprintf("code %d is counted", code), func() bool {
					down = down || !p.Up()
					return p.Stats().Failures[reason] == 1
				})
				if reason == "pace" && !p.Up() {
					t.Errorf("code %d: the line is down", code)
				}
				p.say(t, "behind it")
				arrives(t, sink, "behind it", 1)
				p.until(t, "it is up again", p.Up)
			}
		})
	}
}

// The service itself refuses polls with one mark that come too often.
func TestSameMark(t *testing.T) {
	p := newPair(t, idp.V1, igws.Options{SameMark: 3}, nil)
	sink := &transporttest.Sink{}
	p.start(t, sink)
	p.until(t, "it was refused", func() bool { return p.Stats().Failures["pace"] > 0 })
	p.say(t, "up")
	arrives(t, sink, "up", 1)
}

// Account or password that are refused are for an operator to see, and no downlink is lost for it.
func TestAccountRefused(t *testing.T) {
	for _, dialect := range dialects {
		t.Run(dialect, func(t *testing.T) {
			p := newPair(t, dialect, igws.Options{}, func(c *idp.Config) { c.Password = "wrong" })
			p.start(t, &transporttest.Sink{})
			p.until(t, "the account is refused", func() bool { return p.Stats().Refused })
			if p.Up() {
				t.Error("the line is up")
			}
			if s := p.Stats(); s.Failures["account"] == 0 {
				t.Errorf("%+v", s)
			}
			_, err := p.Send(t.Context(), downlink("x"))
			wantSendError(t, err, transports.NotSent, false, 0)
		})
	}
}

// Over a time-out, a cut line, an error of HTTP or an answer that makes no sense the transport asks again.
func TestGatewayFails(t *testing.T) {
	deep := strings.Repeat("[", 1000) + strings.Repeat("]", 1000)
	for _, dialect := range dialects {
		t.Run(dialect, func(t *testing.T) {
			for name, f := range map[string]igws.Fault{
				"cut":            {Silent: true},
				"answer lost":    {Lost: true},
				"status 500":     {Status: 500},
				"status 503":     {Status: 503, Body: []byte("<html>")},
				"status 404":     {Status: 404},
				"status 429":     {Status: 429},
				"empty":          {},
				"no JSON":        {Body: []byte("<html>")},
				"null":           {Body: []byte("null")},
				"cut off":        {Body: []byte(`{"ErrorID":0,"Messages":[`)},
				"other types":    {Body: []byte(`{"ErrorID":"none","Messages":{}}`)},
				"deep":           {Body: []byte(`{"ErrorID":0,"Messages":` + deep + `}`)},
				"a code as text": {Status: 400, Body: []byte(`{"ErrorID":18}`)},
			} {
				p := newPair(t, dialect, igws.Options{}, nil)
				sink := &transporttest.Sink{}
				p.service.Fail(igws.CallReturns, f)
				p.start(t, sink)
				p.say(t, "up")
				arrives(t, sink, "up", 1)
				total := uint64(0)
				for _, n := range p.Stats().Failures {
					total += n
				}
				if total != 1 && name != "answer lost" && name != "cut" { // a GET may be repeated by net/http
					t.Errorf("%s: %d failures: %+v", name, total, p.Stats())
				}
			}
		})
	}
}

// A gateway that sends without end, or nothing at all, costs bounded memory and time.
func TestHostileGateway(t *testing.T) {
	for name, serve := range map[string]http.HandlerFunc{
		"without end": func(w http.ResponseWriter, r *http.Request) {
			block := bytes.Repeat([]byte(" "), 1<<20)
			for r.Context().Err() == nil {
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		},
		"silent": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"drop by drop": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, `{"ErrorID":0,`)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
		"many objects": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"ErrorID":0,"Messages":[{}`+strings.Repeat(",{}", 1<<19)+`]}`)
		},
		"headers without end": func(w http.ResponseWriter, _ *http.Request) {
			for i := range 200 {
				w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("x", 1000))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(serve)
			t.Cleanup(server.Close)
			cfg := idp.Config{Dialect: idp.V1, URL: server.URL, Account: account, Password: secret, File: filepath.Join(t.TempDir(), "m"), CallTime: time.Second}
			tr, err := idp.New("orb", cfg, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			tr.SetPace(time.Millisecond, time.Millisecond)
			tr.SetPatience(300 * time.Millisecond)
			sink := &transporttest.Sink{}
			stop := transporttest.Start(t, tr, sink)
			transporttest.Until(t, "the call to end", func() bool { return tr.Stats().Failures["unreachable"] > 0 })
			stop()
			if len(sink.Received()) != 0 {
				t.Error("the sink was given something")
			}
		})
	}
}

// A token that has ended, or was revoked, is fetched anew; one that is good is not.
func TestTokens(t *testing.T) {
	p := newPair(t, idp.OGWS, igws.Options{}, nil)
	sink := &transporttest.Sink{}
	p.start(t, sink)
	p.say(t, "one")
	arrives(t, sink, "one", 1)
	calls := p.service.Calls(igws.CallReturns)
	p.until(t, "it is polled some more", func() bool { return p.service.Calls(igws.CallReturns) > calls+5 })
	if n := p.service.Calls(igws.CallToken); n != 1 {
		t.Errorf("%d tokens for one account", n)
	}
	p.service.Revoke()
	p.say(t, "two")
	arrives(t, sink, "two", 1)
	if _, err := p.Send(t.Context(), downlink("x")); err != nil {
		t.Errorf("Send: %v", err)
	}
	if n, s := p.service.Calls(igws.CallToken), p.Stats(); n != 2 || s.Failures["account"] != 0 {
		t.Errorf("%d tokens, %+v", n, s)
	}
	// The gateway is down when a token is needed: nothing of the message has left.
	p.service.Revoke()
	p.service.Fail(igws.CallToken, igws.Fault{Status: 503}, igws.Fault{Status: 503}, igws.Fault{Status: 503}, igws.Fault{Status: 503})
	if _, err := p.Send(t.Context(), downlink("x")); err != nil {
		wantSendError(t, err, transports.NotSent, true, 503)
	}
}

func TestTokensThatMakeNoSense(t *testing.T) {
	for _, body := range []string{"", "null", `{"token_type":"bearer"}`, `{"access_token":"a","token_type":"mac"}`, `{"access_token":"a\r\nb","token_type":"bearer"}`} {
		p := newPair(t, idp.OGWS, igws.Options{}, nil)
		p.service.Fail(igws.CallToken, igws.Fault{Body: []byte(body)})
		sink := &transporttest.Sink{}
		p.start(t, sink)
		p.say(t, "up")
		arrives(t, sink, "up", 1)
		if s := p.Stats(); s.Failures["unreachable"] != 1 {
			t.Errorf("%q: %+v", body, s)
		}
	}
}

// page is a log in memory.
type page struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *page) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// In v1 account and password are in addresses, and errors of net/http have the address in them. None gets into errors or logs, whatever goes wrong.
func TestNoSecretLeaks(t *testing.T) {
	echo := func(status int) http.HandlerFunc { // what a gateway or a proxy that means well, or not, answers with
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", r.URL.String())
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"error":"`+r.URL.String()+" "+secret+`"}`)
		}
	}
	abort := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	closed, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + closed.Addr().String()
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	for name, serve := range map[string]http.HandlerFunc{
		"nobody": nil, "cut": abort, "200": echo(200), "302": echo(302), "307": echo(307), "400": echo(400), "401": echo(401), "403": echo(403), "404": echo(404), "500": echo(500),
		"silent": func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // else nobody notices that the connection ends
			<-r.Context().Done()
		},
		"no HTTP": func(w http.ResponseWriter, r *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = io.WriteString(conn, r.URL.String()+"\r\n\r\n")
				_ = conn.Close()
			}
		},
	} {
		leaks := func(t *testing.T, dialect string) {
			t.Helper()
			good := igws.New(igws.Options{Account: account, Password: secret, Terminals: []igws.Terminal{{ID: mobile(1)}}})
			var failing sync.Mutex
			fails := false
			handler := func(w http.ResponseWriter, r *http.Request) {
				failing.Lock()
				bad := fails
				failing.Unlock()
				if bad {
					serve(w, r)
				} else {
					good.ServeHTTP(w, r)
				}
			}
			server := httptest.NewUnstartedServer(http.HandlerFunc(handler))
			server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
			server.Start()
			t.Cleanup(server.Close)
			address := server.URL + map[string]string{idp.V1: igws.PathV1, idp.OGWS: igws.PathOGWS}[dialect]
			if serve == nil {
				address = nobody
			}
			log := &page{}
			cfg := idp.Config{Dialect: dialect, URL: address, Account: account, Password: secret, File: filepath.Join(t.TempDir(), "m"), CallTime: time.Second}
			tr, err := idp.New("orb", cfg, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
			if err != nil {
				t.Fatal(err)
			}
			tr.SetPace(5*time.Millisecond, 5*time.Millisecond)
			if name == "silent" {
				tr.SetPatience(300 * time.Millisecond)
			}
			ctx, cancel := context.WithCancel(context.Background())
			done := make(chan error, 1)
			go func() { done <- tr.Run(ctx, &transporttest.Sink{}) }()
			said := ""
			if serve != nil {
				transporttest.Until(t, "the transport to be up", tr.Up)
				failing.Lock()
				fails = true
				failing.Unlock()
				if _, err := tr.Send(ctx, downlink("x")); err != nil {
					said = err.Error()
				}
			}
			failures := func() (n uint64) {
				for _, v := range tr.Stats().Failures {
					n += v
				}
				return n
			}
			transporttest.Until(t, "a call to fail", func() bool { return failures() > 0 })
			cancel()
			if err := <-done; err != nil {
				said += err.Error()
			}
			all := said + log.String()
			for _, s := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret), account, "password=", "battery"} {
				if strings.Contains(all, s) {
					t.Errorf("%s: %q is in what was said:\n%s", name, s, all)
				}
			}
			if log.String() == "" {
				t.Errorf("%s: nothing was logged: the test cannot fail", name)
			}
		}
		for _, dialect := range dialects {
			t.Run(name+" "+dialect, func(t *testing.T) { leaks(t, dialect) })
		}
	}
}

func wantSendError(t *testing.T, err error, outcome transports.Outcome, slow bool, code int) {
	t.Helper()
	var failed *transports.SendError
	if !errors.As(err, &failed) || failed.Outcome != outcome || failed.Slow != slow || failed.Code != code {
		t.Errorf("%v, want %s, slow %t, code %d", err, outcome, slow, code)
	}
}

func downlink(payload string) transports.Downlink {
	return transports.Downlink{To: transports.Address{Bearer: transports.IDP, ID: mobile(1)}, Payload: []byte(payload), Ref: 1<<40 + 7}
}
