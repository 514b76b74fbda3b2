// Package udp receives bare datagrams: one payload per datagram, answered on the same exchange or not at all.
//
//	socket --> 8 readers x 64 datagrams --> limiter --> Sink.Uplinks --> verdicts --> replies to where the datagrams came from
//
// UDP has no confirmation of its own. A device learns that its payload is on disk from the reply that the sink gives with its verdict,
// and sends again until it comes; so a datagram that is dropped here, for whatever reason, costs a repeat and no data.
//
// Anybody can send here under any source address, and everything is built around that:
//
//   - Nothing is sent to who did not verify. A reply is at most [ReplySlack] bytes longer than what it answers, so nothing is amplified.
//   - A source whose datagrams fail runs out of tokens and is dropped before the sink, see [Failures].
//   - Every table has a fixed size, and a datagram allocates nothing: memory does not depend on what comes in.
//
// On a host with several addresses configure the one that devices send to: from the wildcard address the kernel chooses the source of a
// reply by its routes, and a NAT in front of a device lets in only what comes from where the device had sent to.
package udp
