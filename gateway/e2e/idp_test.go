//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/gateway/failpoint"
	"github.com/godwit-gateway/godwit/simulator/peers/igws"
)

// withMessageGateway adds a link that polls a message gateway in a dialect, and returns that.
func (s *site) withMessageGateway(t *testing.T, dialect string, devices []*device) *igws.Service {
	t.Helper()
	o := igws.Options{Account: "70000001", Password: "a&b"}
	if dialect == "v1" {
		o.Page = 20 // a second has more: it is read on by ids
	}
	for _, d := range devices {
		o.Terminals = append(o.Terminals, igws.Terminal{ID: d.mobileID()})
	}
	service := igws.New(o)
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	password := filepath.Join(s.dir, "idp.password")
	if err := os.WriteFile(password, []byte(o.Password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.add(t, "[link.orb]\nkind = \"idp\"\ndialect = %q\nurl = %q\naccount = %q\npassword_file = %q\npoll = \"1s\"\nack = \"never\"\n",
		dialect, server.URL+"/"+dialect, o.Account, password)
	return service
}

func (d *device) mobileID() string { return fmt.Sprintf("%08dSKYABCD", d.number) }

// terminals has devices send messages until stop, which returns all that they sent. Some come over another mailbox as well.
func terminals(t *testing.T, service *igws.Service, devices []*device) (stop func() map[sent]bool) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	all := make(chan map[sent]bool, 1)
	go func() {
		book, rng, tick := make(map[sent]bool), rand.New(rand.NewPCG(3, 4)), time.NewTicker(20*time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-ctx.Done():
				all <- book
				return
			}
			d := devices[rng.IntN(len(devices))]
			counter, payload := d.frame(t)
			id, err := service.Return(d.mobileID(), append([]byte{128, 1}, payload...))
			if err != nil {
				t.Errorf("terminal: %v", err)
			}
			if rng.IntN(10) == 0 {
				service.Duplicate(id)
			}
			book[sent{d.number, counter}] = true
		}
	}()
	stop = sync.OnceValue(func() map[sent]bool { cancel(); return <-all })
	t.Cleanup(func() { stop() }) // also when the test fails: nothing may run on after it
	return stop
}

// The gateway is killed when messages were fetched, when they are on disk and the mark is about to move, and just after that. Each message is one event.
func TestKillAroundTheMark(t *testing.T) {
	for _, p := range []failpoint.Point{failpoint.Received, failpoint.Replied, failpoint.Answered} {
		for _, dialect := range []string{"v1", "ogws"} {
			t.Run(string(p)+" "+dialect, func(t *testing.T) {
				if (p != failpoint.Replied || dialect != "v1") && !thorough() {
					t.Skip("the short run has another one")
				}
				t.Parallel()
				s := newSite(t)
				devices := s.devices(t, 2, 3)
				service := s.withMessageGateway(t, dialect, devices)
				stop := terminals(t, service, devices)
				rng := rand.New(rand.NewPCG(34, 1))
				for range rounds(2, 20) {
					s.killedAt(t, p, 1+rng.IntN(3), nil)
				}
				gw := s.gateway(t)
				s.exactlyOnce(t, stop())
				gw.stopped(t)
				s.sound(t)
			})
		}
	}
}
