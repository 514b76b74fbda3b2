// Godwit is a gateway between fleets of remote devices and NATS JetStream. This package is its program: the daemon (godwit run) and the
// commands of its operators, one file each. All substance is in the packages below it; see docs/ARCHITECTURE.md for the way of a frame.
//
// Commands ask the running gateway through its HTTP API; `store` commands open the store themselves, and refuse while a gateway has it.
//
// # Libraries
//
// alecthomas/kong parses the command line from the types of the commands, without code of its own per flag. coreos/go-systemd tells
// systemd that the gateway is ready and alive. schollz/progressbar shows how far long work is.
package main
