// Package check holds the promise of the gateway against what happened: every frame that was acknowledged became exactly one event.
//
// A [Ledger] keeps its own list of what was sent and acknowledged, filled by the devices' side, and is told every event that a fresh
// consumer read from the stream. It takes nothing on the word of the gateway. It is pure: no I/O, no clock.
package check
