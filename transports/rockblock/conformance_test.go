package rockblock_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	peer "github.com/godwit-gateway/godwit/simulator/peers/rockblock"
	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/rockblock"
	"github.com/godwit-gateway/godwit/transports/transporttest"
)

func TestMain(m *testing.M) { os.Exit(transporttest.Main(m)) }

func TestConformance(t *testing.T) {
	for name, form := range map[string]peer.Form{"form": peer.Classic, "JSON": peer.JSON} {
		t.Run(name, func(t *testing.T) {
			transporttest.Run(t, transporttest.Capabilities{Redelivers: true, ConfirmsRejected: true, Grace: 8 * time.Second}, func(t *testing.T) transporttest.Harness {
				t.Helper()
				return newHarness(t, form)
			})
		})
	}
}

// signing is made once: it takes a while.
var signing = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

const secret = "correct horse"

// harness is a web service whose webhooks are tried once each.
type harness struct {
	tr      *rockblock.Transport
	service *peer.Service
	mt      *httptest.Server
	down    chan []byte
	refuse  atomic.Int32 // code of the next answer
	mute    atomic.Bool
	wg      sync.WaitGroup

	mu      sync.Mutex
	changed chan struct{} // closed and replaced when something changes; guarded by mu
	units   []peer.Message
	status  []int // by id; 0 while it is open
}

func imei(device int) string { return fmt.Sprintf("30043401075337%d", device) }

// newPair makes a transport and a service that know each other. What goes to modems the handler gets.
func newPair(t testing.TB, o peer.Options, handler http.HandlerFunc, change func(*rockblock.Config)) (*rockblock.Transport, *peer.Service, *httptest.Server) {
	t.Helper()
	o.Key = signing()
	signer, err := peer.New(o)
	if err != nil {
		t.Fatal(err)
	}
	key, err := signer.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	mt := httptest.NewServer(handler)
	cfg := rockblock.Config{Listen: "127.0.0.1:0", Path: "/hook", Key: key, MT: mt.URL, Username: "fleet", Password: secret, SendTime: 5 * time.Second}
	if change != nil {
		change(&cfg)
	}
	tr, err := rockblock.New("rock", cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Listen(); err != nil {
		t.Fatal(err)
	}
	o.Webhook = fmt.Sprintf("http://127.0.0.1:%d/hook", tr.Addr().Port())
	service, err := peer.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		tr.Close()
		mt.Close()
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	})
	return tr, service, mt
}

func newHarness(t *testing.T, form peer.Form) *harness {
	t.Helper()
	h := &harness{down: make(chan []byte, 64), changed: make(chan struct{})}
	o := peer.Options{Form: form, Username: "fleet", Password: secret, Modems: []string{imei(0), imei(1)}, Answer: 20 * time.Second}
	o.OnMT = func(_ string, data []byte, _ bool) int {
		if code := h.refuse.Swap(0); code != 0 {
			return int(code)
		}
		if !h.mute.Load() {
			h.down <- data
		}
		return 0
	}
	service := &atomic.Pointer[peer.Service]{}
	h.tr, h.service, h.mt = newPair(t, o, func(w http.ResponseWriter, r *http.Request) {
		service.Load().ServeHTTP(w, r)
		if h.mute.CompareAndSwap(true, false) {
			panic(http.ErrAbortHandler) // the answer is lost
		}
	}, nil)
	service.Store(h.service)
	t.Cleanup(h.wg.Wait)
	return h
}

func (h *harness) Transport() transports.Transport { return h.tr }

func (h *harness) Address(device int) transports.Address {
	return transports.Address{Bearer: transports.SBD, ID: imei(device)}
}

func (h *harness) Inject(tb testing.TB, device int, payload []byte) string {
	tb.Helper()
	h.mu.Lock()
	n := len(h.units)
	h.units = append(h.units, peer.Message{IMEI: imei(device), Serial: device, MOMSN: uint64(n), At: time.Now(), Data: append([]byte(nil), payload...)})
	h.status = append(h.status, 0)
	h.mu.Unlock()
	h.post(tb, n)
	return fmt.Sprint(n)
}

// post tries a webhook in a goroutine of its own.
func (h *harness) post(tb testing.TB, n int) {
	tb.Helper()
	if err := h.tr.Listen(); err != nil { // a Run that is just starting may not have opened it yet
		tb.Errorf("open the socket: %v", err)
	}
	h.mu.Lock()
	m := h.units[n]
	h.mu.Unlock()
	h.wg.Go(func() {
		status, err := h.service.Post(context.Background(), m)
		if err != nil {
			status = -1
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.status[n] = status
		close(h.changed)
		h.changed = make(chan struct{})
	})
}

func number(id string) (n int) {
	if _, err := fmt.Sscan(id, &n); err != nil {
		panic(err)
	}
	return n
}

func (h *harness) Confirmed(ctx context.Context, id string) bool {
	for {
		h.mu.Lock()
		status, changed := h.status[number(id)], h.changed
		h.mu.Unlock()
		if status == http.StatusOK {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

func (h *harness) Redeliver(tb testing.TB, id string) {
	tb.Helper()
	h.post(tb, number(id))
}

func (h *harness) Target() transports.Address { return h.Address(1) }

func (h *harness) Sent(ctx context.Context) ([]byte, bool) {
	select {
	case b := <-h.down:
		return b, true
	case <-ctx.Done():
		return nil, false
	}
}

func (h *harness) Refuse(testing.TB) { h.refuse.Store(99) }

func (h *harness) Mute(testing.TB) bool {
	h.mute.Store(true)
	return true
}

func (h *harness) Cut(testing.TB) { h.tr.CutSocket() }

func (h *harness) Mend(tb testing.TB) {
	tb.Helper()
	if err := h.tr.Listen(); err != nil {
		tb.Errorf("open the socket again: %v", err)
	}
}
