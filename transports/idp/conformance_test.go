package idp_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/igws"
	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/idp"
	"github.com/godwit-gateway/godwit/transports/mark"
	"github.com/godwit-gateway/godwit/transports/transporttest"
)

func TestMain(m *testing.M) { os.Exit(transporttest.Main(m)) }

func TestConformance(t *testing.T) {
	for _, dialect := range dialects {
		t.Run(dialect, func(t *testing.T) {
			transporttest.Run(t, transporttest.Capabilities{Redelivers: true, ConfirmsRejected: true, Grace: 8 * time.Second}, func(t *testing.T) transporttest.Harness {
				t.Helper()
				return newHarness(t, dialect)
			})
		})
	}
}

var dialects = []string{idp.V1, idp.OGWS}

const (
	account = "70000001"
	secret  = "correct&horse battery=staple"
)

func mobile(device int) string { return fmt.Sprintf("0100000%dSKYABC%d", device, device) }

// pair is a transport and the gateway that it polls, far faster than it would.
type pair struct {
	*idp.Transport

	service *igws.Service
	file    *file
	address string
	called  *bell // the gateway was called
}

// bell tells whoever waits that something happened.
type bell struct {
	mu   sync.Mutex
	rung chan struct{} // closed and replaced when it did; guarded by mu
}

func (b *bell) wait() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rung
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.rung)
	b.rung = make(chan struct{})
}

// file is the transport's, and tells when it was written.
type file struct {
	path    string
	mu      sync.Mutex
	changed chan struct{} // closed and replaced when it was written; guarded by mu
	fail    error         // of the next writes; guarded by mu
}

func (f *file) write(path, text string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		return f.fail
	}
	err := mark.Write(path, text)
	close(f.changed)
	f.changed = make(chan struct{})
	return err
}

// broken makes the next writes fail, or work again.
func (f *file) broken(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail = err
}

// kept is what the file holds.
type kept struct {
	Mark     string
	Settled  []string
	Statuses string
	Forwards []struct {
		ID        uint64
		Cancelled bool
	}
}

// read returns what the file holds, and a channel that is closed when it was written anew.
func (f *file) read(tb testing.TB) (k kept, changed <-chan struct{}) {
	tb.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	text, err := mark.Read(f.path)
	if err == nil && text != "" {
		err = json.Unmarshal([]byte(text), &k)
	}
	if err != nil {
		tb.Errorf("the transport's file: %v", err)
	}
	return k, f.changed
}

// await waits until the file holds what is wanted.
func (f *file) await(ctx context.Context, tb testing.TB, want func(kept) bool) bool {
	tb.Helper()
	for {
		k, changed := f.read(tb)
		if want(k) {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// newPair makes a gateway with four terminals, and a transport for it.
func newPair(tb testing.TB, dialect string, o igws.Options, change func(*idp.Config)) *pair {
	tb.Helper()
	o.Account, o.Password = account, secret
	if o.Terminals == nil {
		for i := range transporttest.Devices {
			o.Terminals = append(o.Terminals, igws.Terminal{ID: mobile(i)})
		}
	}
	service := igws.New(o)
	p := &pair{called: &bell{rung: make(chan struct{})}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer p.called.ring()
		service.ServeHTTP(w, r)
	}))
	tb.Cleanup(server.Close)
	p.service, p.address, p.file = service, server.URL+igws.PathV1, &file{path: filepath.Join(tb.TempDir(), "links", "idp0.mark"), changed: make(chan struct{})}
	if dialect == idp.OGWS {
		p.address = server.URL + igws.PathOGWS
	}
	p.again(tb, dialect, change)
	return p
}

// again makes the transport anew, as after a restart.
func (p *pair) again(tb testing.TB, dialect string, change func(*idp.Config)) {
	tb.Helper()
	cfg := idp.Config{Dialect: dialect, URL: p.address, Account: account, Password: secret, File: p.file.path, CallTime: 5 * time.Second}
	if change != nil {
		change(&cfg)
	}
	tr, err := idp.New("orb", cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		tb.Fatal(err)
	}
	tr.SetPace(2*time.Millisecond, 2*time.Millisecond)
	tr.SetWrite(p.file.write)
	p.Transport = tr
}

// frame is a message that holds a frame, with the SIN and MIN that are usual.
func frame(payload string) []byte { return append([]byte{128, 1}, payload...) }

type harness struct {
	*pair

	down chan []byte
}

func newHarness(t *testing.T, dialect string) *harness {
	t.Helper()
	h := &harness{down: make(chan []byte, 64)}
	h.pair = newPair(t, dialect, igws.Options{Wrapped: true, OnForward: func(terminal string, message []byte) {
		if terminal == mobile(1) {
			h.down <- message
		}
	}}, nil)
	return h
}

func (h *harness) Transport() transports.Transport { return h.pair.Transport }

func (h *harness) Address(device int) transports.Address {
	return transports.Address{Bearer: transports.IDP, ID: mobile(device)}
}

func (h *harness) Inject(tb testing.TB, device int, payload []byte) string {
	tb.Helper()
	id, err := h.service.Return(mobile(device), frame(string(payload)))
	if err != nil {
		tb.Error(err)
	}
	return strconv.FormatUint(id, 10)
}

// Confirmed looks whether the message would not be fetched anew after a crash.
func (h *harness) Confirmed(ctx context.Context, id string) bool {
	return h.file.await(ctx, panicking{}, func(k kept) bool { return slices.Contains(k.Settled, id) || h.passed(id, k.Mark) })
}

// passed reports whether a mark is behind a message.
func (h *harness) passed(id, mark string) bool {
	at, ok := h.service.At(id)
	return ok && mark > at
}

// Redeliver does nothing: the transport asks again.
func (h *harness) Redeliver(testing.TB, string) {}

func (h *harness) Target() transports.Address { return h.Address(1) }

func (h *harness) Sent(ctx context.Context) ([]byte, bool) {
	h.service.Wake(mobile(1))
	select {
	case b := <-h.down:
		return b[2:], true
	case <-ctx.Done():
		return nil, false
	}
}

func (h *harness) Report(tb testing.TB, ref string, state transports.ReportState) {
	tb.Helper()
	id, err := strconv.ParseUint(ref, 10, 64)
	if err != nil {
		tb.Fatal(err)
	}
	as, code := igws.Received, 0
	if state == transports.ReportFailed {
		as, code = igws.Failed, 21_813
	}
	if !h.service.Resolve(id, as, code) {
		tb.Fatalf("the gateway has no message %s that is under way", ref)
	}
}

func (h *harness) Refuse(testing.TB) { h.service.Fail(igws.CallSubmit, igws.Fault{Code: 18}) }

func (h *harness) Mute(testing.TB) bool {
	h.service.Fail(igws.CallSubmit, igws.Fault{Lost: true})
	h.service.Fail(igws.CallForwards, igws.Fault{Status: 500}) // nor does it say what it has
	return true
}

// panicking is for what is called without a test at hand.
type panicking struct{ testing.TB }

func (panicking) Helper()                           {}
func (panicking) Errorf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
