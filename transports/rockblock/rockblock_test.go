package rockblock_test

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
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	peer "github.com/godwit-gateway/godwit/simulator/peers/rockblock"
	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/rockblock"
	"github.com/godwit-gateway/godwit/transports/transporttest"
)

func nobody(http.ResponseWriter, *http.Request) {}

// running runs a transport until the test ends, and waits until it takes webhooks.
func running(t *testing.T, tr *rockblock.Transport, sink transports.Sink) (stop func()) {
	t.Helper()
	stop = transporttest.Start(t, tr, sink)
	transporttest.Until(t, "the transport to be up", tr.Up)
	return stop
}

func message(n uint64, data string) peer.Message {
	return peer.Message{IMEI: imei(0), MOMSN: n, At: time.Unix(1_700_000_000, 0), Data: []byte(data)}
}

// A session without a message is booked before it is confirmed, and once.
func TestCheckIsBookedOnce(t *testing.T) {
	tr, service, _ := newPair(t, peer.Options{}, nobody, nil)
	refuse := true
	sink := &transporttest.Sink{JudgeCheck: func(transports.Check) error {
		if refuse {
			return transporttest.ErrSink
		}
		return nil
	}}
	running(t, tr, sink)
	for i, want := range []int{http.StatusServiceUnavailable, http.StatusOK, http.StatusOK} {
		if status, err := service.Post(t.Context(), message(7, "")); err != nil || status != want {
			t.Errorf("time %d: status %d, %v, want %d", i, status, err, want)
		}
		refuse = false
	}
	if s := tr.Stats(); len(sink.Checks()) != 2 || s.Received != 3 || s.Unconfirmed != 1 || s.Empty != 1 || s.Repeated != 1 {
		t.Errorf("the sink was asked %d times, %+v", len(sink.Checks()), s)
	}
}

func TestUplinks(t *testing.T) {
	for _, form := range []peer.Form{peer.Classic, peer.JSON, peer.JSONTexts} {
		tr, service, _ := newPair(t, peer.Options{Form: form}, nobody, nil)
		sink := &transporttest.Sink{}
		running(t, tr, sink)
		for n, data := range []string{"frame", ""} { // the second is a mailbox check
			if status, err := service.Post(t.Context(), message(uint64(70154871+n), data)); err != nil || status != http.StatusOK {
				t.Fatalf("form %d: status %d, %v", form, status, err)
			}
		}
		got := sink.Received()
		want := transports.Position{Known: true, Latitude: 51_495_400, Longitude: -141_000, Radius: 3000}
		if len(got) != 1 || string(got[0].Payload) != "frame" || got[0].Ref != "70154871" || !got[0].SentAt.Equal(time.Unix(1_700_000_000, 0)) || got[0].Position != want {
			t.Errorf("form %d: %+v", form, got)
		}
		if c := sink.Checks(); len(c) != 1 || c[0].From != (transports.Address{Bearer: transports.SBD, ID: imei(0)}) || c[0].Transport != tr.Name() || c[0].Ref != "70154872 at 1700000000" {
			t.Errorf("form %d: checks %+v", form, c)
		}
		if s := tr.Stats(); s.Empty != 1 || s.Stored != 1 || s.Received != 2 {
			t.Errorf("form %d: %+v", form, s)
		}
	}
}

