// Package idpterm is an IsatData Pro terminal with its satellite and network, behind a pseudo-terminal that programs open like a serial line.
//
//	terminal, err := idpterm.New(idpterm.Options{Path: "/tmp/idp0"})
//	go terminal.Run(ctx)
//	terminal.Deliver(ctx, idpterm.Forward{Message: append([]byte{128, 1}, frame...)}) // the network has something for the terminal
//
//	Deliver -> network -> sky -> forward queue -> %MGFN, %MGFG -> %MGFM -> OnSettled
//	%MGRT   -> return queue -> sky -> %MGRS says complete -> OnReturn
//
// It speaks the dialect of ORBCOMM's terminals or that of Quectel's, with checksums ([Options].NoChecksums: without), error codes in S80, a return queue
// that gets full and whose messages fail when their transmit lifetime has passed, a sky that may be blocked, and power that may be cut. What goes wrong on
// its line is in [Faults]; a seed decides all that is left to chance.
//
// A cut of power forgets the return queue and the settings, not the forward messages that had come in as a whole; those that come in then begin anew.
//
// The terminal itself is a machine that is told the time and the bytes and does no I/O. [Terminal] moves bytes between it and the pseudo-terminal. It has
// its own checksum and parsers, and nothing of the driver's.
package idpterm
