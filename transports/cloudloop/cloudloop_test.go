package cloudloop_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	peer "github.com/godwit-gateway/godwit/simulator/peers/rockblock"
	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/cloudloop"
	"github.com/godwit-gateway/godwit/transports/mark"
	"github.com/godwit-gateway/godwit/transports/transporttest"
)

// running runs a transport until the test ends or it is stopped; a line that is lost is there again at once.
func running(t *testing.T, tr *cloudloop.Transport, sink transports.Sink) (stop func()) {
	t.Helper()
	return transporttest.Background(t, func(ctx context.Context) error {
		for ctx.Err() == nil {
			_ = tr.Run(ctx, sink)
		}
		return nil
	})
}

// newCloud makes a web service with two modems.
func newCloud(t *testing.T, change func(*peer.CloudloopOptions)) (*peer.Cloudloop, *site) {
	t.Helper()
	o := peer.CloudloopOptions{Token: secret, Modems: []string{imei(0), imei(1)}}
	if change != nil {
		change(&o)
	}
	cloud := peer.NewCloudloop(o)
	return cloud, newSite(t, cloud)
}

// deliver has modem n%2 send the n-th message, for all n.
func deliver(cloud *peer.Cloudloop, from, to int) {
	for n := from; n < to; n++ {
		cloud.Deliver(peer.Message{IMEI: imei(n % 2), MOMSN: uint64(n), At: time.Unix(1_700_000_000, 0), Data: fmt.Appendf(nil, "frame %d", n)}, uint64(n))
	}
}

// at waits until the mark has passed a message.
func at(t *testing.T, path string, cloud *peer.Cloudloop, tag int) {
	t.Helper()
	transporttest.Until(t, fmt.Sprintf("message %d to be passed", tag), func() bool {
		m, err := mark.Read(path)
		return err == nil && cloud.Passed(m, uint64(tag))
	})
}

// payloads are what a sink was given, sorted.
func payloads(sink *transporttest.Sink) (all []string) {
	for _, u := range sink.Received() {
		all = append(all, string(u.Payload))
	}
	slices.Sort(all)
	return all
}

// Where nobody knows how far messages were read, at first, with a damaged mark, or with one that Cloudloop does not know, none is passed over and none told
// twice by one transport.
func TestWithoutAMarkTheArchiveIsRead(t *testing.T) {
	cloud, site := newCloud(t, nil)
	deliver(cloud, 0, 5)
	tr, path := newTransport(t, site.address, nil)
	sink := &transporttest.Sink{}
	stop := running(t, tr, sink)
	at(t, path, cloud, 4)
	stop()
	if got := payloads(sink); len(got) != 5 || len(slices.Compact(got)) != 5 {
		t.Fatalf("at first: %q", got)
	}
	u := sink.Received()[0]
	if !u.SentAt.Equal(time.Unix(1_700_000_000, 0)) || u.Ref == "" || u.From.ID == "" {
		t.Errorf("%+v", u)
	}
	next := 5
	for name, lose := range map[string]func(){
		"a damaged mark":           func() { _ = os.WriteFile(path, []byte("godwit-mark 1 00000000\nx"), 0o600) },
		"a mark that is not known": func() { cloud.Forget(1) },
	} {
		deliver(cloud, next, next+3)
		lose()
		again, _ := newTransport(t, site.address, func(c *cloudloop.Config) { c.Mark = path })
		sink := &transporttest.Sink{}
		stop := running(t, again, sink)
		at(t, path, cloud, next+2)
		stop()
		got := payloads(sink)
		if !slices.Contains(got, fmt.Sprintf("frame %d", next+2)) || len(got) != len(slices.Compact(slices.Clone(got))) {
			t.Errorf("%s: %q", name, got)
		}
		next += 3
	}
}

