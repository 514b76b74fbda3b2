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
	"github.com/godwit-gateway/godwit/transports/rockblock"
	"github.com/godwit-gateway/godwit/transports/transporttest"
)

func TestMain(m *testing.M) { os.Exit(transporttest.Main(m)) }

func TestConformance(t *testing.T) {
	for name, form := range map[string]peer.Form{"form": peer.Classic, "JSON": peer.JSON} {
		t.Run(name, func(t *testing.T) {
			transporttest.Run(t, transporttest.Capabilities{Redelivers: true, Grace: 8 * time.Second}, func(t *testing.T) transporttest.Harness {
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
	*transporttest.Exchanges

	service *peer.Service
	refuse  atomic.Int32 // code of the next answer
	mute    atomic.Bool
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
	h := &harness{}
	o := peer.Options{Form: form, Username: "fleet", Password: secret, Modems: []string{imei(0), imei(1)}, Answer: 20 * time.Second}
	o.OnMT = func(_ string, data []byte, _ bool) int {
		if code := h.refuse.Swap(0); code != 0 {
			return int(code)
		}
		if !h.mute.Load() {
			h.Reached(data)
		}
		return 0
	}
	service := &atomic.Pointer[peer.Service]{}
	tr, made, _ := newPair(t, o, func(w http.ResponseWriter, r *http.Request) {
		service.Load().ServeHTTP(w, r)
		if h.mute.CompareAndSwap(true, false) {
			panic(http.ErrAbortHandler) // the answer is lost
		}
	}, nil)
	h.service, h.Exchanges = made, transporttest.NewExchanges(t, tr, imei)
	service.Store(made)
	return h
}

func (h *harness) Inject(tb testing.TB, device int, payload []byte) string {
	tb.Helper()
	m := peer.Message{IMEI: imei(device), Serial: device, At: time.Now(), Data: append([]byte(nil), payload...)}
	return h.Bring(tb, func(n int) transporttest.Exchange {
		m.MOMSN = uint64(n)
		return func(testing.TB) bool {
			status, err := h.service.Post(context.Background(), m)
			return err == nil && status == http.StatusOK
		}
	})
}

func (h *harness) Refuse(testing.TB) { h.refuse.Store(99) }

func (h *harness) Mute(testing.TB) bool {
	h.mute.Store(true)
	return true
}
