package satbench

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/godwit-gateway/godwit/codec"
)

// Options say what is measured.
type Options struct {
	Dir      string // for the gateway's state
	Messages int    // of a round
	Rounds   int
	Senders  int // connections at a time
	Log      *slog.Logger
}

// A Round is one measurement of both servers.
type Round struct {
	PerSecond float64 // messages that became synced events
	Bare      float64 // messages that a server took which keeps nothing
}

// Ratio is the speed of the gateway, where that of the bare server is 1.
func (r *Round) Ratio() float64 { return r.PerSecond / r.Bare }

// Run measures.
func Run(ctx context.Context, o Options) (rounds []Round, err error) {
	bare, err := startBare()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, bare.close()) }()
	g, err := startGateway(ctx, o, "")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, g.stop()) }()
	modems := make([]*modem, o.Senders)
	for i := range modems {
		modems[i] = newModem(uint32(i + 1))
	}
	if _, err := measure(ctx, g.address, modems, o.Senders); err != nil { // they register
		return nil, err
	}
	for range o.Rounds {
		var r Round
		if r.Bare, err = measure(ctx, bare.address(), modems, o.Messages); err != nil {
			return nil, err
		}
		if r.PerSecond, err = measure(ctx, g.address, modems, o.Messages); err != nil {
			return nil, err
		}
		rounds = append(rounds, r)
	}
	return rounds, g.check(linkName, len(rounds)*o.Messages+o.Senders)
}

// measure has all modems' messages delivered at once and returns how many that were a second.
func measure(ctx context.Context, address string, modems []*modem, messages int) (float64, error) {
	batches := make([][][]byte, len(modems))
	for i := range messages {
		m := i % len(modems)
		b, err := modems[m].message()
		if err != nil {
			return 0, err
		}
		batches[m] = append(batches[m], b)
	}
	work, ctx := errgroup.WithContext(ctx)
	began := time.Now()
	for _, batch := range batches {
		work.Go(func() error {
			for _, b := range batch {
				if err := deliver(ctx, address, b); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := work.Wait()
	return float64(messages) / time.Since(began).Seconds(), err
}

// patience is how long a server may take for one message.
const patience = 30 * time.Second

// confirmation is the answer to a message that was taken.
const confirmation = "\x01\x00\x04\x05\x00\x01\x01"

// deliver hands one message over as the Iridium gateway does.
func deliver(ctx context.Context, address string, message []byte) error {
	conn, err := (&net.Dialer{Timeout: patience}).DialContext(ctx, "tcp4", address)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close() }() // the answer has come
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := conn.Write(message); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	var answer [len(confirmation)]byte
	if _, err := io.ReadFull(conn, answer[:]); err != nil || string(answer[:]) != confirmation {
		return fmt.Errorf("answer %x: %w", answer, errors.Join(err, errNotTaken))
	}
	return nil
}

var errNotTaken = errors.New("the message was not taken")

// modem seals messages of a device and packs them as the network does.
type modem struct {
	number uint32
	cipher *codec.Cipher
	next   uint64
}

func newModem(number uint32) *modem {
	key := codec.FleetDeviceKey(fleetSecret, number)
	return &modem{number: number, cipher: codec.NewCipher(codec.DeriveSealKey(&key, nil, codec.LabelUp8, number, 0))}
}

// payload is the next one: a hello, then 24 bytes of the application, with 18 around them.
func (m *modem) payload() ([]byte, error) {
	header, body := codec.MakeHeader(codec.KindExtended, 0, 0), append([]byte{byte(codec.MessageUser)}, make([]byte, 24)...)
	if m.next == 0 {
		var err error
		if body, err = codec.AppendHello(nil, &codec.Hello{Version: "1.0.0", BootCount: 1}); err != nil {
			return nil, fmt.Errorf("hello: %w", err)
		}
		header = codec.MakeHeader(codec.KindExtended, 1, 0)
	}
	item, err := m.cipher.AppendSealed(nil, header, codec.Position{Number: m.number, Counter: m.next}, 16, 8, body)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	m.next++
	return codec.AppendAddressed(nil, m.number, item), nil
}

func (m *modem) imei() string { return fmt.Sprintf("3002340%08d", m.number) }

// message is the next payload as DirectIP has it.
func (m *modem) message() ([]byte, error) {
	n := m.next
	payload, err := m.payload()
	if err != nil {
		return nil, err
	}
	b := []byte{1, 0, 0, 0x01, 0, 28}
	b = binary.BigEndian.AppendUint32(b, uint32(n)) //nolint:gosec // a reference
	b = append(b, m.imei()...)
	b = append(b, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(n)) //nolint:gosec // it wraps as on a modem
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(time.Now().Unix())) //nolint:gosec // until 2106
	b = append(b, 0x02, byte(len(payload)>>8), byte(len(payload)))
	b = append(b, payload...)
	binary.BigEndian.PutUint16(b[1:], uint16(len(b)-3)) //nolint:gosec // small
	return b, nil
}
