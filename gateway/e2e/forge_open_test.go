//go:build e2e

package e2e_test

import (
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/gateway/api"
)

// With the limits of the link out of the way every forged frame reaches verification, and leaves as little: no row, no event, no reply, no line
// in the log.
func TestForgedFramesThatReachVerificationLeaveNothing(t *testing.T) {
	s := newSite(t)
	s.add(t, "[link.udp.failures]\nrate = 1000000.0\nburst = 1000000\ntotal = 10000000.0\n")
	gw := s.gateway(t)
	honest := newDevice(t, 7, s.udp, 1)
	var book ledger
	var seen [][]byte
	for range 20 {
		counter, payload := honest.frame(t)
		seen = append(seen, payload)
		until(t, 20*time.Second, "an acknowledgement", func() bool {
			_, _ = honest.conn.Write(payload)
			return honest.awaitAck(make([]byte, 2048), counter)
		})
		book.add(sent{honest.number, counter})
	}
	s.exactlyOnce(t, book.acked)
	before, counted := s.state(t, gw), s.link(t)

	attacker, err := net.Dial("udp4", s.udp)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = attacker.Close() }()
	replies := countReplies(attacker)
	rng := rand.New(rand.NewPCG(5, 6))
	total := max(1000, forged(t)/rounds(100, 20)) // each is verified, many times over
	lost := uint64(0)
	for i := 0; i < total; {
		b := forge(rng, seen)
		if len(b) == 0 || slices.ContainsFunc(seen, func(genuine []byte) bool { return string(genuine) == string(b) }) {
			continue
		}
		_, _ = attacker.Write(b)
		if i++; i%128 == 0 || i == total { // no faster than they are read: what the kernel drops proves nothing
			want := counted.Received + uint64(i) - lost
			if !eventually(2*time.Second, func() bool { return s.link(t).Received >= want }) {
				lost += want - s.link(t).Received // the kernel did: nobody waits for them again
				t.Logf("%d of %d were not read", lost, i)
			}
		}
	}
	after, got := s.state(t, gw), s.link(t)
	rejected := uint64(0)
	for reason, n := range got.Rejected {
		rejected += n - counted.Rejected[reason]
	}
	t.Logf("%d frames, rejected %v", total, got.Rejected)
	if rejected < uint64(total)*99/100 {
		t.Errorf("%d of %d forged frames reached verification and were rejected: %v", rejected, total, got.Rejected)
	}
	if got.Rejected["auth"] == 0 {
		t.Error("none was tried with a key")
	}
	if got.Stored != counted.Stored || got.Quarantined != counted.Quarantined || got.Events != counted.Events || after.events != before.events {
		t.Errorf("before %+v, after %+v", counted, got)
	}
	if n := replies(); n != 0 {
		t.Errorf("the attacker got %d replies", n)
	}
	if n := after.log - before.log; n > 0 {
		t.Errorf("the log grew by %d bytes:\n%s", n, gw.out.String()[before.log:])
	}
	if grown := after.memory - before.memory; grown > 128<<20 {
		t.Errorf("memory grew by %d MiB", grown>>20)
	}
	gw.stopped(t)
	rows := s.rows(t)
	if rows["frames"] != uint64(len(seen)) || rows["quarantine"] != 0 || rows["devices"] != 1 {
		t.Errorf("rows %v, want %d frames of one device and no quarantine", rows, len(seen))
	}
}

// client asks the running gateway as its commands do.
func (s *site) client(t *testing.T) *api.Client {
	t.Helper()
	token, err := os.ReadFile(filepath.Join(s.dir, "state", "api.token"))
	if err != nil {
		t.Fatal(err)
	}
	return api.NewClient("unix:"+filepath.Join(s.dir, "api.sock"), strings.TrimSpace(string(token)))
}

// link is what the gateway counts of its UDP link.
func (s *site) link(t *testing.T) api.Link {
	t.Helper()
	var p api.Page[api.Link]
	if err := s.client(t).Get(t.Context(), "/links", nil, &p); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(p.Items, func(l api.Link) bool { return l.Name == "udp" })
	if i < 0 {
		t.Fatalf("no link udp in %+v", p.Items)
	}
	return p.Items[i]
}
