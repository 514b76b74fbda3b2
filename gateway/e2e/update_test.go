//go:build e2e

package e2e_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/api"
	"github.com/godwit-gateway/godwit/gateway/config"
	simulated "github.com/godwit-gateway/godwit/simulator/device"
)

// haste is how much faster time passes for simulated devices: an update takes them seconds, not the better part of a minute.
const haste = 6

// switchedOn is a simulated device on a socket, until the test ends.
func switchedOn(t *testing.T, s *site, number uint32, owner simulated.Owner) {
	t.Helper()
	product, err := config.BuiltIn("buoy-demo")
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	now := func() time.Time { return began.Add(haste * time.Since(began)) }
	d, err := simulated.New(simulated.Config{
		Number: number, Key: deviceKey(t, number), Template: product.Template, Product: "buoy-demo", Version: "1.0.0", Links: []string{"udp"}, CTRBits: 16, TagLen: 8,
		Interval: 5 * time.Second, Owner: owner, Seed: uint64(number),
	}, simulated.Memory{}, now())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("udp4", s.udp)
	if err != nil {
		t.Fatal(err)
	}
	incoming, gone := make(chan []byte, 16), make(chan struct{})
	var wg sync.WaitGroup
	t.Cleanup(func() { close(gone); _ = conn.Close(); wg.Wait() })
	wg.Go(func() {
		buf := make([]byte, 2048)
		for {
			n, err := conn.Read(buf)
			select {
			case <-gone:
				return
			default:
			}
			if err == nil {
				incoming <- append([]byte(nil), buf[:n]...)
			}
		}
	})
	wg.Go(func() {
		timer := time.NewTimer(0)
		defer timer.Stop()
		for {
			select {
			case <-gone:
				return
			case b := <-incoming:
				if _, err := d.Receive(b); err != nil {
					t.Errorf("device %d cannot read what the gateway says: %v", number, err)
				}
			case <-timer.C:
			}
			out, wake, err := d.Poll(now())
			if err != nil {
				t.Errorf("device %d: %v", number, err)
				return
			}
			for _, tx := range out {
				_, _ = conn.Write(tx.Payload) // refused while nobody listens: lost, as on any radio
			}
			timer.Reset(max(wake.Sub(now())/haste, time.Millisecond))
		}
	})
}

// TestUpdate leads two simulated devices to a release, with the commands that people use: one owner agrees and its device runs the new version, the
// other declines and is left alone until somebody retries. The gateway is killed on the way.
func TestUpdate(t *testing.T) {
	s := newSite(t)
	key := s.signer(t)
	signed := s.signed(t, key, "2.6.0.cose", "2.6.0", 26)
	p := s.gateway(t)
	second := s.token(t, "second", "approver")
	godwit := func(args ...string) string {
		t.Helper()
		got := call(t, "godwit", "", append(args, "--config", s.config)...)
		if got.code != 0 {
			t.Fatalf("godwit %s: exit code %d\n%s%s", strings.Join(args, " "), got.code, got.out, got.errout)
		}
		return got.out
	}
	switchedOn(t, s, 21, simulated.OwnerAgrees)
	switchedOn(t, s, 22, simulated.OwnerDeclines)
	secret, err := os.ReadFile(filepath.Join(s.stateDir, "api.token"))
	if err != nil {
		t.Fatal(err)
	}
	client := api.NewClient("unix:"+filepath.Join(s.dir, "api.sock"), strings.TrimSpace(string(secret)))
	until(t, 30*time.Second, "the gateway to know both", func() bool {
		var p api.Page[api.Device]
		return client.Get(t.Context(), "/devices", nil, &p) == nil && len(p.Items) == 2 && p.Items[0].Version == "1.0.0" && p.Items[1].Version == "1.0.0"
	})
	godwit("release", "add", signed, "--url", "https://updates.example/2.6.0.cose")
	godwit("rollout", "create", "buoy-demo", "2.6.0", "--consent", "--soak", "2")
	godwit("rollout", "submit", "1")
	godwit("rollout", "approve", "1", "--remark", "fine", "--token-file", second)
	godwit("rollout", "start", "1")
	standing := func(name string) (u api.DeviceUpdate) {
		t.Helper()
		var p api.Page[api.DeviceUpdate]
		if err := client.Get(t.Context(), "/rollouts/1/devices", nil, &p); err != nil {
			return u // it is down at the moment
		}
		for _, u = range p.Items {
			if u.Name == name {
				return u
			}
		}
		t.Fatalf("the rollout has no %s: %+v", name, p.Items)
		return u
	}
	until(t, 60*time.Second, "one device to decline", func() bool { return standing("dev-22").Standing == "declined" })
	p.kill(t)
	p = s.gateway(t)
	until(t, 60*time.Second, "the other to run the release, for two contacts after its boot", func() bool { return standing("dev-21").Standing == "confirmed" })
	u := standing("dev-21")
	steps := map[string]bool{}
	for _, step := range u.History {
		steps[step.Step] = true
	}
	if !steps[codec.StepAccepted.String()] || !steps[codec.StepRebooting.String()] || u.Version != "2.6.0" || u.Soak < 2 || u.From != "1.0.0" {
		t.Errorf("its story: %+v", u)
	}
	if out := godwit("rollout", "retry", "1", "--device", "dev-22", "--remark", "they agree now"); !strings.Contains(out, "1 device is offered it again") {
		t.Errorf("retry: %s", out)
	}
	until(t, 60*time.Second, "it to decline again", func() bool {
		u := standing("dev-22")
		return u.Standing == "declined" && u.History[len(u.History)-1].Attempt == 2
	})
	if out := godwit("audit", "verify"); !strings.Contains(out, "the chain is sound") {
		t.Errorf("audit: %s", out)
	}
	p.stopped(t)
	if out := godwit("store", "check"); !strings.Contains(out, "no fault found") {
		t.Errorf("store: %s", out)
	}
}
