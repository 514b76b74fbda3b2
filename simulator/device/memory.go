package device

import "github.com/godwit-gateway/godwit/codec/session"

// A Memory is what survives a restart: the flash page of a real device. It is written before what it promises is used. The zero value is that
// of a device as it leaves the factory; Erased is one that lost its content.
type Memory struct {
	session.Memory
	BootCount uint32
	Known     uint8 // frames sent with the connection id, until it may be left out
}

// Erased is what is found where a memory lost its content.
func Erased() Memory { return Memory{Memory: session.Memory{Blank: true}} }
