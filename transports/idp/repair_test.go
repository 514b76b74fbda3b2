package idp_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/igws"
	"github.com/godwit-gateway/godwit/transports/idp"
	"github.com/godwit-gateway/godwit/transports/transporttest"
)

// A gateway that wants to be left alone between two pages of a second still gives them all: what was refused is asked for again, not the page before it.
func TestPagesOfAStrictGateway(t *testing.T) {
	p := newPair(t, idp.V1, igws.Options{Page: 5, Fast: 100 * time.Millisecond}, nil)
	at := time.Now().Add(-time.Minute)
	for i := range 23 {
		p.service.Show(igws.Message{Terminal: mobile(0), At: at, Raw: frame(fmt.Sprint(i))})
	}
	sink := &transporttest.Sink{}
	p.start(t, sink)
	for i := range 23 {
		arrives(t, sink, fmt.Sprint(i), 1)
	}
	if n := len(sink.Received()); n != 23 {
		t.Errorf("the sink was given %d messages, want 23", n)
	}
}

// A gateway whose pages lead in a circle is not asked without end.
func TestPagesInACircle(t *testing.T) {
	var starts atomic.Int64
	p := newPair(t, idp.V1, igws.Options{}, nil)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer p.called.ring()
		next := 5
		switch r.URL.Query().Get("from_id") {
		case "":
			starts.Add(1)
		case "5":
			next = 4
		}
		_, _ = fmt.Fprintf(w, `{"ErrorID":0,"More":true,"NextStartUTC":"","NextStartID":%d,"Messages":null}`, next)
	}))
	defer server.Close()
	p.address = server.URL
	p.again(t, idp.V1, nil)
	stop := p.start(t, &transporttest.Sink{})
	p.until(t, "it begins anew", func() bool { return starts.Load() > 2 })
	stop()
}

// Where messages cannot be cancelled, what becomes of them is learnt all the same.
func TestCancelIsNotNeeded(t *testing.T) {
	for name, c := range map[string]struct {
		fault igws.Fault
		tried bool // again and again
	}{
		"there is no such call": {igws.Fault{Status: 404}, false},
		"it says no to all":     {igws.Fault{Code: 115}, false},
		"it fails":              {igws.Fault{Status: 500}, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, idp.V1, igws.Options{}, nil)
			var ahead atomic.Int64
			p.SetClock(func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })
			sink := &transporttest.Sink{}
			p.upWith(t, sink)
			p.service.Fail(igws.CallCancel, slices.Repeat([]igws.Fault{c.fault}, 1000)...)
			d := downlink("x")
			d.Expires = time.Now().Add(time.Hour)
			r := p.send(t, d)
			ahead.Store(int64(2 * time.Hour))
			tries := 1
			if c.tried {
				tries = 2
			}
			p.until(t, "it is asked to cancel", func() bool { return p.service.Calls(igws.CallCancel) >= tries })
			calls := p.service.Calls(igws.CallStatuses)
			p.until(t, "its state is asked for", func() bool { return p.service.Calls(igws.CallStatuses) > calls+1 })
			p.service.Wake(mobile(1))
			delivered(t, sink, r.Ref, 1)
			if n := p.service.Calls(igws.CallCancel); (n > 1) != c.tried {
				t.Errorf("it was asked to cancel %d times", n)
			}
			if n := p.Stats().Cancelled; n != 0 {
				t.Errorf("%d messages count as cancelled", n)
			}
		})
	}
}

// With a file that is damaged nobody knows how long the gateway was off: all that there is is asked for.
func TestDamagedMark(t *testing.T) {
	p := newPair(t, idp.V1, igws.Options{}, func(c *idp.Config) { c.Since = time.Minute })
	if err := os.MkdirAll(filepath.Dir(p.file.path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.file.path, []byte("godwit-mark 1 00000000\n{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.service.Show(igws.Message{Terminal: mobile(0), At: time.Now().Add(-idp.Kept + time.Hour), Raw: frame("old")})
	sink := &transporttest.Sink{}
	p.start(t, sink)
	arrives(t, sink, "old", 1)
}
