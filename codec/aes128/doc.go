// Package aes128 is the AES block function (FIPS 197) for many keys of 128 bits, each of which is used for one frame.
//
// crypto/aes makes a schedule of 488 bytes on the heap, half of it for decryption, which CCM never does. For a million devices these are 0.5 GB that no
// cache holds, or an allocation for each frame. Here a schedule is made from a key of 16 bytes where its caller has room for it, in some tens of nanoseconds,
// and CBC-MAC stays in registers from one block to the next.
//
// That takes the processor's own instructions, in 100 lines of assembly (amd64). They take the same time for all keys and blocks, as a table in memory does not.
// On other processors, and with the build tag purego, crypto/aes does it all, with an allocation for each key. The tests hold both against each other and
// FIPS 197.
package aes128