// What comes after the mark comes once, also to a transport that was started anew, and in as many pages as it takes.
func TestMarkHolds(t *testing.T) {
	var pages atomic.Int32
	cloud, site := newCloud(t, func(o *peer.CloudloopOptions) {
		o.Fault = func(action string) peer.Fault {
			if action == "DataMo/GetMessagesPolled" {
				pages.Add(1)
			}
			return peer.NoFault
		}
	})
	deliver(cloud, 0, 1)
	tr, path := newTransport(t, site.address, nil)
	stop := running(t, tr, &transporttest.Sink{})
	at(t, path, cloud, 0)
	stop()
	deliver(cloud, 1, 451)
	pages.Store(0)
	again, _ := newTransport(t, site.address, func(c *cloudloop.Config) { c.Mark = path })
	sink := &transporttest.Sink{}
	stop = running(t, again, sink)
	at(t, path, cloud, 450)
	stop()
	if got := payloads(sink); len(got) != 450 || len(slices.Compact(got)) != 450 || pages.Load() < 3 {
		t.Errorf("%d messages in %d pages", len(got), pages.Load())
	}
}

// A service that forgets what was passed loses nothing, and does not grow.
func TestServiceThatForgets(t *testing.T) {
	const keep = 10
	cloud, site := newCloud(t, func(o *peer.CloudloopOptions) { o.Keep = keep })
	tr, path := newTransport(t, site.address, nil)
	sink := &transporttest.Sink{}
	stop := running(t, tr, sink)
	from := 0
	for _, to := range []int{1, 101, 102, 150, 151} {
		deliver(cloud, from, to)
		at(t, path, cloud, to-1)
		from = to
	}
	stop()
	if got := payloads(sink); len(got) != from || len(slices.Compact(got)) != from {
		t.Errorf("%d messages, want each of %d once", len(got), from)
	}
	if n := cloud.Kept(); n > 2*keep+1 {
		t.Errorf("%d messages are kept", n)
	}
}

// Between the sink's word and the mark a crash has the page come again, to a transport that knows nothing of it.
func TestCrashBeforeTheMark(t *testing.T) {
	cloud, site := newCloud(t, nil)
	deliver(cloud, 0, 1)
	tr, path := newTransport(t, site.address, nil)
	stop := running(t, tr, &transporttest.Sink{})
	at(t, path, cloud, 0)
	stop()
	if err := os.Mkdir(path+".new", 0o700); err != nil { // the mark cannot be written
		t.Fatal(err)
	}
	deliver(cloud, 1, 4)
	sink := &transporttest.Sink{}
	crashing, _ := newTransport(t, site.address, func(c *cloudloop.Config) { c.Mark = path })
	if err := crashing.Run(t.Context(), sink); err == nil {
		t.Fatal("no error")
	}
	if err := os.Remove(path + ".new"); err != nil {
		t.Fatal(err)
	}
	again, _ := newTransport(t, site.address, func(c *cloudloop.Config) { c.Mark = path })
	running(t, again, sink)
	at(t, path, cloud, 3)
	if got := payloads(sink); len(got) != 6 || len(slices.Compact(got)) != 3 {
		t.Errorf("%q, want three messages twice", got)
	}
}

// The mark stays before a page of which one message is not settled; the others are not asked about again.
func TestMarkWaitsForTheWholePage(t *testing.T) {
	cloud, site := newCloud(t, nil)
	deliver(cloud, 0, 1)
	tr, path := newTransport(t, site.address, nil)
	var good atomic.Bool
	sink := &transporttest.Sink{Judge: func(_ context.Context, u transports.Uplink) (transports.Settlement, error) {
		if string(u.Payload) == "frame 2" && !good.Load() {
			return transports.Unsettled, nil
		}
		return transports.Stored, nil
	}}
	stop := running(t, tr, sink)
	at(t, path, cloud, 0)
	stop()
	deliver(cloud, 1, 4)
	running(t, tr, sink)
	if _, ok := sink.Await(t.Context(), []byte("frame 2"), 3); !ok {
		t.Fatal("it was not asked about again")
	}
	if m, err := mark.Read(path); err != nil || cloud.Passed(m, 1) {
		t.Errorf("the mark is %q, %v", m, err)
	}
	good.Store(true)
	at(t, path, cloud, 3)
	for payload, want := range map[string]int{"frame 1": 1, "frame 3": 1} {
		if n := len(slices.DeleteFunc(payloads(sink), func(p string) bool { return p != payload })); n != want {
			t.Errorf("%s came %d times, want %d", payload, n, want)
		}
	}
}

