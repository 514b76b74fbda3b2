// Package gate bounds the connections of a server, so that those who open some and say nothing take no place from others.
//
//	v, left := g.Enter(conn, gate.SourceOf(addr)) // nil: no room
//	// … the message comes in …
//	if !g.Take(v) { return }                      // it was interrupted
//	// … the message is settled and answered …
//	g.Leave(v)
package gate
