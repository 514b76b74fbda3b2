//go:build !amd64 || purego

package aes128

const native = false

func expand(*[KeySize]byte, *[scheduleLen]byte)              {}
func encrypt(*[scheduleLen]byte, *byte, int)                 {}
func chain(*[scheduleLen]byte, *[BlockSize]byte, *byte, int) {}
