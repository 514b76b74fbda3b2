package bench

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/store"
)

// frameLen is the length of the datagrams in bytes, connection id and tag included.
const frameLen = 40

// counterBits is the width of the counter on air of the devices that send.
const counterBits = 16

// sender is one device of the load.
type sender struct {
	number uint32
	cipher *codec.Cipher
	next   uint64
}

func newSenders(n int) []*sender { return newSendersFrom(0, n) }

// newSendersFrom makes n devices, of which the first is the one of an index.
func newSendersFrom(index, n int) []*sender {
	out := make([]*sender, n)
	for i := range out {
		s := &sender{number: firstNumber + uint32(index+i)} //nolint:gosec // far below 2^32
		key := codec.FleetDeviceKey(fleetSecret, s.number)
		s.cipher = codec.NewCipher(codec.DeriveSealKey(&key, nil, codec.LabelUp8, s.number, 0))
		out[i] = s
	}
	return out
}

// frame seals the next message of the device, padded so that the datagram has frameLen bytes.
func (s *sender) frame() (load, error) {
	const sealed = 2 + 1 + 2 + 8 // byte string, header, counter, tag
	head := len(codec.AppendAddressed(nil, s.number, nil))
	plain := make([]byte, frameLen-head-sealed)
	plain[0] = byte(codec.MessageUser)
	binary.BigEndian.PutUint64(plain[1:], s.next)
	k := store.FrameKey{Number: s.number, Counter: s.next}
	item, err := s.cipher.AppendSealed(nil, codec.MakeHeader(codec.KindExtended, 0, 0),
		codec.Position{Number: k.Number, Counter: k.Counter}, counterBits, 8, plain)
	if err != nil {
		return load{}, fmt.Errorf("seal frame %d of device %d: %w", k.Counter, k.Number, err)
	}
	s.next++
	return load{key: k, payload: codec.AppendAddressed(make([]byte, 0, frameLen), s.number, item)}, nil
}

// load is a frame that is ready to be sent.
type load struct {
	key     store.FrameKey
	payload []byte
}

// frames seals n frames, the devices taking turns.
func frames(senders []*sender, n int) ([]load, error) {
	out := make([]load, n)
	for i := range out {
		var err error
		if out[i], err = senders[i%len(senders)].frame(); err != nil {
			return nil, err
		}
		if got := len(out[i].payload); got != frameLen {
			return nil, fmt.Errorf("frame of %d bytes, want %d", got, frameLen)
		}
	}
	return out, nil
}

var errStuck = errors.New("nothing moves")

// send sends frames until the gateway has stored each, and returns how many had to be sent again. Which those are is looked up in the store
// once all were sent: an acknowledgement does not say whose it is, and on loopback hardly any is needed.
func (g *gateway) send(ctx context.Context, frames []load) (resent int, err error) {
	had := g.stored()
	if err := pump(ctx, g.link, frames); err != nil {
		return 0, err
	}
	for range 20 {
		if g.stored() == had+len(frames) {
			return resent, nil
		}
		missing, err := g.missing(frames)
		if err != nil {
			return resent, err
		}
		resent += len(missing)
		if err := pump(ctx, g.link, missing); err != nil {
			return resent, err
		}
	}
	return resent, fmt.Errorf("%d of %d frames are stored: %w", g.stored()-had, len(frames), errStuck)
}

// missing are the frames that are not in the store.
func (g *gateway) missing(frames []load) ([]load, error) {
	var out []load
	for i := range frames {
		if _, ok, err := g.store.FrameHash(frames[i].key); err != nil {
			return nil, fmt.Errorf("look for frame %v: %w", frames[i].key, err)
		} else if !ok {
			out = append(out, frames[i])
		}
	}
	return out, nil
}
