//go:build e2e

package e2e_test

import (
	"encoding/json"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// forged is how many frames are sent: a million, or as GODWIT_FORGED says.
func forged(t *testing.T) int {
	t.Helper()
	if s := os.Getenv("GODWIT_FORGED"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return 1_000_000
}

// Forged, truncated, changed and repeated frames from the network leave no row, no event, no line in the log each, and hardly any reply; the
// device behind the same network is heard all the while.
func TestForgedFramesLeaveNothing(t *testing.T) {
	s := newSite(t)
	gw := s.gateway(t)
	honest := newDevice(t, 7, s.udp, 1)
	var book ledger
	seen := make([][]byte, 0, 64)
	speak := func(n int) {
		for range n {
			counter, payload := honest.frame(t)
			seen = append(seen, payload)
			until(t, 20*time.Second, "an acknowledgement", func() bool {
				_, _ = honest.conn.Write(payload)
				return honest.awaitAck(make([]byte, 2048), counter)
			})
			book.add(sent{honest.number, counter})
		}
	}
	speak(20)
	s.exactlyOnce(t, book.acked)
	before := s.state(t, gw)

	attacker, err := net.Dial("udp4", s.udp)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = attacker.Close() }()
	replies := countReplies(attacker)
	rng := rand.New(rand.NewPCG(3, 4))
	total := forged(t)
	for i := range total {
		_, _ = attacker.Write(forge(rng, seen))
		if i%(total/10+1) == 0 {
			speak(1) // from its own source, in the middle of it
		}
	}
	spoken := len(seen) - 20
	s.exactlyOnce(t, book.acked)
	after := s.state(t, gw)
	t.Logf("before %+v, after %+v, replies to the attacker %d", before, after, replies())

	if n := int(after.events - before.events); n != spoken {
		t.Errorf("%d new events, want those of the %d frames of the device", n, spoken)
	}
	if n := after.log - before.log; n > 20_000 {
		t.Errorf("the log grew by %d bytes", n)
	}
	if n := replies(); n > 60 {
		t.Errorf("the attacker got %d replies", n)
	}
	if grown := after.memory - before.memory; grown > 128<<20 {
		t.Errorf("memory grew by %d MiB", grown>>20)
	}
	gw.stopped(t)
	rows := s.rows(t)
	if n := rows["frames"]; n != uint64(len(seen)) {
		t.Errorf("%d frames are stored, want %d", n, len(seen))
	}
	if n := rows["quarantine"]; n != 0 {
		t.Errorf("%d rows in the quarantine", n)
	}
	if n := rows["devices"]; n != 1 {
		t.Errorf("%d devices are known, want 1", n)
	}
}

// rows counts what is in the store of a gateway that has stopped.
func (s *site) rows(t *testing.T) map[string]uint64 {
	t.Helper()
	out, err := command(t, "store", "check", "--config", s.config, "-o", "json")
	if err != nil {
		t.Fatalf("store check: %v\n%s", err, out)
	}
	_, object, _ := strings.Cut(out, "{")
	var check struct{ Rows map[string]uint64 }
	if err := json.Unmarshal([]byte("{"+object), &check); err != nil {
		t.Fatalf("store check: %v\n%s", err, out)
	}
	return check.Rows
}

// forge makes a frame that must not be believed: noise, an invented frame of a device that is known or could be, a genuine one that is cut or
// changed, or a genuine one again.
func forge(rng *rand.Rand, seen [][]byte) []byte {
	genuine := seen[rng.IntN(len(seen))]
	b := append([]byte(nil), genuine...)
	switch rng.IntN(6) {
	case 0:
		b = make([]byte, 1+rng.IntN(100))
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
	case 1: // another device of the same fleet key
		number := 1 + rng.IntN(100_000)
		b = append([]byte{0x82, 0x1a, byte(number >> 24), byte(number >> 16), byte(number >> 8), byte(number)}, genuine[2:]...)
	case 2:
		b = b[:rng.IntN(len(b))]
	case 3:
		b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
	case 4: // a frame of the same device with another counter and an invented tag
		for i := max(0, len(b)-16); i < len(b); i++ {
			b[i] = byte(rng.Uint32())
		}
	}
	return b
}

// countReplies reads what comes back until the connection is closed.
func countReplies(c net.Conn) func() int {
	var n ledger
	go func() {
		buf := make([]byte, 2048)
		for i := uint64(0); ; i++ {
			if _, err := c.Read(buf); err != nil {
				return
			}
			n.add(sent{0, i})
		}
	}()
	return n.len
}

// picture is what an attack could have changed.
type picture struct {
	events uint64
	log    int
	memory int64 // bytes resident
}

func (s *site) state(t *testing.T, gw *process) picture {
	t.Helper()
	info, err := s.stream(t).Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p := picture{events: info.State.LastSeq, log: len(gw.out.String())}
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(gw.cmd.Process.Pid), "statm"))
	if err != nil {
		return p // not on this system
	}
	if f := strings.Fields(string(status)); len(f) > 1 {
		pages, err := strconv.ParseInt(f[1], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		p.memory = pages * int64(os.Getpagesize())
	}
	return p
}
