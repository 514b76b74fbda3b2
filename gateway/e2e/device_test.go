//go:build e2e

package e2e_test

import (
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
)

// sent names a frame for good.
type sent struct {
	number  uint32
	counter uint64
}

// device sends user messages over UDP and repeats each until it is acknowledged, as firmware does.
type device struct {
	number uint32
	key    [32]byte
	ack    [32]byte
	cipher *codec.Cipher
	conn   net.Conn
	next   uint64
	rng    *rand.Rand
}

// deviceKey is the key of a device of the site's fleet key.
func deviceKey(t *testing.T, number uint32) [32]byte {
	t.Helper()
	raw, err := hex.DecodeString(fleetKeyHex)
	if err != nil {
		t.Fatal(err)
	}
	return codec.FleetDeviceKey([32]byte(raw), number)
}

func newDevice(t *testing.T, number uint32, gateway string, seed uint64) *device {
	t.Helper()
	conn, err := net.Dial("udp4", gateway)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	d := &device{number: number, key: deviceKey(t, number), conn: conn, rng: rand.New(rand.NewPCG(seed, uint64(number)))}
	d.ack = codec.DeriveAckKey(&d.key, nil, number, 0)
	d.cipher = codec.NewCipher(codec.DeriveSealKey(&d.key, nil, codec.LabelUp8, number, 0))
	return d
}

// small is the size of an ordinary message, in bytes.
const small = 9

// frame seals the device's next message. The first is a hello.
func (d *device) frame(t *testing.T) (uint64, []byte) {
	t.Helper()
	return d.long(t, small)
}

// long is frame for a message of n bytes, which takes several short messages if it is long.
func (d *device) long(t *testing.T, n int) (uint64, []byte) {
	t.Helper()
	counter := d.next
	d.next++
	header, body := codec.MakeHeader(codec.KindExtended, 0, 0), make([]byte, n)
	for i := range body {
		body[i] = byte(d.rng.Uint32())
	}
	body[0] = byte(codec.MessageUser)
	if counter == 0 {
		var err error
		if body, err = codec.AppendHello(nil, &codec.Hello{Version: "1.0.0", BootCount: 1}); err != nil {
			t.Fatal(err)
		}
		header = codec.MakeHeader(codec.KindExtended, 1, 0)
	}
	item, err := d.cipher.AppendSealed(nil, header, codec.Position{Number: d.number, Counter: counter}, 16, 8, body)
	if err != nil {
		t.Fatal(err)
	}
	return counter, codec.AppendAddressed(nil, d.number, item)
}

// run sends frames until stop is closed and calls acked for each that the gateway acknowledged. A frame without an acknowledgement is sent
// again, the same bytes, for as long as it takes.
func (d *device) run(t *testing.T, stop <-chan struct{}, acked func(sent)) {
	t.Helper()
	buf := make([]byte, 2048)
	for {
		counter, payload := d.frame(t)
		for {
			select {
			case <-stop:
				return
			default:
			}
			_, _ = d.conn.Write(payload) // refused while the gateway is down
			if d.awaitAck(buf, counter) {
				acked(sent{d.number, counter})
				break
			}
		}
	}
}

func (d *device) awaitAck(buf []byte, counter uint64) bool {
	deadline := time.Now().Add(100 * time.Millisecond)
	for {
		_ = d.conn.SetReadDeadline(deadline)
		n, err := d.conn.Read(buf)
		if err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				_ = d.conn.SetReadDeadline(time.Time{})
				time.Sleep(20 * time.Millisecond) //nolint:forbidigo // the socket said "refused" at once: pace the next try
			}
			return false
		}
		item, _, err := codec.NextItem(buf[:n])
		if err != nil {
			continue
		}
		f, err := codec.ParseAck(item.Content)
		if err != nil {
			continue
		}
		if a, err := f.Verify(&d.ack, d.number, 0, d.next-1); err == nil && a.Covers(counter) {
			return true
		}
	}
}

// ledger is the list of what was acknowledged, kept outside the process under test.
type ledger struct {
	mu    sync.Mutex
	acked map[sent]bool
}

func (l *ledger) add(s sent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.acked == nil {
		l.acked = make(map[sent]bool)
	}
	l.acked[s] = true
}

func (l *ledger) len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acked)
}

// opens checks that a downlink is a message for the device with these bytes.
func (d *device) opens(t *testing.T, payload []byte, want string) {
	t.Helper()
	item, _, err := codec.NextItem(payload)
	if err != nil {
		t.Fatalf("downlink %x: %v", payload, err)
	}
	sealed, err := codec.ParseSealed(item.Content, 16, 8)
	if err != nil {
		t.Fatalf("downlink %x: %v", payload, err)
	}
	cipher := codec.NewCipher(codec.DeriveSealKey(&d.key, nil, codec.LabelDown, d.number, 0))
	plaintext, err := cipher.Open(nil, &sealed, codec.Position{Direction: codec.Down, Number: d.number, Counter: sealed.CTR})
	if err != nil {
		t.Fatalf("downlink %x: %v", payload, err)
	}
	if got := hex.EncodeToString(plaintext[1:]); codec.MessageType(plaintext[0]) != codec.MessageUser || got != want {
		t.Errorf("downlink holds %x", plaintext)
	}
}