// A web service that is away, overloaded, silent or breaks off, and repeats itself, loses nothing.
func TestTroublesOfTheWebService(t *testing.T) {
	var pages atomic.Int32
	var mu sync.Mutex
	luck := rand.New(rand.NewPCG(1, 2)) // guarded by mu
	cloud, site := newCloud(t, func(o *peer.CloudloopOptions) {
		o.Most = 7
		o.Fault = func(string) peer.Fault {
			mu.Lock()
			defer mu.Unlock()
			switch p := luck.Float64(); {
			case p < 0.08:
				return peer.Unavailable
			case p < 0.16:
				return peer.TooMany
			case p < 0.24:
				return peer.AnswerLost
			case p < 0.26:
				return peer.Silent
			}
			return peer.NoFault
		}
		o.Again = func() bool { return pages.Add(1)%3 == 0 }
	})
	tr, path := newTransport(t, site.address, nil)
	tr.SetPauses(time.Millisecond, 50*time.Millisecond)
	sink := &transporttest.Sink{}
	running(t, tr, sink)
	for n := range 20 {
		deliver(cloud, 5*n, 5*n+5)
	}
	at(t, path, cloud, 99)
	if got := slices.Compact(payloads(sink)); len(got) != 100 {
		t.Errorf("%d of 100 messages", len(got))
	}
}

// What cannot be read, comes from nobody or is rejected is passed.
func TestNothingHoldsUpTheOthers(t *testing.T) {
	cloud, site := newCloud(t, nil)
	tr, path := newTransport(t, site.address, nil)
	sink := &transporttest.Sink{Judge: func(_ context.Context, u transports.Uplink) (transports.Settlement, error) {
		if u.Content == transports.ContentRaw {
			return transports.Quarantined, nil
		}
		return transports.Rejected, nil
	}}
	running(t, tr, sink)
	deliver(cloud, 0, 1)
	at(t, path, cloud, 0)
	for tag, m := range []peer.Message{
		{IMEI: "300000000000009", Data: []byte("of a modem that is not there")},
		{IMEI: imei(0), Data: make([]byte, cloudloop.UplinkMax+1)},
		{IMEI: imei(0)},
		{IMEI: imei(1), Data: []byte("the last")},
	} {
		cloud.Deliver(m, uint64(tag+1))
	}
	at(t, path, cloud, 4)
	var got []string
	for _, u := range sink.Received() {
		got = append(got, fmt.Sprintf("%s %t %.8q", u.From.ID, u.Content == transports.ContentRaw, u.Payload))
	}
	want := []string{imei(0) + ` false "frame 0"`, ` false "of a mod"`, imei(0) + ` true "{\"hardwa"`, imei(1) + ` false "the last"`}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if c := sink.Checks(); len(c) != 1 || c[0].From != (transports.Address{Bearer: transports.SBD, ID: imei(0)}) || c[0].Transport != tr.Name() || !cloud.Passed(c[0].Ref, 3) || cloud.Passed(c[0].Ref, 4) {
		t.Errorf("checks: %+v", c)
	}
	if s := tr.Stats(); s.Rejected != 3 || s.Quarantined != 1 || s.Malformed != 1 || s.Empty != 1 {
		t.Errorf("%+v", s)
	}
}

