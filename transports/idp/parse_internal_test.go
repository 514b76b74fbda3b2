package idp

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/isatdata"
)

func TestPacer(t *testing.T) {
	fails := func(f failure, after time.Duration) error {
		return fmt.Errorf("poll: %w", &callError{failure: f, after: after, err: errors.New("no")})
	}
	p := pacer{usual: 10 * time.Second}
	for i, step := range []struct {
		err  error
		more bool
		want time.Duration
	}{
		{nil, false, 10 * time.Second},
		{nil, true, 0},
		{fails(tooFast, 0), false, 20 * time.Second},
		{fails(tooFast, 0), false, 40 * time.Second},
		{fails(unreachable, 0), true, 80 * time.Second},
		{errors.New("sink"), false, 160 * time.Second},
		{fails(temporary, 0), false, paceMost},
		{fails(temporary, 0), false, paceMost},
		{fails(tooFast, time.Hour), false, time.Hour},
		{nil, false, 10 * time.Second},
		{fails(refusedAuth, 0), false, paceMost},
		{nil, false, 10 * time.Second},
		{fails(permanent, 0), false, 20 * time.Second},
	} {
		if got := p.after(step.err, step.more); got != step.want {
			t.Errorf("step %d: %s, want %s", i, got, step.want)
		}
	}
	seldom := pacer{usual: time.Hour}
	if got := seldom.after(fails(tooFast, 0), false); got != time.Hour {
		t.Errorf("%s, want no less than usual", got)
	}
}

func TestRetryAfter(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"": 0, "30": 30 * time.Second, "-1": 0, "soon": 0, "Wed, 21 Oct 2026 07:28:00 GMT": 0, "999999999": retryAfterMax, "99999999999999999999": 0,
	} {
		if got := retryAfter(http.Header{"Retry-After": {text}}); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestTimes(t *testing.T) {
	want := time.Date(2026, 2, 23, 13, 14, 26, 0, time.UTC)
	for _, text := range []string{"2026-02-23 13:14:26", "2026-02-23 13:14:26Z", "2026-02-23T13:14:26Z", "2026-02-23T14:14:26+01:00", "2026-02-23T13:14:26"} {
		if got := parseTime(text); !got.Equal(want) {
			t.Errorf("%q is %s", text, got)
		}
	}
	for _, text := range []string{"", "null", "2026-02-30 00:00:00", "/Date(1456)/", "13:14"} {
		if got := parseTime(text); !got.IsZero() {
			t.Errorf("%q is %s", text, got)
		}
	}
	if got := formatTime(want.In(time.FixedZone("", 3600))); got != "2026-02-23 13:14:26" {
		t.Errorf("%s has T, Z or a zone", got)
	}
}

func TestConfig(t *testing.T) {
	good := func() Config { return Config{Dialect: V1, Account: "a", Password: "b"} }
	c := good()
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*Config){
		"dialect":       func(c *Config) { c.Dialect = "v2" },
		"account":       func(c *Config) { c.Account = "" },
		"longer":        func(c *Config) { c.Password = strings.Repeat("x", 257) },
		"sin":           func(c *Config) { c.SIN = 15 },
		"min":           func(c *Config) { c.SIN, c.MIN = 16, 256 },
		"poll":          func(c *Config) { c.Poll = time.Millisecond },
		"statuses":      func(c *Config) { c.Statuses = 2 * time.Hour },
		"since":         func(c *Config) { c.Since = 6 * 24 * time.Hour },
		"call_time":     func(c *Config) { c.CallTime = time.Hour },
		"url is":        func(c *Config) { c.URL = "ftp://x/" },
		"url is not":    func(c *Config) { c.URL = "https://a:secret@example.com/" },
		"url is not t":  func(c *Config) { c.URL = "https://example.com/?password=secret" },
		"url begins":    func(c *Config) { c.URL = "http://example.com/" },
		"url begins w":  func(c *Config) { c.URL = "http://192.0.2.1/" },
		"url begins wi": func(c *Config) { c.URL = "http://localhost.example.com/" },
	} {
		c := good()
		change(&c)
		if err := c.Validate(); err == nil || !strings.HasPrefix(strings.Split(err.Error(), "\n")[0], want) && !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want one about %s", err, want)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%v repeats a secret", err)
		}
	}
	for _, u := range []string{"http://127.0.0.1:8080/v1/", "http://[::1]/", "http://localhost", "https://example.com/api"} {
		c := good()
		c.URL = u
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", u, err)
		}
	}
}