// What is not Ground Control's, or not a webhook, is not taken and says why.
func TestStrangers(t *testing.T) {
	tr, service, _ := newPair(t, peer.Options{}, nobody, nil)
	stranger, err := peer.New(peer.Options{Webhook: fmt.Sprintf("http://%s/hook", tr.Addr())})
	if err != nil {
		t.Fatal(err)
	}
	unsigned, err := peer.New(peer.Options{Webhook: fmt.Sprintf("http://%s/hook", tr.Addr()), Key: signing(), Unsigned: true})
	if err != nil {
		t.Fatal(err)
	}
	sink := &transporttest.Sink{}
	running(t, tr, sink)
	for name, s := range map[string]*peer.Service{"another key": stranger, "no token": unsigned} {
		if status, err := s.Post(t.Context(), message(1, "x")); err != nil || status != http.StatusUnauthorized {
			t.Errorf("%s: status %d, %v", name, status, err)
		}
	}
	contentType, body, err := service.Body(message(2, "x"))
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for name, c := range map[string]struct {
		method, path, contentType, body string
		want                            int
	}{
		"for another modem": {"POST", "/hook", contentType, strings.Replace(string(body), imei(0), imei(1), 1), http.StatusUnauthorized},
		"no IMEI":           {"POST", "/hook", contentType, "momsn=1", http.StatusBadRequest},
		"enormous":          {"POST", "/hook", contentType, strings.Repeat("x", 1<<20), http.StatusRequestEntityTooLarge},
		"looked at":         {"GET", "/hook", "", "", http.StatusMethodNotAllowed},
		"elsewhere":         {"POST", "/", contentType, string(body), http.StatusNotFound},
		"at last":           {"POST", "/hook", contentType, string(body), http.StatusOK},
	} {
		r, err := http.NewRequest(c.method, fmt.Sprintf("http://%s%s", tr.Addr(), c.path), strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", c.contentType)
		res, err := client.Do(r)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_, _ = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if res.StatusCode != c.want {
			t.Errorf("%s: status %d, want %d", name, res.StatusCode, c.want)
		}
	}
	if s := tr.Stats(); len(sink.Received()) != 1 || s.Stranger != 3 || s.Malformed != 2 || s.Stored != 1 {
		t.Errorf("the sink was given %d; %+v", len(sink.Received()), s)
	}
}

// Hundreds of connections that say nothing, or half of something, take no place from a webhook.
func TestHostileConnections(t *testing.T) {
	tr, service, _ := newPair(t, peer.Options{}, nobody, nil)
	running(t, tr, &transporttest.Sink{})
	for n := range uint64(3) {
		for range 200 {
			conn, err := net.Dial("tcp4", tr.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_, _ = io.WriteString(conn, "POST /hook HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n")
		}
		if status, err := service.Post(t.Context(), message(n, "x")); err != nil || status != http.StatusOK {
			t.Errorf("after %d connections: status %d, %v", 200*(n+1), status, err)
		}
	}
	if s := tr.Stats(); s.Crowded == 0 || s.Stored != 3 {
		t.Errorf("%+v", s)
	}
}

// A message whose 200 was lost comes again and is taken, without the sink. What was rejected is on no disk: it is not taken, and the sink is asked about it again.
func TestRepeats(t *testing.T) {
	tr, service, _ := newPair(t, peer.Options{}, nobody, nil)
	sink := &transporttest.Sink{Judge: func(_ context.Context, u transports.Uplink) (transports.Settlement, error) {
		switch string(u.Payload) {
		case "stranger":
			return transports.Rejected, nil
		case "trouble":
			return transports.Unsettled, transporttest.ErrSink
		case "odd":
			return transports.Quarantined, nil
		}
		return transports.Stored, nil
	}}
	running(t, tr, sink)
	later := message(1, "frame")
	later.At = later.At.Add(time.Minute)
	for _, c := range []struct {
		name  string
		m     peer.Message
		want  int
		calls int // of the sink, of two tries
	}{
		{"stored", message(1, "frame"), http.StatusOK, 1},
		{"another session", later, http.StatusOK, 1},
		{"quarantined", message(2, "odd"), http.StatusOK, 1},
		{"rejected", message(3, "stranger"), http.StatusServiceUnavailable, 2},
		{"not settled", message(4, "trouble"), http.StatusServiceUnavailable, 2},
	} {
		before := len(sink.Received())
		for range 2 {
			if status, err := service.Post(t.Context(), c.m); err != nil || status != c.want {
				t.Errorf("%s: status %d, %v", c.name, status, err)
			}
		}
		if calls := len(sink.Received()) - before; calls != c.calls {
			t.Errorf("%s: the sink was asked %d times, want %d", c.name, calls, c.calls)
		}
	}
	if s := tr.Stats(); s.Repeated != 3 || s.Stored != 2 || s.Duplicate != 0 {
		t.Errorf("%+v", s)
	}
}

// A sink that takes longer than the web service waits: the answer is "again", what is in hand is finished, and the second time it is taken without
// the sink.
func TestSlowSink(t *testing.T) {
	tr, service, _ := newPair(t, peer.Options{Answer: 20 * time.Second}, nobody, nil)
	release := make(chan struct{})
	sink := &transporttest.Sink{Judge: func(context.Context, transports.Uplink) (transports.Settlement, error) {
		<-release
		return transports.Stored, nil
	}}
	running(t, tr, sink)
	status, err := service.Post(t.Context(), message(1, "slow"))
	close(release)
	if err != nil || status != http.StatusServiceUnavailable {
		t.Errorf("status %d, %v", status, err)
	}
	tr.AwaitSettled()
	if status, err := service.Post(t.Context(), message(1, "slow")); err != nil || status != http.StatusOK {
		t.Errorf("again: status %d, %v", status, err)
	}
	if s := tr.Stats(); s.Late != 1 || s.Stored != 1 || s.Repeated != 1 || len(sink.Received()) != 1 {
		t.Errorf("the sink was asked %d times; %+v", len(sink.Received()), s)
	}
}

// The simulated service brings all that modems sent, although the sink has troubles and answers come too late.
func TestSimulatedService(t *testing.T) {
	var forgotten atomic.Int32
	tr, service, _ := newPair(t, peer.Options{Second: time.Millisecond, Forget: func() bool { return forgotten.Add(1)%5 == 0 }}, nobody, nil)
	var calls atomic.Int32
	sink := &transporttest.Sink{Judge: func(context.Context, transports.Uplink) (transports.Settlement, error) {
		if calls.Add(1)%4 == 0 {
			return transports.Unsettled, transporttest.ErrSink
		}
		return transports.Stored, nil
	}}
	running(t, tr, sink)
	var wg sync.WaitGroup
	for n := range uint64(40) {
		wg.Go(func() {
			if _, err := service.Deliver(t.Context(), message(n, fmt.Sprintf("frame %d", n))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, u := range sink.Received() {
		seen[string(u.Payload)] = true
	}
	if len(seen) != 40 || len(sink.Received()) == 40 {
		t.Errorf("%d of 40 frames came, %d times in all", len(seen), len(sink.Received()))
	}
}

// Password and data go in the body, and never into an error.
func TestSend(t *testing.T) {
	var got http.Request
	tr, _, mt := newPair(t, peer.Options{}, func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		got = *r
		_, _ = io.WriteString(w, "OK,4711")
	}, func(c *rockblock.Config) { c.Flush = true })
	running(t, tr, &transporttest.Sink{})
	d := transports.Downlink{To: transports.Address{Bearer: transports.SBD, ID: imei(0)}, Payload: make([]byte, 51)}
	receipt, err := tr.Send(t.Context(), d)
	if err != nil || receipt.Parts != 2 { // credits
		t.Errorf("%+v, %v", receipt, err)
	}
	if f := got.PostForm; got.URL.RawQuery != "" || f.Get("imei") != imei(0) || f.Get("username") != "fleet" || f.Get("password") != secret || f.Get("flush") != "yes" ||
		f.Get("data") != strings.Repeat("00", 51) {
		t.Errorf("asked %s with %v", got.URL, f)
	}
	mt.Close()
	var failed *transports.SendError
	if _, err := tr.Send(t.Context(), d); !errors.As(err, &failed) || failed.Outcome != transports.NotSent || strings.Contains(err.Error(), secret) {
		t.Errorf("without a service: %v", err)
	}
	for name, change := range map[string]func(*transports.Downlink){
		"an order to the service": func(d *transports.Downlink) { d.Payload = []byte("RB0014392x") },
		"no payload":              func(d *transports.Downlink) { d.Payload = nil },
		"no IMEI":                 func(d *transports.Downlink) { d.To.ID = "+491700000001" },
		"another bearer":          func(d *transports.Downlink) { d.To.Bearer = transports.SMS },
	} {
		d := d
		change(&d)
		if _, err := tr.Send(t.Context(), d); !errors.As(err, &failed) || failed.Outcome != transports.Refused {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The password is in no error, in no line of the log and in no address that was asked for, whatever goes wrong with a message; nor is a webhook's token.
func TestCredentialsAreNeverTold(t *testing.T) {
	var log bytes.Buffer
	var answer atomic.Pointer[http.HandlerFunc]
	var asked atomic.Value
	mt := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.URL.String() + fmt.Sprint(r.Header))
		(*answer.Load())(w, r)
	}))
	mt.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	mt.Start()
	defer mt.Close()
	stranger, err := peer.New(peer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	key, err := stranger.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	cfg := rockblock.Config{Listen: "127.0.0.1:0", Key: key, MT: mt.URL, Username: "fleet", Password: secret, SendTime: time.Second}
	tr, err := rockblock.New("rock", cfg, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	stop := running(t, tr, &transporttest.Sink{})
	d := transports.Downlink{To: transports.Address{Bearer: transports.SBD, ID: imei(0)}, Payload: []byte("x")}
	answers := map[string]http.HandlerFunc{
		"a wrong login": func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "FAILED,10,%s", r.FormValue("password")) },
		"nonsense":      func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.FormValue("password")) },
		"a status": func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, r.FormValue("password"), http.StatusBadGateway)
		},
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/?"+r.FormValue("password"), http.StatusFound)
		},
		"a redirect that is none": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "http://%zz/?"+r.FormValue("password"))
			w.WriteHeader(http.StatusFound)
		},
		"no answer": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"no HTTP": func(w http.ResponseWriter, r *http.Request) {
			password := r.FormValue("password")
			if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
				_, _ = io.WriteString(conn, password+"\r\n\r\n")
				_ = conn.Close()
			}
		},
	}
	for name, a := range answers {
		answer.Store(&a)
		if _, err := tr.Send(t.Context(), d); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", name, err)
		}
		if strings.Contains(asked.Load().(string), secret) {
			t.Errorf("%s: asked for %s", name, asked.Load())
		}
	}
	forger, err := peer.New(peer.Options{Webhook: fmt.Sprintf("http://%s/", tr.Addr()), Key: signing()})
	if err != nil {
		t.Fatal(err)
	}
	contentType, body, err := forger.Body(message(1, "x"))
	if err != nil {
		t.Fatal(err)
	}
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Post(fmt.Sprintf("http://%s/", tr.Addr()), contentType, bytes.NewReader(body))
	if err != nil || res.StatusCode != http.StatusUnauthorized {
		t.Fatalf("%v, %v", res, err)
	}
	res.Body.Close()
	stop()
	form, err := url.ParseQuery(string(body))
	if err != nil || form.Get("JWT") == "" {
		t.Fatal(form, err)
	}
	if text := log.String(); text == "" || strings.Contains(text, secret) || strings.Contains(text, form.Get("JWT")) {
		t.Errorf("the log: %s", text)
	}
}

