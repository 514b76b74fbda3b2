// Package world plays a whole deployment in virtual time: devices, their radios and networks, and a gateway that is the very code of production,
// on a file system that loses what was not synced and a stream that can be damaged. One goroutine drives everything from a heap of events, so a
// seed and a commit give the same history, to the last byte, on any machine.
//
//	device -> radio -> network -> hub -> store -> publisher -> stream
//	   ^                                  |
//	   +------- radio <- network <--------+
//
// A [Run] has two parts. First everything fails that may fail: power, disks that come back as an old copy, streams that lose their tail,
// devices that restart or forget all they knew, forged and replayed payloads. Then everything is healed, and it is required that each frame
// that was acknowledged became an event, that each event is of a frame that its device sealed, that no nonce was ever used for two contents, and
// that every device can be heard again.
package world
