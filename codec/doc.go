// Package codec is what travels over the air: bytes to values and back. SPEC.md is its normative text, frame.cddl its grammar, testdata/vectors its
// proof for any other implementation.
//
// It is pure: no I/O, no clock, no goroutine. Whoever calls it brings keys, counters and times.
//
//	transmission  = 1*16 item                     NextItem
//	item          = byte string                   sealed: the link names the device
//	              | [cid, byte string]            sealed, with the device's number
//	              | map                           open, where the link authenticates the sender
//	              | COSE_Sign1                    signed manifests, downlink
//	sealed        = HDR CTR ciphertext tag        ParseSealed, Cipher.Open, Opener.Open, Cipher.AppendSealed
//	              | HDR body MAC                  clear: ParseAck, ParseJoin
//	HDR           = kk sss bbb                    Header
//	plaintext     = packed keyframe               Template.DecodeKeyframe, AppendKeyframe
//	              | type byte, message            DecodeHello, DecodeOpen, DecodeStepLog, DecodeAlarm, and the downlinks
//	              | type byte, fragment           DecodeFragment; Splitter and Reassembler are the two ends
//
// [Inspect] takes any bytes apart for people: what each means, up to where a receiver would stop, and why.
//
// The static things never travel: widths of counter and tag, keys, templates and epoch belong to the device's record.
//
// Opening a frame, decoding a keyframe and making an acknowledgement allocate nothing once their memory is at hand. CBOR messages are read by
// github.com/fxamacker/cbor/v2, whose limits (nesting, elements, duplicate keys, indefinite lengths) are what makes it safe here; they are
// read only after their frame was verified.
package codec