// What the answer's status says of what was sent.
func TestSendStatuses(t *testing.T) {
	var status atomic.Int32
	var asked atomic.Int32
	tr, _, _ := newPair(t, peer.Options{}, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(int(status.Load()))
	}, nil)
	running(t, tr, &transporttest.Sink{})
	d := transports.Downlink{To: transports.Address{Bearer: transports.SBD, ID: imei(0)}, Payload: []byte("x")}
	for code, want := range map[int]transports.Outcome{
		http.StatusFound: transports.MaybeSent, http.StatusTemporaryRedirect: transports.NotSent, http.StatusForbidden: transports.NotSent, http.StatusBadGateway: transports.MaybeSent, http.StatusNoContent: transports.MaybeSent,
	} {
		status.Store(int32(code))
		before := asked.Load()
		var failed *transports.SendError
		if _, err := tr.Send(t.Context(), d); !errors.As(err, &failed) || failed.Outcome != want {
			t.Errorf("status %d: %v, want %s", code, err, want)
		}
		if asked.Load() != before+1 {
			t.Errorf("status %d: the password went elsewhere", code)
		}
	}
}

func TestConfigValidate(t *testing.T) {
	_, service, _ := newPair(t, peer.Options{}, nobody, nil)
	key, err := service.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	ok := rockblock.Config{Listen: ":8470", Key: key}
	transporttest.Mistakes(t, ok, rockblock.New, map[string]func(*rockblock.Config){
		"listen":    func(c *rockblock.Config) { c.Listen = "web" },
		"path":      func(c *rockblock.Config) { c.Path = "hook" },
		"path is":   func(c *rockblock.Config) { c.Path = "/a//b" },
		"key_file":  func(c *rockblock.Config) { c.Key = "" },
		"token_age": func(c *rockblock.Config) { c.TokenAge = time.Second },
		"mt":        func(c *rockblock.Config) { c.MT = "https://user:pass@rockblock.example/MT" },
		"username":  func(c *rockblock.Config) { c.Username = "fleet" },
		"send_time": func(c *rockblock.Config) { c.SendTime = time.Hour },
	})
}

// What stops before a connection is there has not left: it is neither paid for nor given up soon.
func TestSendThatNeverLeaves(t *testing.T) {
	stranger := httptest.NewTLSServer(http.HandlerFunc(nobody))
	defer stranger.Close()
	stranger.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	tr, _, _ := newPair(t, peer.Options{}, nobody, func(c *rockblock.Config) { c.MT = stranger.URL + "/MT" })
	running(t, tr, &transporttest.Sink{})
	var failed *transports.SendError
	_, err := tr.Send(t.Context(), transports.Downlink{To: transports.Address{Bearer: transports.SBD, ID: imei(0)}, Payload: []byte("x")})
	if !errors.As(err, &failed) || failed.Outcome != transports.NotSent || !failed.Slow || !transports.Unasked(err) {
		t.Errorf("a certificate that nobody knows: %v", err)
	}
}
