//go:build e2e

package e2e_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// crowd is n devices, from a number on, that send until stop is called.
func (s *site) crowd(t *testing.T, first, n uint32, book *ledger) (stop func()) {
	t.Helper()
	end := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		d := newDevice(t, first+i, s.udp, 7)
		wg.Go(func() { d.run(t, end, book.add) })
	}
	stop = sync.OnceFunc(func() {
		close(end)
		wg.Wait()
	})
	t.Cleanup(stop) // also when the test fails: nothing may run on after it
	return stop
}

func (b *ledger) grow(t *testing.T, n int) {
	t.Helper()
	before := b.len()
	until(t, 30*time.Second, strconv.Itoa(n)+" acknowledgements", func() bool { return b.len() >= before+n })
}

func (s *site) streamDir() string { return filepath.Join(s.stateDir, "stream") }

// The stream's folder is gone when the gateway starts again: what the outbox still holds is published again, in order, and the log says so.
func TestStreamRemovedIsPublishedAgain(t *testing.T) {
	s := newSite(t)
	var book ledger
	gw := s.gateway(t)
	stop := s.crowd(t, 1, 10, &book)
	book.grow(t, 300)
	stop()
	s.exactlyOnce(t, book.acked)
	gw.stopped(t)
	if err := os.RemoveAll(s.streamDir()); err != nil {
		t.Fatal(err)
	}
	gw = s.gateway(t)
	s.exactlyOnce(t, book.acked)
	if !hasLine(gw.out.String(), "stream was lost and made anew") {
		t.Errorf("the log does not say so:\n%s", gw.out)
	}
}

// The stream's folder is an older copy: its end is published again, once.
func TestStreamRolledBackIsMadeUpFor(t *testing.T) {
	s := newSite(t)
	var book ledger
	gw := s.gateway(t)
	stop := s.crowd(t, 1, 10, &book)
	book.grow(t, 200)
	stop()
	s.exactlyOnce(t, book.acked)
	if err := gw.stop(t); err != nil {
		t.Fatal(err)
	}
	older := filepath.Join(s.dir, "older")
	if err := os.CopyFS(older, os.DirFS(s.streamDir())); err != nil {
		t.Fatal(err)
	}
	gw = s.gateway(t)
	stop = s.crowd(t, 1000, 10, &book)
	book.grow(t, 200)
	stop()
	s.exactlyOnce(t, book.acked)
	if err := gw.stop(t); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(s.streamDir()); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(older, s.streamDir()); err != nil {
		t.Fatal(err)
	}
	gw = s.gateway(t)
	s.exactlyOnce(t, book.acked)
	if !hasLine(gw.out.String(), "stream lost its last events") {
		t.Errorf("the log does not say so:\n%s", gw.out)
	}
}

// The stream is deleted while the gateway runs: it is made anew, and nothing is missing.
func TestStreamDeletedUnderway(t *testing.T) {
	s := newSite(t)
	var book ledger
	s.gateway(t)
	stop := s.crowd(t, 1, 10, &book)
	book.grow(t, 200)
	nc, err := nats.Connect("nats://" + s.nats)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteStream(t.Context(), "GODWIT_gw1"); err != nil {
		t.Fatal(err)
	}
	book.grow(t, 200)
	stop()
	until(t, 30*time.Second, "the stream to be there again", func() bool {
		_, err := js.Stream(t.Context(), "GODWIT_gw1")
		return err == nil
	})
	s.exactlyOnce(t, book.acked)
}

// external has the gateway use a server elsewhere, at the address that its own would have.
func (s *site) external(t *testing.T) {
	t.Helper()
	s.edit(t, func(text string) string {
		return strings.Replace(text, `listen = "`+s.nats+`"`, `mode = "external"`+"\nurl = \"nats://"+s.nats+`"`, 1)
	})
}

// broker is a nats-server of its own, as an operator may have one.
func broker(t *testing.T, address, dir string) *server.Server {
	t.Helper()
	host, port, _ := strings.Cut(address, ":")
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.NewServer(&server.Options{Host: host, Port: n, JetStream: true, StoreDir: dir, NoSigs: true, NoLog: true, SyncAlways: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(30 * time.Second) {
		t.Fatal("the server did not start")
	}
	return s
}

// withBroker has the gateway publish to a server of its own, which runs as long as the test.
func (s *site) withBroker(t *testing.T) {
	t.Helper()
	s.external(t)
	b := broker(t, s.nats, filepath.Join(s.dir, "broker"))
	t.Cleanup(func() {
		b.Shutdown()
		b.WaitForShutdown()
	})
}

// shares has the gateway publish to the server of another site.
func (s *site) shares(t *testing.T, with *site) {
	t.Helper()
	s.external(t)
	s.edit(t, func(text string) string { return strings.ReplaceAll(text, s.nats, with.nats) })
	s.nats = with.nats
}

// The server is elsewhere and stops for a while: frames are taken in and acknowledged meanwhile, and events flow when it is back. The same with
// a gateway that starts while it is away.
func TestServerAwayForAWhile(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.external(t)
	dir := filepath.Join(s.dir, "broker")
	b := broker(t, s.nats, dir)
	var book ledger
	gw := s.gateway(t)
	stop := s.crowd(t, 1, 10, &book)
	book.grow(t, 200)
	b.Shutdown()
	b.WaitForShutdown()
	book.grow(t, 200) // acknowledged without a stream
	gw.kill(t)
	gw = s.gateway(t)
	book.grow(t, 200) // also by a gateway that never saw it
	b = broker(t, s.nats, dir)
	defer func() {
		b.Shutdown()
		b.WaitForShutdown()
	}()
	book.grow(t, 200)
	stop()
	s.exactlyOnce(t, book.acked)
	if out, err := command(t, "status", "--config", s.config); err != nil {
		t.Errorf("status: %v\n%s\n%s", err, out, gw.out)
	}
}
