// Package demo runs the gateway that production runs, whole and on loopback, against a fleet that can reach it in two ways only: datagrams
// to its UDP socket, and a GSM modem behind a pty.
//
//	device -> radio (loss, delay, copies, other order) -> UDP socket  \
//	                                                                    gateway -> JetStream -> a fresh consumer -> check.Ledger
//	device -> network -> simulated modem -> pty -> AT driver          /
//
// Its trucks are led to a release that the demo signs and puts on a web server: a rollout that one person makes and another one approves. One truck in ten
// has no room for it, the owner of another declines or puts it off, and on another it does not start; the rest must be confirmed.
//
// The devices' side and the consumer fill a ledger of what was acknowledged and what was published. At the end the devices fall silent
// but for repeats, the outbox runs empty, and the ledger says whether every acknowledged frame became exactly one event.
package demo
