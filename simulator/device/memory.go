package device

import (
	"encoding/base64"

	"github.com/godwit-gateway/godwit/codec/session"
)

// A Memory is what survives a restart: the flash page of a real device. It is written before what it promises is used. The zero value is that
// of a device as it leaves the factory; Erased is one that lost its content.
type Memory struct {
	session.Memory
	BootCount uint32
	Known     uint8  // frames sent with the connection id, until it may be left out
	SIM       string // with which they were sent
	Set       uint8  // name of the last message that went in fragments
	Version   string // of the software that runs; "": that of the factory
	Software  [2]Software
	Parts     Blob // messages that come in fragments
	Update    Update
	Policy    Blob  // in force
	Receipts  uint8 // statuses that are still to say so; where they are acknowledged, until one is
}

// Erased is what is found where a memory lost its content.
func Erased() Memory { return Memory{Memory: session.Memory{Blank: true}} }

// A Blob is bytes that can be compared and printed.
type Blob string

// MarshalText writes base64.
func (b Blob) MarshalText() ([]byte, error) {
	return []byte(base64.StdEncoding.EncodeToString([]byte(b))), nil
}

// UnmarshalText is MarshalText back.
func (b *Blob) UnmarshalText(text []byte) error {
	raw, err := base64.StdEncoding.DecodeString(string(text))
	*b = Blob(raw)
	return err
}
