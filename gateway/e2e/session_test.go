//go:build e2e

package e2e_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/gateway/config"
	simulated "github.com/godwit-gateway/godwit/simulator/device"
)

// simulatedConfig is a device of the site's product. How often it speaks is for the test to say.
func simulatedConfig(t *testing.T, number uint32) simulated.Config {
	t.Helper()
	p, err := config.BuiltIn("buoy-demo")
	if err != nil {
		t.Fatal(err)
	}
	return simulated.Config{
		Number: number, Key: deviceKey(t, number), Template: p.Template, Product: "buoy-demo", Version: "1.0.0", CTRBits: 16, TagLen: 8,
	}
}

// radio is a simulated device behind a real socket.
type radio struct {
	t    *testing.T
	dev  *simulated.Device
	conn net.Conn
	c    simulated.Config
}

func newRadio(t *testing.T, number uint32, gateway string) *radio {
	t.Helper()
	r := &radio{t: t, c: simulatedConfig(t, number)}
	r.c.Interval, r.c.Retry, r.c.RetryMax, r.c.Seed = 200*time.Millisecond, 100*time.Millisecond, time.Second, 5
	r.boot(simulated.Memory{}, gateway)
	return r
}

func (r *radio) boot(m simulated.Memory, gateway string) {
	r.t.Helper()
	var err error
	if r.dev, err = simulated.New(r.c, m, time.Now()); err != nil {
		r.t.Fatal(err)
	}
	if r.conn, err = net.Dial("udp4", gateway); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = r.conn.Close() })
}

// talk lets the device talk until a condition holds and nothing but the newest frame waits.
func (r *radio) talk(what string, done func() bool) {
	r.t.Helper()
	buf := make([]byte, 2048)
	acked := 0
	deadline := time.Now().Add(time.Minute)
	for {
		if done() && acked > 2 {
			return
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("waited for %s: epoch %d, %d pending, %d acknowledged", what, r.dev.Epoch(), r.dev.Pending(), acked)
		}
		out, _, err := r.dev.Poll(time.Now())
		if err != nil {
			r.t.Fatal(err)
		}
		for _, tx := range out {
			_, _ = r.conn.Write(tx.Payload)
		}
		_ = r.conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		for {
			n, err := r.conn.Read(buf)
			if err != nil {
				break
			}
			frames, err := r.dev.Receive(bytes.Clone(buf[:n]))
			if err != nil {
				r.t.Fatal(err)
			}
			acked += len(frames)
		}
	}
}

func (r *radio) epochAbove(epoch uint32) func() bool {
	return func() bool { return r.dev.Epoch() > epoch }
}

// must runs a command of godwit that must succeed.
func (s *site) must(t *testing.T, args ...string) string {
	t.Helper()
	out, err := command(t, append(args, "--config", s.config)...)
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// A device gets new keys, loses its memory, is heard under another key-encryption key, and moves to another gateway, all through the programs
// as they are.
func TestKeysThroughTheirLife(t *testing.T) {
	s := newSite(t)
	gw := s.gateway(t)
	r := newRadio(t, 7, s.udp)
	r.talk("the first frames", func() bool { return true })

	s.must(t, "device", "rekey", "dev-7")
	r.talk("the new epoch", r.epochAbove(0))
	epoch := r.dev.Epoch()

	// Not even the boot counter is left.
	r.boot(simulated.Erased(), s.udp)
	r.talk("the epoch after the loss of memory", r.epochAbove(epoch))
	epoch = r.dev.Epoch()
	var shown struct {
		Epoch  uint32 `json:"epoch"`
		Second string `json:"second_epoch"`
	}
	if err := json.Unmarshal([]byte(s.must(t, "device", "show", "dev-7", "-o", "json")), &shown); err != nil {
		t.Fatal(err)
	}
	if shown.Epoch != epoch || shown.Second != "previous" {
		t.Errorf("%+v, the device is in epoch %d", shown, epoch)
	}

	file, transfer := filepath.Join(s.dir, "fleet.csv"), filepath.Join(s.dir, "transfer.key")
	s.must(t, "device", "export", file, "--transfer-key-file", transfer, "--expand")
	if text, err := os.ReadFile(file); err != nil || bytes.Contains(text, []byte(hex.EncodeToString(r.c.Key[:]))) || !bytes.Contains(text, []byte(",sealed:")) {
		t.Errorf("%v\n%s", err, text)
	}
	if out, err := command(t, "device", "export", file, "--transfer-key-file", transfer, "--config", s.config); err == nil {
		t.Errorf("an export over another one: %s", out)
	}
	gw.stopped(t)

	// The device moves.
	there := newSite(t)
	there.edit(t, func(text string) string {
		return strings.Replace(text, `numbers = "1-100000"`, `numbers = "5000-6000"`, 1)
	})
	gw = there.gateway(t)
	if out, err := command(t, "device", "import", file, "--config", there.config); err == nil {
		t.Errorf("imported without the transfer key: %s", out)
	}
	there.must(t, "device", "import", file, "--transfer-key-file", transfer)
	m := r.dev.Memory()
	r.boot(m, there.udp)
	r.talk("frames at the other gateway", func() bool { return true })
	if r.dev.Epoch() != epoch {
		t.Errorf("epoch %d, before the move %d", r.dev.Epoch(), epoch)
	}
	gw.stopped(t)

	// Its key is wrapped anew.
	kek := filepath.Join(there.dir, "kek-2")
	if out := there.must(t, "store", "rewrap", "--kek-file", kek); !strings.Contains(out, "1 keys wrapped anew") {
		t.Errorf("%s", out)
	}
	there.add(t, "[store]\nkek_file = \"credential:kek-2\"\n")
	t.Setenv("CREDENTIALS_DIRECTORY", there.dir)
	there.must(t, "store", "check")
	there.must(t, "store", "restored")
	gw = there.gateway(t)
	m = r.dev.Memory()
	r.boot(m, there.udp)
	r.talk("frames under the other key-encryption key", func() bool { return true })
	there.must(t, "device", "rekey", "dev-7")
	r.talk("an epoch after the restore", r.epochAbove(epoch))
	gw.stopped(t)
}

// After an accepted loss a device that nobody answers any more joins by itself, and is heard in an epoch of its own.
func TestAcceptedLossMakesDevicesJoin(t *testing.T) {
	s := newSite(t)
	gw := s.gateway(t)
	r := newRadio(t, 7, s.udp)
	r.talk("the first frames", func() bool { return true })
	gw.stopped(t)
	if out, err := command(t, "store", "accept-loss", "--config", s.config); err == nil {
		t.Errorf("accepted without a word: %s", out)
	}
	s.must(t, "store", "accept-loss", "--yes")
	gw = s.gateway(t)
	r.c.Silence = time.Second
	r.boot(r.dev.Memory(), s.udp)
	r.talk("an epoch after the loss", r.epochAbove(0))
	gw.stopped(t)
	if !strings.Contains(gw.out.String(), "loss was accepted") {
		t.Errorf("the log does not tell:\n%s", gw.out)
	}
	// Once is enough.
	gw = s.gateway(t)
	r.c.Silence = time.Hour
	r.boot(r.dev.Memory(), s.udp)
	epoch := r.dev.Epoch()
	r.talk("frames after another start", func() bool { return true })
	if r.dev.Epoch() != epoch {
		t.Errorf("joined again: epoch %d, then %d", epoch, r.dev.Epoch())
	}
	gw.stopped(t)
}