// A session without a message that the sink does not book is brought again, and the messages beside it go on; it costs no line.
func TestCheckIsBookedInTheEnd(t *testing.T) {
	cloud, site := newCloud(t, nil)
	tr, path := newTransport(t, site.address, nil)
	refused := false
	sink := &transporttest.Sink{JudgeCheck: func(transports.Check) error {
		if !refused {
			refused = true
			return transporttest.ErrSink
		}
		return nil
	}}
	transporttest.Start(t, tr, sink)
	deliver(cloud, 0, 1)
	cloud.Deliver(peer.Message{IMEI: imei(0)}, 1)
	deliver(cloud, 2, 3)
	at(t, path, cloud, 2)
	if c := sink.Checks(); len(c) != 2 || c[0].Ref != c[1].Ref {
		t.Errorf("checks: %+v", c)
	}
	if s := tr.Stats(); len(sink.Received()) != 2 || s.Stored != 2 || s.Empty != 1 || s.Unconfirmed != 1 {
		t.Errorf("%+v, and the sink was given %d", s, len(sink.Received()))
	}
}

// The token is in no error and in no line of the log, whatever goes wrong.
func TestTokenIsNeverTold(t *testing.T) {
	var log bytes.Buffer
	var token atomic.Value
	answers := map[string]http.HandlerFunc{
		"an error that repeats it": func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, `{"error":"no such token %s","exceptions":[{"id":7,"name":%q}]}`, secret, secret)
		},
		"a status": func(w http.ResponseWriter, r *http.Request) { http.Error(w, r.URL.String(), http.StatusForbidden) },
		"no JSON":  func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL) },
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://elsewhere.invalid/?"+r.URL.RawQuery, http.StatusFound)
		},
		"a redirect that is none": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "http://%zz/?"+r.URL.RawQuery)
			w.WriteHeader(http.StatusFound)
		},
		"no answer": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"no HTTP": func(w http.ResponseWriter, r *http.Request) {
			if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
				_, _ = io.WriteString(conn, r.URL.String()+"\r\n\r\n")
				_ = conn.Close()
			}
		},
	}
	for name, answer := range answers {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			token.Store(r.URL.Query().Get("token"))
			answer(w, r)
		}))
		server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
		server.Start()
		cfg := cloudloop.Config{API: server.URL, Token: secret, Mark: filepath.Join(t.TempDir(), "m")}
		tr, err := cloudloop.New("cloud", cfg, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
		if err != nil {
			t.Fatal(err)
		}
		for state := range 2 {
			err := tr.Run(t.Context(), &transporttest.Sink{})
			if err == nil || strings.Contains(err.Error(), secret) {
				t.Errorf("%s, %d: %v", name, state, err)
			}
			if token.Load() != secret {
				t.Errorf("%s: asked with %v", name, token.Load())
			}
			server.Close() // the second time nobody answers
		}
	}
	if strings.Contains(log.String(), secret) {
		t.Errorf("the log has it: %s", log.String())
	}
}

