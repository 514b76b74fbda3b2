// Package session is the state of one device's conversation. The gateway's side is a [Gateway]: its epochs, which counters of each were seen
// ([Counters]), and what was said about joining. The device's side is a [Device]: its epochs, and which counter comes next ([Sender]). Either
// may send what is larger than a frame as a [Parcel]; a [Filler] gives statuses the form that costs least on a [Bearer]. All are pure: values,
// no clock, no I/O. What a method changes must be durable before anything is sent that follows from it; then whatever is lost, repeated or
// replayed, and whoever loses power or memory, no nonce is used twice, nothing is taken twice, and the two find together again by themselves.
//
//	device                                  gateway
//	frames of epoch e            ----->     Current e
//	                             <-----     Rekey: Pending e+1, sealed in e
//	first frame of e+1           ----->     Current e+1, Previous e for 7 days
//
//	lost its memory: request     ----->     higher boot counter: Pending, accept
//	                             <-----     else: challenge
//	confirm                      ----->     Pending
//	                             <-----     accept
//	first frame of the epoch     ----->     Current
package session