func TestWithoutJSON(t *testing.T) {
	for _, text := range []string{`{"ErrorID":70000001.5}`, `secret`, `{"secret":1`, `["secret"]`, `{"ErrorID":{"secret":1}}`, `{"Messages":"secret"}`} {
		if _, err := parsePage(whatPoll, []byte(text)); err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "7000") || strings.Contains(err.Error(), "'s'") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestShallow(t *testing.T) {
	for text, want := range map[string]bool{
		`{}`: true, `"[[["`: true, `{"a":"\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["}`: true, strings.Repeat("[", depthMax) + strings.Repeat("]", depthMax): true,
		strings.Repeat("[", depthMax+1): false, `"` + strings.Repeat("[", 99): true, `"\`: true, "": true,
	} {
		if got := shallow([]byte(text)); got != want {
			t.Errorf("%.40q: %t, want %t", text, got, want)
		}
	}
}

const (
	pageV1 = `{"ErrorID":0,"More":true,"NextStartUTC":"2026-02-23 13:14:26","NextStartID":21578348728,"Messages":[{"ID":21578348727,"MessageUTC":"2026-02-12 13:26:02",` +
		`"ReceiveUTC":"2026-02-12 13:26:01","RegionName":"AORWSC","SIN":128,"MobileID":"02009745SKY0712","RawPayload":[128,1,19,27],"OTAMessageSize":4,` +
		`"Payload":{"Name":"n","SIN":128,"MIN":1,"Fields":[{"Name":"d","Type":"data","Value":"Exs="}]}}]}`
	pageOGWS = `{"ErrorID":0,"NextFromUTC":"2026-02-23 13:14:26","Messages":[{"ID":21578348727,"MessageUTC":"2026-02-12 13:26:02","ReceiveUTC":"2026-02-12 13:26:02",` +
		`"SIN":152,"MobileID":"02009745SKY0712","RawPayload":"mAHTG6dHyUZP0Sm9AAA=","RegionName":"AORWSC","OTAMessageSize":14,"Transport":1,"Network":1}]}`
)

// The two forms of a payload are the same bytes, and as many as the network says it carried.
func TestPayloadForms(t *testing.T) {
	for text, sin := range map[string]int{pageV1: 128, pageOGWS: 152} {
		tr, err := New("orb", Config{Dialect: V1, Account: "a", Password: "b", SIN: sin, MIN: 1}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		p, err := parsePage(whatPoll, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		m := tr.read(p.Messages[0])
		size := map[int]int{128: 4, 152: 14}[sin]
		if u := m.uplink; m.foreign || len(u.Payload) != size-2 || u.Ref != "21578348727" || u.From.ID != "02009745SKY0712" || u.Payload[0] != map[int]byte{128: 0x13, 152: 0xd3}[sin] {
			t.Errorf("%+v", m)
		}
		if !p.next().Equal(time.Date(2026, 2, 23, 13, 14, 26, 0, time.UTC)) {
			t.Errorf("next is %s", p.next())
		}
	}
}

// FuzzPage reads answers of both dialects: what comes of them is within the limits, and each error is one of a call.
func FuzzPage(f *testing.F) {
	for _, text := range []string{
		pageV1, pageOGWS, `{"ErrorID":0,"More":false,"NextStartUTC":"","NextStartID":-1,"Messages":null}`, `{"ErrorID":21817}`,
		`{"SubmitForwardMessages_JResult":{"ErrorID":0,"Submissions":[{"ErrorID":0,"ForwardMessageID":10844864715,"UserMessageID":7,"DestinationID":"02009745SKY0712","OTAMessageSize":4,"StateUTC":"2026-01-01 00:00:00","TerminalWakeupPeriod":1800,"ScheduledSendUTC":"2026-01-01 00:30:00"}]}}`,
		`{"ErrorID":0,"Statuses":[{"ID":10844864715,"State":1,"IsClosed":true,"CreateUTC":"2022-11-25 12:00:20","StatusUTC":"2022-11-25 12:00:23"}]}`,
		`{"ErrorID":0,"More":false,"NextStartUTC":null,"Statuses":[{"ForwardMessageID":5,"State":4,"IsClosed":true,"ErrorID":21812,"StateUTC":"2022-11-25 12:00:23","ReferenceNumber":0}]}`,
		`{"access_token":"abc","token_type":"bearer","expires_in":86400}`, `{"Messages":[{"ID":-1},[],null,"x",{"RawPayload":"%"}]}`,
	} {
		f.Add([]byte(text))
	}
	tr, err := New("orb", Config{Dialect: OGWS, Account: "a", Password: "b"}, slog.New(slog.DiscardHandler))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if token, life, err := parseToken(body); err == nil && (token == "" || strings.ContainsAny(token, " \r\n") || life < 0 || life > tokenLife) {
			t.Errorf("token %q for %s", token, life)
		}
		p, err := parsePage(whatPoll, body)
		if err != nil {
			var e *callError
			if !errors.As(err, &e) || p != nil {
				t.Errorf("%v, %+v", err, p)
			}
			return
		}
		for _, text := range p.Messages {
			m := tr.read(text)
			u := &m.uplink
			if m.key == "" || len(m.key) > 20 || len(u.Payload) == 0 || len(u.Payload) > isatdata.ReturnMax || u.From.Bearer != transports.IDP ||
				u.From.ID != "" && !isatdata.ValidMobileID(u.From.ID) || m.foreign != (u.Content == transports.ContentRaw) || !m.foreign && len(u.Payload) > tr.Limits().UplinkMax {
				t.Errorf("%+v of %q", m, text)
			}
		}
		for i := range p.Statuses {
			_, _, _ = p.Statuses[i].id(), p.Statuses[i].at(), p.Statuses[i].fate()
		}
		for i := range p.Submissions {
			_ = p.Submissions[i].id()
		}
	})
}
