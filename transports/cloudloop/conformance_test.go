package cloudloop_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	peer "github.com/godwit-gateway/godwit/simulator/peers/rockblock"
	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/cloudloop"
	"github.com/godwit-gateway/godwit/transports/mark"
	"github.com/godwit-gateway/godwit/transports/transporttest"
)

func TestMain(m *testing.M) { os.Exit(transporttest.Main(m)) }

func TestConformance(t *testing.T) {
	for name, o := range map[string]peer.CloudloopOptions{
		"documented": {}, "otherwise": {Base64: true, NewestFirst: true, Unnamed: true, Again: func() bool { return true }},
	} {
		t.Run(name, func(t *testing.T) {
			transporttest.Run(t, transporttest.Capabilities{Redelivers: true, ConfirmsRejected: true, InOrder: true, Grace: 8 * time.Second}, func(t *testing.T) transporttest.Harness {
				t.Helper()
				return newHarness(t, o)
			})
		})
	}
}

const secret = "correct-horse"

func imei(device int) string { return fmt.Sprintf("30043401075337%d", device) }

// site is a web service with an address that it keeps when it was away.
type site struct {
	address string
	handler http.Handler
	server  *http.Server
	ended   chan struct{}
}

func newSite(t testing.TB, h http.Handler) *site {
	t.Helper()
	s := &site{address: "127.0.0.1:0", handler: h}
	s.open(t)
	t.Cleanup(s.close)
	return s
}

func (s *site) open(tb testing.TB) {
	tb.Helper()
	l, err := net.Listen("tcp4", s.address)
	if err != nil {
		tb.Fatal(err)
	}
	s.address = l.Addr().String()
	server, ended := &http.Server{Handler: s.handler, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}, make(chan struct{})
	s.server, s.ended = server, ended
	go func() {
		_ = server.Serve(l)
		close(ended)
	}()
}

func (s *site) close() {
	_ = s.server.Close()
	<-s.ended
}

// newTransport makes a transport that asks at an address.
func newTransport(t testing.TB, address string, change func(*cloudloop.Config)) (*cloudloop.Transport, string) {
	t.Helper()
	cfg := cloudloop.Config{API: "http://" + address, Token: secret, Mark: filepath.Join(t.TempDir(), "cloud.mark"), Poll: time.Second, SendTime: 5 * time.Second}
	if change != nil {
		change(&cfg)
	}
	tr, err := cloudloop.New("cloud", cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	tr.SetPauses(time.Millisecond, 5*time.Second)
	return tr, cfg.Mark
}

// harness is Cloudloop with a message before all others, which was read long ago.
type harness struct {
	tr     *cloudloop.Transport
	cloud  *peer.Cloudloop
	site   *site
	mark   string
	tag    atomic.Uint64
	down   chan []byte
	refuse atomic.Bool
	mute   atomic.Bool
}

func newHarness(t *testing.T, o peer.CloudloopOptions) *harness {
	t.Helper()
	h := &harness{down: make(chan []byte, 64)}
	o.Token = secret
	for device := range transporttest.Devices {
		o.Modems = append(o.Modems, imei(device))
	}
	o.Fault = func(action string) peer.Fault {
		if action == "DataMt/DoSendMessage" && h.mute.Load() {
			return peer.AnswerLost
		}
		return peer.NoFault
	}
	o.OnMT = func(_ string, data []byte, _ bool) string {
		if h.refuse.CompareAndSwap(true, false) {
			return "FAILED"
		}
		if !h.mute.Swap(false) {
			h.down <- data
		}
		return "QUEUED"
	}
	h.cloud = peer.NewCloudloop(o)
	h.cloud.Deliver(peer.Message{IMEI: imei(0), At: time.Now(), Data: []byte("before")}, h.tag.Add(1))
	h.site = newSite(t, h.cloud)
	h.tr, h.mark = newTransport(t, h.site.address, nil)
	if err := mark.Write(h.mark, h.cloud.Last()); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *harness) Transport() transports.Transport { return h.tr }

func (h *harness) Address(device int) transports.Address {
	return transports.Address{Bearer: transports.SBD, ID: imei(device)}
}

func (h *harness) Inject(tb testing.TB, device int, payload []byte) string {
	tb.Helper()
	tag := h.tag.Add(1)
	h.cloud.Deliver(peer.Message{IMEI: imei(device), MOMSN: tag, At: time.Now(), Data: append([]byte(nil), payload...)}, tag)
	return strconv.FormatUint(tag, 10)
}

// Confirmed looks at the mark: it is what the network will be told, also after a crash.
func (h *harness) Confirmed(ctx context.Context, id string) bool {
	tag, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		panic(err)
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		if at, err := mark.Read(h.mark); err == nil && h.cloud.Passed(at, tag) {
			return true
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
}

func (h *harness) Redeliver(testing.TB, string) {} // it is asked for

func (h *harness) Target() transports.Address { return h.Address(1) }

func (h *harness) Sent(ctx context.Context) ([]byte, bool) {
	select {
	case b := <-h.down:
		return b, true
	case <-ctx.Done():
		return nil, false
	}
}

func (h *harness) Cut(testing.TB) { h.site.close() }
func (h *harness) Mend(tb testing.TB) {
	tb.Helper()
	h.site.open(tb)
}

func (h *harness) Refuse(testing.TB) { h.refuse.Store(true) }
func (h *harness) Mute(testing.TB) bool {
	h.mute.Store(true)
	return true
}
