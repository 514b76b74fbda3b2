package size

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/godwit-gateway/godwit/codec"
)

// chain is a device and a gateway: each frame is sealed, opened, decoded and compared.
type chain struct {
	t               *codec.Template
	device, gateway codec.State
	seal, open      *codec.Cipher
	counter         uint64
	buffer          []byte
	got             []codec.Status
}

const benchNumber = 7

func newChain(t *codec.Template) *chain {
	key := codec.DeriveSealKey(new([32]byte), nil, codec.LabelUp4, benchNumber, 0)
	return &chain{t: t, seal: codec.NewCipher(key), open: codec.NewCipher(key), got: make([]codec.Status, 1)}
}

// errDiffers says that what was decoded is not what was sent.
var errDiffers = errors.New("what was decoded is not what was sent")

// send sends one status as a delta, or several as a batch, and returns the length of the payload.
func (c *chain) send(statuses []codec.Status) (int, error) {
	var plaintext []byte
	var h codec.Header
	var err error
	if len(statuses) == 1 {
		plaintext, h, err = c.t.AppendDelta(c.buffer[:0], 0, 1, &c.device, &statuses[0])
	} else {
		plaintext, h, err = c.t.AppendBatch(c.buffer[:0], 0, 1, &c.device, statuses)
	}
	if err != nil {
		return 0, fmt.Errorf("encode: %w", err)
	}
	c.buffer = plaintext
	c.counter++
	at := codec.Position{Direction: codec.Up, Number: benchNumber, Counter: c.counter}
	frame, err := c.seal.AppendSealed(nil, h, at, 8, 4, plaintext)
	if err != nil {
		return 0, fmt.Errorf("seal: %w", err)
	}
	if len(frame) != frameLen(len(plaintext), 4) {
		return 0, fmt.Errorf("%w: a frame of %d bytes, reckoned were %d", errDiffers, len(frame), frameLen(len(plaintext), 4))
	}
	if err := c.receive(frame, at, statuses); err != nil {
		return 0, err
	}
	return len(plaintext), nil
}

// receive opens and decodes a frame, and compares.
func (c *chain) receive(frame []byte, at codec.Position, want []codec.Status) error {
	item, _, err := codec.NextItem(frame)
	if err != nil {
		return fmt.Errorf("receive: %w", err)
	}
	sealed, err := codec.ParseSealed(item.Content, 8, 4)
	if err != nil {
		return fmt.Errorf("receive: %w", err)
	}
	plaintext, err := c.open.Open(nil, &sealed, at)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	ref := want[len(want)-1].Time
	if len(want) == 1 {
		err = c.t.DecodeDelta(&c.got[0], &c.gateway, sealed.Header, plaintext, ref)
	} else {
		c.got, err = c.t.DecodeBatch(c.got, &c.gateway, sealed.Header, plaintext, ref)
	}
	if err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	for i := range want {
		if !same(c.t, &c.got[i], &want[i]) {
			return fmt.Errorf("%w: %+v became %+v", errDiffers, want[i], c.got[i])
		}
	}
	return nil
}

// same compares statuses; times in the template's unit and within its window, as a device's clock that jumps by years is not told from one that
// is right.
func same(t *codec.Template, a, b *codec.Status) bool {
	unit, window := int64(1), int64(1<<20)
	if t.Timing().Unit == codec.Minutes {
		unit, window = 60, 1<<16
	}
	apart := floorDiv(a.Time.Unix(), unit) - floorDiv(b.Time.Unix(), unit)
	return apart%window == 0 && a.ClockValid == b.ClockValid && a.Rare == b.Rare && reflect.DeepEqual(a.Values, b.Values)
}

func floorDiv(a, b int64) int64 {
	if a%b < 0 {
		return a/b - 1
	}
	return a / b
}
