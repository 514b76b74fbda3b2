//go:build !purego

package aes128

// native reports whether the processor has AESENC and PSHUFB: all servers since 2010 do.
var native = hasAES()

func hasAES() bool

// expand makes the 11 round keys.
//
//go:noescape
func expand(key *[KeySize]byte, schedule *[scheduleLen]byte)

// encrypt puts n blocks, at least one, through the cipher.
//
//go:noescape
func encrypt(schedule *[scheduleLen]byte, blocks *byte, n int)

// chain goes on with a CBC-MAC over n blocks, at least one.
//
//go:noescape
func chain(schedule *[scheduleLen]byte, mac *[BlockSize]byte, blocks *byte, n int)
