// Package gate has what transports share whose network connects to them: the [Socket] that they listen on, and a [Gate] that bounds the connections, so
// that those who open some and say nothing take no place from others.
//
//	v, left := g.Enter(conn, gate.SourceOf(addr)) // nil: no room
//	// … the message comes in …
//	if !g.Take(v) { return }                      // it was interrupted
//	// … the message is settled and answered …
//	g.Leave(v)
package gate