func TestSend(t *testing.T) {
	var flushed atomic.Bool
	var status atomic.Value
	status.Store("QUEUED")
	_, site := newCloud(t, func(o *peer.CloudloopOptions) {
		o.OnMT = func(to string, data []byte, flush bool) string {
			flushed.Store(flush && to == imei(1) && len(data) == 51)
			return status.Load().(string)
		}
	})
	tr, _ := newTransport(t, site.address, func(c *cloudloop.Config) { c.Flush = true })
	running(t, tr, &transporttest.Sink{})
	transporttest.Until(t, "the transport to be up", tr.Up)
	d := transports.Downlink{To: transports.Address{Bearer: transports.SBD, ID: imei(1)}, Payload: make([]byte, 51)}
	if receipt, err := tr.Send(t.Context(), d); err != nil || receipt.Parts != 1 || !flushed.Load() {
		t.Errorf("%+v, %v, flushed %t", receipt, err, flushed.Load())
	}
	var failed *transports.SendError
	for word, want := range map[string]transports.Outcome{"FAILED": transports.NotSent, "INVALID_HARDWARE": transports.NotSent, "HM": transports.MaybeSent} {
		status.Store(word)
		if _, err := tr.Send(t.Context(), d); !errors.As(err, &failed) || failed.Outcome != want {
			t.Errorf("%s: %v, want %s", word, err, want)
		}
	}
	for name, change := range map[string]func(*transports.Downlink){
		"an order to the service": func(d *transports.Downlink) { d.Payload = []byte("RB0014392x") },
		"no payload":              func(d *transports.Downlink) { d.Payload = nil },
		"no IMEI":                 func(d *transports.Downlink) { d.To.ID = "+491700000001" },
		"another bearer":          func(d *transports.Downlink) { d.To.Bearer = transports.SMS },
		"nobody's modem":          func(d *transports.Downlink) { d.To.ID = imei(9) },
	} {
		d := d
		change(&d)
		if _, err := tr.Send(t.Context(), d); !errors.As(err, &failed) || failed.Outcome != transports.Refused {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s := tr.Stats(); s.Sent != 1 || s.SentBytes != 51 {
		t.Errorf("%+v", s)
	}
}

// What an answer to a message says of where it is. Whether the modem was found first makes no difference to what has left: nothing.
func TestSendStatuses(t *testing.T) {
	var answer atomic.Pointer[func(w http.ResponseWriter)]
	site := newSite(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/Hardware/GetHardware":
			fmt.Fprintf(w, `{"hardware":{"id":"hw","imei":%q}}`, r.URL.Query().Get("imei"))
		case "/DataMt/DoSendMessage":
			(*answer.Load())(w)
		default:
			<-r.Context().Done()
		}
	}))
	tr, _ := newTransport(t, site.address, nil)
	running(t, tr, &transporttest.Sink{})
	transporttest.Until(t, "the transport to be up", tr.Up)
	d := transports.Downlink{To: transports.Address{Bearer: transports.SBD, ID: imei(0)}, Payload: []byte("x")}
	status := func(code int, text string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.WriteHeader(code)
			_, _ = io.WriteString(w, text)
		}
	}
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter)
		want   transports.Outcome
		code   int
	}{
		"not now":        {status(http.StatusBadGateway, "<html>"), transports.MaybeSent, 502},
		"too many":       {status(http.StatusTooManyRequests, ""), transports.NotSent, 429},
		"elsewhere":      {status(http.StatusFound, ""), transports.MaybeSent, 302},
		"no":             {status(http.StatusOK, `{"error":"no credit","exceptions":[{"id":1007,"name":"x"}]}`), transports.NotSent, 1007},
		"nothing of it":  {status(http.StatusOK, `{"requests":[]}`), transports.MaybeSent, 0},
		"no JSON":        {status(http.StatusOK, `OK`), transports.MaybeSent, 200},
		"the line broke": {func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, transports.MaybeSent, 0},
	} {
		answer.Store(&c.answer)
		var failed *transports.SendError
		if _, err := tr.Send(t.Context(), d); !errors.As(err, &failed) || failed.Outcome != c.want || failed.Code != c.code {
			t.Errorf("%s: %v, want %s and code %d", name, err, c.want, c.code)
		}
	}
	site.close()
	var failed *transports.SendError
	transporttest.Until(t, "the web service to be gone", func() bool {
		_, err := tr.Send(t.Context(), d)
		return errors.As(err, &failed) && failed.Outcome == transports.NotSent && failed.Unasked
	})
}

func TestConfigValidate(t *testing.T) {
	ok := cloudloop.Config{Token: secret, Mark: "m"}
	transporttest.Mistakes(t, ok, cloudloop.New, map[string]func(*cloudloop.Config){
		"api":        func(c *cloudloop.Config) { c.API = "https://api.example/?token=x" },
		"token_file": func(c *cloudloop.Config) { c.Token = "" },
		"poll":       func(c *cloudloop.Config) { c.Poll = time.Hour },
		"look_back":  func(c *cloudloop.Config) { c.LookBack = time.Second },
		"send_time":  func(c *cloudloop.Config) { c.SendTime = time.Hour },
	})
	ok.Mark = ""
	if _, err := cloudloop.New("cloud", ok, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a transport without a mark was made")
	}
}
